// Performing what reconcile decided. Each StartStep and AbortStep yields exactly one outcome event,
// however the performance ends; when the daemon stops, none: recovery finds out.
#include "providers/support/log.hpp"
#include "server/engine/core.hpp"
#include "server/engine/failpoint.hpp"
#include "server/engine/playbook_run.hpp"

#include <utility>

namespace tutti::engine {
namespace net = boost::asio;
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

reconcile::Failure failure_of(const Error& error) {
  return {error.cls, error.code, error.describe()};
}

reconcile::StepFailed failed(const RunningStep& running, const Error& error) {
  reconcile::StepFailed event;
  event.step = running.start.step;
  event.attempt = running.start.attempt;
  event.failure = failure_of(error);
  event.create_may_appear = running.may_appear;
  return event;
}

reconcile::StepFailed aborted(const RunningStep& running) {
  const Error error(ErrorClass::transient, "aborted", "the step was aborted");
  reconcile::StepFailed event = failed(running, error);
  event.aborted = true;
  return event;
}

}  // namespace

// Owes one step's outcome. Where the performance ends without one (cancelled before its first line,
// or by an exception), the outcome comes from here.
class StepDuty {
 public:
  StepDuty(Core& core, DeploymentPtr deployment, std::shared_ptr<RunningStep> running)
      : core_(core), deployment_(std::move(deployment)), running_(std::move(running)) {}
  StepDuty(const StepDuty&) = delete;
  StepDuty& operator=(const StepDuty&) = delete;
  ~StepDuty() {
    if (running_->ended) return;
    if (running_->aborting) {
      core_.step_ended(deployment_, *running_, aborted(*running_));
    } else {
      const Error error(ErrorClass::unknown, "lost", "the step ended without an outcome");
      core_.step_ended(deployment_, *running_, failed(*running_, error));
    }
  }

 private:
  Core& core_;
  DeploymentPtr deployment_;
  std::shared_ptr<RunningStep> running_;
};

void Core::perform(const DeploymentPtr& deployment, const reconcile::Effect& effect) {
  std::visit(Overloaded{
                 [&](const reconcile::StartStep& start) { start_step(deployment, start); },
                 [&](const reconcile::AbortStep& abort) { abort_step(deployment, abort); },
                 [&](const reconcile::Observe&) { effects_.spawn(observe(deployment)); },
                 [&](const reconcile::ArmTimer& timer) { arm_timer(deployment, timer.at); },
                 [&](const reconcile::Forget&) {},  // done by committed()
             },
             effect);
}

void Core::start_step(const DeploymentPtr& deployment, const reconcile::StartStep& start) {
  const auto running = std::make_shared<RunningStep>();
  running->start = start;
  const auto [place, fresh] = deployment->running.emplace(start.step, running);
  TUTTI_ASSERT(fresh);
  const auto index = deployment->cursor.index.find(start.step);
  if (index == deployment->cursor.index.end()) {
    const Error error(ErrorClass::invalid, "step_unknown",
                      "the plan has no step " + start.step.value);
    step_ended(deployment, *running, failed(*running, error));
    return;
  }
  const plan::Step& step = deployment->cursor.plan.steps[index->second];
  // Until it is known better: an earlier performance may have sent a create.
  const auto* call = std::get_if<plan::ResourceCall>(&step.action);
  running->may_appear =
      start.recovered && call != nullptr && call->action == plan::ResourceCall::Action::create;
  auto duty = std::make_unique<StepDuty>(*this, deployment, running);
  running->task = effects_.spawn(run_step(deployment, running, step, std::move(duty)));
}

net::awaitable<void> Core::run_step(DeploymentPtr deployment, std::shared_ptr<RunningStep> running,
                                    plan::Step step,
                                    [[maybe_unused]] std::unique_ptr<StepDuty> duty) {
  reconcile::EventBody outcome;
  if (const auto* call = std::get_if<plan::ResourceCall>(&step.action)) {
    if (call->action == plan::ResourceCall::Action::create) {
      outcome = co_await create_resource(deployment, *running, step);
    } else {
      outcome = co_await destroy_resource(deployment, *running, step);
    }
  } else if (std::holds_alternative<plan::Playbook>(step.action)) {
    outcome = co_await run_playbook(deployment, *running, step);
  } else {
    reconcile::StepSucceeded done;
    done.step = running->start.step;
    done.attempt = running->start.attempt;
    outcome = std::move(done);
  }
  const bool gave_up = running->aborting && std::holds_alternative<reconcile::StepFailed>(outcome);
  if (gave_up) outcome = aborted(*running);
  step_ended(deployment, *running, std::move(outcome));
}

