// A plan in the making: what the transforms of make_plan hand to each other. Private to this
// folder. Each transform adds its part and its diagnostics; none of them stops at the first
// problem.
#pragma once

#include "server/plan/plan.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tutti::plan {

inline constexpr std::string_view kCompute = "tosca.nodes.Compute";
inline constexpr std::string_view kVirtualAddress = "tutti.nodes.network.VirtualAddress";
inline constexpr std::string_view kOddMembers = "tutti.policies.OddMembers";
inline constexpr std::string_view kPlacement = "tosca.policies.Placement";

// Rules that name what is missing here.
inline constexpr std::string_view kMissingImplementation = "plan.missing-implementation";
inline constexpr std::string_view kMissingSite = "policy.placement";

// Machines of one deployment, and instances of all its nodes: limits that keep a wrong count from
// becoming a wrong bill, or from filling the daemon's memory.
inline constexpr std::int64_t kMaxInstances = 1000;
inline constexpr std::size_t kMaxNodeInstances = 20000;
// Fixed addresses end here, so that the upper part of a /24 stays free for virtual addresses.
inline constexpr std::uint32_t kMaxAddresses = 200;

struct DraftNode {
  const tosca::NodeTemplate* definition = nullptr;
  const tosca::NodeTemplate* host = nullptr;  // what it is directly hosted on
  const tosca::NodeTemplate* root = nullptr;  // the Compute at the end (itself for a Compute)
  std::vector<int> ordinals;                  // ascending
  // Indexes of steps: those that give it its cloud resources, those that begin and end its life.
  std::vector<std::size_t> resource_steps;
  std::vector<std::size_t> first_steps;
  std::vector<std::size_t> last_steps;
};

struct Draft {
  Draft(const tosca::Topology& wanted, const Observation& seen, const Site& where);

  const tosca::Topology& desired;
  const Observation& observed;
  const Site& site;
  std::map<InstanceKey, ObservedInstance> observed_instances;
  std::map<ResourceId, ObservedResource> observed_resources;

  std::map<std::string, DraftNode> nodes;
  std::map<InstanceKey, std::string> hostnames;  // of the machines
  std::optional<std::size_t> network_step;
  std::vector<Step> steps;
  std::vector<std::set<std::size_t>> edges;  // per step: the steps that it requires
  Plan plan;
  tosca::Diagnostics errors;

  std::size_t add(Step step);
  void require(std::size_t step, const std::vector<std::size_t>& earlier);
  void error(std::string rule, const tosca::SourceSpan& span, std::string message,
             std::string hint = {});
  void warn(std::string rule, const tosca::SourceSpan& span, std::string message,
            std::string hint = {});
  [[nodiscard]] int incarnation(const InstanceKey& key) const;
  [[nodiscard]] bool is_active(const ResourceId& resource, int incarnation) const;
};

// The transforms, in the order in which make_plan calls them.
void expand_instances(Draft& draft);
void place_on_site(Draft& draft);    // networks, addresses, machines
void plan_lifecycles(Draft& draft);  // the operations of each node template
void check_policies(Draft& draft);
void order_by_requirements(Draft& draft);
void order_by_attributes(Draft& draft);
void plan_teardown(Draft& draft);       // what is observed and no longer wanted
void describe_instances(Draft& draft);  // Plan::instances
// Moves the steps into the plan, requirements first; an error when that is impossible.
void sort_steps(Draft& draft);

// A Compute's capabilities as the cloud's words. Hostname, index and network are the caller's.
[[nodiscard]] InstanceSpec machine_of(Draft& draft, const tosca::NodeTemplate& node);
[[nodiscard]] std::vector<std::string> hostnames_of(Draft& draft, const tosca::NodeTemplate& node,
                                                    const std::vector<int>& ordinals);

// Destroys of the given resources, machines before what they use. Returns steps with requirements.
[[nodiscard]] std::vector<Step> destroy_steps(const std::vector<ObservedResource>& resources,
                                              const std::vector<ObservedInstance>& instances);

// "mesos_master/Standard.create@0.1,1.1,2.1": ordinal.incarnation of each instance.
[[nodiscard]] StepId step_id(const std::string& node, const std::string& operation,
                             const std::vector<ObservedInstance>& instances);

}  // namespace tutti::plan
