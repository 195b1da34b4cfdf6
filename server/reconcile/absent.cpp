// Bringing a deployment to an end: abort, wait for what is owed, then look, destroy what is seen,
// and look again until nothing is there and nothing can appear any more.
#include "server/reconcile/transition.hpp"

#include <algorithm>
#include <utility>

namespace tutti::reconcile {

namespace {

// So many looks at objects whose destruction was accepted, then it is asked for once more.
constexpr int kLooksBeforeAgain = 8;

std::map<CreateToken, ResourceId> tokens_of(const OwnerId& owner, const DeploymentState& state) {
  std::map<CreateToken, ResourceId> tokens;
  for (const auto& [id, record] : state.resources) {
    for (int incarnation = 1; incarnation <= record.incarnation; ++incarnation) {
      tokens.emplace(make_create_token(owner, state.id, id, incarnation), id);
    }
  }
  return tokens;
}

}  // namespace

void Transition::on(const Delete&) {
  const bool again =
      state_.goal == Goal::absent && state_.status == DeploymentStatus::delete_failed;
  if (state_.goal == Goal::absent && !again) return;
  changed_ = true;
  state_.goal = Goal::absent;
  state_.generation += 1;
  state_.status = DeploymentStatus::delete_in_progress;
  state_.status_reason.clear();
  state_.blocked_on.reset();
  for (auto& [key, instance] : state_.instances) move_instance(key, InstanceState::deleting);
  for (auto& [id, record] : state_.steps) {
    if (record.status != StepRecord::Status::running) continue;
    record.status = StepRecord::Status::aborting;
    effects_.push_back(AbortStep{id, record.attempt});
  }
  state_.deleting_after_abort = any(StepRecord::Status::aborting);
  if (!state_.deleting_after_abort) start_cleanup();
}

// All outcomes are in: what a create left unsaid counts as possible.
void Transition::finish_abort() {
  if (any(StepRecord::Status::aborting)) return;
  state_.deleting_after_abort = false;
  const WallTime until = now_ + context_.site->capabilities.visibility_window;
  for (auto& [id, resource] : state_.resources) {
    const bool unsaid = resource.status == ResourceRecord::Status::creating;
    if (unsaid && !resource.may_appear_until) resource.may_appear_until = until;
  }
  start_cleanup();
}

void Transition::start_cleanup() {
  state_.steps.clear();
  state_.cleanup = Cleanup{};
  cursor_ = Cursor{};
  look();
}

void Transition::look() {
  changed_ = true;
  state_.cleanup.looking = true;
  state_.cleanup.look_at.reset();
  effects_.push_back(Observe{});
}

void Transition::look_later(std::chrono::milliseconds delay) {
  state_.cleanup.look_at = now_ + std::max(delay, std::chrono::milliseconds(1));
}

// Writes what the site shows into the records. Objects with a token that is not of this
// deployment's records are not ours: whatever their names say, they stay.
void Transition::absorb(const Observed& event) {
  std::map<OwnerId, std::map<CreateToken, ResourceId>> known;
  std::map<ResourceId, const Resource*> seen;  // the first of each
  for (const Resource& resource : event.resources) {
    const OwnerId& owner = resource.ownership.owner;
    auto [tokens, fresh] = known.try_emplace(owner);
    if (fresh) tokens->second = tokens_of(owner, state_);
    const auto found = tokens->second.find(resource.ownership.token);
    if (found != tokens->second.end()) seen.emplace(found->second, &resource);
  }
  for (auto& [id, record] : state_.resources) {
    if (const auto object = seen.find(id); object != seen.end()) {
      if (record.status != ResourceRecord::Status::destroying) {
        record.status = ResourceRecord::Status::active;
      }
      record.native_id = object->second->native_id;
    } else if (record.may_appear_until && *record.may_appear_until > now_) {
      record.status = ResourceRecord::Status::creating;
    } else {
      record.status = ResourceRecord::Status::gone;
      record.may_appear_until.reset();
    }
  }
}

void Transition::on(const Observed& event) {
  if (state_.goal != Goal::absent || !state_.cleanup.looking) return;
  changed_ = true;
  state_.cleanup.looking = false;
  state_.cleanup.failures = 0;
  absorb(event);
  bool active = false;
  bool destroying = false;
  std::optional<WallTime> appears;
  for (const auto& [id, record] : state_.resources) {
    active = active || record.status == ResourceRecord::Status::active;
    destroying = destroying || record.status == ResourceRecord::Status::destroying;
    if (record.may_appear_until) {
      appears = std::max(appears.value_or(*record.may_appear_until), *record.may_appear_until);
    }
  }
  const std::chrono::milliseconds interval = context_.retry.observe_interval;
  if (active || (destroying && state_.cleanup.rounds >= kLooksBeforeAgain)) {
    destroy_visible();
  } else if (destroying) {
    state_.cleanup.rounds += 1;
    look_later(interval);
  } else if (appears) {
    const auto left = *appears - now_;
    look_later(std::min(left, interval));
  } else {
    forget();
  }
}

void Transition::on(const ObserveFailed& event) {
  if (state_.goal != Goal::absent || !state_.cleanup.looking) return;
  changed_ = true;
  Cleanup& cleanup = state_.cleanup;
  cleanup.looking = false;
  cleanup.failures += 1;
  const bool passes =
      event.failure.cls == ErrorClass::transient || event.failure.cls == ErrorClass::throttled;
  const std::string cause = "the site could not be asked what is left: " + event.failure.message;
  if (passes || cleanup.failures < context_.retry.resource_attempts) {
    block_on(std::string(tutti::to_string(event.failure.cls)) + ": " + cause);
    look_later(backoff(cleanup.failures));
    return;
  }
  fail_delete(cause);
}

// Everything that is seen is destroyed, also what was asked to go before: a destroy may be
// repeated, and what uses a network must be gone before the network is tried.
void Transition::destroy_visible() {
  state_.cleanup.rounds = 0;
  const std::map<StepId, StepRecord> before = std::exchange(state_.steps, {});
  cursor_ = make_cursor(state_, context_);
  for (std::size_t index = 0; index < cursor_.plan.steps.size(); ++index) {
    const StepId& id = cursor_.plan.steps[index].id;
    StepRecord record;
    if (const auto old = before.find(id); old != before.end()) {
      record = old->second;
      record.status = StepRecord::Status::waiting;
      record.finished_at.reset();
    }
    state_.steps.emplace(id, std::move(record));
    if (cursor_.unmet[index] == 0) ready_.push_back(index);
  }
}

// A failed destroy is not simply tried again: what is in its way may have appeared since the last
// look, so that the next try follows another look (settle_absent).
void Transition::fail_absent(std::size_t index, StepRecord& record, const StepFailed& event) {
  const ErrorClass cls = event.failure.cls;
  if (cls == ErrorClass::not_found) {
    complete(index, record, StepSucceeded{});
    return;
  }
  record.failures += 1;
  const bool passes = cls == ErrorClass::transient || cls == ErrorClass::throttled;
  if (!passes && record.failures >= context_.retry.resource_attempts) {
    fail_finally(index, record);
    return;
  }
  record.status = StepRecord::Status::retrying;
  const auto& call = std::get<plan::ResourceCall>(cursor_.plan.steps[index].action);
  if (ResourceRecord* resource = resource_of(call)) {
    resource->status = ResourceRecord::Status::active;
  }
}

// What a delete waits for when it does not come on: the site's silence, or a destroy that failed
// and is tried again.
void Transition::say_what_delays() {
  if (state_.cleanup.failures > 0) return;  // said by the look that failed
  for (const plan::Step& step : cursor_.plan.steps) {
    const auto record = state_.steps.find(step.id);
    if (record == state_.steps.end() || !record->second.failure) continue;
    if (record->second.status == StepRecord::Status::done) continue;
    const Failure& failure = *record->second.failure;
    block_on(std::string(tutti::to_string(failure.cls)) + ": " + describe(step) + ": " +
             failure.message);
    return;
  }
  block_on(std::nullopt);
}

void Transition::settle_absent() {
  if (state_.status != DeploymentStatus::delete_in_progress) return;
  if (state_.deleting_after_abort) {
    finish_abort();
    return;
  }
  say_what_delays();
  const bool look_is_due = state_.cleanup.looking || state_.cleanup.look_at.has_value();
  if (look_is_due || state_.steps.empty() || any(StepRecord::Status::running)) return;
  changed_ = true;
  if (any(StepRecord::Status::failed)) {
    fail_delete(reasons());
    return;
  }
  int failures = 0;
  for (const auto& [id, record] : state_.steps) {
    if (record.status == StepRecord::Status::retrying) {
      failures = std::max(failures, record.failures);
    }
  }
  if (failures > 0) {
    look_later(backoff(failures));
    return;
  }
  state_.steps.clear();
  cursor_ = Cursor{};
  look();
}

void Transition::recover_absent() {
  if (state_.status == DeploymentStatus::delete_complete) {
    changed_ = true;
    effects_.push_back(Forget{});
    return;
  }
  if (state_.deleting_after_abort) {
    changed_ = true;
    const WallTime until = now_ + context_.site->capabilities.visibility_window;
    for (auto& [id, resource] : state_.resources) {
      if (resource.status != ResourceRecord::Status::creating) continue;
      resource.may_appear_until = std::max(resource.may_appear_until.value_or(until), until);
    }
    for (const auto& [id, record] : state_.steps) {
      if (record.status != StepRecord::Status::aborting) continue;
      effects_.push_back(AbortStep{id, record.attempt});
    }
    return;
  }
  for (const auto& [id, record] : state_.steps) {
    if (record.status != StepRecord::Status::running) continue;
    effects_.push_back(StartStep{id, record.attempt, record.run, true});
  }
  if (state_.cleanup.looking) effects_.push_back(Observe{});
}

void Transition::fail_delete(std::string reason) {
  state_.status = DeploymentStatus::delete_failed;
  state_.blocked_on.reset();
  state_.status_reason = std::move(reason);
}

void Transition::forget() {
  state_.status = DeploymentStatus::delete_complete;
  state_.blocked_on.reset();
  state_.steps.clear();
  cursor_ = Cursor{};
  effects_.push_back(Forget{});
}

}  // namespace tutti::reconcile
