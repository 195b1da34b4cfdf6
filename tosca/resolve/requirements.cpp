// Fifth phase: requirements become relationships, by name, by type or by capability. Cycles are
// refused: nothing could be started first.
#include "tosca/resolve/phases.hpp"
#include "tosca/source/suggest.hpp"

#include <algorithm>
#include <array>

namespace tutti::tosca::resolution {

namespace {

using grammar::RequirementAssignment;
using grammar::RequirementDefinition;

// The relationship that a capability asks for where nothing else says (5.7, and 5.5's defaults).
struct Implied {
  std::string_view capability;
  std::string_view relationship;
};
constexpr std::array kImplied{
    Implied{"tosca.capabilities.Container", "tosca.relationships.HostedOn"},
    Implied{"tosca.capabilities.Compute", "tosca.relationships.HostedOn"},
    Implied{"tosca.capabilities.Endpoint", "tosca.relationships.ConnectsTo"},
    Implied{"tosca.capabilities.Attachment", "tosca.relationships.AttachesTo"},
    Implied{"tosca.capabilities.network.Linkable", "tosca.relationships.network.LinksTo"},
    Implied{"tosca.capabilities.network.Bindable", "tosca.relationships.network.BindsTo"},
};

class Matcher {
 public:
  Matcher(Resolution& resolution, NodeModel& source) : resolution_(resolution), source_(source) {}

  void all() {
    for (const RequirementAssignment& written : source_.written->requirements) assigned(written);
    for (const RequirementDefinition& definition : source_.members->requirements) {
      check_count(definition);
    }
  }

 private:
  const RequirementDefinition* definition_of(const RequirementAssignment& written) {
    for (const RequirementDefinition& definition : source_.members->requirements) {
      if (definition.name == written.name) return &definition;
    }
    std::vector<std::string_view> names;
    for (const auto& definition : source_.members->requirements) names.push_back(definition.name);
    resolution_.error(
        "requirement.unknown", *written.key,
        "the type " + source_.type->name() + " has no requirement \"" + written.name + "\"",
        did_you_mean(written.name, names));
    return nullptr;
  }

  void assigned(const RequirementAssignment& written) {
    const RequirementDefinition* definition = definition_of(written);
    if (definition == nullptr) return;
    if (written.node_filter != nullptr) {
      resolution_.warning("requirement.node-filter", *written.node_filter,
                          "node filters are not evaluated", "name the node template that is meant");
    }
    NodeModel* target = target_of(written, *definition);
    if (target == nullptr) return;
    link(*definition, &written, *target);
  }

  NodeModel* target_of(const RequirementAssignment& written,
                       const RequirementDefinition& definition) {
    const Node* type_name = definition.node_type;
    if (written.target != nullptr) {
      if (NodeModel* named = resolution_.node(written.target->text)) return named;
      if (resolution_.units.find(TypeKind::node, *written.target) == nullptr) {
        std::vector<std::string_view> names;
        for (const auto& [name, node] : resolution_.node_by_name) names.push_back(name);
        resolution_.error("requirement.target", *written.target,
                          "there is no node template \"" + std::string(written.target->text) + "\"",
                          did_you_mean(written.target->text, names));
        return nullptr;
      }
      type_name = written.target;
    }
    const std::vector<NodeModel*> found = candidates(definition, type_name);
    if (found.empty()) {
      resolution_.error("requirement.unmatched", *written.key,
                        "no node template can satisfy the requirement \"" + written.name + "\"",
                        "add one, or name it");
      return nullptr;
    }
    if (found.size() > 1) warn_ambiguous(*written.key, written.name, *found.front());
    return found.front();
  }

  std::vector<NodeModel*> candidates(const RequirementDefinition& definition,
                                     const Node* type_name) {
    const Type* type =
        type_name == nullptr ? nullptr : resolution_.units.find(TypeKind::node, *type_name);
    std::vector<NodeModel*> found;
    for (const auto& node : resolution_.nodes) {
      if (node.get() == &source_ || node->members == nullptr) continue;
      if (type != nullptr && !node->type->is_a(type->name())) continue;
      if (capability_by_type(*node, definition.capability) != nullptr) found.push_back(node.get());
    }
    return found;
  }

  bool accepts(const CapabilityMembers& capability) const {
    if (capability.valid_sources.empty()) return true;
    return std::any_of(
        capability.valid_sources.begin(), capability.valid_sources.end(), [&](const Node* name) {
          const Type* type = resolution_.units.find(TypeKind::node, *name);
          return source_.type->is_a(type == nullptr ? name->text : std::string_view(type->name()));
        });
  }

