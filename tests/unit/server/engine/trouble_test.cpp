// What goes wrong inside and beside the daemon: a disk that is full, runs that do not end, restarts
// in the middle, months of waiting.
#include "tests/unit/server/engine/daemon.hpp"

#include <gmock/gmock.h>

namespace tutti::engine::test {
namespace {

using reconcile::DeploymentStatus;
using testing::HasSubstr;

class TroubleTest : public testing::Test {
 protected:
  TroubleTest() { outside_.topologies["web"] = web_topology(2); }
  DeploymentId complete(Daemon& daemon) {
    EXPECT_TRUE(daemon.start());
    const DeploymentId id = daemon.create("web").value();
    EXPECT_TRUE(daemon.until_status(id, DeploymentStatus::create_complete));
    return id;
  }
  // Its first playbook runs and does not end.
  DeploymentId bootstrapping(Daemon& daemon) {
    outside_.playbooks.scripts["app/create.yml"].endless = true;
    EXPECT_TRUE(daemon.start());
    const DeploymentId id = daemon.create("web").value();
    EXPECT_TRUE(daemon.until([&] { return !outside_.playbooks.live.empty(); }));
    return id;
  }
  void fill_disk(Daemon& daemon) {
    daemon.store().broken.emplace(ErrorClass::capacity, "sqlite_13", "the disk is full");
  }

  Outside outside_;
};

TEST_F(TroubleTest, WhoDeletesIsToldThatTheDiskIsFullAndTheDeleteIsTriedOn) {
  Daemon daemon(outside_);
  const DeploymentId id = complete(daemon);
  fill_disk(daemon);
  const auto told = daemon.remove(id);
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().cls, ErrorClass::transient);
  EXPECT_THAT(told.error().message, HasSubstr("the disk is full"));
  const auto again = daemon.remove(id);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("try again later"));
  EXPECT_EQ(daemon.watcher.last.at(id).state->status, DeploymentStatus::create_complete)
      << "nothing is shown that is not durable";
  daemon.store().broken.reset();
  ASSERT_TRUE(daemon.until_forgotten(id));
}

TEST_F(TroubleTest, ADeleteIsRefusedWhileAnotherEventCannotBeWritten) {
  Daemon daemon(outside_);
  const DeploymentId id = bootstrapping(daemon);
  fill_disk(daemon);
  const int before = daemon.commits;
  outside_.playbooks.scripts["app/create.yml"].endless = false;
  ASSERT_TRUE(daemon.until([&] { return daemon.commits > before + 1; }));
  const auto told = daemon.remove(id);
  ASSERT_FALSE(told);
  EXPECT_THAT(told.error().message, HasSubstr("try again later"));
  daemon.store().broken.reset();
  ASSERT_TRUE(daemon.until_status(id, DeploymentStatus::create_complete))
      << "a refused delete leaves no trace";
}

TEST_F(TroubleTest, AStopEndsSoonAlsoWhenNothingCanBeWritten) {
  Daemon daemon(outside_);
  const DeploymentId id = complete(daemon);
  fill_disk(daemon);
  ASSERT_FALSE(daemon.remove(id));
  const auto begun = std::chrono::steady_clock::now();
  daemon.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
}

TEST_F(TroubleTest, ADeleteWaitsUntilARunOfADeadDaemonIsDead) {
  DeploymentId id;
  {
    Daemon daemon(outside_);
    id = bootstrapping(daemon);
    daemon.crash_at = daemon.commits + 2;  // the delete is durable, the abort's outcome is not
    daemon.remove(id);
    ASSERT_TRUE(daemon.until([&] { return daemon.dead(); }));
  }
  const bootstrap::Run& run = outside_.playbooks.runs.back();
  outside_.playbooks.live[run.id] = run.step;  // its processes outlived the daemon
  outside_.playbooks.stubborn = 1;
  Daemon next(outside_);
  ASSERT_TRUE(next.start());
  ASSERT_TRUE(next.until_forgotten(id));
  EXPECT_EQ(outside_.playbooks.stubborn, 0);
  EXPECT_TRUE(outside_.playbooks.live.empty());
}

TEST_F(TroubleTest, AStepIsNotRepeatedBesideARunOfADeadDaemon) {
  DeploymentId id;
  {
    Daemon daemon(outside_);
    id = bootstrapping(daemon);
    daemon.die(10);
  }
  outside_.playbooks.stubborn = 1;
  outside_.playbooks.scripts["app/create.yml"].endless = false;
  Daemon next(outside_);
  ASSERT_TRUE(next.start());
  ASSERT_TRUE(next.until_status(id, DeploymentStatus::create_complete));
  EXPECT_TRUE(outside_.nothing_doubled());
}

