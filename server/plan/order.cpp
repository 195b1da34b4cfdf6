// Who waits for whom: requirements, attribute references, and the order that follows.
#include "server/plan/draft.hpp"
#include "server/plan/expressions.hpp"

#include <algorithm>
#include <array>
#include <queue>

namespace tutti::plan {

namespace {

// Attributes that the cloud gives: known as soon as the object is there, long before what runs on
// it. Waiting for no more than that lets whole tiers go side by side.
constexpr std::array<std::string_view, 3> kCloudAttributes{"private_address", "public_address",
                                                           "ip_address"};

bool comes_from_cloud(const DraftNode& node, const tosca::GetAttribute& reference) {
  const bool has_resource =
      node.definition->is_a(kCompute) || node.definition->is_a(kVirtualAddress);
  return has_resource && !reference.path.empty() &&
         std::find(kCloudAttributes.begin(), kCloudAttributes.end(), reference.path.front()) !=
             kCloudAttributes.end();
}

void order_step_by_attributes(Draft& draft, std::size_t step) {
  const auto* playbook = std::get_if<Playbook>(&draft.steps[step].action);
  if (playbook == nullptr) return;
  for (const auto& [name, input] : playbook->inputs) {
    for (const tosca::GetAttribute* reference : references_in(input)) {
      const auto target = draft.nodes.find(reference->node);
      if (target == draft.nodes.end()) continue;
      const DraftNode& node = target->second;
      if (comes_from_cloud(node, *reference)) {
        draft.require(step, node.resource_steps);
      } else if (target->first != draft.steps[step].node) {
        draft.require(step, node.last_steps);
      }
    }
  }
}

// The node templates of one cycle among the steps that could not be ordered.
std::string describe_cycle(const Draft& draft, const std::vector<std::size_t>& unmet) {
  std::size_t current = 0;
  while (unmet[current] == 0) ++current;
  std::vector<std::size_t> path;
  std::set<std::size_t> passed;
  while (passed.insert(current).second) {
    path.push_back(current);
    for (const std::size_t earlier : draft.edges[current]) {
      if (unmet[earlier] > 0) {
        current = earlier;
        break;
      }
    }
  }
  path.erase(path.begin(), std::find(path.begin(), path.end(), current));
  path.push_back(current);
  std::string text;
  std::string last;
  for (const std::size_t step : path) {
    if (draft.steps[step].node == last) continue;
    if (!text.empty()) text += " -> ";
    last = draft.steps[step].node;
    text += last;
  }
  return text;
}

// Leaves out requirements that others imply: the plan is read by people, and counted down by
// reconcile. Above a size that nobody reads they stay.
void leave_out_implied(std::vector<Step>& steps) {
  constexpr std::size_t kLargest = 4096;
  if (steps.size() > kLargest) return;
  std::vector<std::vector<bool>> reach(steps.size(), std::vector<bool>(steps.size()));
  for (std::size_t i = 0; i < steps.size(); ++i) {
    std::vector<std::size_t>& required = steps[i].requires_steps;
    std::vector<std::size_t> kept;
    // The latest first: what implies another stands behind it.
    for (auto at = required.rbegin(); at != required.rend(); ++at) {
      if (reach[i][*at]) continue;
      kept.push_back(*at);
      reach[i][*at] = true;
      for (std::size_t k = 0; k < *at; ++k) {
        if (reach[*at][k]) reach[i][k] = true;
      }
    }
    required.assign(kept.rbegin(), kept.rend());
  }
}

}  // namespace

void order_by_requirements(Draft& draft) {
  for (const auto& [name, node] : draft.nodes) {
    for (const tosca::Relationship& relationship : node.definition->relationships) {
      const auto target = draft.nodes.find(relationship.target);
      if (target == draft.nodes.end()) continue;
      for (const std::size_t step : node.first_steps) {
        draft.require(step, target->second.last_steps);
      }
    }
  }
}

void order_by_attributes(Draft& draft) {
  for (std::size_t step = 0; step < draft.steps.size(); ++step) {
    order_step_by_attributes(draft, step);
  }
}

void sort_steps(Draft& draft) {
  const std::size_t count = draft.steps.size();
  std::vector<std::size_t> unmet(count);
  std::vector<std::vector<std::size_t>> dependents(count);
  // Of the steps that are free to go, the one that was planned first comes first: stable output.
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> free;
  for (std::size_t step = 0; step < count; ++step) {
    unmet[step] = draft.edges[step].size();
    for (const std::size_t earlier : draft.edges[step]) dependents[earlier].push_back(step);
    if (unmet[step] == 0) free.push(step);
  }
  std::vector<std::size_t> position(count);
  while (!free.empty()) {
    const std::size_t step = free.top();
    free.pop();
    position[step] = draft.plan.steps.size();
    draft.plan.steps.push_back(draft.steps[step]);
    for (const std::size_t earlier : draft.edges[step]) {
      draft.plan.steps.back().requires_steps.push_back(position[earlier]);
    }
    std::sort(draft.plan.steps.back().requires_steps.begin(),
              draft.plan.steps.back().requires_steps.end());
    for (const std::size_t later : dependents[step]) {
      if (--unmet[later] == 0) free.push(later);
    }
  }
  if (draft.plan.steps.size() == count) {
    leave_out_implied(draft.plan.steps);
    return;
  }
  const std::string cycle = describe_cycle(draft, unmet);
  const auto first = draft.desired.nodes.find(cycle.substr(0, cycle.find(' ')));
  draft.error("plan.cycle",
              first == draft.desired.nodes.end() ? tosca::SourceSpan{} : first->second.span,
              "found a dependency loop: each of these waits for the next: " + cycle,
              "remove one requirement, or one get_attribute that goes against them");
}

}  // namespace tutti::plan