  // The first capability of the type, one that welcomes this source before others.
  const CapabilityMembers* capability_by_type(const NodeModel& target, const Node* wanted) const {
    if (wanted == nullptr || target.members == nullptr) return nullptr;
    const Type* type = resolution_.units.find(TypeKind::capability, *wanted);
    const CapabilityMembers* second_best = nullptr;
    for (const CapabilityMembers& capability : target.members->capabilities) {
      const bool fits =
          capability.type != nullptr && type != nullptr && capability.type->is_a(type->name());
      if (!fits) continue;
      if (accepts(capability)) return &capability;
      if (second_best == nullptr) second_best = &capability;
    }
    return second_best;
  }

  const CapabilityMembers* capability_of(const RequirementDefinition& definition,
                                         const RequirementAssignment* written,
                                         const NodeModel& target) {
    const Node* wanted = definition.capability;
    if (written != nullptr && written->capability != nullptr) {
      if (const auto* named = target.members->capability(written->capability->text)) return named;
      wanted = written->capability;
    }
    if (wanted == nullptr) return nullptr;
    const CapabilityMembers* found = capability_by_type(target, wanted);
    if (found == nullptr) found = target.members->capability(wanted->text);
    const Node& place = written != nullptr ? *written->node : *source_.written->key;
    if (found == nullptr) {
      resolution_.error("requirement.capability", place,
                        "\"" + target.name + "\" has no capability " + std::string(wanted->text) +
                            ", which the requirement \"" + definition.name + "\" needs");
    } else if (!accepts(*found)) {
      resolution_.warning("requirement.source", place,
                          "the capability \"" + found->name + "\" of \"" + target.name +
                              "\" does not accept a " + source_.type->name());
    }
    return found;
  }

  void check_node_type(const RequirementDefinition& definition,
                       const RequirementAssignment* written, const NodeModel& target) {
    if (definition.node_type == nullptr || written == nullptr) return;
    const Type* wanted = resolution_.units.find(TypeKind::node, *definition.node_type);
    if (wanted == nullptr || target.type->is_a(wanted->name())) return;
    // INDIGO's own types break this; what counts is the capability, which is an error.
    resolution_.warning("requirement.node", *written->node,
                        "the requirement \"" + definition.name + "\" needs a " + wanted->name() +
                            ", \"" + target.name + "\" is a " + target.type->name());
  }

  const grammar::RelationshipTemplate* relationship_template(const Node& name) const {
    for (const auto& made : resolution_.units.main()->service->topology->relationship_templates) {
      if (made.name == name.text) return &made;
    }
    return nullptr;
  }

  const Type* implied_type(const CapabilityMembers* capability) {
    std::string_view name = "tosca.relationships.DependsOn";
    if (capability != nullptr && capability->type != nullptr) {
      for (const Implied& implied : kImplied) {
        if (capability->type->is_a(implied.capability)) name = implied.relationship;
      }
    }
    return resolution_.units.main()->find(TypeKind::relationship, name);
  }

  void link(const RequirementDefinition& definition, const RequirementAssignment* written,
            NodeModel& target) {
    if (target.members == nullptr) return;
    check_node_type(definition, written, target);
    const CapabilityMembers* capability = capability_of(definition, written, target);
    RelationshipModel made;
    made.requirement = definition.name;
    made.written = written;
    made.definition = &definition;
    made.source = &source_;
    made.target = &target;
    made.capability = capability == nullptr ? std::string() : capability->name;
    made.place = written != nullptr ? written->key : source_.written->key;
    std::vector<Entry> properties;
    const grammar::RelationshipTemplate* reused = nullptr;
    const Node* type_name = definition.relationship_type;
    if (written != nullptr && written->relationship != nullptr) {
      reused = relationship_template(*written->relationship);
      type_name = reused != nullptr ? reused->type : written->relationship;
    }
    if (reused != nullptr) properties = reused->properties;
    if (written != nullptr) {
      properties.insert(properties.end(), written->properties.begin(), written->properties.end());
    }
    made.type = type_name != nullptr ? resolution_.units.type_of(TypeKind::relationship, *type_name,
                                                                 resolution_.result.diagnostics)
                                     : implied_type(capability);
    if (made.type == nullptr || made.type->broken) return;
    add_interfaces(made, definition, reused);
    source_.relationships.push_back(std::move(made));
    pending_.push_back(std::move(properties));
  }

  void add_interfaces(RelationshipModel& made, const RequirementDefinition& definition,
                      const grammar::RelationshipTemplate* reused) {
    made.interfaces = resolution_.members(*made.type).interfaces;
    for (const auto& interface : definition.interfaces) made.interfaces.push_back(&interface);
    if (reused != nullptr) {
      for (const auto& interface : reused->interfaces) made.interfaces.push_back(&interface);
    }
    if (made.written != nullptr) {
      for (const auto& interface : made.written->interfaces) made.interfaces.push_back(&interface);
    }
  }

