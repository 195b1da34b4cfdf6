#include "tosca/topology/topology.hpp"

#include <algorithm>

namespace tutti::tosca {

bool NodeTemplate::is_a(std::string_view type_name) const {
  return std::find(ancestry.begin(), ancestry.end(), type_name) != ancestry.end();
}

}  // namespace tutti::tosca
