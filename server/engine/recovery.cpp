// The daemon's start: every kept deployment is loaded, published and goes on. One that cannot be
// read is reported and kept as it is.
#include "providers/support/log.hpp"
#include "server/engine/core.hpp"

namespace tutti::engine {
namespace net = boost::asio;
namespace {

constexpr std::chrono::hours kPruneInterval{6};

}  // namespace

net::awaitable<Result<void>> Core::start() {
  TUTTI_CO_TRY(lease_, co_await parts_.store.acquire());
  TUTTI_CO_TRY(auto rows, co_await parts_.store.load_states());
  const std::size_t count = rows.size();
  for (store::StateRow& row : rows) co_await recover(std::move(row));
  if (count > 0) {
    log(LogLevel::info, "recovered " + std::to_string(count) + " deployments");
  }
  effects_.spawn(prune_history());
  co_return Result<void>();
}

net::awaitable<void> Core::prune_history() {
  while (true) {
    const auto done = co_await parts_.store.prune(parts_.clock.now() - parts_.options.history);
    if (!done) log(LogLevel::warning, "cannot prune: " + done.error().describe());
    co_await parts_.clock.sleep_for(kPruneInterval);
  }
}

net::awaitable<void> Core::recover(store::StateRow row) {
  auto decode = [&] { return reconcile::decode(row.json); };
  auto state = co_await parts_.offload.run(decode);
  if (!state) {
    report_unreadable(row.deployment, "its kept state cannot be read: " + state.error().describe(),
                      std::nullopt);
    co_return;
  }
  const auto deployment = std::make_shared<Deployment>();
  deployment->state = std::move(state).value();
  const auto loaded = co_await load_texts(*deployment);
  if (!loaded) {
    report_unreadable(row.deployment, "its template cannot be used: " + loaded.error().describe(),
                      std::move(deployment->state));
    co_return;
  }
  deployment->cursor = reconcile::make_cursor(deployment->state, context(*deployment));
  deployment->committed = std::make_shared<const reconcile::DeploymentState>(deployment->state);
  deployments_.emplace(row.deployment, deployment);
  publish(*deployment);
  enqueue(deployment, reconcile::Recovered{});
}

net::awaitable<Result<void>> Core::load_texts(Deployment& deployment) {
  const DeploymentId id = deployment.state.id;
  TUTTI_CO_TRY(const auto rows, co_await parts_.store.read_documents(id));
  std::string request;
  auto resolve = [&]() -> Result<std::shared_ptr<const tosca::Topology>> {
    TUTTI_TRY(KeptRequest kept, unpack_request(id, rows, parts_.sealer));
    request = kept.request_json;
    return parts_.resolver(kept.template_text, kept.request_json, kept.imports);
  };
  TUTTI_CO_TRY(deployment.topology, co_await parts_.offload.run(resolve));
  deployment.request_json = std::make_shared<const std::string>(std::move(request));
  co_return Result<void>();
}

// With its state at hand such a deployment can still be deleted: that needs no topology.
void Core::report_unreadable(const DeploymentId& id, const std::string& why,
                             std::optional<reconcile::DeploymentState> state) {
  log(LogLevel::error, "deployment cannot be recovered: " + why, {{"deployment", id.value}});
  const auto deployment = std::make_shared<Deployment>();
  deployment->unreadable = why;
  deployment->topology = std::make_shared<const tosca::Topology>();
  deployment->request_json = std::make_shared<const std::string>("{}");
  if (state) {
    deployment->state = std::move(*state);
    deployment->cursor = reconcile::make_cursor(deployment->state, context(*deployment));
  }
  reconcile::DeploymentState shown = deployment->state;
  shown.id = id;
  shown.status = reconcile::DeploymentStatus::unknown;
  shown.status_reason = why;
  deployment->committed = std::make_shared<const reconcile::DeploymentState>(std::move(shown));
  deployments_.emplace(id, deployment);
  Published published;
  published.state = deployment->committed;
  published.topology = deployment->topology;
  published.request_json = deployment->request_json;
  parts_.observer.publish(id, std::move(published));
  const bool deleting = deployment->state.goal == reconcile::Goal::absent;
  if (!deployment->state.id.empty() && deleting) enqueue(deployment, reconcile::Recovered{});
}

}  // namespace tutti::engine
