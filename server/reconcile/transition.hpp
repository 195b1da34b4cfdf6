// One event's way through a deployment's state. Private to this folder: reconcile.hpp's apply()
// makes one Transition for each event. What follows from an event is collected as steps that may
// begin, and as effects in the order in which they were decided.
#pragma once

#include "server/reconcile/reconcile.hpp"

#include <deque>
#include <string>
#include <vector>

namespace tutti::reconcile {

class Transition {
 public:
  Transition(DeploymentState& state, Cursor& cursor, const Context& context, WallTime now);

  void on(const Create&);
  void on(const Delete&);
  void on(const StepSucceeded& event);
  void on(const StepFailed& event);
  void on(const Observed& event);
  void on(const ObserveFailed& event);
  void on(const Tick&);
  void on(const Recovered&);

  // Begins what may begin, settles the deployment's status and arms the next timer.
  [[nodiscard]] Decision finish();

 private:
  // transition.cpp: steps, whatever the goal.
  void begin_ready();
  void begin(std::size_t index);
  void complete(std::size_t index, StepRecord& record, const StepSucceeded& event);
  void release_dependents(std::size_t index);
  void fail_finally(std::size_t index, StepRecord& record);
  void block_on(std::optional<std::string> cause);
  void retry(StepRecord& record, StepRecord::Status status, std::chrono::milliseconds delay);
  [[nodiscard]] StepRecord* owed(const StepId& step, int attempt);
  [[nodiscard]] bool any(StepRecord::Status status) const;
  [[nodiscard]] std::optional<WallTime> next_wakeup() const;
  [[nodiscard]] std::uint64_t draw();
  [[nodiscard]] std::string draw_uuid();
  [[nodiscard]] std::chrono::milliseconds backoff(int failures);
  void move_instance(const InstanceKey& key, InstanceState to, std::string reason = {});
  [[nodiscard]] ResourceRecord* resource_of(const plan::ResourceCall& call);
  void note_failed_create(const StepFailed& event, const plan::Step& step);

  // present.cpp: bringing a deployment into being.
  void fail_present(std::size_t index, StepRecord& record, const StepFailed& event);
  void keep_planned();
  void settle_present();
  void say_blocked();
  void recover_present();
  [[nodiscard]] std::string reasons() const;

  // absent.cpp: bringing it to an end.
  void start_cleanup();
  void finish_abort();
  void look();
  void look_later(std::chrono::milliseconds delay);
  void absorb(const Observed& event);
  void destroy_visible();
  void fail_absent(std::size_t index, StepRecord& record, const StepFailed& event);
  void settle_absent();
  void say_what_delays();
  void recover_absent();
  void fail_delete(std::string reason);
  void forget();

  DeploymentState& state_;
  Cursor& cursor_;
  const Context& context_;
  WallTime now_;
  std::optional<WallTime> wakeup_before_;
  bool rearm_ = false;    // say the timer again even when it is the same
  bool changed_ = false;  // the state moved
  std::deque<std::size_t> ready_;
  std::vector<Effect> effects_;
};

// "node web, step Standard.start (web-1, web-2)".
[[nodiscard]] std::string describe(const plan::Step& step);

}  // namespace tutti::reconcile
