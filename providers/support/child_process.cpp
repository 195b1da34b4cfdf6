#include "providers/support/child_process.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <spawn.h>
#include <sstream>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tutti {
namespace net = boost::asio;
namespace {

constexpr int kFirstFreeTarget = 64;  // above every number that a child may ask for

class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

struct Ends {
  OwnedFd child, ours;
};

Error system_error(const std::string& what, int number) {
  const bool ours = number == ENOENT || number == EACCES || number == ENOTDIR ||
                    number == ENOEXEC || number == E2BIG || number == EINVAL;
  return Error(ours ? ErrorClass::invalid : ErrorClass::transient, "spawn",
               what + ": " + std::strerror(number));
}

// The child's end lies above every target number, so that no dup2 of the child overwrites another's
// source.
Result<OwnedFd> lift(OwnedFd fd) {
  OwnedFd lifted(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstFreeTarget));
  if (lifted.get() < 0) return system_error("duplicating a descriptor", errno);
  return lifted;
}

Result<Ends> open_stream(ChildStream stream, int number) {
  Ends ends;
  if (stream == ChildStream::inherit || stream == ChildStream::merge) return ends;
  if (stream == ChildStream::null) {
    OwnedFd null(::open("/dev/null", (number == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC));
    if (null.get() < 0) return system_error("opening /dev/null", errno);
    TUTTI_TRY(ends.child, lift(std::move(null)));
    return ends;
  }
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return system_error("making a pipe", errno);
  OwnedFd reader(pipe[0]), writer(pipe[1]);
  ends.ours = std::move(number == 0 ? writer : reader);
  TUTTI_TRY(ends.child, lift(std::move(number == 0 ? reader : writer)));
  return ends;
}

class SpawnPlan {
 public:
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes,
        static_cast<short>(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  void place(int source, int target) {
    if (source >= 0) posix_spawn_file_actions_adddup2(&actions, source, target);
  }
  // Everything from 3 up that is not asked for. One action a number: at most 61 of them.
  void close_others(const std::vector<std::pair<int, int>>& kept) {
    int highest = 2;
    for (const auto& [ours, theirs] : kept) highest = std::max(highest, theirs);
    for (int fd = 3; fd < highest; ++fd) {
      const bool keep = std::any_of(kept.begin(), kept.end(),
                                    [fd](const auto& pair) { return pair.second == fd; });
      if (!keep) posix_spawn_file_actions_addclose(&actions, fd);
    }
    posix_spawn_file_actions_addclosefrom_np(&actions, highest + 1);
  }

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Result<pid_t> spawn(const ChildOptions& options, const SpawnPlan& plan) {
  std::vector<std::string> argv = options.argv;
  std::vector<std::string> environment;
  for (const auto& [name, value] : options.environment) environment.push_back(name + "=" + value);
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, argv[0].c_str(), &plan.actions, &plan.attributes,
                                  pointers_to(argv).data(), pointers_to(environment).data());
  if (failed != 0) return system_error("starting " + argv[0], failed);
  return pid;
}

}  // namespace

std::map<std::string, std::string> allowed_environment(const std::vector<std::string>& names) {
  std::map<std::string, std::string> environment;
  for (const std::string& name : names) {
    if (const char* value = std::getenv(name.c_str())) environment[name] = value;
  }
  return environment;
}

std::optional<ProcessIdentity> identify_process(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  // proc(5): the name in parentheses may hold anything; the state is field 3, start time field 22.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  std::string state, skipped;
  fields >> state;
  for (int i = 4; i < 22; ++i) fields >> skipped;
  ProcessIdentity identity;
  identity.pid = pid;
  if (!(fields >> identity.start_ticks) || state == "Z" || state == "X") return std::nullopt;
  return identity;
}

bool is_alive(const ProcessIdentity& process) {
  return identify_process(process.pid) == process;
}

std::string ExitStatus::describe() const {
  return signal != 0 ? "signal " + std::to_string(signal) : "exit code " + std::to_string(code);
}

ChildProcess::ChildProcess(net::any_io_executor executor, ProcessIdentity identity, int pidfd)
    : identity_(identity),
      pidfd_(executor, pidfd),
      input_(executor),
      output_(executor),
      error_(executor) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : identity_(other.identity_),
      pidfd_(std::move(other.pidfd_)),
      input_(std::move(other.input_)),
      output_(std::move(other.output_)),
      error_(std::move(other.error_)),
      status_(std::exchange(other.status_, ExitStatus())) {}

ChildProcess::~ChildProcess() {
  if (status_) return;
  signal_group(SIGKILL);
  reap();
}

Result<ChildProcess> ChildProcess::start(net::any_io_executor executor,
                                         const ChildOptions& options) {
  TUTTI_ASSERT(!options.argv.empty());
  TUTTI_TRY(Ends input, open_stream(options.standard_input, 0));
  TUTTI_TRY(Ends output, open_stream(options.standard_output, 1));
  TUTTI_TRY(Ends error, open_stream(options.standard_error, 2));
  std::vector<OwnedFd> lifted;
  SpawnPlan plan;
  plan.place(input.child.get(), 0);
  plan.place(output.child.get(), 1);
  plan.place(options.standard_error == ChildStream::merge ? 1 : error.child.get(), 2);
  for (const auto& [ours, theirs] : options.descriptors) {
    TUTTI_ASSERT(theirs >= 3 && theirs < kFirstFreeTarget);
    lifted.emplace_back(::fcntl(ours, F_DUPFD_CLOEXEC, kFirstFreeTarget));
    if (lifted.back().get() < 0) return system_error("duplicating a descriptor", errno);
    plan.place(lifted.back().get(), theirs);
  }
  plan.close_others(options.descriptors);
  if (!options.working_directory.empty()) {
    posix_spawn_file_actions_addchdir_np(&plan.actions, options.working_directory.c_str());
  }
  TUTTI_TRY(const pid_t pid, spawn(options, plan));
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) {
    const int number = errno;
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return system_error("opening a pidfd", number);
  }
  ::fcntl(pidfd, F_SETFD, FD_CLOEXEC);
  // A child that ended already is a zombie of ours: its number is safe, its start no longer
  // matters.
  ProcessIdentity identity = identify_process(pid).value_or(ProcessIdentity());
  identity.pid = pid;
  ChildProcess child(std::move(executor), identity, pidfd);
  if (input.ours.get() >= 0) child.input_.assign(input.ours.release());
  if (output.ours.get() >= 0) child.output_.assign(output.ours.release());
  if (error.ours.get() >= 0) child.error_.assign(error.ours.release());
  return child;
}

