#include "providers/support/child_process.hpp"

#include "tests/unit/providers/coroutine.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

namespace tutti {
namespace {

namespace net = boost::asio;
using std::chrono::milliseconds;
constexpr std::chrono::seconds kPatience{60};  // for a busy machine; never waited out

class ChildProcessTest : public testing::Test {
 protected:
  ChildProcess start(const ChildOptions& options) {
    auto child = ChildProcess::start(io_.get_executor(), options);
    return std::move(child).value();
  }

  ChildOptions shell(const std::string& script) {
    ChildOptions options;
    options.argv = {"sh", "-c", script};
    options.environment = allowed_environment({"PATH"});
    return options;
  }

  static net::awaitable<std::string> read_all(ChildProcess& child) {
    std::string all;
    for (;;) {
      const auto piece = co_await child.read_output();
      if (!piece || piece->empty()) co_return all;
      all += *piece;
    }
  }

  std::string output_of(ChildProcess& child) { return test::run(io_, read_all(child)); }

  // Polls, with a deadline, for a process to be gone.
  static bool gone(pid_t pid) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (identify_process(pid)) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
  }

  net::io_context io_;
  SystemClock clock_;
};

TEST_F(ChildProcessTest, GivesOutputAndExitCode) {
  auto child = start(shell("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(output_of(child), "out\nerr\n");
  const ExitStatus status = test::run(io_, child.wait());
  EXPECT_EQ(status.code, 3);
  EXPECT_EQ(status.describe(), "exit code 3");
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(test::run(io_, child.wait()).code, 3);
}

TEST_F(ChildProcessTest, SeparatesStandardError) {
  ChildOptions options = shell("echo out; echo err >&2");
  options.standard_error = ChildStream::pipe;
  auto child = start(options);
  EXPECT_EQ(output_of(child), "out\n");
  const auto error = test::run(io_, child.read_error());
  EXPECT_EQ(error.value(), "err\n");
  EXPECT_TRUE(test::run(io_, child.wait()).ok());
}

TEST_F(ChildProcessTest, WritesStandardInput) {
  ChildOptions options = shell("cat");
  options.standard_input = ChildStream::pipe;
  auto child = start(options);
  const std::string text = "to and fro\n";
  EXPECT_TRUE(test::run(io_, child.write_input(text)));
  child.close_input();
  EXPECT_EQ(output_of(child), text);
  EXPECT_TRUE(test::run(io_, child.wait()).ok());
}

TEST_F(ChildProcessTest, PassesOnlyTheGivenEnvironment) {
  ::setenv("TUTTI_TEST_LEAK", "leaked", 1);
  ChildOptions options = shell("env");
  options.environment["GIVEN"] = "yes";
  auto child = start(options);
  const std::string output = output_of(child);
  EXPECT_NE(output.find("GIVEN=yes"), std::string::npos);
  EXPECT_EQ(output.find("TUTTI_TEST_LEAK"), std::string::npos);
  EXPECT_TRUE(test::run(io_, child.wait()).ok());
}

TEST_F(ChildProcessTest, HandsOverOnlyTheGivenDescriptors) {
  std::array<int, 2> kept{}, leaked{};
  ASSERT_EQ(::pipe(kept.data()), 0);
  ASSERT_EQ(::pipe(leaked.data()), 0);  // without O_CLOEXEC, on purpose
  ChildOptions options = shell(
      "echo hello >&7; for n in $(seq 0 99); do test -L /proc/$$/fd/$n && echo $n; done; true");
  options.descriptors = {{kept[1], 7}};
  auto child = start(options);
  EXPECT_EQ(output_of(child), "0\n1\n2\n7\n");
  std::array<char, 16> text{};
  EXPECT_EQ(::read(kept[0], text.data(), text.size()), 6);
  EXPECT_TRUE(test::run(io_, child.wait()).ok());
  for (const int fd : {kept[0], kept[1], leaked[0], leaked[1]}) ::close(fd);
}

TEST_F(ChildProcessTest, RefusesWhatCannotStart) {
  ChildOptions options;
  options.argv = {"/no/such/program"};
  const auto missing = ChildProcess::start(io_.get_executor(), options);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().cls, ErrorClass::invalid);
  options.argv = {"true"};
  options.working_directory = "/no/such/folder";
  EXPECT_FALSE(ChildProcess::start(io_.get_executor(), options));
}

TEST_F(ChildProcessTest, TerminatesTheWholeGroupPolitelyFirst) {
  auto child = start(shell("trap 'echo bye; exit 5' TERM; sleep 1000 & echo $!; wait"));
  const std::string first = *test::run(io_, child.read_output());
  const pid_t grandchild = std::stoi(first);
  const ExitStatus status = test::run(io_, child.terminate(clock_, kPatience));
  EXPECT_EQ(status.code, 5);
  EXPECT_TRUE(gone(grandchild));
}

TEST_F(ChildProcessTest, KillsWhatIgnoresTheSignal) {
  auto child =
      start(shell("trap '' TERM; (trap '' TERM; echo $(exec sh -c 'echo $PPID'); "
                  "while :; do sleep 1000; done) & while :; do wait; done"));
  const pid_t grandchild = std::stoi(*test::run(io_, child.read_output()));
  ASSERT_TRUE(identify_process(grandchild));
  const ExitStatus status = test::run(io_, child.terminate(clock_, milliseconds(50)));
  EXPECT_EQ(status.signal, SIGKILL);
  EXPECT_TRUE(gone(grandchild));
}

TEST_F(ChildProcessTest, TerminatesFromACancelledCoroutine) {
  auto child = start(shell("exec sleep 1000"));
  bool terminated = false;
  const auto body = [&]() -> net::awaitable<void> {
    co_await clock_.sleep_for(std::chrono::hours(1));
    co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
    const ExitStatus status = co_await child.terminate(clock_, kPatience);
    terminated = status.signal == SIGTERM;
  };
  const auto race = [&]() -> net::awaitable<void> {
    using namespace net::experimental::awaitable_operators;
    co_await (body() || clock_.sleep_for(milliseconds(20)));
  };
  test::run(io_, race());
  EXPECT_TRUE(terminated);
}

TEST_F(ChildProcessTest, DestructionKillsAndReaps) {
  pid_t pid = 0;
  {
    auto child = start(shell("exec sleep 1000"));
    pid = child.pid();
    EXPECT_TRUE(is_alive(child.identity()));
    const ChildProcess moved = std::move(child);
    EXPECT_EQ(moved.pid(), pid);
  }
  EXPECT_FALSE(identify_process(pid));
}

TEST_F(ChildProcessTest, AnotherStartTimeIsAnotherProcess) {
  const auto self = identify_process(::getpid());
  ASSERT_TRUE(self);
  EXPECT_TRUE(is_alive(*self));
  ProcessIdentity other = *self;
  ++other.start_ticks;
  EXPECT_FALSE(is_alive(other));
}

}  // namespace
}  // namespace tutti
