// Node templates and relationship templates as written (TOSCA Simple 1.3, sections 3.8.3
// and 3.8.4).
#pragma once

#include "tosca/grammar/artifact.hpp"
#include "tosca/grammar/capability.hpp"
#include "tosca/grammar/requirement.hpp"

#include <string>
#include <vector>

namespace tutti::tosca::grammar {

struct NodeTemplate {
  std::string name;
  const Node* key = nullptr;
  const Node* node = nullptr;
  const Node* type = nullptr;
  const Node* copy = nullptr;  // another template's name
  const Node* metadata = nullptr;
  const Node* node_filter = nullptr;
  std::vector<const Node*> directives;
  std::vector<Entry> properties;
  std::vector<Entry> attributes;
  std::vector<CapabilityAssignment> capabilities;
  std::vector<RequirementAssignment> requirements;
  std::vector<Interface> interfaces;
  std::vector<ArtifactDefinition> artifacts;
};

struct RelationshipTemplate {
  std::string name;
  const Node* key = nullptr;
  const Node* node = nullptr;
  const Node* type = nullptr;
  std::vector<Entry> properties;
  std::vector<Interface> interfaces;
};

[[nodiscard]] NodeTemplate read_node_template(Reader& reader, const Entry& entry);
[[nodiscard]] RelationshipTemplate read_relationship_template(Reader& reader, const Entry& entry);

}  // namespace tutti::tosca::grammar
