#include "tosca/grammar/types.hpp"

#include <array>

namespace tutti::tosca::grammar {

namespace {

struct KindWords {
  TypeKind kind;
  std::string_view words;
  std::string_view section;
};

constexpr std::array<KindWords, kTypeKinds> kKinds{{
    {TypeKind::artifact, "artifact type", "artifact_types"},
    {TypeKind::data, "data type", "data_types"},
    {TypeKind::capability, "capability type", "capability_types"},
    {TypeKind::interface, "interface type", "interface_types"},
    {TypeKind::relationship, "relationship type", "relationship_types"},
    {TypeKind::node, "node type", "node_types"},
    {TypeKind::group, "group type", "group_types"},
    {TypeKind::policy, "policy type", "policy_types"},
}};

Keys with_header(Keys keys) {
  keys.insert(keys.begin(), {"derived_from", {"version"}, {"metadata"}, "description"});
  return keys;
}

const Keys& keys_of(TypeKind kind) {
  static const Keys artifact = with_header({"mime_type", "file_ext", "properties"});
  static const Keys data = with_header({"properties",
                                        "constraints",
                                        {"entry_schema", Version::simple_1_3},
                                        {"key_schema", Version::simple_1_3}});
  static const Keys capability = with_header({"properties", "attributes", "valid_source_types"});
  static const Keys interface = with_header(
      {"inputs", {"operations", Version::simple_1_3}, {"notifications", Version::simple_1_3}});
  static const Keys relationship = with_header(
      {"properties", "attributes", "interfaces", "valid_target_types", "valid_source_types"});
  static const Keys node = with_header(
      {"properties", "attributes", "requirements", "capabilities", "interfaces", "artifacts"});
  static const Keys group = with_header({"properties", "attributes", "members", "requirements",
                                         "capabilities", "interfaces", "targets"});
  static const Keys policy =
      with_header({"properties", "targets", {"triggers", Version::simple_1_1}});
  switch (kind) {
    case TypeKind::artifact:
      return artifact;
    case TypeKind::data:
      return data;
    case TypeKind::capability:
      return capability;
    case TypeKind::interface:
      return interface;
    case TypeKind::relationship:
      return relationship;
    case TypeKind::node:
      return node;
    case TypeKind::group:
      return group;
    case TypeKind::policy:
      return policy;
  }
  return node;
}

void read_node_members(const Fields& fields, TypeDefinition& type) {
  Reader& reader = fields.reader();
  for (const Entry& entry : fields.named("capabilities")) {
    type.capabilities.push_back(read_capability_definition(reader, entry));
  }
  for (const Entry& entry : fields.ordered("requirements")) {
    type.requirements.push_back(read_requirement_definition(reader, entry));
  }
  for (const Entry& entry : fields.named("artifacts")) {
    type.artifacts.push_back(read_artifact(reader, entry));
  }
}

void read_data_members(const Fields& fields, TypeDefinition& type) {
  Reader& reader = fields.reader();
  type.constraints = read_constraints(reader, fields.any("constraints"));
  type.entry = read_schema(reader, fields.any("entry_schema"));
  type.key_schema = read_schema(reader, fields.any("key_schema"));
}

std::vector<const Node*> valid_types_of(const Fields& fields, TypeKind kind) {
  switch (kind) {
    case TypeKind::capability:
      return fields.scalars("valid_source_types");
    case TypeKind::relationship:
      return fields.scalars("valid_target_types");
    case TypeKind::policy:
      return fields.scalars("targets");
    case TypeKind::group:
      return fields.scalars("members");
    default:
      return {};
  }
}

// An interface type is its operations, directly or under `operations`.
TypeDefinition read_interface_type(Reader& reader, const Entry& entry) {
  TypeDefinition type;
  type.kind = TypeKind::interface;
  type.name = std::string(entry.key->text);
  type.key = entry.key;
  type.node = entry.value;
  Interface made;
  made.name = type.name;
  made.key = entry.key;
  made.node = entry.value;
  const bool modern = entry.value->is_mapping() && entry.value->find("operations") != nullptr;
  const auto direct = [&](const Entry& operation) {
    if (modern) return false;
    made.operations.push_back(read_operation(reader, operation));
    return true;
  };
  const Fields fields(reader, *entry.value, "an interface type", keys_of(TypeKind::interface),
                      direct);
  type.derived_from = fields.scalar("derived_from");
  made.inputs = fields.named("inputs");
  for (const Entry& operation : fields.named("operations")) {
    made.operations.push_back(read_operation(reader, operation));
  }
  fields.check_metadata();
  type.interfaces.push_back(std::move(made));
  return type;
}

}  // namespace

std::string_view to_string(TypeKind kind) {
  return kKinds[static_cast<std::size_t>(kind)].words;
}

std::string_view section_of(TypeKind kind) {
  return kKinds[static_cast<std::size_t>(kind)].section;
}

TypeDefinition read_type(Reader& reader, TypeKind kind, const Entry& entry) {
  if (kind == TypeKind::interface) return read_interface_type(reader, entry);
  TypeDefinition type;
  type.kind = kind;
  type.name = std::string(entry.key->text);
  type.key = entry.key;
  type.node = entry.value;
  const std::string entity = "a " + std::string(to_string(kind));
  const Fields fields(reader, *entry.value, entity, keys_of(kind));
  type.derived_from = fields.scalar("derived_from");
  fields.check_metadata();
  type.properties = read_properties(reader, fields.named("properties"));
  type.valid_types = valid_types_of(fields, kind);
  if (kind == TypeKind::data) {
    read_data_members(fields, type);
    return type;
  }
  if (kind == TypeKind::artifact || kind == TypeKind::policy) return type;
  type.attributes = read_attributes(reader, fields.named("attributes"));
  if (kind == TypeKind::capability) return type;
  type.interfaces = read_interfaces(reader, fields.named("interfaces"));
  if (kind == TypeKind::node) read_node_members(fields, type);
  return type;
}

}  // namespace tutti::tosca::grammar
