#include "tests/sim/simulation.hpp"

#include "tests/unit/server/plan/topologies.hpp"

namespace tutti::sim {

using reconcile::DeploymentStatus;
using reconcile::Goal;
using reconcile::StepRecord;

Simulation::Simulation(std::uint64_t seed) : seed_(seed), dice_(seed) {
  topology_ = dice_.chance(40) ? test::skeleton()
                               : test::flagship(1 + 2 * static_cast<std::int64_t>(dice_.below(2)),
                                                1 + static_cast<std::int64_t>(dice_.below(2)),
                                                static_cast<std::int64_t>(dice_.below(3)));
  if (dice_.chance(30)) topology_.nodes.emplace("app", test::software("app", "server", {}));
  site_ = test::sandbox();
  const milliseconds window = dice_.chance(30) ? milliseconds(0) : milliseconds(3000);
  site_.capabilities.visibility_window = window;
  context_.topology = &topology_;
  context_.site = &site_;
  cloud_ = std::make_unique<Cloud>(agenda_, dice_, window);
  faults_end_ = agenda_.now() + dice_.time(120'000);
  fault_percent_ = static_cast<int>(dice_.below(3)) * 15;
  kill_percent_ = static_cast<int>(dice_.below(4)) * 3;
  fresh_.id = DeploymentId("0190d5a4-0000-7000-8000-" + std::to_string(100000000000 + seed));
  fresh_.random_state = seed;
}

Report Simulation::run() {
  cloud_->add_stranger({owner_, fresh_.id, {"t-not-of-any-record"}});
  start_daemon();
  post();
  if (dice_.chance(50)) {
    report_.deleted_early = true;
    agenda_.after(dice_.time(60'000), [this] { ask_to_delete(); });
  }
  poll();
  for (int steps = 0; !agenda_.empty(); ++steps) {
    require(steps < 200'000, "no end in sight");
    agenda_.step();
  }
  check_end();
  return report_;
}

// --- The daemon -----------------------------------------------------------------------------

void Simulation::start_daemon() {
  alive_ = true;
  ++epoch_;
  if (!committed_) {
    state_ = fresh_;
    cursor_ = {};
    return;
  }
  if (report_.upgrades == 0 && dice_.chance(15)) upgrade();
  auto decoded = reconcile::decode(*committed_);
  require(decoded.has_value(), "a committed state cannot be read");
  state_ = std::move(*decoded);
  cursor_ = reconcile::make_cursor(state_, context_);
  deliver(reconcile::Recovered{});
}

// The next binary makes more of the same template: a machine with software.
void Simulation::upgrade() {
  ++report_.upgrades;
  topology_.nodes.emplace("newcomer_server", test::compute("newcomer_server"));
  topology_.nodes.emplace("newcomer", test::software("newcomer", "newcomer_server",
                                                     {test::operation("create", "new.yml")}));
}

void Simulation::kill() {
  ++report_.kills;
  alive_ = false;
  for (const std::uint64_t happening : daemon_happenings_) agenda_.cancel(happening);
  daemon_happenings_.clear();
  operations_.clear();
  timer_ = 0;
  if (!forgotten_) agenda_.after(milliseconds(200) + dice_.time(5000), [this] { start_daemon(); });
}

bool Simulation::killed_here() {
  if (!alive_) return true;
  if (agenda_.now() >= faults_end_ || !dice_.chance(kill_percent_)) return false;
  kill();
  return true;
}

void Simulation::deliver(reconcile::EventBody body) {
  const reconcile::Event event{agenda_.now(), std::move(body)};
  const reconcile::Decision decision = reconcile::apply(state_, cursor_, event, context_);
  ++report_.events;
  if (decision.changed) {
    if (killed_here()) return;  // before the commit: as if it never happened
    commit(event);
  } else {
    require(reconcile::encode(state_) == *committed_, "the state moved and nobody said so");
  }
  for (const reconcile::Effect& effect : decision.effects) {
    if (killed_here()) return;  // after the commit, before the effect
    perform(effect);
  }
  static_cast<void>(killed_here());
}

void Simulation::commit(const reconcile::Event& event) {
  std::string text = reconcile::encode(state_);
  if (dice_.chance(10)) {
    auto decoded = reconcile::decode(text);
    require(decoded.has_value(), "a state cannot be read back");
    require(reconcile::encode(*decoded) == text, "a state reads back as another one");
  }
  committed_ = std::move(text);
  history_.push_back(event);
  report_.completed = report_.completed || state_.status == DeploymentStatus::create_complete;
  report_.failed = report_.failed || state_.status == DeploymentStatus::create_failed;
  if (state_.status == DeploymentStatus::create_failed) {
    report_.last_create_reason = state_.status_reason;
    require(!state_.status_reason.empty(), "failed without a reason");
  }
  if (state_.status == DeploymentStatus::create_complete) check_complete();
}

void Simulation::perform(const reconcile::Effect& effect) {
  if (const auto* start = std::get_if<reconcile::StartStep>(&effect)) return perform_start(*start);
  if (const auto* abort = std::get_if<reconcile::AbortStep>(&effect)) return perform_abort(*abort);
  if (std::holds_alternative<reconcile::Observe>(effect)) return perform_observe();
  if (const auto* timer = std::get_if<reconcile::ArmTimer>(&effect)) return arm(timer->at);
  forgotten_ = true;
  check_replay();
}

void Simulation::arm(WallTime at) {
  agenda_.cancel(timer_);
  daemon_happenings_.erase(timer_);
  timer_ = agenda_.at(at, [this] {
    daemon_happenings_.erase(timer_);
    deliver(reconcile::Tick{});
  });
  daemon_happenings_.insert(timer_);
}

// Something that the daemon does later, for a step; lost when it is killed or the step ends.
void Simulation::in_daemon(const reconcile::StepId& step, milliseconds delay,
                           std::function<void()> what) {
  auto id = std::make_shared<std::uint64_t>(0);
  *id = agenda_.after(delay, [this, step, id, what = std::move(what)] {
    daemon_happenings_.erase(*id);
    const auto operation = operations_.find(step);
    if (operation == operations_.end() || operation->second.happenings.erase(*id) == 0) return;
    what();
  });
  daemon_happenings_.insert(*id);
  operations_.at(step).happenings.insert(*id);
}

void Simulation::perform_start(const reconcile::StartStep& start) {
  const auto index = cursor_.index.find(start.step);
  require(index != cursor_.index.end(), "an unknown step was started");
  require(!operations_.contains(start.step), "a step was started beside itself");
  const plan::Step& step = cursor_.plan.steps[index->second];
  check_requirements(step);
  Operation& operation = operations_[start.step];
  operation.attempt = start.attempt;
  operation.run = start.run;
  if (std::holds_alternative<plan::Playbook>(step.action)) {
    if (start.recovered) live_runs_.erase(start.run);  // proved dead first
    run_playbook(step, start.run);
    return;
  }
  const auto& call = std::get<plan::ResourceCall>(step.action);
  if (call.action == plan::ResourceCall::Action::create) {
    create(step, operation, start.recovered);
  } else {
    destroy(step);
  }
}

void Simulation::check_requirements(const plan::Step& step) {
  for (const std::size_t earlier : step.requires_steps) {
    const auto record = state_.steps.find(cursor_.plan.steps[earlier].id);
    require(record != state_.steps.end() && record->second.status == StepRecord::Status::done,
            step.id.value + " began before " + cursor_.plan.steps[earlier].id.value);
  }
}

void Simulation::perform_abort(const reconcile::AbortStep& abort) {
  const auto operation = operations_.find(abort.step);
  if (operation == operations_.end()) {
    // Lost in a crash: its run is proved dead, its create may have been sent.
    const RunId run = state_.steps.at(abort.step).run;
    Operation& made = operations_[abort.step];
    made.attempt = abort.attempt;
    in_daemon(abort.step, dice_.time(100), [this, step = abort.step, run] {
      live_runs_.erase(run);
      fail(step, {ErrorClass::unknown, "aborted", "aborted"}, true, true);
    });
    return;
  }
  require(operation->second.attempt == abort.attempt, "another attempt was aborted");
  if (dice_.chance(30)) return;  // it ends by itself
  const bool sent = operation->second.sent;
  live_runs_.erase(operation->second.run);
  for (const std::uint64_t happening : operation->second.happenings) {
    agenda_.cancel(happening);
    daemon_happenings_.erase(happening);
  }
  operation->second.happenings.clear();
  in_daemon(abort.step, dice_.time(100), [this, step = abort.step, sent] {
    fail(step, {ErrorClass::unknown, "aborted", "aborted"}, sent, true);
  });
}

void Simulation::perform_observe() {
  auto id = std::make_shared<std::uint64_t>(0);
  *id = agenda_.after(dice_.time(50) + milliseconds(1), [this, id] {
    daemon_happenings_.erase(*id);
    if (fault(1)) {
      deliver(reconcile::ObserveFailed{{some_error(), "fault", "made by the simulation"}});
    } else {
      deliver(reconcile::Observed{cloud_->list()});
    }
  });
  daemon_happenings_.insert(*id);
}

// --- The client -----------------------------------------------------------------------------

void Simulation::post() {
  if (alive_ && !committed_) deliver(reconcile::Create{});
  if (!committed_) agenda_.after(milliseconds(500), [this] { post(); });
}

void Simulation::ask_to_delete() {
  if (forgotten_) return;
  const bool askable =
      alive_ && committed_.has_value() &&
      (state_.goal == Goal::present || state_.status == DeploymentStatus::delete_failed);
  if (askable) deliver(reconcile::Delete{});
  const bool accepted = alive_ && state_.goal == Goal::absent;
  if (!accepted) agenda_.after(milliseconds(500), [this] { ask_to_delete(); });
}

// Deletes what has come to its end, and what could not be deleted before.
void Simulation::poll() {
  if (forgotten_) return;
  if (alive_ && committed_ && is_terminal(state_.status) &&
      state_.status != DeploymentStatus::delete_complete) {
    ask_to_delete();
  }
  require(agenda_.now() < faults_end_ + std::chrono::hours(2),
          "not terminal long after the faults");
  agenda_.after(milliseconds(3000), [this] { poll(); });
}

// --- Invariants at the ends -----------------------------------------------------------------

void Simulation::check_complete() {
  for (const auto& [key, instance] : state_.instances) {
    require(instance.state == plan::InstanceState::started, key.text() + " is not started");
  }
  std::size_t resources = 0;
  for (const plan::Step& step : cursor_.plan.steps) {
    const auto* call = std::get_if<plan::ResourceCall>(&step.action);
    if (call == nullptr) continue;
    ++resources;
    require(cloud_->find(ownership_of(*call).token) != nullptr,
            call->resource.value + " is not in the cloud");
  }
  require(cloud_->size() == resources + 1, "the cloud holds more than was planned");
  require(live_runs_.empty(), "a run outlived its step");
}

// The committed events, applied again from the beginning, give the same bytes.
void Simulation::check_replay() {
  if (report_.upgrades > 0) return;  // that is promised on one binary
  reconcile::DeploymentState state = fresh_;
  reconcile::Cursor cursor;
  for (const reconcile::Event& event : history_) {
    if (std::holds_alternative<reconcile::Recovered>(event.body)) {
      cursor = reconcile::make_cursor(state, context_);
    }
    static_cast<void>(reconcile::apply(state, cursor, event, context_));
  }
  require(reconcile::encode(state) == *committed_, "replay gives another state");
}

void Simulation::check_end() {
  require(forgotten_, "it never ended: " + committed_.value_or("nothing was committed"));
  require(cloud_->size() == 1, "something is left in the cloud");
  require(cloud_->stranger_lives(), "an object that is not ours was destroyed");
  require(live_runs_.empty(), "a run is left");
}

}  // namespace tutti::sim
