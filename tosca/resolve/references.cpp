// What functions refer to: SELF, HOST, SOURCE, TARGET and node templates by name; their properties
// and attributes, of their own, of capabilities, and through requirements.
#include "tosca/resolve/evaluate.hpp"
#include "tosca/source/scalar.hpp"
#include "tosca/source/suggest.hpp"

#include <algorithm>

namespace tutti::tosca::resolution {

NodeModel* Evaluator::node_named(const std::string& word, const Node& place, const Site& site,
                                 bool report) {
  RelationshipModel* relationship = site.relationship;
  if (word == "SELF" && relationship == nullptr && site.self != nullptr) return site.self;
  if (word == "SOURCE" && relationship != nullptr) return relationship->source;
  if (word == "TARGET" && relationship != nullptr) return relationship->target;
  if (word == "HOST" && site.self != nullptr) {
    for (const RelationshipModel& link : site.self->relationships) {
      const bool hosts = link.type != nullptr && link.type->is_a("tosca.relationships.HostedOn");
      if (hosts && link.target != nullptr) return link.target;
    }
  }
  if (NodeModel* node = resolution_.node(word)) return node;
  if (!report) return nullptr;
  std::vector<std::string_view> names;
  for (const auto& [name, model] : resolution_.node_by_name) names.push_back(name);
  const bool keyword = word == "SELF" || word == "HOST" || word == "SOURCE" || word == "TARGET";
  resolution_.error(
      "function.node", place,
      keyword ? word + " means nothing here" : "there is no node template \"" + word + "\"",
      keyword ? (word == "HOST" ? "the node has no host" : "") : did_you_mean(word, names));
  return nullptr;
}

namespace {

Slot* slot_in(Slots& slots, const std::string& name) {
  const auto found = slots.find(name);
  return found == slots.end() ? nullptr : &found->second;
}

NodeModel* host_of(const NodeModel& node) {
  for (const RelationshipModel& link : node.relationships) {
    if (link.type != nullptr && link.type->is_a("tosca.relationships.HostedOn")) return link.target;
  }
  return nullptr;
}

struct SlotPath {
  Slot* slot = nullptr;
  std::size_t used = 0;  // of the path
};

// The target's capability that the relationship ends in comes first, then the target itself.
SlotPath slot_through(const RelationshipModel& link, const std::string& name) {
  if (link.target == nullptr) return {};
  NodeModel& target = *link.target;
  const auto capability = target.capabilities.find(link.capability);
  if (capability != target.capabilities.end()) {
    if (Slot* slot = slot_in(capability->second.properties, name)) return {slot, 2};
  }
  if (Slot* slot = slot_in(target.properties, name)) return {slot, 2};
  for (auto& [other_name, other] : target.capabilities) {
    if (Slot* slot = slot_in(other.properties, name)) return {slot, 2};
  }
  return {};
}

SlotPath slot_on(NodeModel& node, const std::vector<std::string>& path) {
  if (Slot* slot = slot_in(node.properties, path[0])) return {slot, 1};
  if (path.size() < 2) return {};
  const auto capability = node.capabilities.find(path[0]);
  if (capability != node.capabilities.end()) {
    if (Slot* slot = slot_in(capability->second.properties, path[1])) return {slot, 2};
  }
  for (const RelationshipModel& link : node.relationships) {
    if (link.requirement != path[0]) continue;
    if (const SlotPath found = slot_through(link, path[1]); found.slot != nullptr) return found;
  }
  return {};
}

// Names that could have been meant.
std::vector<std::string_view> names_on(const NodeModel& node) {
  std::vector<std::string_view> names;
  for (const auto& [name, slot] : node.properties) names.push_back(name);
  for (const auto& [name, attribute] : node.members->attributes) names.push_back(name);
  for (const auto& [name, capability] : node.capabilities) names.push_back(name);
  return names;
}

}  // namespace

RelationshipModel* Evaluator::relationship_named(const std::string& name) const {
  if (resolution_.node(name) != nullptr) return nullptr;
  const auto& templates = resolution_.units.main()->service->topology->relationship_templates;
  const bool known = std::any_of(templates.begin(), templates.end(),
                                 [&](const auto& made) { return made.name == name; });
  if (!known) return nullptr;
  for (const auto& node : resolution_.nodes) {
    for (RelationshipModel& link : node->relationships) {
      const bool uses = link.written != nullptr && link.written->relationship != nullptr &&
                        link.written->relationship->text == name;
      if (uses) return &link;
    }
  }
  return nullptr;
}

Evaluator::Found Evaluator::find_property(const Node& call, const Node& argument, const Site& site,
                                          bool report) {
  Found found;
  std::vector<std::string> path;
  for (const Node* item : argument.items) path.emplace_back(item->text);
  const std::string word = path.front();
  path.erase(path.begin());
  RelationshipModel* relationship = word == "SELF" ? site.relationship : relationship_named(word);
  if (relationship != nullptr) {
    found.slot = slot_in(relationship->properties, path[0]);
    found.rest.assign(path.begin() + 1, path.end());
    if (found.slot == nullptr && report) {
      resolution_.error("function.property", call,
                        "the relationship has no property \"" + path[0] + "\"");
    }
    found.broken = found.slot == nullptr;
    return found;
  }
  NodeModel* node = node_named(word, *argument.items.front(), site, report);
  NodeModel* const first = node;
  // HOST means the nearest host that has the property, down to the machine.
  for (std::size_t depth = 0; node != nullptr && depth <= resolution_.nodes.size(); ++depth) {
    if (node->members == nullptr) break;
    const SlotPath at = slot_on(*node, path);
    if (at.slot != nullptr) {
      found.slot = at.slot;
      found.rest.assign(path.begin() + static_cast<std::ptrdiff_t>(at.used), path.end());
      return found;
    }
    if (word != "HOST") break;
    node = host_of(*node);
  }
  found.broken = true;
  if (first != nullptr && first->members != nullptr && report) {
    resolution_.error("function.property", call,
                      "\"" + first->name + "\" has no property \"" + path[0] +
                          (path.size() > 1 ? "." + path[1] : "") + "\"",
                      did_you_mean(path[0], names_on(*first)));
  }
  return found;
}

Evaluation Evaluator::get_property(const FunctionCall& function, const Node& node,
                                   const Site& site) {
  if (!path_of(*function.argument, 2, function)) return {{}, true};
  const Found found = find_property(node, *function.argument, site, true);
  if (found.slot == nullptr) return {{}, true};
  return navigate(slot(*found.slot, node), found.rest, node);
}

namespace {

struct AttributePath {
  NodeModel* node = nullptr;
  Slot* slot = nullptr;              // a property that stands in for the attribute
  std::vector<std::string> path;     // what is left of it for the slot
  std::vector<std::string> written;  // from the node on
};

bool has_member(const Evaluation& value, const std::vector<std::string>& path) {
  const Value* at = value.expression.literal();
  for (const std::string& step : path) {
    if (value.unknown || at == nullptr) return true;
    const auto index = integer_from(step);
    if (const auto* members = at->as_map()) {
      const auto found = members->find(step);
      if (found == members->end()) return false;
      at = &found->second;
    } else if (const auto* items = at->as_list(); items != nullptr && index && *index >= 0) {
      if (static_cast<std::size_t>(*index) >= items->size()) return false;
      at = &(*items)[static_cast<std::size_t>(*index)];
    } else {
      return false;
    }
  }
  return true;
}

std::vector<std::string> tail(const std::vector<std::string>& path, std::size_t from) {
  return {path.begin() + static_cast<std::ptrdiff_t>(from), path.end()};
}

bool has(const PropertyMap& map, const std::string& name) {
  return map.find(name) != map.end();
}

std::optional<AttributePath> attribute_on(NodeModel& node, const std::vector<std::string>& path) {
  if (has(node.members->attributes, path[0])) return AttributePath{&node, nullptr, {}, path};
  if (Slot* slot = slot_in(node.properties, path[0])) {
    return AttributePath{&node, slot, tail(path, 1), path};
  }
  const auto capability = node.capabilities.find(path[0]);
  if (capability != node.capabilities.end() && path.size() > 1) {
    if (capability->second.members != nullptr &&
        has(capability->second.members->attributes, path[1])) {
      return AttributePath{&node, nullptr, {}, path};
    }
    if (Slot* slot = slot_in(capability->second.properties, path[1])) {
      return AttributePath{&node, slot, tail(path, 2), path};
    }
  }
  if (path.size() < 2) return std::nullopt;
  for (const RelationshipModel& link : node.relationships) {
    if (link.requirement != path[0] || link.target == nullptr) continue;
    if (link.target->members == nullptr) return std::nullopt;
    std::vector<std::string> inner = tail(path, 1);
    const auto reached = link.target->capabilities.find(link.capability);
    if (reached != link.target->capabilities.end() && reached->second.members != nullptr &&
        has(reached->second.members->attributes, inner[0])) {
      inner.insert(inner.begin(), link.capability);
    }
    return attribute_on(*link.target, inner);
  }
  return std::nullopt;
}

}  // namespace

Evaluation Evaluator::get_attribute(const FunctionCall& function, const Node& node,
                                    const Site& site) {
  auto path = path_of(*function.argument, 2, function);
  if (!path) return {{}, true};
  const std::string word = path->front();
  path->erase(path->begin());
  if ((word == "SELF" && site.relationship != nullptr) || relationship_named(word) != nullptr) {
    resolution_.warning("function.unsupported", node,
                        "attributes of relationships are not supported; the value stays empty");
    return {{}, true};
  }
  NodeModel* at = node_named(word, *function.argument->items.front(), site, true);
  NodeModel* const first = at;
  for (std::size_t depth = 0; at != nullptr && depth <= resolution_.nodes.size(); ++depth) {
    if (at->members == nullptr) return {{}, true};
    if (const auto found = attribute_on(*at, *path)) {
      const Expression reference(Expression::Data(GetAttribute{found->node->name, found->written}));
      if (found->slot == nullptr) return {reference, false};
      // A property is an attribute too; members that it lacks may come at run time.
      const Evaluation& whole = slot(*found->slot, node);
      if (!has_member(whole, found->path)) return {reference, false};
      return navigate(whole, found->path, node);
    }
    if (word != "HOST") break;
    at = host_of(*at);
  }
  if (first != nullptr) {
    resolution_.error("function.attribute", node,
                      "\"" + first->name + "\" has no attribute \"" + path->front() + "\"",
                      did_you_mean(path->front(), names_on(*first)));
  }
  return {{}, true};
}

}  // namespace tutti::tosca::resolution
