// One deployment as the engine holds it in memory: the state that reconcile moves, what waits to be
// applied to it, what is being done for it. Data only; the core owns the rules.
#pragma once

#include "server/engine/engine.hpp"

#include <boost/asio/experimental/channel.hpp>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tutti::engine {

// Someone who wants to know when an event of theirs is durable.
class Waiter {
 public:
  explicit Waiter(boost::asio::any_io_executor executor) : gate_(std::move(executor), 1) {}
  void answer(Result<void> result) {
    result_ = std::move(result);
    gate_.close();
  }
  boost::asio::experimental::channel<void(boost::system::error_code)>& gate() { return gate_; }
  // Once the gate is closed.
  [[nodiscard]] const Result<void>& result() const { return result_; }

 private:
  boost::asio::experimental::channel<void(boost::system::error_code)> gate_;
  Result<void> result_;
};

struct PendingEvent {
  reconcile::EventBody body;
  std::shared_ptr<Waiter> waiter;  // may be null
};

// A step that is being performed, until its outcome has been applied.
struct RunningStep {
  reconcile::StartStep start;
  std::uint64_t task = 0;   // in the core's scope of effects
  bool aborting = false;    // cancelled by an AbortStep
  bool may_appear = false;  // of a create: its request may still take effect
  bool lost = false;        // of a playbook: a run that a dead daemon began may be alive
  bool ended = false;       // its outcome is in the queue
};

struct Deployment {
  reconcile::DeploymentState state;  // may be ahead of what is durable while a commit is under way
  reconcile::Cursor cursor;
  std::shared_ptr<const tosca::Topology> topology;
  std::shared_ptr<const std::string> request_json;  // until it has been published

  std::deque<PendingEvent> queue;
  bool pumping = false;
  std::optional<Error> unwritten;         // why the store refuses what is being committed
  bool gone = false;                      // forgotten: nothing is done for it any more
  std::optional<std::string> unreadable;  // why its row or texts cannot be used
  std::map<reconcile::StepId, std::shared_ptr<RunningStep>> running;
  std::optional<WallTime> timer;   // the one that is armed
  std::uint64_t timer_task = 0;    // in the core's scope of effects
  std::vector<store::LogRow> log;  // not yet durable
  std::size_t untrimmed = 0;       // rows of journal and log since these were trimmed
  bool log_flush_due = false;

  std::shared_ptr<const reconcile::DeploymentState> committed;
  std::map<reconcile::StepId, std::string> running_tasks;
};
using DeploymentPtr = std::shared_ptr<Deployment>;

}  // namespace tutti::engine