void Core::step_ended(const DeploymentPtr& deployment, RunningStep& running,
                      reconcile::EventBody body) {
  running.ended = true;
  if (const auto* event = std::get_if<reconcile::StepFailed>(&body); event && !stopping_) {
    add_log(deployment, running.start.step,
            std::string(event->aborted ? "aborted" : "failed: ") +
                (event->aborted ? "" : event->failure.message));
  }
  enqueue(deployment, std::move(body));
}

void Core::abort_step(const DeploymentPtr& deployment, const reconcile::AbortStep& abort) {
  const auto found = deployment->running.find(abort.step);
  if (found == deployment->running.end()) {
    effects_.spawn(abort_lost_step(deployment, abort));
    return;
  }
  RunningStep& running = *found->second;
  if (running.ended) return;  // its outcome is on the way
  running.aborting = true;
  effects_.cancel(running.task);
}

// The step ran in a daemon that died: nothing runs here, but Ansible may.
net::awaitable<void> Core::abort_lost_step(DeploymentPtr deployment, reconcile::AbortStep abort) {
  reconcile::StepFailed event;
  event.step = abort.step;
  event.attempt = abort.attempt;
  event.failure = {ErrorClass::transient, "aborted", "the step was aborted"};
  event.aborted = true;
  event.create_may_appear = true;
  const auto record = deployment->state.steps.find(abort.step);
  if (record != deployment->state.steps.end() && !record->second.run.empty()) {
    const RunId run = record->second.run;
    const auto dead = co_await parts_.bootstrapper.ensure_dead(run);
    if (!dead) log(LogLevel::error, dead.error().describe(), {{"step", abort.step.value}});
  }
  enqueue(deployment, std::move(event));
}

net::awaitable<void> Core::observe(DeploymentPtr deployment) {
  const auto all = co_await parts_.provider.list_owned(parts_.store.owner(), deployment->state.id);
  if (all) {
    reconcile::Observed event;
    event.resources = *all;
    enqueue(deployment, std::move(event));
  } else {
    reconcile::ObserveFailed event;
    event.failure = failure_of(all.error());
    enqueue(deployment, std::move(event));
  }
}

void Core::arm_timer(const DeploymentPtr& deployment, WallTime at) {
  if (deployment->timers.insert(at).second) effects_.spawn(run_timer(deployment, at));
}

net::awaitable<void> Core::run_timer(DeploymentPtr deployment, WallTime at) {
  for (WallTime now = parts_.clock.now(); now < at; now = parts_.clock.now()) {
    co_await parts_.clock.sleep_for(at - now);
  }
  deployment->timers.erase(at);
  enqueue(deployment, reconcile::Tick{});
}

namespace {

Ownership ownership_of(const OwnerId& owner, const DeploymentId& deployment,
                       const plan::ResourceCall& call) {
  return {owner, deployment, make_create_token(owner, deployment, call.resource, call.incarnation)};
}

std::optional<WallTime> doubt_of(const reconcile::DeploymentState& state,
                                 const plan::ResourceCall& call) {
  const auto record = state.resources.find(call.resource);
  return record == state.resources.end() ? std::nullopt : record->second.may_appear_until;
}

// A daemon that died may have sent its request the moment before.
std::optional<WallTime> later(std::optional<WallTime> known, WallTime other) {
  return known ? std::max(*known, other) : other;
}

void fill(ResourceRef& reference, const reconcile::DeploymentState& state) {
  const auto record = state.resources.find(reference.resource);
  if (record != state.resources.end()) reference.native_id = record->second.native_id;
}

void fill_references(ResourceSpec& spec, const reconcile::DeploymentState& state) {
  if (auto* address = std::get_if<VirtualAddressSpec>(&spec)) fill(address->network, state);
  if (auto* instance = std::get_if<InstanceSpec>(&spec)) fill(instance->network, state);
}

reconcile::StepSucceeded created(const RunningStep& running, const plan::Step& step,
                                 const Resource& resource) {
  reconcile::StepSucceeded event;
  event.step = running.start.step;
  event.attempt = running.start.attempt;
  event.native_id = resource.native_id;
  event.resource_attributes = resource.attributes;
  for (const plan::InstanceKey& key : step.instances) {
    reconcile::InstanceOutcome outcome;
    outcome.key = key;
    for (const auto& [name, value] : resource.attributes) outcome.attributes.emplace(name, value);
    event.instances.push_back(std::move(outcome));
  }
  return event;
}

}  // namespace

