// The way of an event: applied, committed with all that arrived meanwhile, published, its effects
// performed. What changes nothing is not committed.
#include "server/engine/core.hpp"

#include "providers/support/log.hpp"
#include "server/engine/failpoint.hpp"

#include <utility>

namespace tutti::engine {
namespace net = boost::asio;
namespace {

constexpr std::chrono::milliseconds kFirstCommitPause{100};
constexpr std::chrono::milliseconds kLongestCommitPause{1000};

// Of a deployment's history so much stays while it lives. A create that waits for quota, or a
// delete for its cloud, may go on for months.
constexpr std::size_t kKeptJournalRows = 500;
constexpr std::size_t kKeptLogRows = 20000;
constexpr std::size_t kTrimAfterRows = 500;

void report_exception(std::string_view text) {
  log(LogLevel::error, "a broken invariant in the engine: " + std::string(text));
}

const reconcile::StepId* outcome_of(const reconcile::EventBody& body) {
  if (const auto* done = std::get_if<reconcile::StepSucceeded>(&body)) return &done->step;
  if (const auto* failed = std::get_if<reconcile::StepFailed>(&body)) return &failed->step;
  return nullptr;
}

Error stopping_error() {
  return {ErrorClass::transient, "stopping", "the daemon is stopping"};
}

void tell(std::deque<PendingEvent>& events, const Result<void>& result) {
  for (PendingEvent& event : events) {
    if (auto waiter = std::exchange(event.waiter, nullptr)) waiter->answer(result);
  }
}

void complete_batch(Deployment& deployment, store::Batch& batch, bool forgotten, bool ended) {
  const DeploymentId& id = deployment.state.id;
  batch.log = std::exchange(deployment.log, {});
  if (forgotten) {
    batch.forget.push_back(id);
    return;
  }
  batch.states.push_back({id, reconcile::encode(deployment.state)});
  if (!ended && deployment.untrimmed < kTrimAfterRows) return;
  deployment.untrimmed = 0;
  batch.trim.push_back({id, kKeptJournalRows, kKeptLogRows});
}

template <class Effect>
bool contains(const std::vector<reconcile::Effect>& effects) {
  for (const auto& effect : effects) {
    if (std::holds_alternative<Effect>(effect)) return true;
  }
  return false;
}

}  // namespace

Core::Core(Parts parts)
    : parts_(std::move(parts)),
      create_slots_(parts_.control, parts_.options.max_running_creates),
      commits_(parts_.control, report_exception),
      effects_(parts_.control, report_exception) {}

reconcile::Context Core::context(const Deployment& deployment) const {
  reconcile::Context context;
  context.topology = deployment.topology.get();
  context.site = &parts_.options.site;
  context.retry = parts_.options.retry;
  return context;
}

net::awaitable<void> Core::stop() {
  stopping_ = true;
  effects_.cancel_all();
  co_await effects_.join();
  co_await commits_.join();
  const auto all = deployments_;
  for (const auto& [id, deployment] : all) co_await flush_log(deployment);
}

void Core::enqueue(const DeploymentPtr& deployment, reconcile::EventBody body,
                   std::shared_ptr<Waiter> waiter) {
  if (stopping_ || deployment->gone) {
    if (waiter) waiter->answer(stopping_error());
    return;
  }
  deployment->queue.push_back(PendingEvent{std::move(body), std::move(waiter)});
  if (deployment->pumping) return;
  deployment->pumping = true;
  commits_.spawn(pump(deployment));
}

// Everything that arrived while the last commit was under way is applied and committed as one.
net::awaitable<void> Core::pump(DeploymentPtr deployment) {
  while (!deployment->queue.empty() && !stopping_ && !deployment->gone) {
    const bool durable = co_await apply_queued(deployment);
    if (!durable) break;
  }
  deployment->pumping = false;
  refuse_queued(*deployment, stopping_error());  // what is left will not be looked at any more
}

net::awaitable<bool> Core::apply_queued(const DeploymentPtr& deployment) {
  auto events = std::exchange(deployment->queue, {});
  const bool had_ended = reconcile::is_terminal(deployment->state.status);
  store::Batch batch;
  std::vector<reconcile::Effect> effects;
  bool changed = false;
  for (PendingEvent& event : events) {
    if (const reconcile::StepId* step = outcome_of(event.body)) {
      failpoint(kBeforeOutcomeCommit);
      deployment->running.erase(*step);
      deployment->running_tasks.erase(*step);
    }
    reconcile::Decision decision = apply(*deployment, std::move(event.body), batch);
    changed = changed || decision.changed;
    for (auto& effect : decision.effects) effects.push_back(std::move(effect));
  }
  if (changed) {
    const bool forgotten = contains<reconcile::Forget>(effects);
    const bool ended = !had_ended && reconcile::is_terminal(deployment->state.status);
    complete_batch(*deployment, batch, forgotten, ended);
    const auto snapshot = std::make_shared<const reconcile::DeploymentState>(deployment->state);
    const auto durable = co_await commit(deployment, std::move(batch), events);
    if (!durable) co_return false;
    committed(deployment, snapshot, forgotten);
  }
  tell(events, Result<void>());
  perform_all(deployment, effects);
  co_return true;
}

reconcile::Decision Core::apply(Deployment& deployment, reconcile::EventBody body,
                                store::Batch& batch) {
  const DeploymentId& id = deployment.state.id;
  reconcile::Event event;
  event.at = parts_.clock.now();
  event.body = std::move(body);
  auto decision = reconcile::apply(deployment.state, deployment.cursor, event, context(deployment));
  if (!decision.changed) return decision;
  const std::size_t before = batch.journal.size();
  batch.journal.push_back({id, event.at, "event", reconcile::encode(event)});
  for (const reconcile::Effect& effect : decision.effects) {
    // A timer is no intent: it stands in the state, and nothing outside sees it.
    if (std::holds_alternative<reconcile::ArmTimer>(effect)) continue;
    batch.journal.push_back({id, event.at, "effect", reconcile::encode(effect)});
  }
  deployment.untrimmed += batch.journal.size() - before;
  return decision;
}

// The state in memory is ahead of the disk until this succeeds, so it is tried until it does; only
// a lost lease or the daemon's end stops it. Nobody is kept waiting for that: who waits is told the
// first error.
net::awaitable<Result<void>> Core::commit(const DeploymentPtr& deployment, store::Batch batch,
                                          std::deque<PendingEvent>& events) {
  auto pause = kFirstCommitPause;
  while (true) {
    auto durable = co_await parts_.store.commit(batch, lease_);
    if (durable) {
      deployment->unwritten.reset();
      co_return durable;
    }
    const std::string cause = durable.error().describe();
    log(LogLevel::error, "cannot commit: " + cause);
    if (!stopping_ && durable.error().cls == ErrorClass::conflict) {
      // Another daemon owns the deployments now: this one must not touch them any more.
      stopping_ = true;
      effects_.cancel_all();
    }
    tell(events, Error(ErrorClass::transient, "not_written",
                       "this cannot be written yet, and may still take effect: " + cause));
    deployment->unwritten.emplace(ErrorClass::transient, "not_written",
                                  "the database cannot be written, try again later: " + cause);
    refuse_queued(*deployment, *deployment->unwritten);
    if (stopping_) co_return durable;
    co_await parts_.clock.sleep_for(pause);
    pause = std::min(pause * 2, kLongestCommitPause);
  }
}

// Commands that were not applied yet are dropped; outcomes stay, they have happened.
void Core::refuse_queued(Deployment& deployment, const Error& error) {
  for (PendingEvent& event : std::exchange(deployment.queue, {})) {
    if (event.waiter) {
      event.waiter->answer(error);
    } else {
      deployment.queue.push_back(std::move(event));
    }
  }
}

void Core::committed(const DeploymentPtr& deployment,
                     std::shared_ptr<const reconcile::DeploymentState> snapshot, bool forgotten) {
  deployment->committed = std::move(snapshot);
  if (!forgotten) {
    publish(*deployment);
    return;
  }
  const DeploymentId id = deployment->state.id;
  deployment->gone = true;
  deployments_.erase(id);
  effects_.cancel(deployment->timer_task);
  log(LogLevel::info, "deployment gone", {{"deployment", id.value}});
  parts_.observer.forget(id);
}

// What is not performed any more when the daemon stops, recovery performs.
void Core::perform_all(const DeploymentPtr& deployment,
                       const std::vector<reconcile::Effect>& effects) {
  for (const reconcile::Effect& effect : effects) {
    // Counted by steps, not by commits, whose number depends on what happens to arrive together.
    if (std::holds_alternative<reconcile::StartStep>(effect)) failpoint(kAfterIntentCommit);
  }
  if (stopping_ || deployment->gone) return;
  for (const reconcile::Effect& effect : effects) perform(deployment, effect);
}

void Core::publish(Deployment& deployment) {
  if (deployment.gone || !deployment.committed) return;
  Published published;
  published.state = deployment.committed;
  published.topology = deployment.topology;
  // Told once: it holds inputs in plain text, which nobody needs to keep.
  published.request_json = std::exchange(deployment.request_json, nullptr);
  published.running_tasks = deployment.running_tasks;
  parts_.observer.publish(deployment.state.id, std::move(published));
}

}  // namespace tutti::engine
