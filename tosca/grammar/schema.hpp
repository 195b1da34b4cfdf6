// What a value may look like: properties, attributes, parameters (inputs) and the entries of lists
// and maps, with their constraints (TOSCA Simple 1.3, sections 3.6.3, 3.6.10 to 3.6.14).
#pragma once

#include "tosca/grammar/fields.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tutti::tosca::grammar {

enum class ConstraintKind {
  equal,
  greater_than,
  greater_or_equal,
  less_than,
  less_or_equal,
  in_range,
  valid_values,
  length,
  min_length,
  max_length,
  pattern,
  schema,
};
[[nodiscard]] std::string_view to_string(ConstraintKind kind);

struct Constraint {
  ConstraintKind kind;
  const Node* argument;
  const Node* node;  // the whole clause
};

// Type references are the scalar nodes that hold the name: they know the document, and so the scope
// in which the name is to be looked up.
struct Schema {
  const Node* node = nullptr;
  const Node* type = nullptr;
  std::vector<Constraint> constraints;
  std::shared_ptr<const Schema> entry;
  std::shared_ptr<const Schema> key;
};

// A property, attribute or parameter definition.
struct PropertyDefinition : Schema {
  std::string name;
  std::string description;
  bool required = true;
  const Node* default_value = nullptr;
  // metadata {secret: true}
  bool secret = false;
  // metadata {unsupported: why}: a template may assign it, and is told that nothing comes of it.
  std::string unsupported;
};

// The type may be missing: a derived type that refines a property leaves it out.
[[nodiscard]] PropertyDefinition read_property(Reader& reader, const Entry& entry);
// An attribute: like a property, and never required.
[[nodiscard]] PropertyDefinition read_attribute(Reader& reader, const Entry& entry);
// An input of a topology: `type` may be left out from 1.3 on, `value` is known.
[[nodiscard]] PropertyDefinition read_parameter(Reader& reader, const Entry& entry);
[[nodiscard]] std::vector<PropertyDefinition> read_properties(Reader& reader,
                                                              const std::vector<Entry>& entries);
[[nodiscard]] std::vector<PropertyDefinition> read_attributes(Reader& reader,
                                                              const std::vector<Entry>& entries);
// The constraint clauses of a list (or one clause as a mapping).
[[nodiscard]] std::vector<Constraint> read_constraints(Reader& reader, const Node* node);
// entry_schema and key_schema: a type's name or a mapping.
[[nodiscard]] std::shared_ptr<const Schema> read_schema(Reader& reader, const Node* node);

}  // namespace tutti::tosca::grammar
