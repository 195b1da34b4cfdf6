// Requirement definitions of node types and requirement assignments of node templates (TOSCA Simple
// 1.3, sections 3.7.3 and 3.8.2).
#pragma once

#include "tosca/grammar/interface.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tutti::tosca::grammar {

struct RequirementDefinition {
  std::string name;
  const Node* node = nullptr;
  const Node* capability = nullptr;
  const Node* node_type = nullptr;
  const Node* relationship_type = nullptr;
  std::vector<Interface> interfaces;  // of the relationship
  std::int64_t least = 1;
  std::optional<std::int64_t> most = 1;  // nothing: unbounded
};

struct RequirementAssignment {
  std::string name;
  const Node* key = nullptr;
  const Node* node = nullptr;
  const Node* target = nullptr;        // a node template's or a node type's name
  const Node* capability = nullptr;    // a capability's or a capability type's name
  const Node* relationship = nullptr;  // a relationship template's or type's name
  std::vector<Entry> properties;       // of the relationship
  std::vector<Interface> interfaces;   // of the relationship
  const Node* node_filter = nullptr;
};

[[nodiscard]] RequirementDefinition read_requirement_definition(Reader& reader, const Entry& entry);
[[nodiscard]] RequirementAssignment read_requirement_assignment(Reader& reader, const Entry& entry);

}  // namespace tutti::tosca::grammar
