#include "tosca/grammar/capability.hpp"

#include "tosca/source/scalar.hpp"

namespace tutti::tosca::grammar {

void check_occurrences(const Fields& fields) {
  const Node* range = fields.sequence("occurrences");
  if (range == nullptr) return;
  const bool pair =
      range->items.size() == 2 && range->items[0]->is_scalar() && range->items[1]->is_scalar();
  const auto lower = pair ? integer_from(range->items[0]->text) : std::nullopt;
  const auto upper = pair ? integer_from(range->items[1]->text) : std::nullopt;
  const bool unbounded = pair && range->items[1]->text == "UNBOUNDED";
  if (!lower || *lower < 0 || !(unbounded || (upper && *upper >= *lower))) {
    fields.reader().error("grammar.occurrences", *range,
                          "occurrences is a range like [ 0, 1 ] or [ 1, UNBOUNDED ]");
  }
}

CapabilityDefinition read_capability_definition(Reader& reader, const Entry& entry) {
  CapabilityDefinition capability;
  capability.name = std::string(entry.key->text);
  capability.node = entry.value;
  if (entry.value->is_scalar() && !entry.value->is_null()) {
    capability.type = entry.value;
    return capability;
  }
  static const Keys keys{"type",
                         "description",
                         "properties",
                         "attributes",
                         "valid_source_types",
                         "occurrences",
                         {"metadata", Version::simple_1_3}};
  const Fields fields(reader, *entry.value, "a capability definition", keys);
  capability.type = fields.scalar("type");
  capability.properties = read_properties(reader, fields.named("properties"));
  capability.attributes = read_attributes(reader, fields.named("attributes"));
  capability.valid_source_types = fields.scalars("valid_source_types");
  check_occurrences(fields);
  if (capability.type == nullptr) fields.require("type");
  return capability;
}

CapabilityAssignment read_capability_assignment(Reader& reader, const Entry& entry) {
  CapabilityAssignment capability;
  capability.name = std::string(entry.key->text);
  capability.key = entry.key;
  capability.node = entry.value;
  static const Keys keys{"properties",
                         "attributes",
                         {"occurrences", Version::simple_1_3},
                         {"metadata", Version::simple_1_3},
                         {"directives", Version::simple_1_3}};
  const Fields fields(reader, *entry.value, "a capability of a node template", keys);
  capability.properties = fields.named("properties");
  capability.attributes = fields.named("attributes");
  check_occurrences(fields);
  return capability;
}

}  // namespace tutti::tosca::grammar