TEST_F(TroubleTest, AnAbortOfAStepThatADeadDaemonRanWaitsForItsEnd) {
  DeploymentId id;
  {
    Daemon daemon(outside_);
    id = bootstrapping(daemon);
    daemon.die(10);
  }
  outside_.playbooks.stubborn = 1;
  Daemon next(outside_);
  ASSERT_TRUE(next.start());
  ASSERT_TRUE(next.remove(id)) << "while the step's earlier run is being ended";
  ASSERT_TRUE(next.until_forgotten(id));
  EXPECT_EQ(outside_.playbooks.stubborn, 0);
  EXPECT_TRUE(outside_.playbooks.live.empty());
}

TEST_F(TroubleTest, AKnownIdempotencyKeyIsAnsweredAlsoWhenTheDaemonIsFull) {
  outside_.adjust = [](Options& options) { options.max_deployments = 1; };
  Daemon daemon(outside_);
  ASSERT_TRUE(daemon.start());
  const DeploymentId id = daemon.create("web", "key", "digest").value();
  const auto same = daemon.create("web", "key", "digest");
  ASSERT_TRUE(same) << same.error().describe();
  EXPECT_EQ(*same, id);
  const auto other = daemon.create("web", "other", "digest");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, "too_many_deployments");
}

TEST_F(TroubleTest, ARestartOfWhatIsCompleteWritesNothing) {
  {
    Daemon daemon(outside_);
    complete(daemon);
  }
  const std::size_t rows = outside_.disk->journal.size();
  Daemon next(outside_);
  ASSERT_TRUE(next.start());
  next.idle(50ms);
  EXPECT_EQ(next.commits, 0);
  EXPECT_EQ(outside_.disk->journal.size(), rows);
}

TEST_F(TroubleTest, TheHistoryOfWhatWaitsForeverStaysShort) {
  outside_.adjust = [](Options& options) { options.retry.blocked_recheck = 1ms; };
  outside_.cloud->options().quota[ResourceKind::instance] = 0;
  Daemon daemon(outside_);
  ASSERT_TRUE(daemon.start());
  ASSERT_TRUE(daemon.create("web"));
  ASSERT_TRUE(daemon.until([&] { return daemon.commits > 900; }));
  EXPECT_GE(outside_.disk->journal.size(), 500U);
  EXPECT_LE(outside_.disk->journal.size(), 1100U);
}

TEST_F(TroubleTest, ADeploymentHasOneTimer) {
  outside_.adjust = [](Options& options) {
    options.retry.first_delay = std::chrono::hours(2);
    options.retry.longest_delay = std::chrono::hours(2);
    options.retry.blocked_recheck = std::chrono::minutes(10);
  };
  // The first machine waits for hours; later the second one waits for quota, and that is sooner.
  simulated::Fault refused;
  refused.when = simulated::Fault::When::before;
  simulated::Fault slow;
  slow.answer_delay = 50ms;
  outside_.faults.plan("create", simulated::Fault());
  outside_.faults.plan("create", refused);
  outside_.faults.plan("create", slow);
  outside_.cloud->options().quota[ResourceKind::instance] = 0;
  Daemon daemon(outside_);
  ASSERT_TRUE(daemon.start());
  const DeploymentId id = daemon.create("web").value();
  const auto has = [&](reconcile::StepRecord::Status status) {
    for (const auto& [step, record] : daemon.watcher.last.at(id).state->steps) {
      if (record.status == status) return true;
    }
    return false;
  };
  ASSERT_TRUE(daemon.until([&] { return has(reconcile::StepRecord::Status::retrying); }));
  EXPECT_FALSE(has(reconcile::StepRecord::Status::blocked));
  ASSERT_TRUE(daemon.until([&] { return has(reconcile::StepRecord::Status::blocked); }));
  daemon.idle(20ms);
  EXPECT_EQ(outside_.clock.long_sleepers(), 1);
  ASSERT_TRUE(daemon.remove(id));
  ASSERT_TRUE(daemon.until_forgotten(id));
  daemon.idle(20ms);
  EXPECT_EQ(outside_.clock.long_sleepers(), 0) << "nobody waits for what is gone";
}

TEST_F(TroubleTest, ALookThatBreaksIsTriedAgain) {
  Daemon daemon(outside_);
  const DeploymentId id = complete(daemon);
  outside_.looks_that_throw = 1;
  ASSERT_TRUE(daemon.remove(id));
  ASSERT_TRUE(daemon.until_forgotten(id));
  EXPECT_EQ(outside_.looks_that_throw, 0);
}

}  // namespace
}  // namespace tutti::engine::test
