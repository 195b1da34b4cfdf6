// The language's front door: a service template's text and its inputs in, a Topology or a list of
// everything that is wrong out. Pure: no clock, no network, no files; imports come from the
// resolver that the caller passes. Used by the API, the CLI and recovery.
#pragma once

#include "tosca/source/diagnostic.hpp"
#include "tosca/topology/topology.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tutti::tosca {

// The text of an imported document. `lenient` documents may repeat mapping keys (the last wins,
// with a warning), because shipped INDIGO files do.
struct ImportedText {
  std::string name;  // what diagnostics call it
  std::string text;
  bool lenient = false;
};

// Maps an import (a URL or a path as written, already joined to its importing document's base) to a
// text, or nothing. See profiles/import_map.hpp for the embedded one.
using ImportResolver = std::function<std::optional<ImportedText>(const std::string& location)>;

struct ResolveRequest {
  std::string file;  // name for diagnostics, "template" for a POST
  std::string text;
  // Input values as the client sent them; strings are coerced to the declared types.
  std::map<std::string, Value> inputs;
  ImportResolver imports;
  // Check inputs' presence and values; false for `validate` without inputs: missing ones are then
  // stood in for by unknowns that satisfy every use.
  bool require_inputs = true;
};

struct ResolveResult {
  std::optional<Topology> topology;  // absent when diagnostics hold an error
  Diagnostics diagnostics;           // errors and warnings, in document order
  // Texts of the secrets that the topology refers to, to be sealed by the caller at once.
  std::map<SecretRef, std::string> secrets;
  // Every imported document that took part, by location: kept with the deployment.
  std::map<std::string, ImportedText> imports;
};

[[nodiscard]] ResolveResult resolve(const ResolveRequest& request);

}  // namespace tutti::tosca
