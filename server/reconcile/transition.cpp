#include "server/reconcile/transition.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace tutti::reconcile {

namespace {

// What the cloud tells of a machine or an address that templates may ask for.
constexpr std::array kSharedAttributes{"private_address", "public_address", "ip_address"};

}  // namespace

Decision apply(DeploymentState& state, Cursor& cursor, const Event& event, const Context& context) {
  Transition transition(state, cursor, context, event.at);
  std::visit([&](const auto& body) { transition.on(body); }, event.body);
  return transition.finish();
}

std::string describe(const plan::Step& step) {
  std::string text = "node " + step.node + ", step " + step.operation;
  for (std::size_t i = 0; i < step.instances.size(); ++i) {
    text += (i == 0 ? " (" : ", ") + step.instances[i].text();
  }
  return step.instances.empty() ? text : text + ")";
}

Transition::Transition(DeploymentState& state, Cursor& cursor, const Context& context, WallTime now)
    : state_(state), cursor_(cursor), context_(context), now_(now), wakeup_before_(next_wakeup()) {
  TUTTI_ASSERT(context.site != nullptr);
}

// --- Outcomes -------------------------------------------------------------------------------

void Transition::on(const StepSucceeded& event) {
  StepRecord* record = owed(event.step, event.attempt);
  if (record == nullptr) return;
  for (const InstanceOutcome& outcome : event.instances) {
    if (outcome.ok) continue;
    StepFailed failed;
    failed.step = event.step;
    failed.attempt = event.attempt;
    failed.failure = {ErrorClass::unknown, "instance_failed",
                      outcome.key.text() + ": " + outcome.message};
    failed.instances = event.instances;
    return on(failed);
  }
  changed_ = true;
  const auto index = cursor_.index.find(event.step);
  if (index == cursor_.index.end()) {
    record->status = StepRecord::Status::done;
    record->finished_at = now_;
  } else {
    complete(index->second, *record, event);
  }
}

void Transition::on(const StepFailed& event) {
  StepRecord* record = owed(event.step, event.attempt);
  if (record == nullptr) return;
  changed_ = true;
  record->failure = event.failure;
  const auto index = cursor_.index.find(event.step);
  if (index == cursor_.index.end()) {
    record->status = StepRecord::Status::failed;
    record->finished_at = now_;
    return;
  }
  const plan::Step& step = cursor_.plan.steps[index->second];
  note_failed_create(event, step);
  if (state_.deleting_after_abort) {
    record->status = StepRecord::Status::failed;
    record->finished_at = now_;
  } else if (state_.goal == Goal::present) {
    fail_present(index->second, *record, event);
  } else {
    fail_absent(index->second, *record, event);
  }
}

// The record, when this attempt owes its outcome.
StepRecord* Transition::owed(const StepId& step, int attempt) {
  const auto found = state_.steps.find(step);
  if (found == state_.steps.end() || found->second.attempt != attempt) return nullptr;
  const StepRecord::Status status = found->second.status;
  const bool under_way =
      status == StepRecord::Status::running || status == StepRecord::Status::aborting;
  return under_way ? &found->second : nullptr;
}

void Transition::note_failed_create(const StepFailed& event, const plan::Step& step) {
  const auto* call = std::get_if<plan::ResourceCall>(&step.action);
  if (call == nullptr || call->action != plan::ResourceCall::Action::create) return;
  ResourceRecord* resource = resource_of(*call);
  if (resource == nullptr) return;
  if (event.create_may_appear) {
    const WallTime until = now_ + context_.site->capabilities.visibility_window;
    resource->may_appear_until = std::max(resource->may_appear_until.value_or(until), until);
  } else if (!resource->may_appear_until) {
    resource->status = ResourceRecord::Status::planned;
  }
}

// --- Steps ----------------------------------------------------------------------------------

void Transition::begin_ready() {
  while (!ready_.empty()) {
    const std::size_t index = ready_.front();
    ready_.pop_front();
    begin(index);
  }
}

