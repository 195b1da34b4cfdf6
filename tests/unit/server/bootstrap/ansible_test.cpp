// Real ansible-playbook runs, with local connections. A listener that greets as an SSH server is
// the one stand-in: the machines that the runs wait for.
#include "providers/support/random.hpp"
#include "providers/support/task_scope.hpp"
#include "server/bootstrap/bootstrap.hpp"
#include "server/bootstrap/run_record.hpp"
#include "tests/unit/server/support.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <signal.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace tutti::bootstrap {
namespace {

namespace net = boost::asio;
using test::TemporaryFolder;
using testing::Contains;
using testing::HasSubstr;

// Stand-in for the SSH servers of machines: it greets, and nothing more.
class Greeter {
 public:
  explicit Greeter(net::io_context& context)
      : acceptor_(context, net::ip::tcp::endpoint(net::ip::address_v4::loopback(), 0)),
        scope_(context.get_executor(), [](std::string_view text) { FAIL() << text; }) {
    scope_.spawn(serve());
  }
  [[nodiscard]] int port() const { return acceptor_.local_endpoint().port(); }
  net::awaitable<void> stop() {
    scope_.cancel_all();
    co_await scope_.join();
  }

 private:
  net::awaitable<void> serve() {
    while (true) {
      auto [error, socket] = co_await acceptor_.async_accept(net::as_tuple(net::use_awaitable));
      if (error) co_return;
      co_await net::async_write(socket, net::buffer("SSH-2.0-greeter\r\n", 17),
                                net::as_tuple(net::use_awaitable));
    }
  }
  net::ip::tcp::acceptor acceptor_;
  TaskScope scope_;
};

struct Daemon {
  explicit Daemon(const std::string& folder) : work(folder) {
    options.playbooks_dir = work + "/playbooks";
    options.roles_dir = work + "/roles";
    options.run_dir = work + "/r";
    options.state_dir = work + "/state";
    options.ssh_deadline = std::chrono::seconds(5);
    std::filesystem::create_directories(options.playbooks_dir);
    std::filesystem::create_directories(options.roles_dir);
    bootstrapper =
        make_ansible_bootstrapper(context.get_executor(), clock, offload, options).value();
  }
  ~Daemon() { test::run(context, greeter.stop()); }

  bootstrap::Run run_of(const std::string& playbook) {
    bootstrap::Run run;
    run.id = RunId(make_uuid_v4());
    run.playbook = playbook;
    run.login_user = "nobody";
    run.login_private_key = "no key is needed for local connections\n";
    for (int i = 0; i < 2; ++i) {
      Host host;
      host.key.node = "web";
      host.key.ordinal = i;
      host.name = host.key.text();
      host.address = "127.0.0.1";
      host.port = greeter.port();
      host.host_public_key = "ssh-ed25519 AAAA";
      host.vars["ansible_connection"] = "local";
      host.vars["ansible_become"] = false;
      host.vars["tutti_ordinal"] = i;
      run.targets.push_back(host);
    }
    return run;
  }
  void playbook(const std::string& name, const std::string& text) const {
    std::ofstream(options.playbooks_dir + "/" + name) << text;
  }
  Result<Outcome> play(const Run& run) {
    const auto sink = [this](const Progress& progress) {
      if (!progress.line.empty()) lines.push_back(progress.line);
    };
    return test::run(context, bootstrapper->run(run, sink));
  }

  std::string work;
  net::io_context context;
  SystemClock clock;
  Offload offload{2};
  Greeter greeter{context};
  AnsibleOptions options;
  std::unique_ptr<Bootstrapper> bootstrapper;
  std::vector<std::string> lines;
};

constexpr const char* kEndless = R"(
- hosts: targets
  gather_facts: false
  tasks:
    - name: wait for ever
      ansible.builtin.command: sleep 1000
)";

class AnsibleTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v ansible-playbook >/dev/null 2>&1") == 0) return;
    ASSERT_EQ(std::getenv("CI"), nullptr) << "ansible-playbook must be there in CI";
    GTEST_SKIP() << "ansible-playbook is not installed";
  }
  TemporaryFolder folder_;
};

