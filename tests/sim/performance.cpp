// How the simulation's stand-in for the engine performs steps, and what goes wrong with them.
#include "tests/sim/simulation.hpp"

namespace tutti::sim {

using reconcile::InstanceOutcome;
using reconcile::StepFailed;
using reconcile::StepId;
using reconcile::StepSucceeded;

bool Simulation::fault(int weight) {
  return agenda_.now() < faults_end_ && dice_.chance(fault_percent_ * weight);
}

ErrorClass Simulation::some_error() {
  switch (dice_.below(12)) {
    case 0:
      return ErrorClass::quota;
    case 1:
      return ErrorClass::capacity;
    case 2:
      return ErrorClass::throttled;
    case 3:
      return ErrorClass::unknown;
    case 4:
      return dice_.chance(30) ? ErrorClass::invalid : ErrorClass::throttled;
    case 5:
      return dice_.chance(30) ? ErrorClass::authentication : ErrorClass::unknown;
    case 6:
      return ErrorClass::conflict;
    default:
      return ErrorClass::transient;
  }
}

Ownership Simulation::ownership_of(const plan::ResourceCall& call) const {
  return {owner_, fresh_.id, make_create_token(owner_, fresh_.id, call.resource, call.incarnation)};
}

void Simulation::succeed(const StepId& step, StepSucceeded outcome) {
  outcome.step = step;
  outcome.attempt = operations_.at(step).attempt;
  operations_.erase(step);
  deliver(std::move(outcome));
}

void Simulation::fail(const StepId& step, reconcile::Failure failure, bool may_appear,
                      bool aborted) {
  StepFailed outcome;
  outcome.step = step;
  outcome.attempt = operations_.at(step).attempt;
  outcome.failure = std::move(failure);
  outcome.create_may_appear = may_appear;
  outcome.aborted = aborted;
  operations_.erase(step);
  deliver(std::move(outcome));
}

// A second request is sent only when nothing was visible for the whole window.
void Simulation::create(const plan::Step& step, const Operation& operation, bool recovered) {
  const auto& call = std::get<plan::ResourceCall>(step.action);
  const Ownership ownership = ownership_of(call);
  if (!recovered) {
    require(operation.attempt >= 1, "an attempt without a number");
    send_create(step.id, ownership, call.kind);
    return;
  }
  find_or_send(step.id, ownership, call.kind, agenda_.now() + site_.capabilities.visibility_window);
}

void Simulation::find_or_send(const StepId& step, Ownership ownership, ResourceKind kind,
                              WallTime believed_from) {
  in_daemon(step, dice_.time(200) + milliseconds(1), [this, step, ownership, kind, believed_from] {
    if (cloud_->find(ownership.token) != nullptr) {
      await_object(step, ownership);
    } else if (agenda_.now() > believed_from) {
      send_create(step, ownership, kind);
    } else {
      find_or_send(step, ownership, kind, believed_from);
    }
  });
}

void Simulation::send_create(const StepId& step, const Ownership& ownership, ResourceKind kind) {
  operations_.at(step).sent = true;
  const reconcile::Failure failure{some_error(), "fault", "made by the simulation"};
  if (fault(1)) {  // refused
    in_daemon(step, dice_.time(300), [this, step, failure] { fail(step, failure); });
    return;
  }
  const bool effective = !fault(1);
  if (effective) cloud_->create(ownership, kind);
  if (!effective || fault(1)) {  // the answer is lost, whatever came of it
    in_daemon(step, dice_.time(1000), [this, step] {
      fail(step, {ErrorClass::unknown, "lost", "no answer"}, true);
    });
    return;
  }
  await_object(step, ownership);
}

void Simulation::await_object(const StepId& step, const Ownership& ownership) {
  in_daemon(step, dice_.time(400) + milliseconds(1), [this, step, ownership] {
    const Resource* object = cloud_->find(ownership.token);
    if (object == nullptr) return await_object(step, ownership);
    StepSucceeded outcome;
    outcome.native_id = object->native_id;
    outcome.resource_attributes = {{"private_address", "10.0.0.1"}, {"ip_address", "10.0.0.2"}};
    succeed(step, std::move(outcome));
  });
}

void Simulation::destroy(const plan::Step& step) {
  const auto& call = std::get<plan::ResourceCall>(step.action);
  const Ownership ownership = ownership_of(call);
  in_daemon(step.id, dice_.time(300), [this, id = step.id, ownership] {
    if (fault(1)) return fail(id, {some_error(), "fault", "made by the simulation"});
    if (!cloud_->destroy(ownership.token)) {
      return fail(id, {ErrorClass::transient, "in_use", "something uses it"});
    }
    succeed(id, {});
  });
}

void Simulation::run_playbook(const plan::Step& step, const RunId& run) {
  for (const auto& [other, other_step] : live_runs_) {
    require(other_step != step.id, "a second run beside a live first");
  }
  for (const plan::InstanceKey& key : step.instances) {
    require(!state_.instances.at(key).id.empty(), "an instance without an id");
  }
  live_runs_.emplace(run, step.id);
  const milliseconds duration = milliseconds(500) + dice_.time(20'000);
  in_daemon(step.id, duration, [this, step, run] { end_run(step, run); });
}

void Simulation::end_run(const plan::Step& step, const RunId& run) {
  live_runs_.erase(run);
  std::vector<InstanceOutcome> outcomes;
  const std::size_t broken = fault(1) ? dice_.below(step.instances.size()) : step.instances.size();
  for (std::size_t i = 0; i < step.instances.size(); ++i) {
    outcomes.push_back({step.instances[i], i != broken, i != broken ? "" : "task failed", {}});
  }
  if (broken == step.instances.size()) {
    StepSucceeded outcome;
    outcome.instances = std::move(outcomes);
    succeed(step.id, std::move(outcome));
    return;
  }
  StepFailed outcome;
  outcome.step = step.id;
  outcome.attempt = operations_.at(step.id).attempt;
  outcome.failure = {ErrorClass::unknown, "playbook", "task failed"};
  outcome.instances = std::move(outcomes);
  operations_.erase(step.id);
  deliver(std::move(outcome));
}

}  // namespace tutti::sim
