// What has to go: all of it on delete, what nothing wants any more otherwise. The cloud's objects
// alone: what runs on a machine ends with it, and a delete must work when SSH is dead.
#include "server/plan/draft.hpp"

#include <algorithm>

namespace tutti::plan {

namespace {

// Who has to be gone before whom.
int level(ResourceKind kind) {
  switch (kind) {
    case ResourceKind::attachment:
      return 0;
    case ResourceKind::instance:
      return 1;
    case ResourceKind::network:
      return 3;
    default:
      return 2;
  }
}

// Level by level; within one, machines with the highest ordinals first.
bool goes_before(const std::pair<ObservedResource, int>& a,
                 const std::pair<ObservedResource, int>& b) {
  const int level_a = level(a.first.kind);
  const int level_b = level(b.first.kind);
  if (level_a != level_b) return level_a < level_b;
  if (a.second != b.second) return a.second > b.second;
  return a.first.id < b.first.id;
}

Step destroy(const ObservedResource& resource) {
  Step step;
  step.node = resource.id.value;
  step.operation = "resource.destroy";
  step.id = StepId(resource.id.value + "/resource.destroy@" + std::to_string(resource.incarnation));
  step.during = InstanceState::deleting;
  step.after = InstanceState::deleting;
  step.action = ResourceCall{ResourceCall::Action::destroy, resource.id, resource.kind,
                             resource.incarnation, std::nullopt};
  return step;
}

}  // namespace

std::vector<Step> destroy_steps(const std::vector<ObservedResource>& resources,
                                const std::vector<ObservedInstance>& instances) {
  std::map<ResourceId, InstanceKey> machines;
  for (const ObservedInstance& instance : instances) {
    machines[instance_resource(instance.key)] = instance.key;
    machines.emplace(virtual_address_resource(instance.key.node), instance.key);
  }
  std::vector<std::pair<ObservedResource, int>> order;
  for (const ObservedResource& resource : resources) {
    const auto machine = machines.find(resource.id);
    order.emplace_back(resource, machine == machines.end() ? 0 : machine->second.ordinal);
  }
  std::sort(order.begin(), order.end(), goes_before);
  std::vector<Step> steps;
  std::size_t level_begin = 0;
  std::size_t previous_begin = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const ObservedResource& resource = order[i].first;
    if (i > 0 && level(resource.kind) != level(order[i - 1].first.kind)) {
      previous_begin = level_begin;
      level_begin = i;
    }
    Step step = destroy(resource);
    if (const auto machine = machines.find(resource.id); machine != machines.end()) {
      step.node = machine->second.node;
      step.instances = {machine->second};
    }
    for (std::size_t earlier = previous_begin; earlier < level_begin; ++earlier) {
      step.requires_steps.push_back(earlier);
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

void plan_teardown(Draft& draft) {
  std::set<ResourceId> wanted;
  for (const auto& [name, node] : draft.nodes) {
    const bool is_address = node.definition->is_a(kVirtualAddress);
    const bool is_machine = node.definition->is_a(kCompute);
    if (is_address || is_machine) wanted.insert(private_network());
    if (is_address) wanted.insert(virtual_address_resource(name));
    if (!is_machine) continue;
    for (const int ordinal : node.ordinals) wanted.insert(instance_resource({name, ordinal}));
  }
  std::vector<ObservedResource> surplus;
  for (const auto& [id, resource] : draft.observed_resources) {
    if (!wanted.contains(id)) surplus.push_back(resource);
  }
  const std::size_t base = draft.steps.size();
  for (Step& step : destroy_steps(surplus, draft.observed.instances)) {
    std::vector<std::size_t> earlier;
    for (const std::size_t index : step.requires_steps) earlier.push_back(base + index);
    step.requires_steps.clear();
    const std::size_t added = draft.add(std::move(step));
    draft.require(added, earlier);
  }
}

}  // namespace tutti::plan
