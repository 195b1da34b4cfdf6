#include "tosca/grammar/interface.hpp"

namespace tutti::tosca::grammar {

namespace {

const Node* primary_of(Reader& reader, const Node& primary) {
  if (primary.is_scalar()) return &primary;
  static const Keys keys{"file",    "type",     "repository",         "description", "deploy_path",
                         "version", "checksum", "checksum_algorithm", "properties",  "metadata"};
  const Fields fields(reader, primary, "an implementation's artifact", keys);
  fields.require("file");
  return fields.scalar("file");
}

void read_implementation(Reader& reader, const Node& node, Operation& operation) {
  if (node.is_scalar()) {
    operation.implementation = &node;
    return;
  }
  if (node.is_mapping() && node.find("file") != nullptr) {
    operation.implementation = primary_of(reader, node);
    return;
  }
  static const Keys keys{"primary",
                         "dependencies",
                         {"timeout", Version::simple_1_1},
                         {"operation_host", Version::simple_1_1}};
  const Fields fields(reader, node, "an implementation", keys);
  if (const Node* primary = fields.require("primary")) {
    operation.implementation = primary_of(reader, *primary);
  }
  if (const Node* list = fields.any("dependencies"); list != nullptr && !list->is_sequence()) {
    reader.error("grammar.shape", *list, "\"dependencies\" of an implementation must be a list");
  }
  operation.timeout = fields.scalar("timeout");
}

}  // namespace

Operation read_operation(Reader& reader, const Entry& entry) {
  Operation operation;
  operation.name = std::string(entry.key->text);
  operation.key = entry.key;
  operation.node = entry.value;
  if (entry.value->is_scalar()) {
    if (!entry.value->is_null()) operation.implementation = entry.value;
    return operation;
  }
  static const Keys keys{"description",
                         "implementation",
                         "inputs",
                         {"outputs", Version::simple_1_3},
                         {"metadata", Version::simple_1_3}};
  const Fields fields(reader, *entry.value, "an operation", keys);
  if (const Node* implementation = fields.any("implementation")) {
    read_implementation(reader, *implementation, operation);
  }
  operation.inputs = fields.named("inputs");
  return operation;
}

Interface read_interface(Reader& reader, const Entry& entry) {
  Interface made;
  made.name = std::string(entry.key->text);
  made.key = entry.key;
  made.node = entry.value;
  static const Keys keys{"type",
                         "inputs",
                         "description",
                         "metadata",
                         {"operations", Version::simple_1_3},
                         {"notifications", Version::simple_1_3}};
  const bool modern = entry.value->is_mapping() && (entry.value->find("operations") != nullptr ||
                                                    entry.value->find("notifications") != nullptr);
  const auto direct = [&](const Entry& operation) {
    if (modern) return false;
    made.operations.push_back(read_operation(reader, operation));
    return true;
  };
  const Fields fields(reader, *entry.value, "an interface", keys, direct);
  made.type = fields.scalar("type");
  made.inputs = fields.named("inputs");
  for (const Entry& operation : fields.named("operations")) {
    made.operations.push_back(read_operation(reader, operation));
  }
  return made;
}

std::vector<Interface> read_interfaces(Reader& reader, const std::vector<Entry>& entries) {
  std::vector<Interface> all;
  all.reserve(entries.size());
  for (const Entry& entry : entries) all.push_back(read_interface(reader, entry));
  return all;
}

}  // namespace tutti::tosca::grammar
