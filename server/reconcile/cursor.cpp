#include "server/reconcile/reconcile.hpp"

namespace tutti::reconcile {

namespace {

bool is_visible(const ResourceRecord& resource) {
  return resource.status == ResourceRecord::Status::active ||
         resource.status == ResourceRecord::Status::destroying;
}

plan::Plan plan_of(const DeploymentState& state, const Context& context, std::string& infeasible) {
  if (context.site == nullptr) return {};
  if (state.goal == Goal::absent && !state.deleting_after_abort) {
    plan::Observation observed;
    for (const auto& [key, instance] : state.instances) {
      observed.instances.push_back({key, instance.incarnation, instance.state});
    }
    for (const auto& [id, resource] : state.resources) {
      if (!is_visible(resource)) continue;
      observed.resources.push_back({id, resource.kind, resource.incarnation, true});
    }
    return *plan::make_plan(nullptr, observed, *context.site).plan;
  }
  if (context.topology == nullptr) return {};
  // The first generation began with nothing. Planning from there again, and not from what is
  // reached, gives the same steps with the same names: their records say what is done.
  plan::PlanResult result = plan::make_plan(context.topology, {}, *context.site);
  if (result.feasible()) return std::move(*result.plan);
  infeasible = format(result.diagnostics.front());
  return {};
}

}  // namespace

Cursor make_cursor(const DeploymentState& state, const Context& context) {
  Cursor cursor;
  cursor.plan = plan_of(state, context, cursor.infeasible);
  const std::vector<plan::Step>& steps = cursor.plan.steps;
  cursor.unmet.resize(steps.size());
  cursor.dependents.resize(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    cursor.index.emplace(steps[i].id, i);
    for (const std::size_t earlier : steps[i].requires_steps) {
      cursor.dependents[earlier].push_back(i);
      const auto record = state.steps.find(steps[earlier].id);
      const bool done =
          record != state.steps.end() && record->second.status == StepRecord::Status::done;
      if (!done) ++cursor.unmet[i];
    }
  }
  return cursor;
}

}  // namespace tutti::reconcile
