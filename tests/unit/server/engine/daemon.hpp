// A daemon without HTTP for tests: the real engine on the memory store and the simulated cloud, and
// a stand-in for Ansible. What would outlive a killed process (disk, cloud, running playbooks) lies
// in an Outside that any number of Daemons use one after the other.
#pragma once

#include "providers/simulated/simulated_provider.hpp"
#include "server/engine/engine.hpp"
#include "server/store/memory/memory_store.hpp"
#include "tests/unit/server/support.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace tutti::engine::test {

namespace net = boost::asio;
using namespace std::chrono_literals;

// What the stand-in for Ansible does, and what it saw.
struct Playbooks {
  struct Script {
    int failures = 0;      // so many runs fail on the first host
    bool endless = false;  // runs until it is cancelled
    std::vector<std::string> lines;
  };
  std::map<std::string, Script> scripts;  // by playbook
  std::map<RunId, std::string> live;      // step by run: processes that exist
  std::vector<bootstrap::Run> runs;       // all that ever began
  bool doubled = false;                   // a second run began beside a live one of its step
  int stubborn = 0;                       // so many attempts to end a run fail
};

// The system's, and a count of those who sleep for minutes (pruning sleeps for hours).
class WatchedClock final : public Clock {
 public:
  WallTime now() const override { return clock_.now(); }
  net::awaitable<void> sleep_for(std::chrono::milliseconds time) override {
    const bool is_long = time > 1min && time < 5h;
    const Sleeper sleeper(long_sleepers_, is_long ? 1 : 0);
    co_await clock_.sleep_for(time);
  }
  [[nodiscard]] int long_sleepers() const { return long_sleepers_; }

 private:
  class Sleeper {
   public:
    Sleeper(int& count, int one) : count_(count), one_(one) { count_ += one_; }
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;
    ~Sleeper() { count_ -= one_; }

   private:
    int& count_;
    int one_;
  };
  SystemClock clock_;
  int long_sleepers_ = 0;
};

struct Outside {
  Outside() {
    cloud_options.boot_time = 5ms;
    cloud_options.destroy_time = 5ms;
    cloud_options.capabilities.visibility_window = 10ms;
    cloud = std::make_unique<simulated::World>(cloud_options);
  }
  [[nodiscard]] simulated::Audit audit() { return cloud->audit(clock.now()); }
  // Never two live objects of one token.
  [[nodiscard]] bool nothing_doubled() {
    for (const auto& [token, most] : audit().most_live) {
      if (most > 1) return false;
    }
    return !playbooks.doubled;
  }

  WatchedClock clock;
  std::function<void(Options&)> adjust = [](Options&) {};
  int looks_that_throw = 0;
  std::shared_ptr<store::MemoryDisk> disk = std::make_shared<store::MemoryDisk>();
  simulated::WorldOptions cloud_options;
  std::unique_ptr<simulated::World> cloud;
  simulated::Faults faults;
  Playbooks playbooks;
  Sealer sealer = Sealer::from_key(SecretString(std::string(32, 'k'))).value();
  // Stands in for the resolver: topologies by the text of their template.
  std::map<std::string, std::shared_ptr<const tosca::Topology>> topologies;
};

// Stand-in for Ansible. A run that its daemon's death interrupts stays live, as processes may for a
// moment, until ensure_dead() proves it gone.
class StandInBootstrapper final : public bootstrap::Bootstrapper {
 public:
  StandInBootstrapper(Playbooks& playbooks, Clock& clock, const bool& dead)
      : playbooks_(playbooks), clock_(clock), dead_(dead) {}

  net::awaitable<Result<bootstrap::Outcome>> run(const bootstrap::Run& run,
                                                 bootstrap::ProgressSink progress) override {
    co_await net::this_coro::throw_if_cancelled(false);
    auto result = co_await play(run, progress);
    if (!dead_) playbooks_.live.erase(run.id);
    co_await net::this_coro::reset_cancellation_state();
    co_await net::this_coro::throw_if_cancelled(true);
    co_return result;
  }

  net::awaitable<Result<void>> ensure_dead(const RunId& run) override {
    const RunId id = run;
    co_await clock_.sleep_for(1ms);
    if (dead_) co_return Error(ErrorClass::transient, "dead", "this daemon is dead");
    if (playbooks_.stubborn > 0) {
      --playbooks_.stubborn;
      co_return Error(ErrorClass::transient, "run_alive", "it does not end");
    }
    playbooks_.live.erase(id);
    co_return Result<void>();
  }

