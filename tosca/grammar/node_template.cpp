#include "tosca/grammar/node_template.hpp"

namespace tutti::tosca::grammar {

namespace {

// Capabilities of Compute that deployed templates write beside, not under, "capabilities".
bool is_stray_capability(const Entry& entry) {
  const std::string_view name = entry.key->text;
  const bool known = name == "scalable" || name == "host" || name == "endpoint" || name == "os";
  return known && entry.value->is_mapping();
}

}  // namespace

NodeTemplate read_node_template(Reader& reader, const Entry& entry) {
  NodeTemplate made;
  made.name = std::string(entry.key->text);
  made.key = entry.key;
  made.node = entry.value;
  static const Keys keys{"type",       "description", "metadata",     "directives",
                         "properties", "attributes",  "requirements", "capabilities",
                         "interfaces", "artifacts",   "node_filter",  "copy"};
  const auto stray = [&](const Entry& other) {
    if (!is_stray_capability(other)) return false;
    reader.warning("grammar.stray-key", *other.key,
                   "\"" + std::string(other.key->text) + "\" is ignored here",
                   "it belongs under \"capabilities\"");
    return true;
  };
  const Fields fields(reader, *entry.value, "a node template", keys, stray);
  made.copy = fields.scalar("copy");
  if (made.copy == nullptr) fields.require("type");
  fields.check_metadata();
  made.type = fields.scalar("type");
  made.metadata = fields.mapping("metadata");
  made.node_filter = fields.mapping("node_filter");
  made.directives = fields.scalars("directives");
  made.properties = fields.named("properties");
  made.attributes = fields.named("attributes");
  for (const Entry& capability : fields.named("capabilities")) {
    made.capabilities.push_back(read_capability_assignment(reader, capability));
  }
  for (const Entry& requirement : fields.ordered("requirements")) {
    made.requirements.push_back(read_requirement_assignment(reader, requirement));
  }
  made.interfaces = read_interfaces(reader, fields.named("interfaces"));
  for (const Entry& artifact : fields.named("artifacts")) {
    made.artifacts.push_back(read_artifact(reader, artifact));
  }
  return made;
}

RelationshipTemplate read_relationship_template(Reader& reader, const Entry& entry) {
  RelationshipTemplate made;
  made.name = std::string(entry.key->text);
  made.key = entry.key;
  made.node = entry.value;
  static const Keys keys{"type",       "description", "metadata",     "properties",
                         "attributes", "interfaces",  "requirements", "copy"};
  const Fields fields(reader, *entry.value, "a relationship template", keys);
  if (fields.any("copy") == nullptr) fields.require("type");
  fields.check_metadata();
  made.type = fields.scalar("type");
  made.properties = fields.named("properties");
  made.interfaces = read_interfaces(reader, fields.named("interfaces"));
  return made;
}

}  // namespace tutti::tosca::grammar
