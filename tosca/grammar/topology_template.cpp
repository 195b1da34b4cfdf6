#include "tosca/grammar/topology_template.hpp"

namespace tutti::tosca::grammar {

namespace {

Output read_output(Reader& reader, const Entry& entry) {
  Output output;
  output.name = std::string(entry.key->text);
  output.key = entry.key;
  output.node = entry.value;
  static const Keys keys{"description", "value",        {"type", Version::simple_1_0},
                         "required",    "default",      "status",
                         "constraints", "entry_schema", "key_schema",
                         "metadata"};
  const Fields fields(reader, *entry.value, "an output", keys);
  fields.require("value");
  output.description = fields.text("description");
  output.type = fields.scalar("type");
  output.value = fields.any("value");
  return output;
}

}  // namespace

TopologyTemplate read_topology_template(Reader& reader, const Node& node) {
  TopologyTemplate made;
  made.node = &node;
  static const Keys keys{"description",
                         "inputs",
                         "node_templates",
                         "relationship_templates",
                         "groups",
                         "policies",
                         "outputs",
                         "substitution_mappings",
                         {"workflows", Version::simple_1_1}};
  const Fields fields(reader, node, "topology_template", keys);
  made.description = fields.text("description");
  made.substitutes = fields.mapping("substitution_mappings") != nullptr;
  for (const Entry& input : fields.named("inputs")) {
    made.inputs.push_back(read_parameter(reader, input));
  }
  for (const Entry& entry : fields.named("node_templates")) {
    made.node_templates.push_back(read_node_template(reader, entry));
  }
  for (const Entry& entry : fields.named("relationship_templates")) {
    made.relationship_templates.push_back(read_relationship_template(reader, entry));
  }
  for (const Entry& group : fields.named("groups")) {
    made.groups.push_back(read_group(reader, group));
  }
  for (const Entry& policy : fields.ordered("policies")) {
    made.policies.push_back(read_policy(reader, policy));
  }
  for (const Entry& output : fields.named("outputs")) {
    made.outputs.push_back(read_output(reader, output));
  }
  return made;
}

}  // namespace tutti::tosca::grammar
