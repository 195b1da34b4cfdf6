// A deployment under test: applies events, and answers effects when told to. Time is the test's.
#pragma once

#include "server/reconcile/reconcile.hpp"
#include "tests/unit/server/plan/topologies.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace tutti::test {

class Daemon {
 public:
  explicit Daemon(tosca::Topology topology) : topology_(std::move(topology)), site_(sandbox()) {
    site_.capabilities.visibility_window = std::chrono::milliseconds(500);
    context.topology = &topology_;
    context.site = &site_;
    state.id = DeploymentId("0190d5a4-0000-7000-8000-000000000001");
    state.random_state = 42;
  }

  std::vector<reconcile::Effect> apply(reconcile::EventBody body) {
    const reconcile::Event event{now, std::move(body)};
    const std::string before = reconcile::encode(state);
    auto [effects, changed] = reconcile::apply(state, cursor, event, context);
    if (!changed) {
      EXPECT_EQ(reconcile::encode(state), before) << reconcile::encode(event);
    }
    moved = changed;
    for (const reconcile::Effect& effect : effects) {
      if (const auto* start = std::get_if<reconcile::StartStep>(&effect)) {
        running.push_back(*start);
      }
    }
    return effects;
  }

  // The next binary makes another topology of the same template.
  void upgrade(tosca::Topology topology) {
    topology_ = std::move(topology);
    restart();
  }

  void restart() {
    auto decoded = reconcile::decode(reconcile::encode(state));
    ASSERT_TRUE(decoded.has_value()) << decoded.error().describe();
    state = std::move(*decoded);
    cursor = reconcile::make_cursor(state, context);
    running.clear();
  }

  // The oldest unanswered start of a step whose id begins so.
  reconcile::StartStep take(const std::string& prefix) {
    const auto found = std::find_if(
        running.begin(), running.end(),
        [&](const reconcile::StartStep& start) { return start.step.value.starts_with(prefix); });
    EXPECT_NE(found, running.end()) << prefix << " was not started";
    if (found == running.end()) return {};
    const reconcile::StartStep start = *found;
    running.erase(found);
    return start;
  }

  std::vector<reconcile::Effect> succeed(const std::string& prefix) {
    const reconcile::StartStep start = take(prefix);
    reconcile::StepSucceeded outcome;
    outcome.step = start.step;
    outcome.attempt = start.attempt;
    outcome.native_id = NativeId("native of " + start.step.value);
    outcome.resource_attributes = {{"private_address", "10.0.0.2"}, {"gateway", "10.0.0.1"}};
    return apply(std::move(outcome));
  }

  std::vector<reconcile::Effect> fail(const std::string& prefix, ErrorClass cls,
                                      bool may_appear = false) {
    const reconcile::StartStep start = take(prefix);
    reconcile::StepFailed outcome;
    outcome.step = start.step;
    outcome.attempt = start.attempt;
    outcome.failure = {cls, "code", "it broke"};
    outcome.create_may_appear = may_appear;
    return apply(std::move(outcome));
  }

  // Goes to the next timer and lets it fire.
  std::vector<reconcile::Effect> tick() {
    std::optional<WallTime> next = state.cleanup.look_at;
    for (const auto& [id, record] : state.steps) {
      if (record.retry_at && (!next || *record.retry_at < *next)) next = record.retry_at;
    }
    EXPECT_TRUE(next.has_value()) << "nothing is timed";
    now = next.value_or(now);
    return apply(reconcile::Tick{});
  }

  // What the cloud shows of the given resources.
  reconcile::Observed observed(const std::vector<std::string>& resources,
                               ResourceState shown = ResourceState::active) {
    reconcile::Observed event;
    for (const std::string& id : resources) {
      Resource resource;
      resource.kind = state.resources.at(ResourceId(id)).kind;
      resource.native_id = NativeId("native of " + id);
      resource.ownership = {owner, state.id, make_create_token(owner, state.id, ResourceId(id), 1)};
      resource.state = shown;
      event.resources.push_back(resource);
    }
    return event;
  }

  reconcile::StepRecord::Status status_of(const std::string& step) const {
    const auto found = state.steps.find(plan::StepId(step));
    EXPECT_NE(found, state.steps.end()) << step;
    return found == state.steps.end() ? reconcile::StepRecord::Status::waiting
                                      : found->second.status;
  }
  plan::InstanceState instance(const std::string& node, int ordinal = 0) const {
    return state.instances.at({node, ordinal}).state;
  }

  OwnerId owner{"owner-1"};
  reconcile::Context context;
  reconcile::DeploymentState state;
  reconcile::Cursor cursor;
  std::vector<reconcile::StartStep> running;
  bool moved = false;  // by the last event
  WallTime now{std::chrono::hours(24 * 365 * 50)};

 private:
  tosca::Topology topology_;
  plan::Site site_;
};

inline Daemon created(const tosca::Topology& topology = skeleton()) {
  Daemon daemon(topology);
  daemon.apply(reconcile::Create{});
  return daemon;
}

inline Daemon with_machine() {
  Daemon daemon = created();
  daemon.succeed("network/private/resource.create");
  daemon.succeed("server/resource.create");
  return daemon;
}

template <class T>
const T* find_effect(const std::vector<reconcile::Effect>& effects) {
  for (const reconcile::Effect& effect : effects) {
    if (const auto* found = std::get_if<T>(&effect)) return found;
  }
  return nullptr;
}

}  // namespace tutti::test