 private:
  net::awaitable<Result<bootstrap::Outcome>> play(const bootstrap::Run& run,
                                                  bootstrap::ProgressSink& progress) {
    const Error gone(ErrorClass::transient, "cancelled", "the run was cancelled");
    if (dead_) co_return gone;
    for (const auto& [id, step] : playbooks_.live) {
      if (step == run.step) playbooks_.doubled = true;
    }
    playbooks_.live[run.id] = run.step;
    playbooks_.runs.push_back(run);
    Playbooks::Script& script = playbooks_.scripts[run.playbook];
    for (const std::string& line : script.lines) {
      bootstrap::Progress told;
      told.task = "task of " + run.playbook;
      told.line = line;
      progress(told);
    }
    do {
      co_await clock_.sleep_for(3ms);
      const net::cancellation_state state = co_await net::this_coro::cancellation_state;
      if (dead_ || state.cancelled() != net::cancellation_type::none) co_return gone;
    } while (script.endless);
    bootstrap::Outcome outcome;
    const bool fails = script.failures > 0;
    if (fails) --script.failures;
    for (const bootstrap::Host& host : run.targets) {
      bootstrap::HostResult result;
      result.key = host.key;
      result.ok = !fails || &host != &run.targets.front();
      if (!result.ok) {
        result.failed_task = "install";
        result.message = "no space left";
      }
      outcome.hosts.push_back(result);
    }
    co_return outcome;
  }

  Playbooks& playbooks_;
  Clock& clock_;
  const bool& dead_;
};

// Nothing of a dead daemon reaches the cloud any more.
class GatedProvider final : public Provider {
 public:
  GatedProvider(std::unique_ptr<Provider> inner, Outside& outside, const bool& dead)
      : inner_(std::move(inner)), outside_(outside), dead_(dead) {}

  const ProviderCapabilities& capabilities() const override { return inner_->capabilities(); }
  net::awaitable<Result<Catalogue>> catalogue() override {
    if (dead_) co_return gone();
    co_return co_await inner_->catalogue();
  }
  net::awaitable<Result<NativeId>> create(const ResourceSpec& spec,
                                          const Ownership& ownership) override {
    if (dead_) co_return gone();
    co_return co_await inner_->create(spec, ownership);
  }
  net::awaitable<Result<std::vector<Resource>>> find(const Ownership& ownership,
                                                     ResourceKind kind) override {
    if (dead_) co_return gone();
    co_return co_await inner_->find(ownership, kind);
  }
  net::awaitable<Result<std::vector<Resource>>> list_owned(
      const OwnerId& owner, const DeploymentId& deployment) override {
    if (dead_) co_return gone();
    if (outside_.looks_that_throw > 0) {
      --outside_.looks_that_throw;
      throw std::runtime_error("a defect in the provider");
    }
    co_return co_await inner_->list_owned(owner, deployment);
  }
  net::awaitable<Result<void>> set_power(const Resource& resource, Power power) override {
    if (dead_) co_return gone();
    co_return co_await inner_->set_power(resource, power);
  }
  net::awaitable<Result<void>> destroy(const Resource& resource) override {
    if (dead_) co_return gone();
    co_return co_await inner_->destroy(resource);
  }

 private:
  static Error gone() { return {ErrorClass::transient, "dead", "this daemon is dead"}; }
  std::unique_ptr<Provider> inner_;
  Outside& outside_;
  const bool& dead_;
};

class Watcher final : public Observer {
 public:
  void publish(const DeploymentId& deployment, Published published) override {
    for (const auto& [step, task] : published.running_tasks) tasks.insert(task);
    last[deployment] = std::move(published);
  }
  void forget(const DeploymentId& deployment) override {
    last.erase(deployment);
    forgotten.insert(deployment);
  }
  std::map<DeploymentId, Published> last;
  std::set<DeploymentId> forgotten;
  std::set<std::string> tasks;
};

class Daemon {
 public:
  explicit Daemon(Outside& outside)
      : outside_(outside),
        store_(outside.disk, outside.clock, 1ms),
        provider_(
            simulated::make_in_process_provider(*outside.cloud, outside.faults, outside.clock),
            outside, dead_),
        bootstrapper_(outside.playbooks, outside.clock, dead_),
        engine_(std::make_unique<Engine>(
            context_.get_executor(), store_, provider_, bootstrapper_, outside.clock, offload_,
            outside.sealer,
            [&outside](const std::string& text, const std::string&,
                       const std::map<std::string, std::string>&)
                -> Result<std::shared_ptr<const tosca::Topology>> {
              const auto found = outside.topologies.find(text);
              if (found != outside.topologies.end()) return found->second;
              return Error(ErrorClass::invalid, "template", "no such template");
            },
            watcher, options(outside))) {
    store_.on_commit = [this](const store::Batch&) {
      if (++commits == crash_at) die(crash_keeps);
    };
  }
  ~Daemon() { stop(); }