  // What the type asks for and the template does not give is looked for; only one answer is taken.
  void check_count(const RequirementDefinition& definition) {
    std::int64_t given = 0;
    const RequirementAssignment* last = nullptr;
    for (const RequirementAssignment& written : source_.written->requirements) {
      if (written.name != definition.name) continue;
      ++given;
      last = &written;
    }
    if (definition.most && given > *definition.most) {
      resolution_.error("requirement.occurrences", *last->key,
                        "the requirement \"" + definition.name + "\" is allowed " +
                            std::to_string(*definition.most) + " time(s)");
    }
    if (given > 0 || definition.least == 0) return;
    if (is_hosted() && hosts(definition)) return;
    const std::vector<NodeModel*> found = candidates(definition, definition.node_type);
    if (found.empty()) {
      // A template that stands in for a node of another one gets it there.
      if (resolution_.units.main()->service->topology->substitutes) return;
      resolution_.error(
          "requirement.missing", *source_.written->key,
          "the type " + source_.type->name() + " needs the requirement \"" + definition.name + "\"",
          "no node template satisfies it");
      return;
    }
    if (found.size() > 1) warn_ambiguous(*source_.written->key, definition.name, *found.front());
    link(definition, nullptr, *found.front());
  }

  void warn_ambiguous(const Node& place, const std::string& name, const NodeModel& taken) {
    resolution_.warning(
        "requirement.ambiguous", place,
        "several node templates satisfy \"" + name + "\"; \"" + taken.name + "\" is taken",
        "name the one that is meant");
  }

  // Types may give their host under another name (INDIGO's lrms): the inherited one is not missed.
  bool is_hosted() const {
    return std::any_of(source_.relationships.begin(), source_.relationships.end(),
                       [](const RelationshipModel& made) {
                         return made.type->is_a("tosca.relationships.HostedOn");
                       });
  }

  bool hosts(const RequirementDefinition& definition) const {
    if (definition.relationship_type == nullptr) return definition.name == "host";
    const Type* type =
        resolution_.units.find(TypeKind::relationship, *definition.relationship_type);
    return type != nullptr && type->is_a("tosca.relationships.HostedOn");
  }

 public:
  // Slots point to their relationship: made when the list of relationships no longer moves.
  void finish() {
    for (std::size_t i = 0; i < source_.relationships.size(); ++i) {
      RelationshipModel& made = source_.relationships[i];
      Site site;
      site.self = &source_;
      site.relationship = &made;
      SlotRules rules;
      rules.owner = "the relationship " + made.type->name();
      rules.secret_id = "relationship/" + source_.name + "/" + std::to_string(i);
      rules.place = made.place;
      made.properties = make_slots(resolution_, resolution_.members(*made.type).properties,
                                   pending_[i], site, rules);
    }
  }

 private:
  Resolution& resolution_;
  NodeModel& source_;
  std::vector<std::vector<Entry>> pending_;
};

}  // namespace

void build_relationships(Resolution& resolution) {
  for (const auto& node : resolution.nodes) {
    if (node->members == nullptr) continue;
    Matcher matcher(resolution, *node);
    matcher.all();
    matcher.finish();
  }
}

void check_cycles(Resolution& resolution) {
  // Take away nodes that require nothing that is left; what stays has a cycle in it.
  std::map<const NodeModel*, std::size_t> open;
  std::map<const NodeModel*, std::vector<const NodeModel*>> required_by;
  for (const auto& node : resolution.nodes) {
    open[node.get()] += node->relationships.size();
    for (const RelationshipModel& link : node->relationships) {
      required_by[link.target].push_back(node.get());
    }
  }
  std::vector<const NodeModel*> free;
  for (const auto& [node, count] : open) {
    if (count == 0) free.push_back(node);
  }
  while (!free.empty()) {
    const NodeModel* node = free.back();
    free.pop_back();
    for (const NodeModel* other : required_by[node]) {
      if (--open[other] == 0) free.push_back(other);
    }
  }
  const auto stuck = [&](const NodeModel* node) { return open[node] > 0; };
  const auto first = std::find_if(resolution.nodes.begin(), resolution.nodes.end(),
                                  [&](const auto& node) { return stuck(node.get()); });
  if (first == resolution.nodes.end()) return;
  // Every stuck node requires a stuck one: walking on must come back to where it was.
  std::vector<const NodeModel*> walk;
  std::vector<const RelationshipModel*> steps;
  const NodeModel* at = first->get();
  while (std::find(walk.begin(), walk.end(), at) == walk.end()) {
    walk.push_back(at);
    for (const RelationshipModel& link : at->relationships) {
      if (!stuck(link.target)) continue;
      steps.push_back(&link);
      at = link.target;
      break;
    }
  }
  const auto begin = std::find(walk.begin(), walk.end(), at);
  std::string circle;
  for (auto node = begin; node != walk.end(); ++node) circle += (*node)->name + " -> ";
  const auto place = steps[static_cast<std::size_t>(begin - walk.begin())]->place;
  // The first words are what INDIGO's clients look for, their spelling included.
  resolution.error("requirement.cycle", *place,
                   "Found node depencency loop in TOSCA topology: " + circle + at->name,
                   "one of these requirements has to go");
}

}  // namespace tutti::tosca::resolution
