#include "providers/support/task_scope.hpp"

#include "providers/support/clock.hpp"
#include "providers/support/offload.hpp"
#include "tests/unit/providers/coroutine.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

namespace tutti {
namespace {

namespace net = boost::asio;

class TaskScopeTest : public testing::Test {
 protected:
  net::awaitable<void> sleep_long() {
    ++started_;
    co_await clock_.sleep_for(std::chrono::hours(1));
    ++woken_;
    co_await clock_.sleep_for(std::chrono::hours(1));  // throws: the task was cancelled
    ++survived_;
  }

  net::io_context io_;
  SystemClock clock_;
  std::vector<std::string> exceptions_;
  TaskScope scope_{io_.get_executor(),
                   [this](std::string_view text) { exceptions_.emplace_back(text); }};
  int started_ = 0, woken_ = 0, survived_ = 0;
};

TEST_F(TaskScopeTest, CancelsAndJoinsAll) {
  const auto body = [this]() -> net::awaitable<void> {
    for (int i = 0; i < 5; ++i) scope_.spawn(sleep_long());
    EXPECT_EQ(started_, 0);  // spawn never runs a task itself
    EXPECT_EQ(scope_.size(), 5U);
    co_await clock_.sleep_for(std::chrono::milliseconds(1));
    scope_.cancel_all();
    co_await scope_.join();
    EXPECT_EQ(scope_.size(), 0U);
  };
  test::run(io_, body());
  EXPECT_EQ(started_, 5);
  EXPECT_EQ(woken_, 5);
  EXPECT_EQ(survived_, 0);
  EXPECT_TRUE(exceptions_.empty());
}

TEST_F(TaskScopeTest, CancelsOneAlone) {
  const auto body = [this]() -> net::awaitable<void> {
    const auto first = scope_.spawn(sleep_long());
    scope_.spawn(sleep_long());
    co_await clock_.sleep_for(std::chrono::milliseconds(1));
    scope_.cancel(first);
    while (scope_.size() == 2) co_await net::post(io_, net::use_awaitable);
    EXPECT_EQ(woken_, 1);
    scope_.cancel(first);  // ended: nothing happens
    scope_.cancel(999);
    scope_.cancel_all();
    co_await scope_.join();
  };
  test::run(io_, body());
}

TEST_F(TaskScopeTest, ATaskCancelledBeforeItsStartNeverRuns) {
  const auto body = [this]() -> net::awaitable<void> {
    scope_.spawn(sleep_long());
    scope_.cancel_all();
    co_await scope_.join();
  };
  test::run(io_, body());
  EXPECT_EQ(started_, 0);
  EXPECT_TRUE(exceptions_.empty());
}

TEST_F(TaskScopeTest, ReportsExceptionsAndGoesOn) {
  const auto fail = []() -> net::awaitable<void> {
    throw std::runtime_error("broken");
    co_return;
  };
  const auto body = [&]() -> net::awaitable<void> {
    scope_.spawn(fail());
    co_await scope_.join();
    co_await scope_.join();  // nothing to wait for
  };
  test::run(io_, body());
  EXPECT_EQ(exceptions_, std::vector<std::string>{"broken"});
}

TEST_F(TaskScopeTest, ATaskMaySpawnAnother) {
  int done = 0;
  const auto inner = [&]() -> net::awaitable<void> {
    ++done;
    co_return;
  };
  const auto outer = [&]() -> net::awaitable<void> {
    scope_.spawn(inner());
    ++done;
    co_return;
  };
  const auto body = [&]() -> net::awaitable<void> {
    scope_.spawn(outer());
    co_await scope_.join();
  };
  test::run(io_, body());
  EXPECT_EQ(done, 2);
}

TEST(Offload, RunsElsewhereAndComesBack) {
  net::io_context io;
  Offload offload(2);
  const auto body = [&]() -> net::awaitable<int> {
    const auto home = std::this_thread::get_id();
    std::thread::id away;
    auto work = [&away] {
      away = std::this_thread::get_id();
      return 42;
    };
    const int value = co_await offload.run(work);
    EXPECT_NE(away, home);
    EXPECT_EQ(std::this_thread::get_id(), home);
    auto fail = []() -> int { throw std::runtime_error("from the pool"); };
    EXPECT_THROW(static_cast<void>(co_await offload.run(fail)), std::runtime_error);
    co_return value;
  };
  EXPECT_EQ(test::run(io, body()), 42);
}

TEST(Offload, WorkThatWasHandedOverIsDoneAlsoWhenItsCallerIsCancelled) {
  net::io_context io;
  Offload offload(2);
  std::promise<void> gate;
  std::atomic<bool> begun = false;
  int given = 0;
  bool went_on = false;
  TaskScope scope(io.get_executor(), [](std::string_view text) { FAIL() << text; });
  const auto caller = [&]() -> net::awaitable<void> {
    auto work = [&] {
      begun = true;
      gate.get_future().wait();
      return 42;
    };
    given = co_await offload.run(work);
    co_await net::post(io, net::use_awaitable);
    went_on = true;
  };
  const auto body = [&]() -> net::awaitable<void> {
    const auto task = scope.spawn(caller());
    while (!begun) co_await net::post(io, net::use_awaitable);
    scope.cancel(task);
    // Whatever the cancellation sent to the pool has been done there when this comes back.
    auto nothing = [] { return 0; };
    co_await offload.run(nothing);
    gate.set_value();
    co_await scope.join();
  };
  test::run(io, body());
  EXPECT_EQ(given, 42);
  EXPECT_FALSE(went_on) << "the cancellation is learnt at the next await";
}

}  // namespace
}  // namespace tutti