TEST_F(AnsibleTest, GivesEachHostsResultAndTellsTheTasks) {
  Daemon daemon(folder_.path());
  daemon.playbook("site.yml", R"(
- hosts: targets
  gather_facts: false
  tasks:
    - name: say the secret
      ansible.builtin.debug: {msg: "{{ password }} {{ literal }}"}
    - name: keep it
      ansible.builtin.copy:
        content: "{{ password }} {{ literal }}"
        dest: "{{ folder }}/{{ tutti_ordinal }}"
        mode: "0600"
    - name: fail on the second
      ansible.builtin.fail: {msg: "{{ password }} is not enough"}
      when: tutti_ordinal == 1
)");
  bootstrap::Run run = daemon.run_of("site.yml");
  run.vars["folder"] = folder_.path();
  run.vars["literal"] = "{{ 1 + 1 }}";
  run.secret_vars["password"] = "correct-horse";
  const auto outcome = daemon.play(run);
  ASSERT_TRUE(outcome) << outcome.error().describe();
  ASSERT_EQ(outcome->hosts.size(), 2U);
  EXPECT_TRUE(outcome->hosts[0].ok);
  EXPECT_FALSE(outcome->hosts[1].ok);
  EXPECT_EQ(outcome->hosts[1].failed_task, "fail on the second");
  EXPECT_THAT(outcome->hosts[1].message, HasSubstr("is not enough"));
  EXPECT_THAT(daemon.lines, Contains("task: say the secret"));
  for (const std::string& line : daemon.lines) EXPECT_THAT(line, Not(HasSubstr("correct-horse")));
  std::string kept;
  std::getline(std::ifstream(folder_ / "0"), kept);
  EXPECT_EQ(kept, "correct-horse {{ 1 + 1 }}") << "values are never evaluated as templates";
  EXPECT_TRUE(std::filesystem::is_empty(daemon.options.run_dir)) << "nothing stays on tmpfs";
  EXPECT_TRUE(std::filesystem::is_empty(daemon.options.state_dir));
}

// Ansible takes `failed` out of a result before callbacks see it, and leaves the rest.
TEST_F(AnsibleTest, AModuleMaySayThatRepeatingDoesNotHelp) {
  Daemon daemon(folder_.path());
  std::filesystem::create_directories(daemon.options.playbooks_dir + "/library");
  daemon.playbook("library/refuse.py", R"(#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule
AnsibleModule({}).fail_json(msg="wrong password", hopeless=True)
)");
  daemon.playbook("site.yml", R"(
- hosts: targets
  gather_facts: false
  tasks:
    - name: hand out
      ansible.builtin.set_stats: {per_host: true, data: {version: "3.8"}}
    - name: refuse
      refuse:
      when: tutti_ordinal == 1
)");
  const auto outcome = daemon.play(daemon.run_of("site.yml"));
  ASSERT_TRUE(outcome) << outcome.error().describe();
  EXPECT_FALSE(outcome->hosts[0].hopeless);
  EXPECT_EQ(outcome->hosts[0].attributes.at("version"), "3.8");
  EXPECT_TRUE(outcome->hosts[1].hopeless);
  EXPECT_EQ(outcome->hosts[1].message, "wrong password");
}

