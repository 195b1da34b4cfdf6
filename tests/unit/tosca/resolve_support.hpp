// What the tests of the language share: short ways to resolve a text and to look for a problem at
// its place.
#pragma once

#include "tosca/profiles/import_map.hpp"
#include "tosca/resolve/resolve.hpp"

#include <gmock/gmock.h>

#include <map>
#include <ostream>
#include <string>

namespace tutti::tosca {

struct Resolving {
  std::map<std::string, Value> inputs;
  std::map<std::string, ImportedText> files;  // beside the embedded types
  bool require_inputs = true;
};

[[nodiscard]] ResolveResult resolve_text(const std::string& text, const Resolving& options = {});
// A 1.3 document with this topology (indented by two spaces as it stands under topology_template).
[[nodiscard]] std::string document(const std::string& topology, const std::string& before = "");

[[nodiscard]] std::string read_file(const std::string& path);
[[nodiscard]] std::string all_problems(const ResolveResult& result);

// There is a diagnostic of that rule at line:column ("12:5") or at that line ("12").
[[nodiscard]] bool has_problem(const Diagnostics& diagnostics, const std::string& rule,
                               const std::string& place);

// For GoogleTest's messages.
void PrintTo(const ResolveResult& result, std::ostream* out);

MATCHER_P2(ReportsAt, rule, place, "reports " + std::string(rule) + " at " + std::string(place)) {
  *result_listener << "\n" << all_problems(arg);
  return has_problem(arg.diagnostics, rule, place);
}

MATCHER(Resolves, "resolves") {
  *result_listener << "\n" << all_problems(arg);
  return arg.topology.has_value();
}

}  // namespace tutti::tosca
