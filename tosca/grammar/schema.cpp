#include "tosca/grammar/schema.hpp"

#include "tosca/source/scalar.hpp"
#include "tosca/source/suggest.hpp"

#include <array>
#include <utility>

namespace tutti::tosca::grammar {

namespace {

constexpr std::array<std::pair<std::string_view, ConstraintKind>, 12> kConstraints{{
    {"equal", ConstraintKind::equal},
    {"greater_than", ConstraintKind::greater_than},
    {"greater_or_equal", ConstraintKind::greater_or_equal},
    {"less_than", ConstraintKind::less_than},
    {"less_or_equal", ConstraintKind::less_or_equal},
    {"in_range", ConstraintKind::in_range},
    {"valid_values", ConstraintKind::valid_values},
    {"length", ConstraintKind::length},
    {"min_length", ConstraintKind::min_length},
    {"max_length", ConstraintKind::max_length},
    {"pattern", ConstraintKind::pattern},
    {"schema", ConstraintKind::schema},
}};

const Keys& property_keys() {
  static const Keys keys{"type",
                         "description",
                         "required",
                         "default",
                         "status",
                         "constraints",
                         "entry_schema",
                         {"key_schema", Version::simple_1_3},
                         {"metadata", Version::simple_1_2},
                         {"external-schema", Version::simple_1_2},
                         {"external_schema", Version::simple_1_3}};
  return keys;
}

const Keys& parameter_keys() {
  static const Keys keys = [] {
    Keys all = property_keys();
    all.emplace_back("value", Version::simple_1_3);
    // Forms for people, written by INDIGO's portals.
    all.emplace_back("immutable");
    return all;
  }();
  return keys;
}

std::optional<ConstraintKind> constraint_from(std::string_view name) {
  for (const auto& [known, kind] : kConstraints) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

void read_clause(Reader& reader, const Node& clause, std::vector<Constraint>& found) {
  if (!clause.is_mapping() || clause.entries.size() != 1) {
    reader.error("grammar.constraint", clause,
                 "a constraint is one operator with its argument, like \"greater_than: 1\"");
    return;
  }
  const Entry& entry = clause.entries.front();
  const auto kind = constraint_from(entry.key->text);
  if (!kind) {
    std::vector<std::string_view> names;
    for (const auto& [known, ignored] : kConstraints) names.push_back(known);
    reader.error("grammar.constraint", *entry.key,
                 "there is no constraint \"" + std::string(entry.key->text) + "\"",
                 did_you_mean(entry.key->text, names));
    return;
  }
  const bool wants_list =
      *kind == ConstraintKind::in_range || *kind == ConstraintKind::valid_values;
  const bool pair = *kind == ConstraintKind::in_range;
  if (wants_list && (!entry.value->is_sequence() || (pair && entry.value->items.size() != 2))) {
    reader.error("grammar.constraint", *entry.value,
                 pair ? "in_range needs a list of two bounds" : "valid_values needs a list");
    return;
  }
  found.push_back({*kind, entry.value, &clause});
}

void read_metadata(const Fields& fields, PropertyDefinition& property) {
  fields.check_metadata();
  const Node* metadata = fields.any("metadata");
  if (metadata == nullptr || !metadata->is_mapping()) return;
  if (const Node* secret = metadata->find("secret"); secret != nullptr && secret->is_scalar()) {
    property.secret = boolean_from(secret->text).value_or(false);
  }
  if (const Node* why = metadata->find("unsupported"); why != nullptr && why->is_scalar()) {
    property.unsupported = std::string(why->text);
  }
}

PropertyDefinition read_definition(Reader& reader, const Entry& entry, std::string_view entity,
                                   const Keys& keys) {
  PropertyDefinition property;
  property.name = std::string(entry.key->text);
  property.node = entry.value;
  const Fields fields(reader, *entry.value, entity, keys);
  property.type = fields.scalar("type");
  property.description = fields.text("description");
  property.required = fields.boolean("required", true);
  property.default_value = fields.any("default");
  property.constraints = read_constraints(reader, fields.any("constraints"));
  property.entry = read_schema(reader, fields.any("entry_schema"));
  property.key = read_schema(reader, fields.any("key_schema"));
  read_metadata(fields, property);
  return property;
}

}  // namespace

std::string_view to_string(ConstraintKind kind) {
  for (const auto& [name, known] : kConstraints) {
    if (known == kind) return name;
  }
  return "";
}

std::vector<Constraint> read_constraints(Reader& reader, const Node* node) {
  std::vector<Constraint> found;
  if (node == nullptr) return found;
  if (node->is_sequence()) {
    for (const Node* clause : node->items) read_clause(reader, *clause, found);
  } else {
    read_clause(reader, *node, found);
  }
  return found;
}

std::shared_ptr<const Schema> read_schema(Reader& reader, const Node* node) {
  if (node == nullptr) return nullptr;
  auto schema = std::make_shared<Schema>();
  schema->node = node;
  if (node->is_scalar()) {
    schema->type = node;
    return schema;
  }
  static const Keys keys{"type",         "description", "constraints",
                         "entry_schema", "key_schema",  "required"};
  const Fields fields(reader, *node, "a schema of entries", keys);
  fields.require("type");
  schema->type = fields.scalar("type");
  schema->constraints = read_constraints(reader, fields.any("constraints"));
  schema->entry = read_schema(reader, fields.any("entry_schema"));
  schema->key = read_schema(reader, fields.any("key_schema"));
  return schema;
}

PropertyDefinition read_property(Reader& reader, const Entry& entry) {
  return read_definition(reader, entry, "a property definition", property_keys());
}

PropertyDefinition read_attribute(Reader& reader, const Entry& entry) {
  PropertyDefinition attribute = read_property(reader, entry);
  attribute.required = false;
  return attribute;
}

PropertyDefinition read_parameter(Reader& reader, const Entry& entry) {
  PropertyDefinition parameter = read_definition(reader, entry, "an input", parameter_keys());
  if (parameter.type == nullptr && reader.version() < Version::simple_1_3 &&
      (!entry.value->is_mapping() || !entry.value->find("type"))) {
    reader.error("grammar.missing-key", entry.value->is_mapping() ? *entry.value : *entry.key,
                 "the input \"" + parameter.name + "\" needs the key \"type\"");
  }
  return parameter;
}

std::vector<PropertyDefinition> read_properties(Reader& reader, const std::vector<Entry>& entries) {
  std::vector<PropertyDefinition> all;
  all.reserve(entries.size());
  for (const Entry& entry : entries) all.push_back(read_property(reader, entry));
  return all;
}

std::vector<PropertyDefinition> read_attributes(Reader& reader, const std::vector<Entry>& entries) {
  std::vector<PropertyDefinition> all;
  all.reserve(entries.size());
  for (const Entry& entry : entries) all.push_back(read_attribute(reader, entry));
  return all;
}

}  // namespace tutti::tosca::grammar
