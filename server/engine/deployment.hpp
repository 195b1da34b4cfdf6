// One deployment as the engine holds it in memory: the state that reconcile moves, what waits to be
// applied to it, what is being done for it. Data only; the core owns the rules.
#pragma once

#include "server/engine/engine.hpp"

#include <boost/asio/experimental/channel.hpp>

#include <deque>
#include <map>
#include <memory>
#include <set>
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
  bool ended = false;       // its outcome is in the queue
};

struct Deployment {
  reconcile::DeploymentState state;  // may be ahead of what is durable while a commit is under way
  reconcile::Cursor cursor;
  std::shared_ptr<const tosca::Topology> topology;
  std::shared_ptr<const std::string> request_json;

  std::deque<PendingEvent> queue;
  bool pumping = false;
  bool gone = false;                      // forgotten: nothing is done for it any more
  std::optional<std::string> unreadable;  // why its row or texts cannot be used
  std::map<reconcile::StepId, std::shared_ptr<RunningStep>> running;
  std::set<WallTime> timers;
  std::vector<store::LogRow> log;  // not yet durable
  bool log_flush_due = false;

  std::shared_ptr<const reconcile::DeploymentState> committed;
  std::map<reconcile::StepId, std::string> running_tasks;
};
using DeploymentPtr = std::shared_ptr<Deployment>;

}  // namespace tutti::engine
