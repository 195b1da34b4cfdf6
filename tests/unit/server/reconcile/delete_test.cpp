// Deletes: in mid-create, of what is complete, against sites that answer badly or not at all.
#include "tests/unit/server/reconcile/daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tutti::reconcile {
namespace {

using namespace tutti::test;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kNetwork = "network/private/resource.create";

TEST(Delete, OfACompleteDeploymentLooksDestroysAndLooksAgain) {
  Daemon daemon = with_machine();
  daemon.succeed("zookeeper");
  auto effects = daemon.apply(Delete{});
  EXPECT_EQ(daemon.state.status, DeploymentStatus::delete_in_progress);
  EXPECT_EQ(daemon.state.generation, 2);
  EXPECT_EQ(daemon.instance("zookeeper"), InstanceState::deleting);
  ASSERT_NE(find_effect<Observe>(effects), nullptr);
  daemon.apply(daemon.observed({"network/private", "instance/server-0"}));
  ASSERT_EQ(daemon.running.size(), 1U) << "no network before its machines";
  daemon.succeed("instance/server-0/resource.destroy");
  effects = daemon.succeed("network/private/resource.destroy");
  ASSERT_NE(find_effect<Observe>(effects), nullptr);
  effects = daemon.apply(daemon.observed({"network/private"}, ResourceState::deleting));
  EXPECT_EQ(find_effect<Observe>(effects), nullptr);
  EXPECT_NE(find_effect<Observe>(daemon.tick()), nullptr);
  effects = daemon.apply(daemon.observed({}));
  EXPECT_NE(find_effect<Forget>(effects), nullptr);
  EXPECT_EQ(daemon.state.status, DeploymentStatus::delete_complete);
}

TEST(Delete, AbortsWhatRunsAndWaitsForItsOutcome) {
  Daemon daemon = created();
  auto effects = daemon.apply(Delete{});
  ASSERT_EQ(effects.size(), 1U);
  ASSERT_NE(find_effect<AbortStep>(effects), nullptr);
  EXPECT_THAT(daemon.apply(Delete{}), IsEmpty()) << "a second delete is the same delete";
  effects = daemon.fail(kNetwork, ErrorClass::unknown, true);
  ASSERT_NE(find_effect<Observe>(effects), nullptr);
  effects = daemon.apply(daemon.observed({}));
  EXPECT_EQ(find_effect<Forget>(effects), nullptr) << "the network may still appear";
  daemon.tick();
  effects = daemon.apply(daemon.observed({}));
  EXPECT_NE(find_effect<Forget>(effects), nullptr);
}

TEST(Delete, TakesAlsoWhatSucceededWhileItWasAborted) {
  Daemon daemon = created();
  daemon.apply(Delete{});
  const auto effects = daemon.succeed(kNetwork);
  EXPECT_NE(find_effect<Observe>(effects), nullptr);
  EXPECT_THAT(daemon.running, IsEmpty()) << "nothing new begins";
  daemon.apply(daemon.observed({"network/private"}));
  EXPECT_EQ(daemon.running.size(), 1U);
}

TEST(Delete, LeavesObjectsWithAnotherToken) {
  Daemon daemon = with_machine();
  daemon.succeed("zookeeper");
  daemon.apply(Delete{});
  Observed seen = daemon.observed({"network/private"});
  seen.resources.front().ownership.token.value = "t-other";
  EXPECT_NE(find_effect<Forget>(daemon.apply(seen)), nullptr);
}

TEST(Delete, LooksAgainBeforeADestroyIsTriedAgain) {
  Daemon daemon = with_machine();
  daemon.apply(Delete{});
  daemon.fail("zookeeper", ErrorClass::unknown);
  daemon.apply(daemon.observed({"network/private"}));
  auto effects = daemon.fail("network/private/resource.destroy", ErrorClass::transient);
  EXPECT_THAT(daemon.running, IsEmpty());
  EXPECT_NE(find_effect<Observe>(daemon.tick()), nullptr);
  daemon.apply(daemon.observed({"network/private", "instance/server-0"}));
  ASSERT_EQ(daemon.running.size(), 1U);
  EXPECT_EQ(daemon.running.front().step.value, "instance/server-0/resource.destroy@1");
}

TEST(Delete, GivesUpOnRefusalsAndCanBeAskedAgain) {
  Daemon daemon = with_machine();
  daemon.succeed("zookeeper");
  daemon.apply(Delete{});
  daemon.apply(daemon.observed({"network/private"}));
  for (int i = 1; i < daemon.context.retry.resource_attempts; ++i) {
    daemon.fail("network/private/resource.destroy", ErrorClass::authentication);
    daemon.tick();
    daemon.apply(daemon.observed({"network/private"}));
  }
  daemon.fail("network/private/resource.destroy", ErrorClass::authentication);
  EXPECT_EQ(daemon.state.status, DeploymentStatus::delete_failed);
  EXPECT_THAT(daemon.state.status_reason, HasSubstr("network/private"));
  EXPECT_THAT(daemon.state.status_reason, HasSubstr("it broke"));
  EXPECT_NE(find_effect<Observe>(daemon.apply(Delete{})), nullptr);
  EXPECT_EQ(daemon.state.status, DeploymentStatus::delete_in_progress);
  EXPECT_EQ(daemon.state.generation, 3);
  EXPECT_NE(find_effect<Forget>(daemon.apply(daemon.observed({}))), nullptr);
}

TEST(Delete, TransientFailuresAreTriedForEver) {
  Daemon daemon = with_machine();
  daemon.succeed("zookeeper");
  daemon.apply(Delete{});
  for (int i = 0; i < 40; ++i) {
    daemon.apply(ObserveFailed{{ErrorClass::transient, "", "engine away"}});
    daemon.tick();
    daemon.apply(daemon.observed({"network/private"}));
    daemon.fail("network/private/resource.destroy", ErrorClass::throttled);
    EXPECT_EQ(daemon.state.status, DeploymentStatus::delete_in_progress);
    daemon.tick();
  }
}

TEST(Delete, SaysWhatItWaitsFor) {
  Daemon daemon = with_machine();
  daemon.succeed("zookeeper");
  daemon.apply(Delete{});
  daemon.apply(ObserveFailed{{ErrorClass::transient, "", "no answer from the engine"}});
  EXPECT_THAT(daemon.state.blocked_on.value_or(""),
              HasSubstr("transient: the site could not be asked what is left: no answer"));
  daemon.tick();
  EXPECT_TRUE(daemon.state.blocked_on.has_value()) << "until it answers";
  daemon.apply(daemon.observed({"network/private"}));
  EXPECT_FALSE(daemon.state.blocked_on.has_value());
  daemon.fail("network/private/resource.destroy", ErrorClass::transient);
  EXPECT_THAT(daemon.state.blocked_on.value_or(""), HasSubstr("resource.destroy: it broke"));
  daemon.tick();
  daemon.apply(daemon.observed({"network/private"}));
  EXPECT_TRUE(daemon.state.blocked_on.has_value()) << "still not known to pass";
  daemon.succeed("network/private/resource.destroy");
  EXPECT_FALSE(daemon.state.blocked_on.has_value());
  daemon.apply(ObserveFailed{{ErrorClass::transient, "", "no answer from the engine"}});
  daemon.tick();
  daemon.apply(daemon.observed({}));
  EXPECT_EQ(daemon.state.status, DeploymentStatus::delete_complete);
  EXPECT_FALSE(daemon.state.blocked_on.has_value());
}

TEST(Delete, ASiteThatCannotBeAskedFailsIt) {
  Daemon daemon = with_machine();
  daemon.succeed("zookeeper");
  daemon.apply(Delete{});
  for (int i = 1; i < daemon.context.retry.resource_attempts; ++i) {
    daemon.apply(ObserveFailed{{ErrorClass::authentication, "", "who are you"}});
    daemon.tick();
  }
  daemon.apply(ObserveFailed{{ErrorClass::authentication, "", "who are you"}});
  EXPECT_EQ(daemon.state.status, DeploymentStatus::delete_failed);
  EXPECT_FALSE(daemon.state.blocked_on.has_value());
  EXPECT_THAT(daemon.state.status_reason, HasSubstr("who are you"));
}

TEST(Delete, RecoveryInMidAbortAbortsAgainAndExpectsLostCreates) {
  Daemon daemon = created();
  daemon.apply(Delete{});
  daemon.restart();
  daemon.now += std::chrono::seconds(3);
  const auto effects = daemon.apply(Recovered{});
  ASSERT_NE(find_effect<AbortStep>(effects), nullptr);
  EXPECT_EQ(daemon.state.resources.at(ResourceId("network/private")).may_appear_until,
            daemon.now + std::chrono::milliseconds(500));
}

TEST(Delete, RecoveryGoesOnLookingAndDestroying) {
  Daemon daemon = with_machine();
  daemon.succeed("zookeeper");
  daemon.apply(Delete{});
  daemon.restart();
  EXPECT_NE(find_effect<Observe>(daemon.apply(Recovered{})), nullptr);
  daemon.apply(daemon.observed({"network/private", "instance/server-0"}));
  daemon.restart();
  daemon.apply(Recovered{});
  ASSERT_EQ(daemon.running.size(), 1U);
  daemon.succeed("instance/server-0/resource.destroy");
  daemon.succeed("network/private/resource.destroy");
  daemon.apply(daemon.observed({}));
  daemon.restart();
  EXPECT_NE(find_effect<Forget>(daemon.apply(Recovered{})), nullptr);
}

TEST(Delete, WorksWithoutATopology) {
  Daemon daemon = created();
  daemon.context.topology = nullptr;
  const StartStep start = daemon.running.front();
  daemon.restart();
  daemon.apply(Delete{});
  StepFailed lost;
  lost.step = start.step;
  lost.attempt = start.attempt;
  lost.aborted = true;
  EXPECT_NE(find_effect<Observe>(daemon.apply(lost)), nullptr);
  daemon.apply(daemon.observed({"network/private"}));
  EXPECT_EQ(daemon.running.size(), 1U);
}

}  // namespace
}  // namespace tutti::reconcile
