// What running bootstraps say: the current task for the view, lines for the store in batches. The
// lines of a step are durable no later than its outcome, because they share its commit.
#include "providers/support/log.hpp"

#include "server/engine/core.hpp"
#include "server/engine/failpoint.hpp"

#include <utility>

namespace tutti::engine {
namespace net = boost::asio;
namespace {

constexpr std::chrono::milliseconds kFlushAfter{1000};
// A store that cannot write must not fill the memory with lines.
constexpr std::size_t kMostPendingLines = 20000;

}  // namespace

void Core::add_log(const DeploymentPtr& deployment, const reconcile::StepId& step,
                   std::string text) {
  if (deployment->gone || deployment->log.size() >= kMostPendingLines) return;
  ++deployment->untrimmed;
  deployment->log.push_back(
      {deployment->state.id, parts_.clock.now(), step.value, std::move(text)});
  if (stopping_ || std::exchange(deployment->log_flush_due, true)) return;
  effects_.spawn(flush_log(deployment));
}

net::awaitable<void> Core::flush_log(DeploymentPtr deployment) {
  if (!stopping_) {
    co_await parts_.clock.sleep_for(kFlushAfter);
  }
  deployment->log_flush_due = false;
  if (deployment->log.empty() || deployment->gone) co_return;
  store::Batch batch;
  batch.log = std::exchange(deployment->log, {});
  const auto durable = co_await parts_.store.commit(std::move(batch), lease_);
  if (!durable) log(LogLevel::error, "log lines are lost: " + durable.error().describe());
}

void Core::on_progress(const DeploymentPtr& deployment, const RunningStep& running,
                       const bootstrap::Progress& progress) {
  if (!progress.line.empty()) {
    failpoint(kAfterRequestSent);
    add_log(deployment, running.start.step, progress.line);
  }
  std::string& task = deployment->running_tasks[running.start.step];
  if (task == progress.task) return;
  task = progress.task;
  publish(*deployment);
}

}  // namespace tutti::engine
