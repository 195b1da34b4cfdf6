#include "server/engine/playbook_run.hpp"

#include <gmock/gmock.h>

namespace tutti::engine {
namespace {

using testing::HasSubstr;

bootstrap::HostResult host(int ordinal, bool ok, bool unreachable) {
  bootstrap::HostResult result;
  result.key.node = "app";
  result.key.ordinal = ordinal;
  result.ok = ok;
  result.unreachable = unreachable;
  if (!ok) {
    result.failed_task = "install";
    result.message = "because";
  }
  return result;
}

reconcile::StartStep start() {
  reconcile::StartStep step;
  step.step = reconcile::StepId("app/Standard.create@0.1");
  step.attempt = 2;
  return step;
}

TEST(OutcomeEventTest, AllWellIsASuccessOfThatAttempt) {
  bootstrap::Outcome outcome;
  outcome.hosts = {host(0, true, false), host(1, true, false)};
  const auto event = outcome_event(start(), outcome);
  const auto* done = std::get_if<reconcile::StepSucceeded>(&event);
  ASSERT_NE(done, nullptr);
  EXPECT_EQ(done->attempt, 2);
  EXPECT_EQ(done->instances.size(), 2U);
}

TEST(OutcomeEventTest, MerelyUnreachableHostsAreTransient) {
  bootstrap::Outcome outcome;
  outcome.hosts = {host(0, true, false), host(1, false, true)};
  const auto event = outcome_event(start(), outcome);
  const auto& failed = std::get<reconcile::StepFailed>(event);
  EXPECT_EQ(failed.failure.cls, ErrorClass::transient);
  EXPECT_TRUE(failed.instances[0].ok);
  EXPECT_FALSE(failed.instances[1].ok);
}

TEST(OutcomeEventTest, AFailedTaskNamesHostAndTask) {
  bootstrap::Outcome outcome;
  outcome.hosts = {host(0, false, true), host(1, false, false)};
  const auto event = outcome_event(start(), outcome);
  const auto& failed = std::get<reconcile::StepFailed>(event);
  EXPECT_EQ(failed.failure.cls, ErrorClass::unknown);
  EXPECT_THAT(failed.failure.message, HasSubstr("app-1: task 'install': because"));
}

TEST(OutcomeEventTest, WhatIsHopelessIsNotRepeatedAndIsTheReason) {
  bootstrap::Outcome outcome;
  outcome.hosts = {host(0, false, false), host(1, false, false)};
  outcome.hosts[1].hopeless = true;
  outcome.hosts[1].message = "wrong password";
  const auto event = outcome_event(start(), outcome);
  const auto& failed = std::get<reconcile::StepFailed>(event);
  EXPECT_EQ(failed.failure.cls, ErrorClass::invalid);
  EXPECT_THAT(failed.failure.message, HasSubstr("app-1: task 'install': wrong password"));
}

TEST(OutcomeEventTest, WhatThePlayHandsOutBecomesAttributes) {
  bootstrap::Outcome outcome;
  outcome.hosts = {host(0, true, false)};
  outcome.hosts[0].attributes = {{"version", "3.8"}};
  const auto event = outcome_event(start(), outcome);
  const auto& done = std::get<reconcile::StepSucceeded>(event);
  EXPECT_EQ(done.instances[0].attributes.at("version"), tosca::Value("3.8"));
}

TEST(MakeRunTest, AnInstanceWithoutAMachineIsRefused) {
  reconcile::DeploymentState state;
  state.id = DeploymentId("d");
  plan::Step step;
  step.id = plan::StepId("app/Standard.create@0.1");
  plan::InstanceKey key;
  key.node = "app";
  step.instances = {key};
  step.action = plan::Playbook{};
  OpenSecrets secrets;
  secrets.cluster = bootstrap::make_cluster_secrets(WallTime{}, state.id);
  const auto run = make_run(state, tosca::Topology{}, step, RunId("r"), secrets, Options{});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, "no_machine");
}

}  // namespace
}  // namespace tutti::engine