net::awaitable<reconcile::EventBody> Core::create_resource(const DeploymentPtr& deployment,
                                                           RunningStep& running,
                                                           const plan::Step& step) {
  const auto& call = std::get<plan::ResourceCall>(step.action);
  TUTTI_ASSERT(call.spec.has_value());
  CreateOrder order;
  order.spec = *call.spec;
  order.ownership = ownership_of(parts_.store.owner(), deployment->state.id, call);
  order.doubt_until = doubt_of(deployment->state, call);
  if (running.start.recovered) {
    const auto window = parts_.provider.capabilities().visibility_window;
    order.doubt_until = later(order.doubt_until, parts_.clock.now() + window);
  }
  fill_references(order.spec, deployment->state);
  if (auto* instance = std::get_if<InstanceSpec>(&order.spec)) {
    const auto secrets = co_await open_secrets(deployment->state.id);
    if (!secrets) co_return failed(running, secrets.error());
    instance->authorized_key = bootstrap::derive_ssh_key(secrets->cluster, kLoginKey).public_key;
    instance->host_private_key =
        bootstrap::derive_ssh_key(secrets->cluster,
                                  host_key_purpose(call.resource, call.incarnation))
            .private_key;
  }
  DriverTrace trace;
  // The driver's trace must be readable also when the coroutine is cancelled under it.
  struct Copy {
    RunningStep& running;
    DriverTrace& trace;
    ~Copy() { running.may_appear = trace.may_appear; }
  };
  trace.may_appear = running.may_appear;
  Result<Resource> made = Error(ErrorClass::unknown, "", "");
  {
    const Copy copy{running, trace};
    ResourceDriver driver(parts_.provider, parts_.clock, create_slots_);
    made = co_await driver.create(order, trace);
  }
  if (auto* instance = std::get_if<InstanceSpec>(&order.spec)) wipe(instance->host_private_key);
  if (!made) co_return failed(running, made.error());
  co_return created(running, step, *made);
}

net::awaitable<reconcile::EventBody> Core::destroy_resource(const DeploymentPtr& deployment,
                                                            RunningStep& running,
                                                            const plan::Step& step) {
  const auto& call = std::get<plan::ResourceCall>(step.action);
  DestroyOrder order;
  order.kind = call.kind;
  order.ownership = ownership_of(parts_.store.owner(), deployment->state.id, call);
  order.doubt_until = doubt_of(deployment->state, call);
  ResourceDriver driver(parts_.provider, parts_.clock, create_slots_);
  const auto gone = co_await driver.destroy(order);
  failpoint(kAfterAnswer);
  if (!gone) co_return failed(running, gone.error());
  reconcile::StepSucceeded event;
  event.step = running.start.step;
  event.attempt = running.start.attempt;
  co_return event;
}

net::awaitable<Result<OpenSecrets>> Core::open_secrets(const DeploymentId& deployment) {
  TUTTI_CO_TRY(const auto rows, co_await parts_.store.read_documents(deployment));
  co_return unpack_secrets(deployment, rows, parts_.sealer);
}

net::awaitable<reconcile::EventBody> Core::run_playbook(const DeploymentPtr& deployment,
                                                        RunningStep& running,
                                                        const plan::Step& step) {
  if (running.start.recovered) {
    const auto dead = co_await parts_.bootstrapper.ensure_dead(running.start.run);
    if (!dead) co_return failed(running, dead.error());
  }
  Result<bootstrap::Run> run = Error(ErrorClass::unknown, "", "");
  {
    const auto secrets = co_await open_secrets(deployment->state.id);
    if (!secrets) co_return failed(running, secrets.error());
    run = make_run(deployment->state, *deployment->topology, step, running.start.run, *secrets,
                   parts_.options);
  }
  if (!run) co_return failed(running, run.error());
  add_log(deployment, running.start.step,
          "attempt " + std::to_string(running.start.attempt) +
              (running.start.recovered ? ", again after the daemon's restart" : ""));
  bootstrap::ProgressSink sink = [this, &deployment,
                                  &running](const bootstrap::Progress& progress) {
    on_progress(deployment, running, progress);
  };
  const auto outcome = co_await parts_.bootstrapper.run(*run, sink);
  failpoint(kAfterAnswer);
  if (!outcome) co_return failed(running, outcome.error());
  co_return outcome_event(running.start, *outcome);
}

}  // namespace tutti::engine
