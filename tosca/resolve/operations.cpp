// Operations of nodes and relationships: what types implement, and what templates add or replace.
#include "tosca/resolve/phases.hpp"
#include "tosca/source/scalar.hpp"
#include "tosca/source/suggest.hpp"

#include <algorithm>
#include <array>

namespace tutti::tosca::resolution {

namespace {

// Playbooks that Tutti does not ship keep their name behind this mark: the plan refuses them.
constexpr std::string_view kMissing = "missing:";

struct Merged {
  std::string interface_name;
  std::string name;
  const Node* implementation = nullptr;
  const Node* timeout = nullptr;
  const Node* place = nullptr;
  std::vector<Entry> inputs;                        // later ones replace earlier ones
  std::vector<std::string_view> declared;           // inputs named outside the template
  std::map<std::string, PropertyDefinition> types;  // of inputs that a type defines
};

// "tosca.interfaces.node.lifecycle.Standard" and "Standard" are one interface.
std::string brief(const std::string& name) {
  const auto dot = name.rfind('.');
  return name.starts_with("tosca.interfaces.") ? name.substr(dot + 1) : name;
}

// Types declare inputs with their type, templates assign them; a mapping with nothing but keys of a
// definition, and a type that exists, is a declaration.
bool is_definition(const Resolution& resolution, const Node& value) {
  static constexpr std::array<std::string_view, 10> keys{
      "type",        "description",  "required",   "default", "value",
      "constraints", "entry_schema", "key_schema", "status",  "metadata"};
  if (!value.is_mapping() || function_of(value)) return false;
  const Node* type = value.find("type");
  if (type == nullptr || !type->is_scalar()) return false;
  const bool all_known =
      std::all_of(value.entries.begin(), value.entries.end(), [](const Entry& e) {
        return std::find(keys.begin(), keys.end(), e.key->text) != keys.end();
      });
  return all_known && (primitive_from(type->text) != Primitive::none ||
                       resolution.units.find(TypeKind::data, *type) != nullptr);
}

bool is_of_template(const Resolution& resolution, const Node& node) {
  return resolution.units.unit_of(node).main;
}

void take_input(const Resolution& resolution, const Entry& entry, Merged& merged) {
  if (!is_of_template(resolution, *entry.key)) merged.declared.push_back(entry.key->text);
  std::erase_if(merged.inputs, [&](const Entry& e) { return e.key->text == entry.key->text; });
  if (!is_definition(resolution, *entry.value)) {
    merged.inputs.push_back(entry);
    return;
  }
  Diagnostics ignored;
  grammar::Reader reader(ignored, grammar::Version::simple_1_3);
  PropertyDefinition definition = grammar::read_parameter(reader, entry);
  const Node* value = entry.value->find("value");
  if (value == nullptr) value = definition.default_value;
  if (value != nullptr) merged.inputs.push_back({entry.key, value});
  merged.types.insert_or_assign(definition.name, std::move(definition));
}

Merged& operation_in(std::vector<Merged>& all, const std::string& interface_name,
                     const grammar::Operation& operation) {
  const auto known = std::find_if(all.begin(), all.end(), [&](const Merged& merged) {
    return merged.interface_name == interface_name && merged.name == operation.name;
  });
  if (known != all.end()) return *known;
  all.push_back({interface_name, operation.name, nullptr, nullptr, operation.key, {}, {}, {}});
  return all.back();
}

std::vector<Merged> merge(const Resolution& resolution,
                          const std::vector<const grammar::Interface*>& interfaces) {
  std::vector<Merged> all;
  for (const grammar::Interface* interface : interfaces) {
    for (const grammar::Operation& operation : interface->operations) {
      Merged& merged = operation_in(all, brief(interface->name), operation);
      if (operation.implementation == nullptr) continue;
      merged.implementation = operation.implementation;
      merged.place = operation.key;
      merged.timeout = operation.timeout;
    }
  }
  // An interface's inputs are inputs of all its operations, whoever declared those.
  for (const grammar::Interface* interface : interfaces) {
    for (Merged& merged : all) {
      if (merged.interface_name != brief(interface->name)) continue;
      for (const Entry& input : interface->inputs) take_input(resolution, input, merged);
    }
    for (const grammar::Operation& operation : interface->operations) {
      Merged& merged = operation_in(all, brief(interface->name), operation);
      for (const Entry& input : operation.inputs) take_input(resolution, input, merged);
    }
  }
  return all;
}

std::string implementation_of(const Resolution& resolution, const Node& written,
                              const NodeModel& node) {
  std::string text(written.text);
  const auto artifact_file = [&](const std::vector<grammar::ArtifactDefinition>& artifacts) {
    for (const grammar::ArtifactDefinition& artifact : artifacts) {
      if (artifact.name == written.text && artifact.file != nullptr && artifact.file->is_scalar()) {
        text = std::string(artifact.file->text);
      }
    }
  };
  if (node.members != nullptr) artifact_file(node.members->artifacts);
  artifact_file(node.written->artifacts);
  if (is_of_template(resolution, written) && !text.starts_with(kMissing)) {
    text.insert(0, kMissing);
  }
  return text;
}

// An input reaches the playbook as a variable of that name, and Ansible's own variables decide
// where and how it connects. A template, which a stranger may have posted, hands a playbook that it
// does not bring itself only what the playbook's type asks for.
void check_inputs(Resolution& resolution, const Merged& merged) {
  if (is_of_template(resolution, *merged.implementation)) return;
  for (const Entry& input : merged.inputs) {
    const std::string_view name = input.key->text;
    if (!is_of_template(resolution, *input.key)) continue;
    if (std::find(merged.declared.begin(), merged.declared.end(), name) != merged.declared.end()) {
      continue;
    }
    resolution.error(
        "operation.input", *input.key,
        "the operation \"" + merged.name + "\" has no input \"" + std::string(name) + "\"",
        did_you_mean(name, merged.declared));
  }
}

}  // namespace

std::vector<OperationDefinition> make_operations(
    Resolution& resolution, Evaluator& evaluator,
    const std::vector<const grammar::Interface*>& interfaces, const NodeModel& artifacts_of,
    const Site& site, const std::string& secret_id) {
  std::vector<OperationDefinition> made;
  for (const Merged& merged : merge(resolution, interfaces)) {
    if (merged.implementation == nullptr || merged.implementation->text.empty()) continue;
    check_inputs(resolution, merged);
    OperationDefinition operation;
    operation.interface_name = merged.interface_name;
    operation.name = merged.name;
    operation.implementation = implementation_of(resolution, *merged.implementation, artifacts_of);
    operation.span = merged.place->span();
    if (merged.timeout != nullptr) {
      operation.timeout_seconds = integer_from(merged.timeout->text);
      if (!operation.timeout_seconds || *operation.timeout_seconds <= 0) {
        resolution.error("operation.timeout", *merged.timeout,
                         "a timeout is a number of seconds above 0");
      }
    }
    for (const Entry& input : merged.inputs) {
      Site inner = site;
      const std::string name(input.key->text);
      inner.secret_id = secret_id + "/" + merged.interface_name + "." + merged.name + "/" + name;
      const auto type = merged.types.find(name);
      Evaluation value = type == merged.types.end() ? evaluator.untyped(*input.value, inner)
                                                    : evaluator.typed(*input.value, type->second,
                                                                      inner, type->second.secret);
      operation.inputs.emplace(name, std::move(value.expression));
    }
    made.push_back(std::move(operation));
  }
  return made;
}

void check_operations(Resolution& resolution, const NodeModel& node) {
  for (const grammar::Interface& written : node.written->interfaces) {
    std::vector<std::string_view> interfaces;
    std::vector<std::string_view> operations;
    const Type* type = nullptr;
    for (const grammar::Interface* known : node.members->interfaces) {
      interfaces.push_back(known->name);
      if (brief(known->name) != brief(written.name)) continue;
      for (const grammar::Operation& operation : known->operations) {
        operations.push_back(operation.name);
      }
      if (known->type != nullptr) type = resolution.units.find(TypeKind::interface, *known->type);
    }
    if (written.type != nullptr) type = resolution.units.find(TypeKind::interface, *written.type);
    if (type == nullptr) {
      type = resolution.units.unit_of(*written.key).find(TypeKind::interface, written.name);
    }
    if (type == nullptr && operations.empty()) {
      resolution.error(
          "interface.unknown", *written.key,
          "the type " + node.type->name() + " has no interface \"" + written.name + "\"",
          did_you_mean(written.name, interfaces));
      continue;
    }
    for (const Type* at = type; at != nullptr; at = at->parent) {
      for (const grammar::Interface& own : at->definition->interfaces) {
        for (const grammar::Operation& operation : own.operations) {
          operations.push_back(operation.name);
        }
      }
    }
    for (const grammar::Operation& operation : written.operations) {
      if (std::find(operations.begin(), operations.end(), operation.name) != operations.end()) {
        continue;
      }
      resolution.error(
          "operation.unknown", *operation.key,
          "the interface \"" + written.name + "\" has no operation \"" + operation.name + "\"",
          did_you_mean(operation.name, operations));
    }
  }
}

}  // namespace tutti::tosca::resolution
