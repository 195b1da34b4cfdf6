// Type definitions as written (TOSCA Simple 1.3, section 3.7): what all kinds share, and what each
// adds. Nothing is inherited here.
#pragma once

#include "tosca/grammar/artifact.hpp"
#include "tosca/grammar/capability.hpp"
#include "tosca/grammar/requirement.hpp"

#include <string>
#include <vector>

namespace tutti::tosca::grammar {

enum class TypeKind { artifact, data, capability, interface, relationship, node, group, policy };
inline constexpr std::size_t kTypeKinds = 8;
[[nodiscard]] std::string_view to_string(TypeKind kind);   // "node type"
[[nodiscard]] std::string_view section_of(TypeKind kind);  // "node_types"

// One shape for all kinds: the members that a kind does not have stay empty.
struct TypeDefinition {
  TypeKind kind = TypeKind::node;
  std::string name;
  const Node* key = nullptr;
  const Node* node = nullptr;
  const Node* derived_from = nullptr;
  std::vector<PropertyDefinition> properties;
  std::vector<PropertyDefinition> attributes;
  // node types
  std::vector<CapabilityDefinition> capabilities;
  std::vector<RequirementDefinition> requirements;
  std::vector<ArtifactDefinition> artifacts;
  // node, relationship and group types; the operations of an interface type are one interface
  std::vector<Interface> interfaces;
  // relationship types: capability types; capability types: node types; policies: node types
  std::vector<const Node*> valid_types;
  // data types
  std::vector<Constraint> constraints;
  std::shared_ptr<const Schema> entry;
  std::shared_ptr<const Schema> key_schema;
};

[[nodiscard]] TypeDefinition read_type(Reader& reader, TypeKind kind, const Entry& entry);

}  // namespace tutti::tosca::grammar
