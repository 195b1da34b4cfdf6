#include "providers/support/child_process.hpp"
#include "providers/support/private_folder.hpp"
#include "providers/support/redactor.hpp"
#include "providers/support/slots.hpp"
#include "server/bootstrap/bootstrap.hpp"
#include "server/bootstrap/play_events.hpp"
#include "server/bootstrap/run_folder.hpp"
#include "server/bootstrap/run_record.hpp"
#include "server/bootstrap/ssh_wait.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <regex>
#include <unistd.h>

namespace tutti::bootstrap {
namespace net = boost::asio;
namespace {

namespace fs = std::filesystem;
using Descriptor = net::posix::stream_descriptor;

constexpr int kLifelineDescriptor = 4;
constexpr std::chrono::seconds kGrace{10};
constexpr std::chrono::seconds kTermPatience{3};
constexpr std::chrono::seconds kKillPatience{10};

Error cancelled() {
  return {ErrorClass::transient, "cancelled", "the run was cancelled"};
}

net::awaitable<bool> is_cancelled() {
  const net::cancellation_state state = co_await net::this_coro::cancellation_state;
  co_return state.cancelled() != net::cancellation_type::none;
}

// The run's secrets are known to the redactor as long as the run lasts.
class SecretsInUse {
 public:
  explicit SecretsInUse(const Run& run) {
    for (const auto& [name, value] : run.secret_vars) collect(value);
    texts_.push_back(run.login_private_key);
    for (const std::string& text : texts_) redactor().add(text);
  }
  ~SecretsInUse() {
    for (const std::string& text : texts_) redactor().remove(text);
  }
  SecretsInUse(const SecretsInUse&) = delete;
  SecretsInUse& operator=(const SecretsInUse&) = delete;

 private:
  void collect(const tosca::Value& value) {
    if (const auto* text = value.as_string()) texts_.push_back(*text);
    if (const auto* list = value.as_list()) {
      for (const tosca::Value& item : *list) collect(item);
    }
    if (const auto* map = value.as_map()) {
      for (const auto& [key, item] : *map) collect(item);
    }
  }
  std::vector<std::string> texts_;
};

struct Pipe {
  int reader = -1;
  int writer = -1;
  Pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) == 0) std::tie(reader, writer) = std::tie(ends[0], ends[1]);
  }
  ~Pipe() {
    close_reader();
    close_writer();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_reader() { close_end(reader); }
  void close_writer() { close_end(writer); }
  [[nodiscard]] bool ok() const { return reader >= 0; }

 private:
  static void close_end(int& end) {
    if (end >= 0) ::close(std::exchange(end, -1));
  }
};

class AnsibleBootstrapper final : public Bootstrapper {
 public:
  AnsibleBootstrapper(net::any_io_executor executor, Clock& clock, Offload& offload,
                      AnsibleOptions options)
      : executor_(executor),
        clock_(clock),
        offload_(offload),
        options_(std::move(options)),
        slots_(executor, static_cast<std::size_t>(std::max(options_.parallel_runs, 1))) {}

  net::awaitable<Result<Outcome>> run(const Run& run, ProgressSink progress) override {
    // Cancellation is looked at by hand: what was started is taken down before this returns.
    co_await net::this_coro::throw_if_cancelled(false);
    const SecretsInUse secrets(run);
    auto result = co_await wait_and_play(run, std::move(progress));
    co_await net::this_coro::reset_cancellation_state();
    co_await net::this_coro::throw_if_cancelled(true);
    co_return result;
  }

  net::awaitable<Result<void>> ensure_dead(const RunId& run) override {
    const std::array<std::pair<int, std::chrono::milliseconds>, 2> ladder{
        {{SIGTERM, kTermPatience}, {SIGKILL, kKillPatience}}};
    for (const auto& [signal, patience] : ladder) {
      const bool gone = co_await gone_after(run, signal, patience);
      if (gone) {
        auto work = [&] { clean_up(run); };
        co_await offload_.run(work);
        co_return Result<void>();
      }
    }
    co_return Error(ErrorClass::transient, "run_alive",
                    "processes of an earlier run still live and do not react to SIGKILL");
  }

 private:
  net::awaitable<Result<Outcome>> wait_and_play(const Run& run, ProgressSink progress);
  net::awaitable<Result<Outcome>> play(const Run& run, ProgressSink progress);
  net::awaitable<Result<Outcome>> follow(const Run& run, ChildProcess& child, int events_fd,
                                         Pipe& lifeline, PlayEvents& events);
  net::awaitable<bool> gone_after(const RunId& run, int signal, std::chrono::milliseconds patience);
  [[nodiscard]] Result<void> check(const Run& run) const;
  [[nodiscard]] ChildOptions child_options(const Run& run, const RunFolder& folder,
                                           const Pipe& lifeline, const Pipe& events) const;