TEST_F(AnsibleTest, APlaybookThatCannotBeReadIsAnErrorWithItsText) {
  Daemon daemon(folder_.path());
  daemon.playbook("bad.yml", "- hosts: targets\n  tasks: [{nonsense: 1, more: 2}]\n");
  const auto outcome = daemon.play(daemon.run_of("bad.yml"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, "ansible_failed");
  EXPECT_THAT(outcome.error().message, HasSubstr("ERROR"));
}

TEST_F(AnsibleTest, PlaybooksStayInTheirFolder) {
  Daemon daemon(folder_.path());
  std::ofstream(folder_ / "outside.yml") << kEndless;
  for (const char* name : {"", "missing.yml", "../outside.yml", "a/../../outside.yml"}) {
    const auto outcome = daemon.play(daemon.run_of(name));
    ASSERT_FALSE(outcome) << name;
    EXPECT_EQ(outcome.error().code, "playbook_missing") << name;
  }
  EXPECT_FALSE(daemon.play(daemon.run_of(folder_ / "outside.yml")));
}

TEST_F(AnsibleTest, PlaysForLocalhostAreRefused) {
  Daemon daemon(folder_.path());
  daemon.playbook("local.yml", "---\n- hosts: localhost\n  connection: local\n  tasks: []\n");
  const auto outcome = daemon.play(daemon.run_of("local.yml"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, "playbook_local");
}

TEST_F(AnsibleTest, ABudgetEndsTheRunAndAllItsProcesses) {
  Daemon daemon(folder_.path());
  daemon.playbook("endless.yml", kEndless);
  bootstrap::Run run = daemon.run_of("endless.yml");
  run.budget = std::chrono::seconds(4);
  const auto outcome = daemon.play(run);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, "budget_exceeded");
  EXPECT_EQ(outcome.error().cls, ErrorClass::transient);
  EXPECT_TRUE(processes_of(run.id, std::nullopt).empty());
}

TEST_F(AnsibleTest, CancellingTakesTheRunDownBeforeItReturns) {
  Daemon daemon(folder_.path());
  daemon.playbook("endless.yml", kEndless);
  const bootstrap::Run run = daemon.run_of("endless.yml");
  TaskScope scope(daemon.context.get_executor(), [](std::string_view text) { FAIL() << text; });
  bool ended = false;
  bool alive_at_end = true;
  const auto play = [&]() -> net::awaitable<void> {
    const ProgressSink sink = [&](const Progress& progress) {
      if (progress.task == "wait for ever") scope.cancel_all();
    };
    const auto outcome = co_await daemon.bootstrapper->run(run, sink);
    ended = true;
    alive_at_end = !processes_of(run.id, std::nullopt).empty();
    EXPECT_FALSE(outcome);
  };
  scope.spawn(play());
  test::run(daemon.context, scope.join());
  EXPECT_TRUE(ended);
  EXPECT_FALSE(alive_at_end);
  EXPECT_TRUE(std::filesystem::is_empty(daemon.options.run_dir));
}

TEST_F(AnsibleTest, MachinesThatNeverAnswerAreUnreachable) {
  Daemon daemon(folder_.path());
  daemon.playbook("endless.yml", kEndless);
  net::ip::tcp::acceptor mute(daemon.context,
                              net::ip::tcp::endpoint(net::ip::address_v4::loopback(), 0));
  daemon.options.ssh_deadline = std::chrono::seconds(1);
  daemon.bootstrapper = make_ansible_bootstrapper(daemon.context.get_executor(), daemon.clock,
                                                  daemon.offload, daemon.options)
                            .value();
  bootstrap::Run run = daemon.run_of("endless.yml");
  run.targets[1].port = mute.local_endpoint().port();
  const auto outcome = daemon.play(run);
  ASSERT_TRUE(outcome);
  ASSERT_EQ(outcome->hosts.size(), 1U) << "the one that answered is not to blame";
  EXPECT_EQ(outcome->hosts[0].key.ordinal, 1);
  EXPECT_TRUE(outcome->hosts[0].unreachable);
  EXPECT_THAT(outcome->hosts[0].message, HasSubstr("web-1"));
}

TEST_F(AnsibleTest, NothingOutlivesADaemonThatIsKilled) {
  const RunId run(make_uuid_v4());
  const pid_t daemon = ::fork();
  if (daemon == 0) {
    const std::string work = folder_.path();
    ::execl("/proc/self/exe", "daemon", "__run_until_killed", work.c_str(), run.value.c_str(),
            static_cast<char*>(nullptr));
    ::_exit(1);
  }
  const auto until = [](auto condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return condition();
  };
  const std::string state = folder_ / "state";
  const auto sleeping = [&] { return std::filesystem::exists(folder_ / "sleeping"); };
  ASSERT_TRUE(until(sleeping));
  const auto record = read_record(state, run);
  ASSERT_TRUE(record) << "who runs is written down before it runs";
  EXPECT_TRUE(is_alive(record->supervisor));
  ASSERT_EQ(::kill(daemon, SIGKILL), 0);
  ::waitpid(daemon, nullptr, 0);
  EXPECT_TRUE(until([&] { return processes_of(run, record).empty(); }));
  Daemon next(folder_.path());
  EXPECT_TRUE(test::run(next.context, next.bootstrapper->ensure_dead(run)));
  EXPECT_FALSE(read_record(state, run));
  EXPECT_TRUE(std::filesystem::is_empty(next.options.run_dir))
      << "secrets of the dead run are gone";
}

TEST_F(AnsibleTest, EnsureDeadKillsWhatASupervisorLeft) {
  const RunId run(make_uuid_v4());
  const pid_t daemon = ::fork();
  if (daemon == 0) {
    const std::string work = folder_.path();
    ::execl("/proc/self/exe", "daemon", "__run_until_killed", work.c_str(), run.value.c_str(),
            static_cast<char*>(nullptr));
    ::_exit(1);
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!std::filesystem::exists(folder_ / "sleeping") &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const auto record = read_record(folder_ / "state", run);
  ASSERT_TRUE(record);
  // Daemon stopped, supervisor killed: nobody is left to clean up but the next daemon.
  ASSERT_EQ(::kill(daemon, SIGSTOP), 0);
  ASSERT_EQ(::kill(record->supervisor.pid, SIGKILL), 0);
  Daemon next(folder_.path());
  EXPECT_TRUE(test::run(next.context, next.bootstrapper->ensure_dead(run)));
  EXPECT_TRUE(processes_of(run, record).empty());
  ::kill(daemon, SIGKILL);
  ::waitpid(daemon, nullptr, 0);
}

TEST_F(AnsibleTest, ARunThatNeverWasIsDead) {
  Daemon daemon(folder_.path());
  EXPECT_TRUE(test::run(daemon.context, daemon.bootstrapper->ensure_dead(RunId(make_uuid_v4()))));
}

}  // namespace
}  // namespace tutti::bootstrap

int run_until_killed(char** argv) {
  using namespace tutti::bootstrap;
  Daemon daemon(argv[2]);
  daemon.playbook("endless.yml", R"(
- hosts: targets
  gather_facts: false
  tasks:
    - name: wait for ever
      ansible.builtin.shell: touch {{ flag }} && sleep 1000
)");
  tutti::bootstrap::Run run = daemon.run_of("endless.yml");
  run.id = tutti::RunId(argv[3]);
  run.vars["flag"] = std::string(argv[2]) + "/sleeping";
  const auto outcome = daemon.play(run);
  return outcome ? 0 : 1;
}
