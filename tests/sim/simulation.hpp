// One deployment's whole life from one seed: reconcile as it is, with a small stand-in for the
// engine around it, the toy world outside, a client, faults, and a kill at any commit point. Throws
// a Violation when an invariant breaks.
#pragma once

#include "server/reconcile/reconcile.hpp"
#include "tests/sim/toy_world.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tutti::sim {

struct Report {
  int kills = 0;
  int upgrades = 0;  // restarts with a binary that plans more
  int events = 0;
  bool completed = false;  // was CREATE_COMPLETE at some time
  bool failed = false;     // was CREATE_FAILED
  bool deleted_early = false;
  std::string last_create_reason;
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed);
  Report run();

 private:
  // Of one performance of a step by the engine of this epoch.
  struct Operation {
    int attempt = 0;
    RunId run;
    bool sent = false;
    std::set<std::uint64_t> happenings;
  };

  // The daemon.
  void start_daemon();
  void upgrade();
  void kill();
  void deliver(reconcile::EventBody body);
  void commit(const reconcile::Event& event);
  void perform(const reconcile::Effect& effect);
  void perform_start(const reconcile::StartStep& start);
  void perform_abort(const reconcile::AbortStep& abort);
  void perform_observe();
  void arm(WallTime at);
  [[nodiscard]] bool killed_here();
  void in_daemon(const reconcile::StepId& step, milliseconds delay, std::function<void()> what);

  // The engine's part of a step.
  void check_requirements(const plan::Step& step);
  void create(const plan::Step& step, const Operation& operation, bool recovered);
  void find_or_send(const reconcile::StepId& step, Ownership ownership, ResourceKind kind,
                    WallTime believed_from);
  void send_create(const reconcile::StepId& step, const Ownership& ownership, ResourceKind kind);
  void await_object(const reconcile::StepId& step, const Ownership& ownership);
  void destroy(const plan::Step& step);
  void run_playbook(const plan::Step& step, const RunId& run);
  void end_run(const plan::Step& step, const RunId& run);
  void succeed(const reconcile::StepId& step, reconcile::StepSucceeded outcome);
  void fail(const reconcile::StepId& step, reconcile::Failure failure, bool may_appear = false,
            bool aborted = false);
  [[nodiscard]] Ownership ownership_of(const plan::ResourceCall& call) const;
  [[nodiscard]] bool fault(int percent);
  [[nodiscard]] ErrorClass some_error();

  // The client.
  void post();
  void ask_to_delete();
  void poll();

  void check_complete();
  void check_replay();
  void check_end();

  std::uint64_t seed_;
  Dice dice_;
  Agenda agenda_;
  tosca::Topology topology_;
  plan::Site site_;
  reconcile::Context context_;
  std::unique_ptr<Cloud> cloud_;
  OwnerId owner_{"owner-1"};
  WallTime faults_end_;
  int fault_percent_ = 0;
  int kill_percent_ = 0;

  bool alive_ = false;
  bool forgotten_ = false;
  std::uint64_t epoch_ = 0;
  reconcile::DeploymentState fresh_;
  reconcile::DeploymentState state_;
  reconcile::Cursor cursor_;
  std::map<reconcile::StepId, Operation> operations_;
  std::set<std::uint64_t> daemon_happenings_;
  std::uint64_t timer_ = 0;
  std::map<RunId, reconcile::StepId> live_runs_;  // processes: they outlive the daemon

  std::optional<std::string> committed_;
  std::vector<reconcile::Event> history_;
  Report report_;
};

}  // namespace tutti::sim
