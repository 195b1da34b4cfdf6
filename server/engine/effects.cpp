// Performing what reconcile decided. Each StartStep and AbortStep yields exactly one outcome event,
// however the performance ends; when the daemon stops, none: recovery finds out.
#include "providers/support/log.hpp"
#include "server/engine/core.hpp"
#include "server/engine/step_outcome.hpp"

#include <algorithm>
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

constexpr std::chrono::milliseconds kFirstAlivePause{1000};
constexpr std::chrono::milliseconds kLongestAlivePause{30000};

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
  running->lost = start.recovered && std::holds_alternative<plan::Playbook>(step.action);
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
    outcome = succeeded(*running);
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
  if (running.lost) return;  // it ends by itself, when the earlier run is dead
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
    co_await until_dead(run, abort.step);
  }
  enqueue(deployment, std::move(event));
}

// Returns when no process of the run lives any more. What such a run does to machines that are
// being set up again or removed cannot be foreseen, so that there is no going on without it.
net::awaitable<void> Core::until_dead(RunId run, reconcile::StepId step) {
  for (auto pause = kFirstAlivePause;; pause = std::min(pause * 2, kLongestAlivePause)) {
    const auto dead = co_await parts_.bootstrapper.ensure_dead(run);
    if (dead) co_return;
    log(LogLevel::error, dead.error().describe(), {{"step", step.value}, {"run", run.value}});
    co_await parts_.clock.sleep_for(pause);
  }
}

// Owes its answer whatever happens: without one the deployment would wait for ever.
net::awaitable<void> Core::observe(DeploymentPtr deployment) {
  Result<std::vector<Resource>> all = Error(ErrorClass::unknown, "", "");
  try {
    all = co_await parts_.provider.list_owned(parts_.store.owner(), deployment->state.id);
  } catch (const std::exception& exception) {
    all = Error(ErrorClass::unknown, "exception", exception.what());
  }
  if (all) {
    reconcile::Observed event;
    event.resources = std::move(all).value();
    enqueue(deployment, std::move(event));
  } else {
    reconcile::ObserveFailed event;
    event.failure = failure_of(all.error());
    enqueue(deployment, std::move(event));
  }
}

void Core::arm_timer(const DeploymentPtr& deployment, WallTime at) {
  if (deployment->timer == at) return;
  if (deployment->timer) effects_.cancel(deployment->timer_task);
  deployment->timer = at;
  deployment->timer_task = effects_.spawn(run_timer(deployment, at));
}

net::awaitable<void> Core::run_timer(DeploymentPtr deployment, WallTime at) {
  for (WallTime now = parts_.clock.now(); now < at; now = parts_.clock.now()) {
    co_await parts_.clock.sleep_for(at - now);
  }
  if (deployment->timer != at) co_return;  // replaced in the moment when it was due
  deployment->timer.reset();
  enqueue(deployment, reconcile::Tick{});
}

}  // namespace tutti::engine