net::awaitable<Result<std::string>> ChildProcess::read_some(Descriptor& from) {
  std::string text(16384, '\0');
  const auto [error, size] =
      co_await from.async_read_some(net::buffer(text), net::as_tuple(net::use_awaitable));
  if (error && error != net::error::eof) {
    co_return Error(ErrorClass::transient, "read", "reading from a child: " + error.message());
  }
  text.resize(size);
  co_return text;
}

net::awaitable<Result<std::string>> ChildProcess::read_output() {
  return read_some(output_);
}
net::awaitable<Result<std::string>> ChildProcess::read_error() {
  return read_some(error_);
}

net::awaitable<Result<void>> ChildProcess::write_input(std::string_view text) {
  const auto [error, size] =
      co_await net::async_write(input_, net::buffer(text), net::as_tuple(net::use_awaitable));
  if (error) {
    co_return Error(ErrorClass::transient, "write", "writing to a child: " + error.message());
  }
  co_return Result<void>();
}

void ChildProcess::close_input() {
  boost::system::error_code ignored;
  input_.close(ignored);
}

// False when the wait itself was cancelled.
net::awaitable<bool> ChildProcess::ended() {
  const auto [error] =
      co_await pidfd_.async_wait(Descriptor::wait_read, net::as_tuple(net::use_awaitable));
  co_return !error;
}

void ChildProcess::reap() {
  int status = 0;
  pid_t reaped = 0;
  do {
    reaped = ::waitpid(identity_.pid, &status, 0);
  } while (reaped < 0 && errno == EINTR);
  TUTTI_ASSERT(reaped == identity_.pid);
  ExitStatus result;
  if (WIFSIGNALED(status)) {
    result.signal = WTERMSIG(status);
  } else {
    result.code = WEXITSTATUS(status);
  }
  status_ = result;
}

net::awaitable<ExitStatus> ChildProcess::wait() {
  while (!status_) {
    const bool over = co_await ended();  // GCC 12 miscompiles a co_await inside a condition
    if (over) reap();
  }
  co_return *status_;
}

void ChildProcess::signal_group(int signal) {
  // Until it is reaped the number cannot belong to another group.
  if (!status_) ::kill(-identity_.pid, signal);
}

net::awaitable<ExitStatus> ChildProcess::terminate(Clock& clock, std::chrono::milliseconds grace) {
  using namespace net::experimental::awaitable_operators;
  if (status_) co_return *status_;
  co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
  signal_group(SIGTERM);
  co_await (ended() || clock.sleep_for(grace));
  signal_group(SIGKILL);
  co_return co_await wait();
}

}  // namespace tutti
