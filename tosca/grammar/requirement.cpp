#include "tosca/grammar/requirement.hpp"

#include "tosca/grammar/capability.hpp"
#include "tosca/source/scalar.hpp"

namespace tutti::tosca::grammar {

namespace {

void read_range(const Fields& fields, RequirementDefinition& requirement) {
  check_occurrences(fields);
  const Node* range = fields.any("occurrences");
  if (range == nullptr || !range->is_sequence() || range->items.size() != 2) return;
  if (const auto least = integer_from(range->items[0]->text)) requirement.least = *least;
  requirement.most = integer_from(range->items[1]->text);
}

}  // namespace

RequirementDefinition read_requirement_definition(Reader& reader, const Entry& entry) {
  RequirementDefinition requirement;
  requirement.name = std::string(entry.key->text);
  requirement.node = entry.value;
  if (entry.value->is_scalar()) {
    requirement.capability = entry.value->is_null() ? nullptr : entry.value;
    return requirement;
  }
  static const Keys keys{"capability",
                         "node",
                         "relationship",
                         "occurrences",
                         "description",
                         {"metadata", Version::simple_1_3},
                         {"node_filter", Version::simple_1_3}};
  const Fields fields(reader, *entry.value, "a requirement definition", keys);
  fields.require("capability");
  requirement.capability = fields.scalar("capability");
  requirement.node_type = fields.scalar("node");
  read_range(fields, requirement);
  const Node* relationship = fields.any("relationship");
  if (relationship != nullptr && relationship->is_mapping()) {
    static const Keys relationship_keys{"type", "interfaces"};
    const Fields inner(reader, *relationship, "a requirement's relationship", relationship_keys);
    inner.require("type");
    requirement.relationship_type = inner.scalar("type");
    requirement.interfaces = read_interfaces(reader, inner.named("interfaces"));
  } else {
    requirement.relationship_type = fields.scalar("relationship");
  }
  return requirement;
}

RequirementAssignment read_requirement_assignment(Reader& reader, const Entry& entry) {
  RequirementAssignment requirement;
  requirement.name = std::string(entry.key->text);
  requirement.key = entry.key;
  requirement.node = entry.value;
  if (entry.value->is_scalar()) {
    requirement.target = entry.value->is_null() ? nullptr : entry.value;
    return requirement;
  }
  static const Keys keys{"node",
                         "capability",
                         "relationship",
                         "node_filter",
                         {"occurrences", Version::simple_1_3},
                         {"metadata", Version::simple_1_3}};
  const Fields fields(reader, *entry.value, "a requirement", keys);
  requirement.target = fields.scalar("node");
  requirement.capability = fields.scalar("capability");
  requirement.node_filter = fields.mapping("node_filter");
  check_occurrences(fields);
  const Node* relationship = fields.any("relationship");
  if (relationship != nullptr && relationship->is_mapping()) {
    static const Keys relationship_keys{"type", "properties", "interfaces"};
    const Fields inner(reader, *relationship, "a requirement's relationship", relationship_keys);
    requirement.relationship = inner.scalar("type");
    requirement.properties = inner.named("properties");
    requirement.interfaces = read_interfaces(reader, inner.named("interfaces"));
  } else {
    requirement.relationship = fields.scalar("relationship");
  }
  return requirement;
}

}  // namespace tutti::tosca::grammar
