// A topology template as written (TOSCA Simple 1.3, section 3.9). Workflows and substitution
// mappings are known keys that nothing is done with yet.
#pragma once

#include "tosca/grammar/node_template.hpp"
#include "tosca/grammar/policy.hpp"

#include <string>
#include <vector>

namespace tutti::tosca::grammar {

struct Output {
  std::string name;
  std::string description;
  const Node* key = nullptr;
  const Node* node = nullptr;
  const Node* type = nullptr;
  const Node* value = nullptr;
};

struct TopologyTemplate {
  const Node* node = nullptr;
  std::string description;
  bool substitutes = false;  // has substitution_mappings
  std::vector<PropertyDefinition> inputs;
  std::vector<NodeTemplate> node_templates;
  std::vector<RelationshipTemplate> relationship_templates;
  std::vector<Group> groups;
  std::vector<Policy> policies;
  std::vector<Output> outputs;
};

[[nodiscard]] TopologyTemplate read_topology_template(Reader& reader, const Node& node);

}  // namespace tutti::tosca::grammar
