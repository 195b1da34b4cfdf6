// A whole document as written: version, imports, types and, in a service template, a topology. The
// entry to this folder; used by resolve for the template and for each import.
#pragma once

#include "tosca/grammar/import.hpp"
#include "tosca/grammar/topology_template.hpp"
#include "tosca/grammar/types.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace tutti::tosca::grammar {

struct ServiceTemplate {
  Version version = Version::simple_1_0;
  std::string description;
  std::vector<Repository> repositories;
  std::vector<Import> imports;
  std::array<std::vector<TypeDefinition>, kTypeKinds> types;  // by TypeKind
  std::optional<TopologyTemplate> topology;
};

// Nothing when the root is no mapping or the version is missing or unknown: nothing more can be
// judged then.
[[nodiscard]] std::optional<ServiceTemplate> read_service_template(const Document& document,
                                                                   Diagnostics& diagnostics);

}  // namespace tutti::tosca::grammar
