#include "server/bootstrap/supervisor.hpp"

#include "server/bootstrap/run_record.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <map>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace tutti::bootstrap {
namespace {

using Monotonic = std::chrono::steady_clock;

constexpr std::chrono::seconds kTermGrace{5};

// Everything below us. A process whose parent died is our own child (we are its subreaper), also
// one that left the process group, as an SSH connection that persists does.
std::vector<pid_t> descendants() {
  const std::vector<ProcessStat> all = list_processes();
  std::multimap<pid_t, pid_t> children;
  for (const ProcessStat& process : all) children.emplace(process.parent, process.identity.pid);
  std::vector<pid_t> found{::getpid()};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto [begin, end] = children.equal_range(found[i]);
    for (auto child = begin; child != end; ++child) found.push_back(child->second);
  }
  found.erase(found.begin());
  return found;
}

class Supervision {
 public:
  Supervision(int lifeline, int signals, pid_t command)
      : lifeline_(lifeline), signals_(signals), command_(command) {}

  int run() {
    while (!status_ && !daemon_gone_) wait(-1);
    end_all();
    return status_.value_or(128 + SIGTERM);
  }

 private:
  // Waits for the daemon's end or a child's, at most so long.
  void wait(int milliseconds) {
    pollfd fds[2] = {{signals_, POLLIN, 0}, {daemon_gone_ ? -1 : lifeline_, POLLIN, 0}};
    if (::poll(fds, 2, milliseconds) <= 0) return;
    if ((fds[0].revents & POLLIN) != 0) {
      signalfd_siginfo info;
      [[maybe_unused]] const auto size = ::read(signals_, &info, sizeof info);
      reap();
    }
    char byte = 0;
    if (fds[1].revents != 0 && ::read(lifeline_, &byte, 1) <= 0) daemon_gone_ = true;
  }

  void reap() {
    int status = 0;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (pid != command_) continue;
      status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
  }

  // First politely, then not: nothing of the run is left when this returns.
  void end_all() {
    const auto deadline = Monotonic::now() + kTermGrace;
    for (const pid_t pid : descendants()) ::kill(pid, SIGTERM);
    while (Monotonic::now() < deadline && !descendants().empty()) {
      wait(20);
      reap();
    }
    for (auto left = descendants(); !left.empty(); left = descendants()) {
      for (const pid_t pid : left) ::kill(pid, SIGKILL);
      wait(20);
      reap();
    }
  }

  int lifeline_;
  int signals_;
  pid_t command_;
  std::optional<int> status_;
  bool daemon_gone_ = false;
};

pid_t start_command(char** command, int lifeline, const sigset_t& before) {
  const pid_t supervisor = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != supervisor) ::_exit(125);
  ::close(lifeline);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::execvp(command[0], command);
  const int why = errno;
  std::fprintf(stderr, "tutti: cannot start %s: %s\n", command[0], std::strerror(why));
  ::_exit(why == ENOENT ? 127 : 126);
}

}  // namespace

int supervise_main(int argc, char** argv) {
  if (argc < 4) return 125;
  const int lifeline = std::atoi(argv[2]);
  // Blocked, not ignored: the command must not inherit ignored signals.
  sigset_t signals, before, child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  signals = child;
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) sigaddset(&signals, number);
  ::sigprocmask(SIG_BLOCK, &signals, &before);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const int ended = ::signalfd(-1, &child, SFD_CLOEXEC);
  char go = 0;
  ssize_t size = 0;
  do {
    size = ::read(lifeline, &go, 1);
  } while (size < 0 && errno == EINTR);
  if (size != 1) return 128 + SIGTERM;  // the daemon went before it had written down who runs
  const pid_t command = start_command(argv + 3, lifeline, before);
  if (command < 0) return 125;
  return Supervision(lifeline, ended, command).run();
}

}  // namespace tutti::bootstrap
