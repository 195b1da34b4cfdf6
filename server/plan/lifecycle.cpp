// The operations of each node template: create, configure, start, those that have an
// implementation; one step over all its instances that still need it.
#include "server/plan/draft.hpp"

#include <algorithm>
#include <array>

namespace tutti::plan {

namespace {

struct Stage {
  const char* operation;
  InstanceState during;
  InstanceState after;
};
constexpr std::array<Stage, 3> kStages{{
    {"create", InstanceState::creating, InstanceState::created},
    {"configure", InstanceState::configuring, InstanceState::configured},
    {"start", InstanceState::starting, InstanceState::started},
}};

constexpr std::string_view kMissing = "missing:";

// How far along the way up; stopped and broken instances go it again.
int progress(InstanceState state) {
  switch (state) {
    case InstanceState::created:
      return 1;
    case InstanceState::configuring:
      return 1;
    case InstanceState::configured:
      return 2;
    case InstanceState::starting:
      return 2;
    case InstanceState::started:
      return 3;
    default:
      return 0;
  }
}

bool is_lifecycle(const tosca::OperationDefinition& operation) {
  return operation.interface_name == "Standard" ||
         operation.interface_name == "tosca.interfaces.node.lifecycle.Standard";
}

const tosca::OperationDefinition* implemented(const tosca::NodeTemplate& node,
                                              std::string_view operation) {
  for (const tosca::OperationDefinition& candidate : node.operations) {
    if (is_lifecycle(candidate) && candidate.name == operation &&
        !candidate.implementation.empty()) {
      return &candidate;
    }
  }
  return nullptr;
}

bool is_performed(const tosca::OperationDefinition& operation) {
  return is_lifecycle(operation) &&
         std::any_of(kStages.begin(), kStages.end(),
                     [&](const Stage& stage) { return operation.name == stage.operation; });
}

// What a template relies on and nobody will do is told, not passed over: a relationship that is not
// set up leaves its source broken; what other interfaces offer (stop, delete, a policy's own) is
// not asked for by a deployment.
void tell_unperformed(Draft& draft, const tosca::NodeTemplate& node) {
  const auto text = [&](const tosca::OperationDefinition& operation) {
    return "node '" + node.name + "': " + operation.interface_name + "." + operation.name;
  };
  for (const tosca::OperationDefinition& operation : node.operations) {
    if (operation.implementation.empty() || is_performed(operation)) continue;
    draft.warn("plan.operation-ignored", operation.span,
               text(operation) + " is never performed: create, configure and start are");
  }
  for (const tosca::Relationship& relationship : node.relationships) {
    for (const tosca::OperationDefinition& operation : relationship.operations) {
      if (operation.implementation.empty()) continue;
      draft.error(std::string(kMissingImplementation),
                  operation.span.line != 0 ? operation.span : node.span,
                  text(operation) + " of the relationship to '" + relationship.target +
                      "': performing operations of relationships is missing",
                  "do it in an operation of the node");
    }
  }
}

Playbook playbook_of(Draft& draft, const tosca::NodeTemplate& node,
                     const tosca::OperationDefinition& operation) {
  if (operation.implementation.starts_with(kMissing)) {
    const std::string what = operation.implementation.substr(kMissing.size());
    draft.error(std::string(kMissingImplementation),
                operation.span.line != 0 ? operation.span : node.span,
                "node '" + node.name + "' (" + node.type + "): the implementation of " +
                    operation.interface_name + "." + operation.name + " is missing: " + what,
                "give the operation a playbook that exists here");
  }
  Playbook playbook;
  playbook.playbook = operation.implementation;
  playbook.inputs = operation.inputs;
  if (operation.timeout_seconds && *operation.timeout_seconds > 0) {
    playbook.budget = std::chrono::seconds(*operation.timeout_seconds);
  }
  return playbook;
}

// Instances that have not come as far as `after`.
std::vector<ObservedInstance> pending(const Draft& draft, const DraftNode& node,
                                      InstanceState after) {
  std::vector<ObservedInstance> instances;
  for (const int ordinal : node.ordinals) {
    const InstanceKey key{node.definition->name, ordinal};
    const auto seen = draft.observed_instances.find(key);
    const InstanceState state =
        seen == draft.observed_instances.end() ? InstanceState::initial : seen->second.state;
    if (progress(state) < progress(after)) {
      instances.push_back({key, draft.incarnation(key), state});
    }
  }
  return instances;
}

void append(Draft& draft, DraftNode& node, const Stage& stage, const std::string& operation,
            InstanceState after, Operation action) {
  const std::vector<ObservedInstance> instances = pending(draft, node, after);
  if (instances.empty()) return;
  Step step;
  step.node = node.definition->name;
  step.operation = operation;
  step.id = step_id(step.node, operation, instances);
  for (const ObservedInstance& instance : instances) step.instances.push_back(instance.key);
  step.during = stage.during;
  step.after = after;
  step.action = std::move(action);
  const std::size_t index = draft.add(std::move(step));
  draft.require(index, node.last_steps);
  if (node.first_steps.empty()) node.first_steps = {index};
  node.last_steps = {index};
}

void plan_node(Draft& draft, DraftNode& node) {
  const tosca::NodeTemplate& definition = *node.definition;
  tell_unperformed(draft, definition);
  const bool has_resource = definition.is_a(kCompute) || definition.is_a(kVirtualAddress);
  node.first_steps = node.resource_steps;
  node.last_steps = node.resource_steps;
  std::vector<std::pair<Stage, const tosca::OperationDefinition*>> stages;
  for (const Stage& stage : kStages) {
    if (const auto* operation = implemented(definition, stage.operation)) {
      stages.emplace_back(stage, operation);
    }
  }
  if (stages.empty()) {
    if (!has_resource) {
      append(draft, node, kStages.back(), "Standard.start", InstanceState::started, NoOp{});
    }
    return;
  }
  if (node.root == nullptr) {
    draft.error("plan.no-host", definition.span,
                "node '" + definition.name + "' has operations and no Compute to run them on",
                "give it a requirement host that leads to a Compute");
    return;
  }
  for (const std::size_t step : node.resource_steps) {
    draft.steps[step].after = InstanceState::created;
  }
  for (const auto& [stage, operation] : stages) {
    const bool last = operation == stages.back().second;
    append(draft, node, stage, std::string("Standard.") + stage.operation,
           last ? InstanceState::started : stage.after, playbook_of(draft, definition, *operation));
  }
}

}  // namespace

void plan_lifecycles(Draft& draft) {
  for (auto& [name, node] : draft.nodes) plan_node(draft, node);
}

}  // namespace tutti::plan
