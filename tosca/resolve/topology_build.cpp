// Last phase: everything is evaluated, in document order, and becomes the Topology.
#include "tosca/resolve/phases.hpp"
#include "tosca/source/scalar.hpp"
#include "tosca/source/suggest.hpp"

#include <algorithm>

namespace tutti::tosca::resolution {

namespace {

constexpr std::int64_t kMostInstances = 1000;
constexpr std::string_view kSecretType = "tutti.datatypes.Secret";
constexpr std::string_view kHostedOn = "tosca.relationships.HostedOn";

bool is_set(const Evaluation& value) {
  const Value* literal = value.expression.literal();
  return value.unknown || literal == nullptr || !literal->is_null();
}

ExpressionMap evaluated(Evaluator& evaluator, Slots& slots, const Node& place) {
  ExpressionMap made;
  for (auto& [name, slot] : slots) {
    const Evaluation& value = evaluator.slot(slot, slot.source != nullptr ? *slot.source : place);
    if (slot.source != nullptr && is_set(value)) made.emplace(name, value.expression);
  }
  return made;
}

// The number that an evaluated count holds; nothing when it is not known yet.
std::optional<std::int64_t> count_from(Resolution& resolution, const Slot& slot) {
  if (slot.value.unknown) return std::nullopt;
  const Value* literal = slot.value.expression.literal();
  std::optional<std::int64_t> count;
  if (literal != nullptr && literal->is_null()) return std::nullopt;
  if (literal != nullptr && literal->as_integer() != nullptr) count = *literal->as_integer();
  if (literal != nullptr && literal->as_string() != nullptr) {
    count = integer_from(*literal->as_string());
  }
  if (!count) {
    resolution.error("scalable.count", *slot.source,
                     "the number of instances must be a known integer");
  } else if (*count > kMostInstances) {
    resolution.error("scalable.count", *slot.source,
                     "a node can have at most " + std::to_string(kMostInstances) + " instances");
    count = kMostInstances;
  }
  return count;
}

void set_count(Resolution& resolution, NodeModel& model, NodeTemplate& node) {
  const auto scalable = model.capabilities.find("scalable");
  if (scalable == model.capabilities.end()) return;
  for (const auto* name : {"count", "default_instances"}) {
    const auto slot = scalable->second.properties.find(name);
    if (slot == scalable->second.properties.end() || !slot->second.assigned) continue;
    node.scaled = true;
    // INDIGO's elasticity manager writes negative counts when it removes more than there are.
    if (const auto count = count_from(resolution, slot->second)) {
      node.count = std::max<std::int64_t>(*count, 0);
    }
    return;
  }
}

void add_attributes(Evaluator& evaluator, NodeModel& model, NodeTemplate& node) {
  Site site;
  site.self = &model;
  for (const auto& [name, attribute] : model.members->attributes) {
    if (attribute.default_value == nullptr) continue;
    site.secret_id = "attribute/" + model.name + "/" + name;
    // Attributes hold what is known so far: their defaults need not be complete.
    const Evaluation value = evaluator.untyped(*attribute.default_value, site);
    if (is_set(value)) node.attributes.emplace(name, value.expression);
  }
}

void add_artifacts(Evaluator& evaluator, NodeModel& model, NodeTemplate& node) {
  Site site;
  site.self = &model;
  const auto add = [&](const grammar::ArtifactDefinition& written) {
    Artifact artifact;
    artifact.name = written.name;
    if (written.type != nullptr) artifact.type = std::string(written.type->text);
    if (written.file != nullptr) {
      const Evaluation file = evaluator.untyped(*written.file, site);
      const Value* literal = file.expression.literal();
      if (literal != nullptr && literal->as_string() != nullptr)
        artifact.file = *literal->as_string();
    }
    std::erase_if(node.artifacts, [&](const Artifact& a) { return a.name == artifact.name; });
    node.artifacts.push_back(std::move(artifact));
  };
  for (const auto& written : model.members->artifacts) add(written);
  for (const auto& written : model.written->artifacts) add(written);
}

void add_relationships(Resolution& resolution, Evaluator& evaluator, NodeModel& model,
                       NodeTemplate& node) {
  for (std::size_t i = 0; i < model.relationships.size(); ++i) {
    RelationshipModel& link = model.relationships[i];
    Relationship made;
    made.requirement = link.requirement;
    made.relationship_type = link.type->name();
    made.hosted_on = link.type->is_a(kHostedOn);
    made.target = link.target->name;
    made.capability = link.capability;
    made.properties = evaluated(evaluator, link.properties, *link.place);
    made.span = link.place->span();
    Site site;
    site.self = &model;
    site.relationship = &link;
    made.operations = make_operations(resolution, evaluator, link.interfaces, model, site,
                                      "operation/" + model.name + "/" + std::to_string(i));
    node.relationships.push_back(std::move(made));
  }
}

NodeTemplate make_node(Resolution& resolution, Evaluator& evaluator, NodeModel& model) {
  NodeTemplate node;
  const grammar::NodeTemplate& written = *model.written;
  node.name = model.name;
  node.type = model.type->name();
  node.ancestry = model.type->ancestry;
  node.span = written.key->span();
  node.properties = evaluated(evaluator, model.properties, *written.key);
  for (auto& [name, capability] : model.capabilities) {
    Capability made;
    made.name = name;
    if (capability.members->type != nullptr) made.type = capability.members->type->name();
    made.properties = evaluated(evaluator, capability.properties, *written.key);
    node.capabilities.emplace(name, std::move(made));
  }
  add_attributes(evaluator, model, node);
  add_artifacts(evaluator, model, node);
  add_relationships(resolution, evaluator, model, node);
  check_operations(resolution, model);
  std::vector<const grammar::Interface*> interfaces = model.members->interfaces;
  for (const grammar::Interface& interface : written.interfaces) interfaces.push_back(&interface);
  Site site;
  site.self = &model;
  node.operations =
      make_operations(resolution, evaluator, interfaces, model, site, "operation/" + model.name);
  if (written.metadata != nullptr) {
    for (const Entry& entry : written.metadata->entries) {
      if (entry.value->is_scalar()) {
        node.metadata.emplace(std::string(entry.key->text), std::string(entry.value->text));
      }
    }
  }
  set_count(resolution, model, node);
  return node;
}

// Groups stand for their members; an unknown name is an error at its place.
void add_target(Resolution& resolution, const grammar::TopologyTemplate& topology, const Node& name,
                std::vector<std::string>& targets) {
  if (resolution.node(name.text) != nullptr) {
    targets.emplace_back(name.text);
    return;
  }
  for (const grammar::Group& group : topology.groups) {
    if (group.name != name.text) continue;
    for (const Node* member : group.members) {
      if (resolution.node(member->text) != nullptr) targets.emplace_back(member->text);
    }
    return;
  }
  std::vector<std::string_view> names;
  for (const auto& [known, node] : resolution.node_by_name) names.push_back(known);
  resolution.error("policy.target", name,
                   "there is no node template or group \"" + std::string(name.text) + "\"",
                   did_you_mean(name.text, names));
}

void add_policies(Resolution& resolution, Evaluator& evaluator,
                  const grammar::TopologyTemplate& written, Topology& topology) {
  for (const grammar::Policy& policy : written.policies) {
    if (policy.type == nullptr) continue;
    const Type* type =
        resolution.units.type_of(TypeKind::policy, *policy.type, resolution.result.diagnostics);
    if (type == nullptr || type->broken) continue;
    Policy made;
    made.name = policy.name;
    made.type = type->name();
    made.ancestry = type->ancestry;
    made.span = policy.key->span();
    for (const Node* target : policy.targets) {
      add_target(resolution, written, *target, made.targets);
    }
    SlotRules rules;
    rules.owner = "the type " + type->name();
    rules.secret_id = "policy/" + policy.name;
    rules.place = policy.key;
    const PropertyMap& declared = resolution.members(*type).properties;
    Slots slots = make_slots(resolution, declared, policy.properties, {}, rules);
    for (auto& [name, slot] : slots) {
      slot.secret = slot.definition != nullptr && slot.definition->secret;
    }
    made.properties = evaluated(evaluator, slots, *policy.key);
    topology.policies.push_back(std::move(made));
  }
}

void check_groups(Resolution& resolution, const grammar::TopologyTemplate& written) {
  for (const grammar::Group& group : written.groups) {
    if (group.type != nullptr) {
      (void)resolution.units.type_of(TypeKind::group, *group.type, resolution.result.diagnostics);
    }
    for (const Node* member : group.members) {
      if (resolution.node(member->text) != nullptr) continue;
      resolution.error("group.member", *member,
                       "there is no node template \"" + std::string(member->text) + "\"");
    }
  }
}

void add_outputs(Resolution& resolution, Evaluator& evaluator,
                 const grammar::TopologyTemplate& written, Topology& topology) {
  for (const grammar::Output& output : written.outputs) {
    if (output.value == nullptr) continue;
    Output made;
    made.description = output.description;
    made.span = output.key->span();
    Site site;
    site.secret_id = "output/" + output.name;
    Evaluation value;
    if (output.type != nullptr) {
      Schema schema;
      schema.node = output.node;
      schema.type = output.type;
      const DataInfo info = data_info(resolution, schema);
      made.reveals_secret = info.secret || output.type->text == kSecretType;
      value = evaluator.typed(*output.value, schema, site, false);
    } else {
      value = evaluator.untyped(*output.value, site);
    }
    made.value = std::move(value.expression);
    topology.outputs.emplace(output.name, std::move(made));
  }
}

void add_inputs(Resolution& resolution, Evaluator& evaluator, Topology& topology) {
  for (auto& [name, input] : resolution.inputs) {
    const PropertyDefinition& definition = *input.definition;
    Input made;
    if (definition.type != nullptr) made.type = std::string(definition.type->text);
    made.description = definition.description;
    made.required = definition.required;
    made.secret = input.secret;
    made.span = definition.node->span();
    (void)evaluator.input(input, name);
    if (definition.default_value != nullptr) {
      if (input.secret) {
        made.default_value = Value(SecretRef{"input/" + name});
      } else {
        Site site;
        site.literal = true;
        site.secret_id = "input/" + name + "/default";
        const Evaluation value =
            evaluator.typed(*definition.default_value, definition, site, false);
        if (value.expression.literal() != nullptr) made.default_value = *value.expression.literal();
      }
    }
    topology.inputs.emplace(name, std::move(made));
  }
}

}  // namespace

Topology build_topology(Resolution& resolution, Evaluator& evaluator) {
  Topology topology;
  const grammar::ServiceTemplate& service = *resolution.units.main()->service;
  topology.description = service.description;
  if (!service.topology) return topology;
  if (topology.description.empty()) topology.description = service.topology->description;
  add_inputs(resolution, evaluator, topology);
  for (const auto& model : resolution.nodes) {
    if (model->members == nullptr) continue;
    topology.nodes.emplace(model->name, make_node(resolution, evaluator, *model));
  }
  check_groups(resolution, *service.topology);
  add_policies(resolution, evaluator, *service.topology, topology);
  add_outputs(resolution, evaluator, *service.topology, topology);
  return topology;
}

}  // namespace tutti::tosca::resolution
