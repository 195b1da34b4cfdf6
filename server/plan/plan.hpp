// The plan: what has to be done, in which order, to bring a deployment from what is observed to
// what is desired. Create, scale, heal and delete are one function. Pure: a list of small
// transforms over plain data, each tested alone. Used by reconcile, by the dry run and by `tutti
// plan`.
#pragma once

#include "providers/model.hpp"
#include "tosca/topology/topology.hpp"

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tutti::plan {

// One node instance: the ordinal is the lowest free one and survives replacement.
struct InstanceKey {
  std::string node;
  int ordinal = 0;
  auto operator<=>(const InstanceKey&) const = default;
  [[nodiscard]] std::string text() const { return node + "-" + std::to_string(ordinal); }
};

// TOSCA Simple Profile 1.3, 3.4.1 (node states), and `stopped`.
enum class InstanceState {
  initial,
  creating,
  created,
  configuring,
  configured,
  starting,
  started,
  stopping,
  stopped,
  deleting,
  error,
};
[[nodiscard]] std::string_view to_string(InstanceState state);
[[nodiscard]] std::optional<InstanceState> instance_state_from(std::string_view name);

struct ObservedInstance {
  InstanceKey key;
  int incarnation = 1;
  InstanceState state = InstanceState::initial;
};

struct ObservedResource {
  ResourceId id;
  ResourceKind kind = ResourceKind::instance;
  int incarnation = 1;
  bool active = false;  // exists and is usable; false: it may exist
};

struct Observation {
  std::vector<ObservedInstance> instances;
  std::vector<ObservedResource> resources;
};

// What the plan must know of the site it is made for.
struct Site {
  SiteName name;
  std::string provider;  // "docker", "simulated", ...
  ProviderCapabilities capabilities;
};

// A create or a destroy of one cloud resource.
struct ResourceCall {
  enum class Action { create, destroy };
  Action action = Action::create;
  ResourceId resource;
  ResourceKind kind = ResourceKind::instance;
  int incarnation = 1;
  std::optional<ResourceSpec> spec;  // of a create; ResourceRefs name resources of this plan
};

// One ansible-playbook over all instances of the step, with an outcome for each.
struct Playbook {
  std::string playbook;         // relative to the playbooks' folder
  tosca::ExpressionMap inputs;  // evaluated at dispatch, the same for all instances
  std::chrono::seconds budget{1800};
  int max_attempts = 3;
};

// A node without an implementation for this part of its life passes through.
struct NoOp {};

using Operation = std::variant<ResourceCall, Playbook, NoOp>;

// Derived from what it does ("mesos_master/Standard.create@0.1,1.1,2.1"), so that a step keeps its
// identity when the plan is computed again.
using StepId = StrongId<struct StepTag>;

struct Step {
  StepId id;
  std::string node;       // node template; for resources without one, the resource's id
  std::string operation;  // "Standard.create", "resource.create", ...
  std::vector<InstanceKey> instances;  // whose state the step moves; empty for bare resources
  InstanceState during = InstanceState::creating;
  InstanceState after = InstanceState::created;
  Operation action;
  std::vector<std::size_t> requires_steps;  // indexes into Plan::steps, ascending, without repeats
};

struct PlannedInstance {
  InstanceKey key;
  int incarnation = 1;
  std::string type;
  std::string hostname;                  // of the Compute it is or runs on
  std::optional<InstanceKey> host;       // the instance it is hosted on (same ordinal)
  std::optional<ResourceId> resource;    // of a Compute or a virtual address: its cloud object
  std::vector<std::string> required_by;  // node templates that require this one
};

struct Plan {
  std::vector<PlannedInstance> instances;  // desired ones, ordered by key
  std::vector<Step> steps;                 // ordered so that requirements come first
  tosca::Diagnostics warnings;
};

struct PlanResult {
  std::optional<Plan> plan;
  tosca::Diagnostics diagnostics;  // errors alone; warnings stand in the plan
  // A plan beside errors can be shown and not carried out.
  [[nodiscard]] bool feasible() const { return plan.has_value() && diagnostics.empty(); }
};

// `desired` null means: nothing shall remain. Refused with its place: an even number of masters
// under tutti.policies.OddMembers, a virtual address that the site cannot give, compute properties
// that depend on attributes, an acyclicity violation. What is missing here, an operation's
// implementation ("missing:...") or the site that a placement names, is an error too, but the plan
// is there to be looked at.
[[nodiscard]] PlanResult make_plan(const tosca::Topology* desired, const Observation& observed,
                                   const Site& site);

// The DAG for people: JSON {"instances":[...],"steps":[{"id","node","operation","requires":[ids],
// "kind", ...}]} and Mermaid flowchart text.
[[nodiscard]] std::string to_json(const Plan& plan);
[[nodiscard]] std::string to_mermaid(const Plan& plan);

// Resource ids that the plan derives, for those who look resources up by node.
[[nodiscard]] ResourceId instance_resource(const InstanceKey& key);  // "instance/web-0"
[[nodiscard]] ResourceId private_network();                          // "network/private"
[[nodiscard]] ResourceId virtual_address_resource(const std::string& node);

}  // namespace tutti::plan
