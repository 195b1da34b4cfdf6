// A topology as JSON for golden files: everything that planning can see, nothing that depends on a
// place in the text.
#pragma once

#include "tosca/topology/topology.hpp"

#include <nlohmann/json.hpp>

namespace tutti::tosca {

[[nodiscard]] nlohmann::ordered_json to_json(const Topology& topology);

}  // namespace tutti::tosca
