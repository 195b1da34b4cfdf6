// Bringing a deployment into being.
#include "server/reconcile/transition.hpp"

#include <algorithm>

namespace tutti::reconcile {

namespace {

bool is_retried(ErrorClass cls) {
  return cls == ErrorClass::transient || cls == ErrorClass::throttled || cls == ErrorClass::unknown;
}

bool is_blocking(ErrorClass cls) {
  return cls == ErrorClass::quota || cls == ErrorClass::capacity;
}

NodeInstance instance_of(const plan::PlannedInstance& planned, WallTime created_at) {
  NodeInstance instance;
  instance.key = planned.key;
  instance.incarnation = planned.incarnation;
  instance.type = planned.type;
  instance.hostname = planned.hostname;
  instance.host = planned.host;
  instance.resource = planned.resource;
  instance.required_by = planned.required_by;
  instance.created_at = created_at;
  instance.updated_at = created_at;
  return instance;
}

}  // namespace

void Transition::on(const Create&) {
  const bool fresh = state_.goal == Goal::present && state_.steps.empty() &&
                     state_.instances.empty() &&
                     state_.status == DeploymentStatus::create_in_progress;
  if (!fresh) return;
  changed_ = true;
  state_.created_at = now_;
  cursor_ = make_cursor(state_, context_);
  for (const plan::PlannedInstance& planned : cursor_.plan.instances) {
    NodeInstance instance = instance_of(planned, state_.created_at);
    instance.id = InstanceId(draw_uuid());
    state_.instances.emplace(planned.key, std::move(instance));
  }
  for (std::size_t index = 0; index < cursor_.plan.steps.size(); ++index) {
    const plan::Step& step = cursor_.plan.steps[index];
    state_.steps.emplace(step.id, StepRecord{});
    if (const auto* call = std::get_if<plan::ResourceCall>(&step.action)) {
      ResourceRecord resource;
      resource.id = call->resource;
      resource.kind = call->kind;
      resource.incarnation = call->incarnation;
      state_.resources.emplace(resource.id, std::move(resource));
    }
    if (cursor_.unmet[index] == 0) ready_.push_back(index);
  }
  if (context_.topology == nullptr || context_.site == nullptr) return;
  const plan::PlanResult result = plan::make_plan(context_.topology, {}, *context_.site);
  if (result.feasible()) return;
  state_.status = DeploymentStatus::create_failed;
  state_.status_reason = format(result.diagnostics.front());
}

void Transition::fail_present(std::size_t index, StepRecord& record, const StepFailed& event) {
  const plan::Step& step = cursor_.plan.steps[index];
  if (is_blocking(event.failure.cls)) {
    retry(record, StepRecord::Status::blocked, context_.retry.blocked_recheck);
    return;
  }
  record.failures += 1;
  const auto* playbook = std::get_if<plan::Playbook>(&step.action);
  const int limit = playbook == nullptr ? context_.retry.resource_attempts : playbook->max_attempts;
  if (is_retried(event.failure.cls) && record.failures < limit) {
    retry(record, StepRecord::Status::retrying, backoff(record.failures));
    return;
  }
  fail_finally(index, record);
  // Where the outcome tells instances apart, those that came through are not to blame.
  const bool told_apart = std::any_of(event.instances.begin(), event.instances.end(),
                                      [](const InstanceOutcome& outcome) { return !outcome.ok; });
  if (!told_apart) return;
  for (const InstanceOutcome& outcome : event.instances) {
    if (outcome.ok) {
      move_instance(outcome.key, step.after);
    } else if (!outcome.message.empty()) {
      move_instance(outcome.key, InstanceState::error, outcome.message);
    }
  }
}

void Transition::say_blocked() {
  state_.blocked_on.reset();
  for (const plan::Step& step : cursor_.plan.steps) {
    const auto record = state_.steps.find(step.id);
    if (record == state_.steps.end() || !record->second.failure) continue;
    const bool again = record->second.status == StepRecord::Status::running &&
                       (record->second.failure->cls == ErrorClass::quota ||
                        record->second.failure->cls == ErrorClass::capacity);
    if (record->second.status != StepRecord::Status::blocked && !again) continue;
    const Failure& failure = *record->second.failure;
    state_.blocked_on =
        std::string(tutti::to_string(failure.cls)) + ": " + describe(step) + ": " + failure.message;
    return;
  }
}

// Every failure, the first first.
std::string Transition::reasons() const {
  std::vector<std::pair<WallTime, std::string>> failures;
  for (const plan::Step& step : cursor_.plan.steps) {
    const auto record = state_.steps.find(step.id);
    if (record == state_.steps.end() || record->second.status != StepRecord::Status::failed) {
      continue;
    }
    const Failure failure = record->second.failure.value_or(Failure{});
    std::string text = describe(step) + ": " + failure.message;
    if (!failure.code.empty()) text += " (" + failure.code + ")";
    failures.emplace_back(record->second.finished_at.value_or(WallTime{}), std::move(text));
  }
  std::stable_sort(failures.begin(), failures.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text;
  for (const auto& [at, reason] : failures) text += (text.empty() ? "" : "; ") + reason;
  return text;
}

void Transition::settle_present() {
  if (is_terminal(state_.status)) return;
  const bool failed = any(StepRecord::Status::failed);
  const bool active = any(StepRecord::Status::running) || any(StepRecord::Status::retrying);
  if (failed && !active) {
    // What waits for quota could wait for ever, and could not save the deployment any more.
    for (std::size_t index = 0; index < cursor_.plan.steps.size(); ++index) {
      StepRecord& record = state_.steps[cursor_.plan.steps[index].id];
      if (record.status == StepRecord::Status::blocked) fail_finally(index, record);
    }
  }
  say_blocked();
  if (active || any(StepRecord::Status::blocked)) return;
  changed_ = true;
  const bool waiting = any(StepRecord::Status::waiting);
  if (!failed && !waiting) {
    state_.status = DeploymentStatus::create_complete;
    state_.status_reason.clear();
    return;
  }
  state_.status = DeploymentStatus::create_failed;
  state_.status_reason = failed ? reasons() : "the plan could not be made again";
}

// Effects of running steps were lost, and may have had their effect. Steps that a plan of this
// binary does not have any more are dropped, those it has now are begun.
void Transition::recover_present() {
  if (is_terminal(state_.status)) return;
  std::erase_if(state_.steps,
                [&](const auto& entry) { return !cursor_.index.contains(entry.first); });
  for (std::size_t index = 0; index < cursor_.plan.steps.size(); ++index) {
    const StepId& id = cursor_.plan.steps[index].id;
    const StepRecord& record = state_.steps[id];
    if (record.status == StepRecord::Status::running) {
      effects_.push_back(StartStep{id, record.attempt, record.run, true});
    } else if (record.status == StepRecord::Status::waiting && cursor_.unmet[index] == 0) {
      ready_.push_back(index);
    }
  }
}

}  // namespace tutti::reconcile