void Transition::begin(std::size_t index) {
  const plan::Step& step = cursor_.plan.steps[index];
  StepRecord& record = state_.steps[step.id];
  changed_ = true;
  record.status = StepRecord::Status::running;
  record.attempt += 1;
  record.retry_at.reset();
  if (!record.started_at) record.started_at = now_;
  for (const InstanceKey& key : step.instances) move_instance(key, step.during);
  if (std::holds_alternative<plan::NoOp>(step.action)) {
    complete(index, record, StepSucceeded{});
    return;
  }
  StartStep start{step.id, record.attempt, {}, false};
  if (const auto* call = std::get_if<plan::ResourceCall>(&step.action)) {
    if (ResourceRecord* resource = resource_of(*call)) {
      const bool create = call->action == plan::ResourceCall::Action::create;
      start.recovered = create && resource->may_appear_until.has_value();
      resource->status =
          create ? ResourceRecord::Status::creating : ResourceRecord::Status::destroying;
    }
  }
  record.run = RunId(draw_uuid());
  start.run = record.run;
  effects_.push_back(std::move(start));
}

void Transition::complete(std::size_t index, StepRecord& record, const StepSucceeded& event) {
  const plan::Step& step = cursor_.plan.steps[index];
  record.status = StepRecord::Status::done;
  record.finished_at = now_;
  record.failure.reset();
  for (const InstanceOutcome& outcome : event.instances) {
    const auto instance = state_.instances.find(outcome.key);
    if (instance == state_.instances.end()) continue;
    for (const auto& [name, value] : outcome.attributes) {
      instance->second.attributes.insert_or_assign(name, value);
    }
  }
  const auto* call = std::get_if<plan::ResourceCall>(&step.action);
  ResourceRecord* resource = call == nullptr ? nullptr : resource_of(*call);
  if (resource != nullptr && call->action == plan::ResourceCall::Action::create) {
    resource->status = ResourceRecord::Status::active;
    resource->native_id = event.native_id;
    resource->attributes = event.resource_attributes;
    resource->may_appear_until.reset();
    for (const InstanceKey& key : step.instances) {
      const auto instance = state_.instances.find(key);
      if (instance == state_.instances.end()) continue;
      for (const char* name : kSharedAttributes) {
        const auto value = event.resource_attributes.find(name);
        if (value == event.resource_attributes.end()) continue;
        instance->second.attributes.insert_or_assign(name, tosca::Value(value->second));
      }
    }
  }
  if (state_.deleting_after_abort) return;
  for (const InstanceKey& key : step.instances) move_instance(key, step.after);
  release_dependents(index);
}

void Transition::release_dependents(std::size_t index) {
  for (const std::size_t later : cursor_.dependents[index]) {
    if (cursor_.unmet[later] > 0 && --cursor_.unmet[later] == 0) ready_.push_back(later);
  }
}

void Transition::fail_finally(std::size_t index, StepRecord& record) {
  changed_ = true;
  record.status = StepRecord::Status::failed;
  record.finished_at = now_;
  record.retry_at.reset();
  const std::string reason = record.failure ? record.failure->message : std::string("failed");
  for (const InstanceKey& key : cursor_.plan.steps[index].instances) {
    move_instance(key, InstanceState::error, reason);
  }
}

void Transition::block_on(std::optional<std::string> cause) {
  if (state_.blocked_on == cause) return;
  state_.blocked_on = std::move(cause);
  changed_ = true;
}

void Transition::retry(StepRecord& record, StepRecord::Status status,
                       std::chrono::milliseconds delay) {
  record.status = status;
  record.retry_at = now_ + delay;
}

bool Transition::any(StepRecord::Status status) const {
  return std::any_of(state_.steps.begin(), state_.steps.end(),
                     [&](const auto& entry) { return entry.second.status == status; });
}

void Transition::move_instance(const InstanceKey& key, InstanceState to, std::string reason) {
  const auto found = state_.instances.find(key);
  if (found == state_.instances.end()) return;
  NodeInstance& instance = found->second;
  if (instance.state == to && instance.reason == reason) return;
  instance.state = to;
  instance.reason = std::move(reason);
  instance.updated_at = std::max(now_, instance.updated_at);
  changed_ = true;
}

