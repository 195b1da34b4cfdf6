// Fourth phase: inputs and node templates meet their types.
#include "tosca/resolve/phases.hpp"
#include "tosca/source/suggest.hpp"

#include <algorithm>

namespace tutti::tosca::resolution {

namespace {

const Entry* entry_of(const std::vector<Entry>& entries, std::string_view name) {
  for (const Entry& entry : entries) {
    if (entry.key->text == name) return &entry;
  }
  return nullptr;
}

void add_undeclared(Resolution& resolution, const PropertyMap& declared, const Entry& entry,
                    const Site& site, const SlotRules& rules, Slots& slots) {
  std::vector<std::string_view> names;
  for (const auto& [name, property] : declared) names.push_back(name);
  const std::string name(entry.key->text);
  const std::string message = rules.owner + " has no property \"" + name + "\"";
  if (rules.strict || is_slip(name, names)) {
    resolution.error("property.unknown", *entry.key, message, did_you_mean(name, names));
    return;
  }
  resolution.warning("capability.property", *entry.key, message + " in its type; it is kept",
                     did_you_mean(name, names));
  Slot slot;
  slot.source = entry.value;
  slot.assigned = true;
  slot.site = site;
  slot.site.secret_id = rules.secret_id + "/" + name;
  slots.emplace(name, std::move(slot));
}

// What a template that copies another one leaves out comes from there (3.8.3.2).
grammar::NodeTemplate copied(const grammar::NodeTemplate& own, const grammar::NodeTemplate& from) {
  grammar::NodeTemplate made = from;
  made.name = own.name;
  made.key = own.key;
  made.node = own.node;
  made.copy = nullptr;
  if (own.type != nullptr) made.type = own.type;
  const auto merge = [](std::vector<Entry>& base, const std::vector<Entry>& over) {
    for (const Entry& entry : over) {
      std::erase_if(base, [&](const Entry& e) { return e.key->text == entry.key->text; });
      base.push_back(entry);
    }
  };
  merge(made.properties, own.properties);
  merge(made.attributes, own.attributes);
  for (const auto& capability : own.capabilities) {
    std::erase_if(made.capabilities, [&](const auto& c) { return c.name == capability.name; });
    made.capabilities.push_back(capability);
  }
  if (!own.requirements.empty()) made.requirements = own.requirements;
  made.interfaces.insert(made.interfaces.end(), own.interfaces.begin(), own.interfaces.end());
  made.artifacts.insert(made.artifacts.end(), own.artifacts.begin(), own.artifacts.end());
  return made;
}

void add_capabilities(Resolution& resolution, NodeModel& node) {
  const grammar::NodeTemplate& written = *node.written;
  for (const grammar::CapabilityAssignment& assigned : written.capabilities) {
    if (node.members->capability(assigned.name) != nullptr) continue;
    std::vector<std::string_view> names;
    for (const CapabilityMembers& member : node.members->capabilities) names.push_back(member.name);
    resolution.error(
        "capability.unknown", *assigned.key,
        "the type " + node.type->name() + " has no capability \"" + assigned.name + "\"",
        did_you_mean(assigned.name, names));
  }
  for (const CapabilityMembers& members : node.members->capabilities) {
    CapabilityModel capability;
    capability.members = &members;
    std::vector<Entry> properties;
    for (const grammar::CapabilityAssignment& assigned : written.capabilities) {
      if (assigned.name == members.name) properties = assigned.properties;
    }
    SlotRules rules;
    rules.owner = "the capability \"" + members.name + "\" of \"" + node.name + "\"";
    rules.secret_id = "capability/" + node.name + "/" + members.name;
    rules.strict = false;
    rules.place = written.key;
    Site site;
    site.self = &node;
    capability.properties = make_slots(resolution, members.properties, properties, site, rules);
    node.capabilities.emplace(members.name, std::move(capability));
  }
}

void add_node(Resolution& resolution, const grammar::NodeTemplate& written) {
  auto node = std::make_unique<NodeModel>();
  node->name = written.name;
  node->written = &written;
  if (written.type != nullptr) {
    node->type =
        resolution.units.type_of(TypeKind::node, *written.type, resolution.result.diagnostics);
  }
  if (node->type != nullptr && !node->type->broken) {
    node->members = &resolution.members(*node->type);
    Site site;
    site.self = node.get();
    SlotRules rules;
    rules.owner = "the type " + node->type->name();
    rules.secret_id = "property/" + node->name;
    rules.place = written.key;
    node->properties =
        make_slots(resolution, node->members->properties, written.properties, site, rules);
    add_capabilities(resolution, *node);
  }
  resolution.node_by_name.emplace(node->name, node.get());
  resolution.nodes.push_back(std::move(node));
}

}  // namespace

Slots make_slots(Resolution& resolution, const PropertyMap& declared,
                 const std::vector<Entry>& assigned, const Site& site, const SlotRules& rules) {
  Slots slots;
  for (const Entry& entry : assigned) {
    if (declared.find(entry.key->text) == declared.end()) {
      add_undeclared(resolution, declared, entry, site, rules, slots);
    }
  }
  for (const auto& [name, definition] : declared) {
    Slot slot;
    slot.definition = &definition;
    slot.site = site;
    slot.site.secret_id = rules.secret_id + "/" + name;
    const Entry* entry = entry_of(assigned, name);
    slot.assigned = entry != nullptr && !entry->value->is_null();
    slot.source = slot.assigned ? entry->value : definition.default_value;
    if (slot.assigned && !definition.unsupported.empty()) {
      resolution.warning("property.unsupported", *entry->key,
                         "\"" + name + "\" has no effect: " + definition.unsupported);
    }
    if (slot.source == nullptr && definition.required && rules.strict) {
      resolution.error("property.missing", entry != nullptr ? *entry->key : *rules.place,
                       rules.owner + " needs the property \"" + name + "\"");
    }
    slots.emplace(name, std::move(slot));
  }
  return slots;
}

void build_inputs(Resolution& resolution) {
  const grammar::ServiceTemplate& main = *resolution.units.main()->service;
  if (!main.topology) return;
  for (const PropertyDefinition& definition : main.topology->inputs) {
    InputModel input;
    input.definition = &definition;
    resolution.inputs.emplace(definition.name, std::move(input));
  }
  for (const auto& [name, value] : resolution.request.inputs) {
    if (resolution.inputs.find(name) != resolution.inputs.end()) continue;
    std::vector<std::string_view> names;
    for (const auto& [known, input] : resolution.inputs) names.push_back(known);
    resolution.error("input.unknown", *main.topology->node,
                     "the template has no input \"" + name + "\"", did_you_mean(name, names));
  }
}

void build_nodes(Resolution& resolution) {
  const grammar::ServiceTemplate& main = *resolution.units.main()->service;
  if (!main.topology) return;
  // A copy is made when what it copies is there; what stays copies itself or nothing.
  std::map<std::string_view, const grammar::NodeTemplate*> ready;
  std::vector<const grammar::NodeTemplate*> waiting;
  for (const grammar::NodeTemplate& written : main.topology->node_templates) {
    waiting.push_back(&written);
  }
  while (!waiting.empty()) {
    std::vector<const grammar::NodeTemplate*> later;
    for (const grammar::NodeTemplate* written : waiting) {
      const auto from = written->copy == nullptr ? ready.end() : ready.find(written->copy->text);
      if (written->copy != nullptr && from == ready.end()) {
        later.push_back(written);
        continue;
      }
      if (written->copy != nullptr) {
        resolution.copies.push_back(
            std::make_unique<grammar::NodeTemplate>(copied(*written, *from->second)));
        ready.emplace(written->name, resolution.copies.back().get());
      } else {
        ready.emplace(written->name, written);
      }
    }
    if (later.size() == waiting.size()) break;
    waiting = std::move(later);
  }
  for (const grammar::NodeTemplate* written : waiting) {
    if (ready.find(written->name) != ready.end()) continue;
    resolution.error("node.copy", *written->copy,
                     "there is no node template \"" + std::string(written->copy->text) +
                         "\" that could be copied");
  }
  for (const grammar::NodeTemplate& written : main.topology->node_templates) {
    if (const auto made = ready.find(written.name); made != ready.end()) {
      add_node(resolution, *made->second);
    }
  }
}

}  // namespace tutti::tosca::resolution
