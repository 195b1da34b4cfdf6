// Events in any order, also such as no engine would send: never a crash, always a state that can be
// written and read; and from wherever that led, a delete ends with nothing left.
#include "tests/sim/toy_world.hpp"
#include "tests/unit/server/reconcile/daemon.hpp"

#include <gtest/gtest.h>

namespace tutti::reconcile {
namespace {

using namespace tutti::test;

class Chaos {
 public:
  explicit Chaos(std::uint64_t seed)
      : dice_(seed), daemon_(dice_.chance(50) ? skeleton() : flagship(3, 1, 1)) {}

  void run() {
    for (int i = 0; i < 60; ++i) {
      daemon_.now += dice_.time(5000);
      daemon_.apply(any_event());
      if (!dice_.chance(15)) continue;
      restart();
      const auto decoded = decode(encode(daemon_.state));
      ASSERT_TRUE(decoded.has_value());
    }
    delete_it();
  }

 private:
  void restart() {
    daemon_.restart();
    daemon_.apply(Recovered{});
  }

  StepId any_step() {
    const auto& steps = daemon_.state.steps;
    if (steps.empty() || dice_.chance(10)) return StepId("nobody/nothing@0.1");
    return std::next(steps.begin(), static_cast<std::ptrdiff_t>(dice_.below(steps.size())))->first;
  }

  int any_attempt(const StepId& step) {
    const auto record = daemon_.state.steps.find(step);
    if (record == daemon_.state.steps.end() || dice_.chance(20)) return 7;
    return record->second.attempt;
  }

  EventBody any_event() {
    switch (dice_.below(12)) {
      case 0:
        return Create{};
      case 1:
        return dice_.chance(10) ? EventBody(Delete{}) : EventBody(Create{});
      case 2:
        return Tick{};
      case 3:
        return daemon_.observed({});
      case 4:
        return ObserveFailed{{any_class(), "", ""}};
      case 5:
      case 6:
      case 7: {
        StepFailed failed;
        failed.step = any_step();
        failed.attempt = any_attempt(failed.step);
        failed.failure = {any_class(), "c", "m"};
        failed.create_may_appear = dice_.chance(50);
        failed.instances = {{{"nobody", 3}, dice_.chance(50), "x", {}}};
        return failed;
      }
      default: {
        StepSucceeded done;
        done.step = any_step();
        done.attempt = any_attempt(done.step);
        return done;
      }
    }
  }

  ErrorClass any_class() { return static_cast<ErrorClass>(dice_.below(9)); }

  // Answers everything, as an engine does for a cloud that shows nothing any more.
  void delete_it() {
    daemon_.apply(Delete{});
    for (int i = 0; i < 1000; ++i) {
      if (daemon_.state.status == DeploymentStatus::delete_complete) return;
      daemon_.now += std::chrono::seconds(90);
      if (daemon_.state.status == DeploymentStatus::delete_failed) daemon_.apply(Delete{});
      answer_steps();
      if (daemon_.state.cleanup.looking) daemon_.apply(daemon_.observed({}));
      daemon_.apply(Tick{});
    }
    FAIL() << "the delete never ended: " << encode(daemon_.state);
  }

  void answer_steps() {
    const auto steps = daemon_.state.steps;
    for (const auto& [id, record] : steps) {
      if (record.status == StepRecord::Status::aborting) {
        StepFailed aborted;
        aborted.step = id;
        aborted.attempt = record.attempt;
        aborted.aborted = true;
        daemon_.apply(aborted);
      } else if (record.status == StepRecord::Status::running) {
        StepSucceeded done;
        done.step = id;
        done.attempt = record.attempt;
        daemon_.apply(done);
      }
    }
  }

  sim::Dice dice_;
  Daemon daemon_;
};

TEST(Totality, NoEventOrderCrashesAndEveryDeleteEnds) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Chaos(seed).run();
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace tutti::reconcile
