// Commands: creating a deployment, asking for its end.
#include "providers/support/log.hpp"
#include "providers/support/random.hpp"
#include "server/engine/core.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstring>

namespace tutti::engine {
namespace net = boost::asio;
namespace {

std::uint64_t random_number() {
  const std::string bytes = random_bytes(sizeof(std::uint64_t));
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number | 1U;  // never the fixed point of a generator
}

// An Idempotency-Key is one request's at a time; none, when the request has no key.
class KeyInUse {
 public:
  KeyInUse(std::set<std::string>& keys, std::string key) : keys_(keys), key_(std::move(key)) {
    taken_ = key_.empty() || keys_.insert(key_).second;
  }
  KeyInUse(const KeyInUse&) = delete;
  KeyInUse& operator=(const KeyInUse&) = delete;
  ~KeyInUse() {
    if (taken_) keys_.erase(key_);
  }
  [[nodiscard]] bool taken() const { return taken_; }

 private:
  std::set<std::string>& keys_;
  std::string key_;
  bool taken_ = false;
};

class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  std::size_t& count_;
};

}  // namespace

net::awaitable<Result<DeploymentId>> Core::create(CreateCommand command) {
  co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
  auto made = co_await create_once(command);
  for (auto& [reference, text] : command.secrets) wipe(text);
  co_return made;
}

net::awaitable<Result<DeploymentId>> Core::create_once(const CreateCommand& command) {
  if (stopping_) co_return Error(ErrorClass::transient, "stopping", "the daemon is stopping");
  const KeyInUse key(keys_in_use_, command.idempotency_key);
  if (!key.taken()) {
    co_return Error(ErrorClass::conflict, "idempotency_key_in_use",
                    "a request with this Idempotency-Key is being worked on");
  }
  // Before the limit: what exists is given to who made it, however full it is.
  TUTTI_CO_TRY(const auto known, co_await known_key(command));
  if (known) co_return *known;
  if (deployments_.size() + creating_ >= parts_.options.max_deployments) {
    co_return Error(ErrorClass::quota, "too_many_deployments",
                    "this daemon keeps " + std::to_string(parts_.options.max_deployments) +
                        " deployments at most (max_deployments)");
  }
  const Counted counted(creating_);
  co_return co_await create_new(command);
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
    auto cluster = bootstrap::make_cluster_secrets(now, id);
    auto documents = pack_documents(id, command, cluster, parts_.sealer);
    wipe(cluster.seed);
    wipe(cluster.ca_key);
    return documents;
  };
  batch.documents = co_await parts_.offload.run(seal);
  if (!command.idempotency_key.empty()) {
    batch.idempotency.push_back({command.idempotency_key, command.request_digest, id, now});
  }
  const reconcile::Decision decision = apply(*deployment, reconcile::Create{}, batch);
  const auto snapshot = std::make_shared<const reconcile::DeploymentState>(deployment->state);
  batch.states.push_back({id, reconcile::encode(deployment->state)});
  auto durable = co_await parts_.store.commit(std::move(batch), lease_);
  if (!durable) co_return std::move(durable).error();
  deployments_.emplace(id, deployment);
  log(LogLevel::info, "deployment accepted", {{"deployment", id.value}});
  committed(deployment, snapshot, false);
  perform_all(deployment, decision.effects);
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
  if (deployment->unwritten) co_return *deployment->unwritten;
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

}  // namespace tutti::engine
