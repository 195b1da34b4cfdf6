#include "server/engine/core.hpp"

#include "providers/support/log.hpp"
#include "providers/support/random.hpp"
#include "server/engine/failpoint.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstring>

namespace tutti::engine {
namespace net = boost::asio;
namespace {

constexpr std::chrono::milliseconds kFirstCommitPause{100};
constexpr std::chrono::milliseconds kLongestCommitPause{1000};

void report_exception(std::string_view text) {
  log(LogLevel::error, "a broken invariant in the engine: " + std::string(text));
}

std::uint64_t random_number() {
  const std::string bytes = random_bytes(sizeof(std::uint64_t));
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number | 1U;  // never the fixed point of a generator
}

const reconcile::StepId* outcome_of(const reconcile::EventBody& body) {
  if (const auto* done = std::get_if<reconcile::StepSucceeded>(&body)) return &done->step;
  if (const auto* failed = std::get_if<reconcile::StepFailed>(&body)) return &failed->step;
  return nullptr;
}

Error stopping_error() {
  return {ErrorClass::transient, "stopping", "the daemon is stopping"};
}

template <class Effect>
bool contains(const std::vector<reconcile::Effect>& effects) {
  for (const auto& effect : effects) {
    if (std::holds_alternative<Effect>(effect)) return true;
  }
  return false;
}

// Counted by steps, not by commits, whose number depends on what happens to arrive together.
void reach_intent_failpoints(const std::vector<reconcile::Effect>& effects) {
  for (const auto& effect : effects) {
    if (std::holds_alternative<reconcile::StartStep>(effect)) failpoint(kAfterIntentCommit);
  }
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

// --- Commands -------------------------------------------------------------------------------

net::awaitable<Result<DeploymentId>> Core::create(CreateCommand command) {
  co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
  if (stopping_) co_return stopping_error();
  if (deployments_.size() + creating_ >= parts_.options.max_deployments) {
    co_return Error(ErrorClass::quota, "too_many_deployments",
                    "this daemon keeps " + std::to_string(parts_.options.max_deployments) +
                        " deployments at most (max_deployments)");
  }
  const std::string key = command.idempotency_key;
  if (!key.empty() && !keys_in_use_.insert(key).second) {
    co_return Error(ErrorClass::conflict, "idempotency_key_in_use",
                    "a request with this Idempotency-Key is being worked on");
  }
  ++creating_;
  Result<DeploymentId> made = Error(ErrorClass::unknown, "", "");
  auto before = co_await known_key(command);
  if (!before) {
    made = std::move(before).error();
  } else if (*before) {
    made = **before;
  } else {
    made = co_await create_new(command);
  }
  --creating_;
  keys_in_use_.erase(key);
  for (auto& [reference, text] : command.secrets) wipe(text);
  co_return made;
}

net::awaitable<Result<std::optional<DeploymentId>>> Core::known_key(const CreateCommand& command) {
  if (command.idempotency_key.empty()) co_return std::optional<DeploymentId>();
  TUTTI_CO_TRY(const auto row, co_await parts_.store.find_idempotency(command.idempotency_key));
  if (!row) co_return std::optional<DeploymentId>();
  if (row->digest != command.request_digest) {
    co_return Error(ErrorClass::invalid, "idempotency_key_reused",
                    "this Idempotency-Key was used for another request");
  }
  co_return std::optional<DeploymentId>(row->deployment);
}

net::awaitable<Result<DeploymentId>> Core::create_new(const CreateCommand& command) {
  const WallTime now = parts_.clock.now();
  const auto deployment = std::make_shared<Deployment>();
  const DeploymentId id(make_uuid_v7(now));
  deployment->topology = command.topology;
  deployment->request_json = std::make_shared<const std::string>(command.request_json);
  deployment->state.id = id;
  deployment->state.created_at = now;
  deployment->state.updated_at = now;
  deployment->state.random_state = random_number();

  store::Batch batch;
  auto seal = [&] {
    const auto cluster = bootstrap::make_cluster_secrets(now, id);
    return pack_documents(id, command, cluster, parts_.sealer);
  };
  batch.documents = co_await parts_.offload.run(seal);
  if (!command.idempotency_key.empty()) {
    batch.idempotency.push_back({command.idempotency_key, command.request_digest, id, now});
  }
  deployment->cursor = reconcile::make_cursor(deployment->state, context(*deployment));
  const auto effects = apply(*deployment, reconcile::Create{}, batch);
  const auto snapshot = std::make_shared<const reconcile::DeploymentState>(deployment->state);
  batch.states.push_back({id, reconcile::encode(deployment->state)});
  auto durable = co_await parts_.store.commit(std::move(batch), lease_);
  if (!durable) co_return std::move(durable).error();
  reach_intent_failpoints(effects);
  deployments_.emplace(id, deployment);
  log(LogLevel::info, "deployment accepted", {{"deployment", id.value}});
  committed(deployment, snapshot, effects);
  co_return id;
}

net::awaitable<Result<void>> Core::remove(DeploymentId id) {
  co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
  const auto found = deployments_.find(id);
  if (found == deployments_.end()) {
    co_return Error(ErrorClass::not_found, "deployment_unknown",
                    "there is no deployment " + id.value);
  }
  const DeploymentPtr deployment = found->second;
  if (deployment->unreadable && deployment->state.id.empty()) {
    co_return Error(ErrorClass::unknown, "deployment_unreadable", *deployment->unreadable);
  }
  const bool deleting = deployment->state.goal == reconcile::Goal::absent &&
                        deployment->state.status != reconcile::DeploymentStatus::delete_failed;
  if (deleting) {
    co_return Error(ErrorClass::conflict, "delete_in_progress",
                    "deployment " + id.value + " is being deleted already");
  }
  const auto waiter = std::make_shared<Waiter>(parts_.control);
  enqueue(deployment, reconcile::Delete{}, waiter);
  co_await waiter->gate().async_receive(net::as_tuple(net::use_awaitable));
  co_return waiter->result();
}

net::awaitable<void> Core::stop() {
  stopping_ = true;
  effects_.cancel_all();
  co_await effects_.join();
  co_await commits_.join();
  const auto all = deployments_;
  for (const auto& [id, deployment] : all) {
    for (const PendingEvent& event : std::exchange(deployment->queue, {})) {
      if (event.waiter) event.waiter->answer(stopping_error());
    }
    co_await flush_log(deployment);
  }
}

// --- Events in, effects out -----------------------------------------------------------------

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
}

net::awaitable<bool> Core::apply_queued(const DeploymentPtr& deployment) {
  auto events = std::exchange(deployment->queue, {});
  store::Batch batch;
  std::vector<reconcile::Effect> effects;
  std::size_t outcomes = 0;
  for (PendingEvent& event : events) {
    if (const reconcile::StepId* step = outcome_of(event.body)) {
      ++outcomes;
      deployment->running.erase(*step);
      deployment->running_tasks.erase(*step);
    }
    for (auto& effect : apply(*deployment, std::move(event.body), batch)) {
      effects.push_back(std::move(effect));
    }
  }
  batch.log = std::exchange(deployment->log, {});
  if (contains<reconcile::Forget>(effects)) {
    batch.forget.push_back(deployment->state.id);
  } else {
    batch.states.push_back({deployment->state.id, reconcile::encode(deployment->state)});
  }
  const auto snapshot = std::make_shared<const reconcile::DeploymentState>(deployment->state);
  for (; outcomes > 0; --outcomes) failpoint(kBeforeOutcomeCommit);
  const auto durable = co_await commit(std::move(batch));
  for (const PendingEvent& event : events) {
    if (event.waiter) event.waiter->answer(durable);
  }
  if (!durable) co_return false;
  reach_intent_failpoints(effects);
  committed(deployment, snapshot, effects);
  co_return true;
}

std::vector<reconcile::Effect> Core::apply(Deployment& deployment, reconcile::EventBody body,
                                           store::Batch& batch) {
  const DeploymentId& id = deployment.state.id;
  reconcile::Event event;
  event.at = parts_.clock.now();
  event.body = std::move(body);
  auto effects = reconcile::apply(deployment.state, deployment.cursor, event, context(deployment));
  batch.journal.push_back({id, event.at, "event", reconcile::encode(event)});
  for (const reconcile::Effect& effect : effects) {
    batch.journal.push_back({id, event.at, "effect", reconcile::encode(effect)});
  }
  return effects;
}

// The state in memory is ahead of the disk until this succeeds, so it is tried until it does; only
// a lost lease or the daemon's end stops it.
net::awaitable<Result<void>> Core::commit(store::Batch batch) {
  auto pause = kFirstCommitPause;
  while (true) {
    auto durable = co_await parts_.store.commit(batch, lease_);
    if (durable || stopping_) co_return durable;
    log(LogLevel::error, "cannot commit: " + durable.error().describe());
    if (durable.error().cls == ErrorClass::conflict) {
      // Another daemon owns the deployments now: this one must not touch them any more.
      stopping_ = true;
      effects_.cancel_all();
      co_return durable;
    }
    co_await parts_.clock.sleep_for(pause);
    pause = std::min(pause * 2, kLongestCommitPause);
  }
}

void Core::committed(const DeploymentPtr& deployment,
                     std::shared_ptr<const reconcile::DeploymentState> snapshot,
                     const std::vector<reconcile::Effect>& effects) {
  deployment->committed = std::move(snapshot);
  if (contains<reconcile::Forget>(effects)) {
    const DeploymentId id = deployment->state.id;
    deployment->gone = true;
    deployments_.erase(id);
    log(LogLevel::info, "deployment gone", {{"deployment", id.value}});
    parts_.observer.forget(id);
    return;
  }
  publish(*deployment);
  if (stopping_) return;  // recovery will perform them
  for (const reconcile::Effect& effect : effects) perform(deployment, effect);
}

void Core::publish(Deployment& deployment) {
  if (deployment.gone || !deployment.committed) return;
  Published published;
  published.state = deployment.committed;
  published.topology = deployment.topology;
  published.request_json = deployment.request_json;
  published.running_tasks = deployment.running_tasks;
  parts_.observer.publish(deployment.state.id, std::move(published));
}

}  // namespace tutti::engine
