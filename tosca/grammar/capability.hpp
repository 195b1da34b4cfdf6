// Capability definitions of node types and capability assignments of node templates (TOSCA Simple
// 1.3, sections 3.7.2 and 3.8.1).
#pragma once

#include "tosca/grammar/schema.hpp"

#include <string>
#include <vector>

namespace tutti::tosca::grammar {

struct CapabilityDefinition {
  std::string name;
  const Node* node = nullptr;
  const Node* type = nullptr;
  std::vector<PropertyDefinition> properties;
  std::vector<PropertyDefinition> attributes;
  std::vector<const Node*> valid_source_types;
};

struct CapabilityAssignment {
  std::string name;
  const Node* key = nullptr;
  const Node* node = nullptr;
  std::vector<Entry> properties;
  std::vector<Entry> attributes;
};

[[nodiscard]] CapabilityDefinition read_capability_definition(Reader& reader, const Entry& entry);
[[nodiscard]] CapabilityAssignment read_capability_assignment(Reader& reader, const Entry& entry);
// Checks the shape of an occurrences range: two integers, or one and UNBOUNDED.
void check_occurrences(const Fields& fields);

}  // namespace tutti::tosca::grammar