ResourceRecord* Transition::resource_of(const plan::ResourceCall& call) {
  const auto found = state_.resources.find(call.resource);
  return found == state_.resources.end() ? nullptr : &found->second;
}

// --- Time and chance ------------------------------------------------------------------------

void Transition::on(const Tick&) {
  rearm_ = true;
  if (state_.deleting_after_abort) return;
  for (std::size_t index = 0; index < cursor_.plan.steps.size(); ++index) {
    const auto found = state_.steps.find(cursor_.plan.steps[index].id);
    if (found == state_.steps.end()) continue;
    const StepRecord& record = found->second;
    const bool pending = record.status == StepRecord::Status::retrying ||
                         record.status == StepRecord::Status::blocked;
    if (pending && record.retry_at && *record.retry_at <= now_) ready_.push_back(index);
  }
  const std::optional<WallTime> look_at = state_.cleanup.look_at;
  if (state_.goal == Goal::absent && look_at && *look_at <= now_) look();
}

void Transition::on(const Recovered&) {
  rearm_ = true;
  if (state_.goal == Goal::present) {
    recover_present();
  } else {
    recover_absent();
  }
}

std::optional<WallTime> Transition::next_wakeup() const {
  std::optional<WallTime> next = state_.cleanup.look_at;
  if (state_.deleting_after_abort) return next;
  for (const auto& [id, record] : state_.steps) {
    const bool pending = record.status == StepRecord::Status::retrying ||
                         record.status == StepRecord::Status::blocked;
    if (!pending || !record.retry_at) continue;
    if (!next || *record.retry_at < *next) next = record.retry_at;
  }
  return next;
}

// SplitMix64: one word of state, and every word is good.
std::uint64_t Transition::draw() {
  state_.random_state += 0x9e3779b97f4a7c15ULL;
  std::uint64_t word = state_.random_state;
  word = (word ^ (word >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  word = (word ^ (word >> 27U)) * 0x94d049bb133111ebULL;
  return word ^ (word >> 31U);
}

// RFC 4122, version 4.
std::string Transition::draw_uuid() {
  const std::uint64_t high = (draw() & 0xffffffffffff0fffULL) | 0x4000ULL;
  const std::uint64_t low = (draw() & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  std::array<char, 37> text{};
  std::snprintf(text.data(), text.size(), "%08llx-%04llx-%04llx-%04llx-%012llx",
                static_cast<unsigned long long>(high >> 32U),
                static_cast<unsigned long long>((high >> 16U) & 0xffffU),
                static_cast<unsigned long long>(high & 0xffffU),
                static_cast<unsigned long long>(low >> 48U),
                static_cast<unsigned long long>(low & 0xffffffffffffULL));
  return text.data();
}

// Doubles with each failure up to the longest, then takes a random part of the upper half, so that
// deployments that failed together do not come back together.
std::chrono::milliseconds Transition::backoff(int failures) {
  const RetryPolicy& policy = context_.retry;
  std::chrono::milliseconds delay = policy.first_delay;
  for (int i = 1; i < failures && delay < policy.longest_delay; ++i) delay *= 2;
  delay = std::max(std::min(delay, policy.longest_delay), std::chrono::milliseconds(1));
  const auto half = static_cast<std::uint64_t>(delay.count()) / 2;
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(static_cast<std::uint64_t>(delay.count()) - draw() % (half + 1)));
}

Decision Transition::finish() {
  begin_ready();
  if (state_.goal == Goal::present) {
    settle_present();
  } else {
    settle_absent();
  }
  begin_ready();
  const std::optional<WallTime> wakeup = next_wakeup();
  if (wakeup && (rearm_ || wakeup != wakeup_before_)) effects_.push_back(ArmTimer{*wakeup});
  if (changed_) state_.updated_at = std::max(now_, state_.updated_at);
  Decision decision;
  decision.effects = std::move(effects_);
  decision.changed = changed_;
  return decision;
}

}  // namespace tutti::reconcile
