#include "server/reconcile/reconcile.hpp"

#include "tests/unit/server/reconcile/daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tutti::reconcile {
namespace {

using namespace tutti::test;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kNetwork = "network/private/resource.create";

TEST(Reconcile, SkeletonGoesToItsEnd) {
  Daemon daemon = created();
  EXPECT_EQ(daemon.state.status, DeploymentStatus::create_in_progress);
  EXPECT_EQ(daemon.state.created_at, daemon.now);
  ASSERT_EQ(daemon.state.instances.size(), 2U);
  for (const auto& [key, instance] : daemon.state.instances) {
    EXPECT_EQ(instance.state, InstanceState::initial);
    EXPECT_EQ(instance.created_at, daemon.state.created_at);
    EXPECT_EQ(instance.id.value.size(), 36U);
  }
  daemon.succeed(kNetwork);
  EXPECT_EQ(daemon.instance("server"), InstanceState::creating);
  daemon.succeed("server/resource.create");
  EXPECT_EQ(daemon.instance("server"), InstanceState::started);
  const auto& attributes = daemon.state.instances.at({"server", 0}).attributes;
  EXPECT_EQ(attributes.at("private_address"), tosca::Value("10.0.0.2"));
  EXPECT_EQ(attributes.count("gateway"), 0U);
  EXPECT_EQ(daemon.instance("zookeeper"), InstanceState::creating);
  daemon.succeed("zookeeper/Standard.create");
  EXPECT_EQ(daemon.instance("zookeeper"), InstanceState::started);
  EXPECT_EQ(daemon.state.status, DeploymentStatus::create_complete);
  EXPECT_THAT(daemon.running, IsEmpty());
}

TEST(Reconcile, IndependentBranchesRunAtOnce) {
  Daemon daemon = created(flagship());
  daemon.succeed(kNetwork);
  EXPECT_EQ(daemon.running.size(), 8U);  // 3 + 2 + 2 machines and the virtual address
  while (!daemon.running.empty() &&
         daemon.running.front().step.value.find("Standard") == std::string::npos) {
    daemon.succeed(daemon.running.front().step.value);
  }
  EXPECT_EQ(daemon.running.size(), 3U);  // the three tiers side by side
}

TEST(Reconcile, TransientFailuresAreRetriedWithGrowingDelaysUpToALimit) {
  Daemon daemon = created();
  std::chrono::milliseconds longest{0};
  for (int failure = 1; failure < daemon.context.retry.resource_attempts; ++failure) {
    const WallTime before = daemon.now;
    const auto effects = daemon.fail(kNetwork, ErrorClass::transient);
    ASSERT_NE(find_effect<ArmTimer>(effects), nullptr);
    const auto delay = find_effect<ArmTimer>(effects)->at - before;
    const auto most = std::min(daemon.context.retry.first_delay * (1 << (failure - 1)),
                               daemon.context.retry.longest_delay);
    EXPECT_GE(delay, most / 2);
    EXPECT_LE(delay, most);
    longest = std::max(longest, std::chrono::milliseconds(delay));
    daemon.tick();
    EXPECT_EQ(daemon.running.front().attempt, failure + 1);
  }
  EXPECT_GT(longest, daemon.context.retry.first_delay * 4);
  daemon.fail(kNetwork, ErrorClass::transient);
  EXPECT_EQ(daemon.state.status, DeploymentStatus::create_failed);
  EXPECT_EQ(daemon.state.status_reason,
            "node network/private, step resource.create: it broke (code)");
}

TEST(Reconcile, PlaybooksHaveTheirOwnLimit) {
  Daemon daemon = with_machine();
  daemon.fail("zookeeper", ErrorClass::unknown);
  daemon.tick();
  daemon.fail("zookeeper", ErrorClass::unknown);
  daemon.tick();
  daemon.fail("zookeeper", ErrorClass::unknown);
  EXPECT_EQ(daemon.state.status, DeploymentStatus::create_failed);
  EXPECT_EQ(daemon.state.status_reason,
            "node zookeeper, step Standard.create (zookeeper-0): it broke (code)");
  EXPECT_EQ(daemon.instance("zookeeper"), InstanceState::error);
  EXPECT_EQ(daemon.state.instances.at({"zookeeper", 0}).reason, "it broke");
  EXPECT_EQ(daemon.instance("server"), InstanceState::started);
}

TEST(Reconcile, EachAttemptOfARunHasAnIdOfItsOwn) {
  Daemon daemon = with_machine();
  const RunId first = daemon.running.front().run;
  daemon.fail("zookeeper", ErrorClass::transient);
  daemon.tick();
  EXPECT_NE(daemon.running.front().run, first);
}

TEST(Reconcile, QuotaBlocksUntilItClears) {
  Daemon daemon = created();
  for (int i = 0; i < 50; ++i) {
    daemon.fail(kNetwork, ErrorClass::quota);
    EXPECT_EQ(daemon.state.status, DeploymentStatus::create_in_progress);
    ASSERT_TRUE(daemon.state.blocked_on.has_value());
    EXPECT_THAT(*daemon.state.blocked_on, HasSubstr("quota: node network/private"));
    daemon.tick();
    EXPECT_TRUE(daemon.state.blocked_on.has_value()) << "still not known to be clear";
  }
  daemon.succeed(kNetwork);
  EXPECT_FALSE(daemon.state.blocked_on.has_value());
}

TEST(Reconcile, HopelessFailuresFailAtOnceAndOtherBranchesEnd) {
  Daemon daemon = created(flagship(1, 1, 1));
  daemon.succeed(kNetwork);
  daemon.fail("agent_server", ErrorClass::invalid);
  EXPECT_EQ(daemon.state.status, DeploymentStatus::create_in_progress);
  daemon.fail("vip", ErrorClass::conflict);
  daemon.succeed("master_server");
  daemon.succeed("master/Standard.create");
  daemon.succeed("balancer_server");
  daemon.now += std::chrono::seconds(1);
  daemon.succeed("master/Standard.start");
  EXPECT_EQ(daemon.state.status, DeploymentStatus::create_failed);
  EXPECT_THAT(daemon.state.status_reason, HasSubstr("node agent_server"));
  EXPECT_THAT(daemon.state.status_reason, HasSubstr("; node vip"));
  EXPECT_EQ(daemon.instance("agent_server"), InstanceState::error);
  EXPECT_EQ(daemon.instance("agent"), InstanceState::initial);
  EXPECT_EQ(daemon.instance("master"), InstanceState::started);
}

TEST(Reconcile, WhatIsBlockedFailsWithTheRest) {
  Daemon daemon = created(flagship(1, 1, 0));
  daemon.succeed(kNetwork);
  daemon.fail("vip", ErrorClass::capacity);
  daemon.fail("balancer_server", ErrorClass::invalid);
  daemon.succeed("master_server");
  daemon.succeed("master/Standard.create");
  daemon.succeed("master/Standard.start");
  EXPECT_EQ(daemon.state.status, DeploymentStatus::create_failed);
  EXPECT_FALSE(daemon.state.blocked_on.has_value());
  EXPECT_THAT(daemon.state.status_reason, HasSubstr("node balancer_server"));
}

TEST(Reconcile, PerHostResultsTellInstancesApart) {
  Daemon daemon = created(flagship(3, 1, 0));
  daemon.succeed(kNetwork);
  for (int i = 0; i < 3; ++i) daemon.succeed("master_server");
  StepFailed failed;
  const StartStep start = daemon.take("master/Standard.create");
  failed.step = start.step;
  failed.attempt = start.attempt;
  failed.failure = {ErrorClass::invalid, "playbook", "1 host failed"};
  failed.instances = {{{"master", 0}, true, "", {}},
                      {{"master", 1}, false, "task 'start zookeeper' failed", {}},
                      {{"master", 2}, true, "", {}}};
  daemon.apply(failed);
  EXPECT_EQ(daemon.instance("master", 0), InstanceState::created);
  EXPECT_EQ(daemon.instance("master", 1), InstanceState::error);
  EXPECT_EQ(daemon.state.instances.at({"master", 1}).reason, "task 'start zookeeper' failed");
}

TEST(Reconcile, ASuccessWithAFailedInstanceIsAFailure) {
  Daemon daemon = with_machine();
  const StartStep start = daemon.take("zookeeper");
  StepSucceeded outcome;
  outcome.step = start.step;
  outcome.attempt = start.attempt;
  outcome.instances = {{{"zookeeper", 0}, false, "no", {}}};
  daemon.apply(outcome);
  EXPECT_EQ(daemon.status_of("zookeeper/Standard.create@0.1"), StepRecord::Status::retrying);
}

TEST(Reconcile, OutcomesOfOtherAttemptsChangeNothing) {
  Daemon daemon = created();
  daemon.fail(kNetwork, ErrorClass::transient);
  daemon.tick();
  const std::string before = encode(daemon.state);
  StepSucceeded stale;
  stale.step = StepId("network/private/resource.create@1");
  stale.attempt = 1;
  daemon.now += std::chrono::seconds(5);
  EXPECT_THAT(daemon.apply(stale), IsEmpty());
  stale.step = StepId("nobody");
  EXPECT_THAT(daemon.apply(stale), IsEmpty());
  EXPECT_THAT(daemon.apply(Observed{}), IsEmpty());
  EXPECT_THAT(daemon.apply(Create{}), IsEmpty());
  EXPECT_FALSE(daemon.moved);
  EXPECT_EQ(encode(daemon.state), before);
}

TEST(Reconcile, WhatChangesNothingSaysSo) {
  Daemon daemon = with_machine();
  EXPECT_TRUE(daemon.moved);
  daemon.apply(Tick{});
  EXPECT_FALSE(daemon.moved) << "nothing was due";
  daemon.restart();
  const auto effects = daemon.apply(Recovered{});
  EXPECT_NE(find_effect<StartStep>(effects), nullptr);
  EXPECT_FALSE(daemon.moved) << "the kept state says already that it runs";
  daemon.succeed("zookeeper");
  EXPECT_TRUE(daemon.moved);
  daemon.restart();
  EXPECT_THAT(daemon.apply(Recovered{}), IsEmpty());
  EXPECT_FALSE(daemon.moved);
}

TEST(Reconcile, ALostCreateIsLookedForBeforeASecondOne) {
  Daemon daemon = created();
  daemon.fail(kNetwork, ErrorClass::unknown, true);
  const ResourceRecord& network = daemon.state.resources.at(ResourceId("network/private"));
  EXPECT_EQ(network.may_appear_until, daemon.now + std::chrono::milliseconds(500));
  daemon.tick();
  EXPECT_TRUE(daemon.running.front().recovered);
  daemon.succeed(kNetwork);
  EXPECT_FALSE(network.may_appear_until.has_value());
  EXPECT_EQ(network.status, ResourceRecord::Status::active);
}

TEST(Reconcile, RecoveryStartsWhatRanAgainAsTheSameRun) {
  Daemon daemon = with_machine();
  const StartStep before = daemon.running.front();
  daemon.restart();
  daemon.apply(Recovered{});
  ASSERT_EQ(daemon.running.size(), 1U);
  EXPECT_EQ(daemon.running.front().step, before.step);
  EXPECT_EQ(daemon.running.front().attempt, before.attempt);
  EXPECT_EQ(daemon.running.front().run, before.run);
  EXPECT_TRUE(daemon.running.front().recovered);
}

TEST(Reconcile, WhatANewBinaryAddsHasItsRecordsBeforeItIsMade) {
  tosca::Topology larger = skeleton();
  larger.nodes.emplace("extra", compute("extra"));
  Daemon daemon = with_machine();
  daemon.upgrade(larger);
  daemon.apply(Recovered{});
  const ResourceId extra("instance/extra-0");
  ASSERT_TRUE(daemon.state.resources.contains(extra));
  EXPECT_EQ(daemon.state.resources.at(extra).status, ResourceRecord::Status::creating);
  EXPECT_EQ(daemon.instance("extra"), InstanceState::creating);
  EXPECT_EQ(daemon.state.instances.at({"extra", 0}).id.value.size(), 36U);
  daemon.succeed("extra/resource.create");
  EXPECT_FALSE(daemon.state.resources.at(extra).native_id.empty());
  daemon.apply(Delete{});
  daemon.fail("zookeeper", ErrorClass::unknown);
  EXPECT_EQ(find_effect<Forget>(daemon.apply(daemon.observed({"instance/extra-0"}))), nullptr)
      << "it is ours";
}

TEST(Reconcile, RecoveryArmsTimersAgain) {
  Daemon daemon = created();
  daemon.fail(kNetwork, ErrorClass::transient);
  daemon.restart();
  const auto effects = daemon.apply(Recovered{});
  ASSERT_NE(find_effect<ArmTimer>(effects), nullptr);
  EXPECT_THAT(daemon.running, IsEmpty());
  daemon.tick();
  EXPECT_EQ(daemon.running.size(), 1U);
}

TEST(Reconcile, AnInfeasibleTopologyFailsWithItsDiagnostic) {
  Daemon daemon = created(flagship(2));
  EXPECT_EQ(daemon.state.status, DeploymentStatus::create_failed);
  EXPECT_THAT(daemon.state.status_reason, HasSubstr("odd"));
}

TEST(Reconcile, APlanThatANewBinaryRefusesIsSaid) {
  Daemon daemon = created(flagship(1));
  daemon.upgrade(flagship(2));
  daemon.apply(Recovered{});
  EXPECT_EQ(daemon.state.status, DeploymentStatus::create_failed);
  EXPECT_THAT(daemon.state.status_reason, HasSubstr("odd"));
}

}  // namespace
}  // namespace tutti::reconcile
