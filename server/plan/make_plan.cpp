#include "server/plan/draft.hpp"

#include <algorithm>

namespace tutti::plan {

namespace {

Plan plan_of_absence(const Observation& observed) {
  Plan plan;
  plan.steps = destroy_steps(observed.resources, observed.instances);
  return plan;
}

// What is missing here (a playbook, a site) does not hinder looking at the plan.
bool can_be_shown(const tosca::Diagnostics& errors) {
  return std::all_of(errors.begin(), errors.end(), [](const tosca::Diagnostic& error) {
    return error.rule == kMissingImplementation || error.rule == kMissingSite;
  });
}

}  // namespace

PlanResult make_plan(const tosca::Topology* desired, const Observation& observed,
                     const Site& site) {
  if (desired == nullptr) return {plan_of_absence(observed), {}};
  Draft draft(*desired, observed, site);
  expand_instances(draft);
  check_policies(draft);
  place_on_site(draft);
  plan_lifecycles(draft);
  order_by_requirements(draft);
  order_by_attributes(draft);
  plan_teardown(draft);
  describe_instances(draft);
  sort_steps(draft);
  PlanResult result;
  if (can_be_shown(draft.errors)) result.plan = std::move(draft.plan);
  result.diagnostics = std::move(draft.errors);
  return result;
}

}  // namespace tutti::plan
