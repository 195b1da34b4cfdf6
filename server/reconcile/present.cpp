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
  keep_planned();
  for (std::size_t index = 0; index < cursor_.plan.steps.size(); ++index) {
    if (cursor_.unmet[index] == 0) ready_.push_back(index);
  }
  if (cursor_.infeasible.empty()) return;
  state_.status = DeploymentStatus::create_failed;
  state_.status_reason = cursor_.infeasible;
}

// Everything that the plan speaks of has a record before anything is done for it: what has none
// would be made and then be nobody's.
void Transition::keep_planned() {
  for (const plan::PlannedInstance& planned : cursor_.plan.instances) {
    if (state_.instances.contains(planned.key)) continue;
    changed_ = true;
    NodeInstance instance = instance_of(planned, now_);
    instance.id = InstanceId(draw_uuid());
    state_.instances.emplace(planned.key, std::move(instance));
  }
  for (const plan::Step& step : cursor_.plan.steps) {
    changed_ = state_.steps.try_emplace(step.id).second || changed_;
    const auto* call = std::get_if<plan::ResourceCall>(&step.action);
    if (call == nullptr) continue;
    const auto [place, fresh] = state_.resources.try_emplace(call->resource);
    if (!fresh) continue;
    changed_ = true;
    place->second.id = call->resource;
    place->second.kind = call->kind;
    place->second.incarnation = call->incarnation;
  }
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
  for (const plan::Step& step : cursor_.plan.steps) {
    const auto record = state_.steps.find(step.id);
    if (record == state_.steps.end() || !record->second.failure) continue;
    const bool again = record->second.status == StepRecord::Status::running &&
                       (record->second.failure->cls == ErrorClass::quota ||
                        record->second.failure->cls == ErrorClass::capacity);
    if (record->second.status != StepRecord::Status::blocked && !again) continue;
    const Failure& failure = *record->second.failure;
    block_on(std::string(tutti::to_string(failure.cls)) + ": " + describe(step) + ": " +
             failure.message);
    return;
  }
  block_on(std::nullopt);
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
// binary does not have any more are dropped, those it has now are begun. Where this binary makes no
// plan, all records stay as they are: a delete needs them.
void Transition::recover_present() {
  if (is_terminal(state_.status)) return;
  if (!cursor_.infeasible.empty()) {
    changed_ = true;
    state_.status = DeploymentStatus::create_failed;
    state_.status_reason = "the plan could not be made again: " + cursor_.infeasible;
    return;
  }
  const auto dropped = std::erase_if(
      state_.steps, [&](const auto& entry) { return !cursor_.index.contains(entry.first); });
  changed_ = changed_ || dropped > 0;
  keep_planned();
  for (std::size_t index = 0; index < cursor_.plan.steps.size(); ++index) {
    const StepId& id = cursor_.plan.steps[index].id;
    const StepRecord& record = state_.steps.at(id);
    if (record.status == StepRecord::Status::running) {
      effects_.push_back(StartStep{id, record.attempt, record.run, true});
    } else if (record.status == StepRecord::Status::waiting && cursor_.unmet[index] == 0) {
      ready_.push_back(index);
    }
  }
}

}  // namespace tutti::reconcile
