// Child processes on Asio: posix_spawn into a process group of their own, pipes that can be
// awaited, a pidfd that tells the end. Used by bootstrap; SIGCHLD and other children are never
// touched.
#pragma once

#include "providers/base/result.hpp"
#include "providers/support/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace tutti {

enum class ChildStream {
  null,     // /dev/null
  pipe,     // ours to read (or, for standard input, to write)
  inherit,  // the daemon's own
  merge,    // standard error alone: into standard output
};

struct ChildOptions {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH unless it has a slash
  // The whole environment: nothing is inherited. See allowed_environment().
  std::map<std::string, std::string> environment;
  std::string working_directory;  // empty: the daemon's
  ChildStream standard_input = ChildStream::null;
  ChildStream standard_output = ChildStream::pipe;
  ChildStream standard_error = ChildStream::merge;
  // (ours, the child's): every other descriptor from 3 up is closed in the child. The child's
  // numbers must be below 64 and are best taken from 3 up.
  std::vector<std::pair<int, int>> descriptors;
};

// Those of the daemon's own variables that a child may see.
[[nodiscard]] std::map<std::string, std::string> allowed_environment(
    const std::vector<std::string>& names);

// A process beyond the reuse of its number: pid and start time in clock ticks since boot.
struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  bool operator==(const ProcessIdentity&) const = default;
};
// nullopt: no such process, or a zombie.
[[nodiscard]] std::optional<ProcessIdentity> identify_process(pid_t pid);
[[nodiscard]] bool is_alive(const ProcessIdentity& process);

struct ExitStatus {
  int code = 0;    // of exit(); meaningless when signal is set
  int signal = 0;  // that ended it, or 0
  [[nodiscard]] bool ok() const { return code == 0 && signal == 0; }
  [[nodiscard]] std::string describe() const;  // "exit code 2", "signal 9"
};

class ChildProcess {
 public:
  // Fails with invalid (no such program, no such folder) or transient (no processes, descriptors).
  [[nodiscard]] static Result<ChildProcess> start(boost::asio::any_io_executor executor,
                                                  const ChildOptions& options);
  ChildProcess(ChildProcess&&) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  // A child that was not waited for is killed with its group and reaped.
  ~ChildProcess();

  [[nodiscard]] pid_t pid() const { return identity_.pid; }
  [[nodiscard]] const ProcessIdentity& identity() const { return identity_; }

  // Only with ChildStream::pipe. Reading: an empty text is the end of the stream.
  [[nodiscard]] boost::asio::awaitable<Result<std::string>> read_output();
  [[nodiscard]] boost::asio::awaitable<Result<std::string>> read_error();
  [[nodiscard]] boost::asio::awaitable<Result<void>> write_input(std::string_view text);
  void close_input();

  // Waits for the child and reaps it; afterwards gives the same answer at once.
  [[nodiscard]] boost::asio::awaitable<ExitStatus> wait();

  // Sends the signal to the child's whole group; nothing once the child was reaped.
  void signal_group(int signal);
  // SIGTERM to the group, `grace` for the child to end, then SIGKILL for what is left of the group.
  // Not stopped by a cancellation that arrives meanwhile. A coroutine that was cancelled before
  // says `co_await net::this_coro::reset_cancellation_state(net::disable_cancellation())` first,
  // since otherwise its next co_await throws.
  [[nodiscard]] boost::asio::awaitable<ExitStatus> terminate(
      Clock& clock, std::chrono::milliseconds grace = std::chrono::seconds(10));

 private:
  using Descriptor = boost::asio::posix::stream_descriptor;
  ChildProcess(boost::asio::any_io_executor executor, ProcessIdentity identity, int pidfd);
  static boost::asio::awaitable<Result<std::string>> read_some(Descriptor& from);
  boost::asio::awaitable<bool> ended();
  void reap();

  ProcessIdentity identity_;
  Descriptor pidfd_, input_, output_, error_;
  std::optional<ExitStatus> status_;
};

}  // namespace tutti