  void clean_up(const RunId& run) const {
    std::error_code ignored;
    fs::remove_all(RunFolder::path_of(options_, run), ignored);
    remove_record(options_.state_dir, run);
  }

  net::any_io_executor executor_;
  Clock& clock_;
  Offload& offload_;
  AnsibleOptions options_;
  Slots slots_;
};

// The step has not begun: hosts that answered have no result.
Outcome unreachable(const Run& run, const std::vector<std::string>& silent) {
  std::string names;
  for (const std::string& name : silent) names += (names.empty() ? "" : ", ") + name;
  Outcome outcome;
  for (const Host& host : run.targets) {
    if (std::find(silent.begin(), silent.end(), host.name) == silent.end()) continue;
    HostResult result;
    result.key = host.key;
    result.unreachable = true;
    result.failed_task = "wait for SSH";
    result.message = "no SSH server answered in time on " + names;
    outcome.hosts.push_back(std::move(result));
  }
  return outcome;
}

// Playbooks of other orchestrators run on the instance itself.
bool plays_on_localhost(const fs::path& playbook) {
  static const std::regex pattern(R"(^\s*-?\s*hosts:\s*["']?(localhost|127\.0\.0\.1)\b)");
  std::ifstream in(playbook);
  for (std::string line; std::getline(in, line);) {
    if (std::regex_search(line, pattern)) return true;
  }
  return false;
}

Result<void> AnsibleBootstrapper::check(const Run& run) const {
  const fs::path relative(run.playbook);
  bool inside = !run.playbook.empty() && relative.is_relative();
  for (const fs::path& part : relative) inside = inside && part != "..";
  std::error_code ignored;
  if (!inside || !fs::is_regular_file(options_.playbooks_dir / relative, ignored)) {
    return Error(ErrorClass::invalid, "playbook_missing",
                 "there is no playbook " + run.playbook + " in " + options_.playbooks_dir);
  }
  if (plays_on_localhost(options_.playbooks_dir / relative)) {
    return Error(ErrorClass::invalid, "playbook_local",
                 "the playbook " + run.playbook +
                     " has a play for localhost, which would run on this machine instead of the "
                     "instance's: write hosts: targets");
  }
  if (run.targets.empty()) {
    return Error(ErrorClass::invalid, "no_hosts", "the step has no hosts to run on");
  }
  return {};
}

net::awaitable<Result<Outcome>> AnsibleBootstrapper::wait_and_play(const Run& run,
                                                                   ProgressSink progress) {
  if (auto checked = check(run); !checked) co_return std::move(checked).error();
  Progress phase;
  phase.task = "wait for SSH";
  progress(phase);
  const auto silent = co_await wait_for_ssh(run.targets, clock_, options_.ssh_deadline);
  const bool stopped = co_await is_cancelled();
  if (stopped) co_return cancelled();
  if (!silent.empty()) co_return unreachable(run, silent);
  const auto slot = co_await slots_.take();
  if (!slot) co_return cancelled();
  phase.task = "start Ansible";
  progress(phase);
  co_return co_await play(run, std::move(progress));
}

ChildOptions AnsibleBootstrapper::child_options(const Run& run, const RunFolder& folder,
                                                const Pipe& lifeline, const Pipe& events) const {
  ChildOptions child;
  child.argv = options_.supervisor;
  child.argv.push_back(std::to_string(kLifelineDescriptor));
  for (std::string& word : folder.command(options_, run)) child.argv.push_back(std::move(word));
  child.environment = folder.environment(run);
  child.working_directory = folder.path();
  child.descriptors = {{events.writer, kEventsDescriptor}, {lifeline.reader, kLifelineDescriptor}};
  return child;
}

net::awaitable<Result<Outcome>> AnsibleBootstrapper::play(const Run& run, ProgressSink progress) {
  auto make = [&] { return RunFolder::make(options_, run); };
  TUTTI_CO_TRY(const RunFolder folder, co_await offload_.run(make));
  Pipe lifeline, events_pipe;
  if (!lifeline.ok() || !events_pipe.ok()) {
    co_return Error(ErrorClass::transient, "pipe", std::string("no pipe: ") + std::strerror(errno));
  }
  const ChildOptions child_how = child_options(run, folder, lifeline, events_pipe);
  TUTTI_CO_TRY(ChildProcess child, ChildProcess::start(executor_, child_how));
  lifeline.close_reader();
  events_pipe.close_writer();
  // Only when it is on disk who runs, the supervisor may begin.
  const RunRecord record{run.id, child.identity(), folder.path()};
  auto write = [&] { return write_record(options_.state_dir, record); };
  auto written = co_await offload_.run(write);
  if (!written) {
    lifeline.close_writer();
    co_await child.wait();
    co_return std::move(written).error();
  }
  [[maybe_unused]] const auto told = ::write(lifeline.writer, "g", 1);
  PlayEvents events(std::move(progress));
  const int events_fd = std::exchange(events_pipe.reader, -1);
  auto result = co_await follow(run, child, events_fd, lifeline, events);
  auto dead = co_await ensure_dead(run.id);
  if (!dead) co_return std::move(dead).error();
  co_return result;
}

net::awaitable<void> read_events(Descriptor& from, PlayEvents& events) {
  LineSplitter lines(std::size_t{1} << 20);
  const auto line = [&](std::string_view text) { events.event_line(text); };
  std::string buffer(16384, '\0');
  while (true) {
    const auto [error, size] =
        co_await from.async_read_some(net::buffer(buffer), net::as_tuple(net::use_awaitable));
    if (error) break;
    lines.feed(std::string_view(buffer).substr(0, size), line);
  }
  lines.finish(line);
}

net::awaitable<void> read_output(ChildProcess& child, PlayEvents& events) {
  LineSplitter lines(PlayEvents::kLongestInput);
  const auto line = [&](std::string_view text) { events.output_line(text); };
  while (true) {
    const auto text = co_await child.read_output();
    if (!text || text->empty()) break;
    lines.feed(*text, line);
  }
  lines.finish(line);
}

Result<Outcome> verdict(const Run& run, const PlayEvents& events, const ExitStatus& status) {
  const std::string output = events.last_output().empty() ? "" : ": " + events.last_output();
  if (status.code == 127 && status.signal == 0) {
    return Error(ErrorClass::invalid, "ansible_missing",
                 "ansible-playbook is not installed" + output);
  }
  Outcome outcome = events.outcome(run);
  bool all_ok = true;
  for (const HostResult& host : outcome.hosts) all_ok = all_ok && host.ok;
  if (!events.has_recap() || (all_ok && !status.ok())) {
    return Error(ErrorClass::unknown, "ansible_failed",
                 "ansible-playbook ended with " + status.describe() + output);
  }
  return outcome;
}

net::awaitable<Result<Outcome>> AnsibleBootstrapper::follow(const Run& run, ChildProcess& child,
                                                            int events_fd, Pipe& lifeline,
                                                            PlayEvents& events) {
  using namespace net::experimental::awaitable_operators;
  Descriptor events_reader(executor_, events_fd);
  auto readers = read_events(events_reader, events) && read_output(child, events);
  auto ended = std::move(readers) && child.wait();
  const auto first = co_await (std::move(ended) || clock_.sleep_for(run.budget));
  const bool stopped = co_await is_cancelled();
  if (stopped || first.index() == 1) {
    // The end of the lifeline tells the supervisor; the signals are for the case that it is stuck.
    lifeline.close_writer();
    co_await child.terminate(clock_, kGrace);
    if (stopped) co_return cancelled();
    co_return Error(ErrorClass::transient, "budget_exceeded",
                    "the run took longer than its budget of " + std::to_string(run.budget.count()) +
                        " s and was stopped");
  }
  const ExitStatus status = co_await child.wait();
  co_return verdict(run, events, status);
}

net::awaitable<bool> AnsibleBootstrapper::gone_after(const RunId& run, int signal,
                                                     std::chrono::milliseconds patience) {
  const WallTime deadline = clock_.now() + patience;
  std::chrono::milliseconds pause{5};
  bool told = false;
  while (true) {
    auto look = [&] {
      const auto record = read_record(options_.state_dir, run);
      const auto left = processes_of(run, record);
      // SIGKILL again and again: a process may have made another meanwhile.
      for (const pid_t pid : left) {
        if (!told || signal == SIGKILL) ::kill(pid, signal);
      }
      return left.empty();
    };
    const bool gone = co_await offload_.run(look);
    if (gone) co_return true;
    told = true;
    if (clock_.now() > deadline) co_return false;
    co_await clock_.sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(200));
  }
}

}  // namespace

Result<std::unique_ptr<Bootstrapper>> make_ansible_bootstrapper(net::any_io_executor executor,
                                                                Clock& clock, Offload& offload,
                                                                AnsibleOptions options) {
  for (const std::string& folder : {options.run_dir, options.state_dir}) {
    if (auto made = make_private_folder(folder); !made) return std::move(made).error();
  }
  return std::unique_ptr<Bootstrapper>(std::make_unique<AnsibleBootstrapper>(
      std::move(executor), clock, offload, std::move(options)));
}

}  // namespace tutti::bootstrap
