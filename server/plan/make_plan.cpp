#include "server/plan/draft.hpp"

namespace tutti::plan {

namespace {

Plan plan_of_absence(const Observation& observed) {
  Plan plan;
  plan.steps = destroy_steps(observed.resources, observed.instances);
  return plan;
}

bool only_missing_implementations(const tosca::Diagnostics& errors) {
  for (const tosca::Diagnostic& error : errors) {
    if (error.rule != "plan.missing-implementation") return false;
  }
  return true;
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
  if (only_missing_implementations(draft.errors)) result.plan = std::move(draft.plan);
  result.diagnostics = std::move(draft.errors);
  return result;
}

}  // namespace tutti::plan