  static Options options(const Outside& outside) {
    Options options;
    options.retry.first_delay = 2ms;
    options.retry.longest_delay = 10ms;
    options.retry.blocked_recheck = 10ms;
    options.retry.observe_interval = 2ms;
    options.site.name = SiteName("test");
    options.site.provider = "simulated";
    options.site.capabilities = outside.cloud_options.capabilities;
    options.common_vars["common"] = "yes";
    outside.adjust(options);
    return options;
  }

  Result<void> start() { return tutti::test::run(context_, engine_->start()); }
  // As kill -9 would leave it: `kept` unsynced commits reach the disk, nothing else happens.
  void die(std::size_t kept) {
    dead_ = true;
    store_.crash(kept);
  }
  [[nodiscard]] bool dead() const { return dead_; }
  [[nodiscard]] store::MemoryStore& store() { return store_; }
  // Lets it work for a while.
  void idle(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    until([&] { return std::chrono::steady_clock::now() >= end; });
  }
  void stop() {
    if (!engine_) return;
    tutti::test::run(context_, engine_->stop());
    engine_.reset();
  }

  Result<DeploymentId> create(const std::string& text, const std::string& key = "",
                              const std::string& digest = "") {
    CreateCommand command;
    command.template_text = text;
    command.request_json = R"({"parameters":{}})";
    command.topology = outside_.topologies.at(text);
    command.secrets[tosca::SecretRef{"input/password"}] = kCanary;
    command.idempotency_key = key;
    command.request_digest = digest;
    return tutti::test::run(context_, engine_->create(std::move(command)));
  }
  // A daemon that dies meanwhile never answers; its error is made up here.
  Result<void> remove(const DeploymentId& deployment) {
    std::optional<Result<void>> answer;
    net::co_spawn(
        context_, engine_->remove(deployment), [&](std::exception_ptr error, Result<void> result) {
          answer =
              error ? Result<void>(Error(ErrorClass::unknown, "exception", "")) : std::move(result);
        });
    until([&] { return answer.has_value(); });
    if (!answer) stop();
    return answer.value_or(Error(ErrorClass::transient, "dead", "this daemon is dead"));
  }

  // Runs the daemon until the condition holds or it died; false when it never did.
  template <class Condition>
  bool until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    context_.restart();
    while (!condition() && !dead_ && std::chrono::steady_clock::now() < deadline) {
      context_.run_one_for(5ms);
      if (context_.stopped()) context_.restart();
    }
    return condition();
  }
  bool until_status(const DeploymentId& id, reconcile::DeploymentStatus status) {
    return until([&] {
      const auto found = watcher.last.find(id);
      return found != watcher.last.end() && found->second.state->status == status;
    });
  }
  bool until_forgotten(const DeploymentId& id) {
    return until([&] { return watcher.forgotten.contains(id); });
  }

  static constexpr const char* kCanary = "canary-7f3a-secret";
  Watcher watcher;
  int commits = 0;
  int crash_at = 0;
  std::size_t crash_keeps = 0;

 private:
  Outside& outside_;
  net::io_context context_;
  bool dead_ = false;
  Offload offload_{1};
  store::MemoryStore store_;
  GatedProvider provider_;
  StandInBootstrapper bootstrapper_;
  std::unique_ptr<Engine> engine_;
};

// `count` machines named web, and on each an app with create (app/create.yml) and start
// (app/start.yml) that takes the machines' addresses and a secret.
inline std::shared_ptr<const tosca::Topology> web_topology(int count) {
  tosca::Topology topology;
  tosca::NodeTemplate web;
  web.name = "web";
  web.type = "tosca.nodes.Compute";
  web.ancestry = {web.type, "tosca.nodes.Root"};
  web.count = count;
  web.scaled = true;
  tosca::NodeTemplate app;
  app.name = "app";
  app.type = "tosca.nodes.SoftwareComponent";
  app.ancestry = {app.type, "tosca.nodes.Root"};
  tosca::Relationship host;
  host.requirement = "host";
  host.relationship_type = "tosca.relationships.HostedOn";
  host.hosted_on = true;
  host.target = "web";
  app.relationships.push_back(host);
  for (const char* name : {"create", "start"}) {
    tosca::OperationDefinition operation;
    operation.interface_name = "Standard";
    operation.name = name;
    operation.implementation = std::string("app/") + name + ".yml";
    tosca::GetAttribute addresses{"web", {"private_address"}};
    operation.inputs["addresses"] = tosca::Expression(tosca::Expression::Data(addresses));
    operation.inputs["password"] =
        tosca::Expression(tosca::Value(tosca::SecretRef{"input/password"}));
    operation.inputs["size"] = tosca::Expression(tosca::Value(3));
    app.operations.push_back(operation);
  }
  topology.nodes["web"] = web;
  topology.nodes["app"] = app;
  return std::make_shared<const tosca::Topology>(std::move(topology));
}

}  // namespace tutti::engine::test
