#include "tests/unit/server/engine/daemon.hpp"

#include <gmock/gmock.h>

namespace tutti::engine::test {
namespace {

using reconcile::DeploymentStatus;
using testing::Contains;
using testing::HasSubstr;

class EngineTest : public testing::Test {
 protected:
  EngineTest() { outside_.topologies["web"] = web_topology(2); }
  // Everything that is on the disk, as one text.
  std::string disk_text() const {
    std::string text;
    for (const auto& [id, json] : outside_.disk->states) text += json;
    for (const auto& row : outside_.disk->journal) text += row.json;
    for (const auto& [id, documents] : outside_.disk->documents) {
      for (const auto& [name, bytes] : documents) text += name + bytes;
    }
    for (const auto& row : outside_.disk->log) text += row.text;
    return text;
  }
  std::string reason(Daemon& daemon, const DeploymentId& id) const {
    return daemon.watcher.last.at(id).state->status_reason;
  }

  Outside outside_;
};

TEST_F(EngineTest, CreatesToCompleteAndDeletesToNothing) {
  Daemon daemon(outside_);
  ASSERT_TRUE(daemon.start());
  const DeploymentId id = daemon.create("web").value();
  EXPECT_TRUE(outside_.disk->states.contains(id)) << "durable before it is answered";
  ASSERT_TRUE(daemon.until_status(id, DeploymentStatus::create_complete)) << reason(daemon, id);
  EXPECT_EQ(outside_.audit().live.size(), 3U) << "a network and two machines";
  ASSERT_EQ(outside_.playbooks.runs.size(), 2U);
  EXPECT_TRUE(outside_.playbooks.live.empty());
  for (const auto& [key, instance] : daemon.watcher.last.at(id).state->instances) {
    EXPECT_EQ(instance.state, plan::InstanceState::started) << key.text();
  }
  ASSERT_TRUE(daemon.remove(id));
  const auto again = daemon.remove(id);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().cls, ErrorClass::conflict);
  ASSERT_TRUE(daemon.until_forgotten(id));
  EXPECT_TRUE(outside_.audit().live.empty());
  EXPECT_TRUE(outside_.disk->states.empty());
  EXPECT_TRUE(outside_.disk->documents.empty());
  EXPECT_FALSE(outside_.disk->journal.empty()) << "history stays";
  EXPECT_EQ(daemon.remove(id).error().cls, ErrorClass::not_found);
}

TEST_F(EngineTest, PlaybooksGetHostsGroupsAndVariables) {
  Daemon daemon(outside_);
  ASSERT_TRUE(daemon.start());
  const DeploymentId id = daemon.create("web").value();
  ASSERT_TRUE(daemon.until_status(id, DeploymentStatus::create_complete));
  const bootstrap::Run& run = outside_.playbooks.runs.front();
  EXPECT_EQ(run.playbook, "app/create.yml");
  ASSERT_EQ(run.targets.size(), 2U);
  EXPECT_EQ(run.targets[0].name, "web-0");
  EXPECT_EQ(run.targets[0].key.text(), "app-0") << "whose outcome the host decides";
  EXPECT_EQ(run.targets[1].vars.at("tutti_ordinal"), tosca::Value(1));
  EXPECT_EQ(*run.targets[1].vars.at("tutti_private_address").as_string(), run.targets[1].address);
  EXPECT_THAT(run.targets[0].host_public_key, testing::StartsWith("ssh-ed25519 "));
  EXPECT_NE(run.targets[0].host_public_key, run.targets[1].host_public_key);
  EXPECT_EQ(run.groups.at("web").size(), 2U);
  EXPECT_EQ(run.vars.at("size"), tosca::Value(3));
  EXPECT_EQ(run.vars.at("common"), tosca::Value("yes"));
  EXPECT_EQ(run.vars.at("addresses").as_list()->size(), 2U);
  EXPECT_FALSE(run.vars.contains("password"));
  EXPECT_EQ(run.secret_vars.at("password"), tosca::Value(Daemon::kCanary));
  EXPECT_TRUE(run.secret_vars.contains("consul_gossip_key"));
}

TEST_F(EngineTest, SecretsAreOnTheDiskOnlySealed) {
  outside_.playbooks.scripts["app/create.yml"].failures = 1;
  Daemon daemon(outside_);
  ASSERT_TRUE(daemon.start());
  const DeploymentId id = daemon.create("web").value();
  ASSERT_TRUE(daemon.until_status(id, DeploymentStatus::create_complete));
  EXPECT_THAT(disk_text(), Not(HasSubstr(Daemon::kCanary)));
  EXPECT_THAT(disk_text(), Not(HasSubstr("PRIVATE KEY")));
  EXPECT_TRUE(outside_.disk->documents.at(id).contains("secret:input/password"));
}

TEST_F(EngineTest, ALostAnswerMakesNoSecondObject) {
  simulated::Fault lost;
  lost.when = simulated::Fault::When::after;
  outside_.faults.plan("create", lost, 3);
  Daemon daemon(outside_);
  ASSERT_TRUE(daemon.start());
  const DeploymentId id = daemon.create("web").value();
  ASSERT_TRUE(daemon.until_status(id, DeploymentStatus::create_complete)) << reason(daemon, id);
  EXPECT_EQ(outside_.audit().live.size(), 3U);
  EXPECT_TRUE(outside_.nothing_doubled());
}

TEST_F(EngineTest, AFailingStepIsTriedAgainAndThenSaysWhy) {
  outside_.playbooks.scripts["app/start.yml"].failures = 100;
  outside_.playbooks.scripts["app/start.yml"].lines = {"the last words"};
  Daemon daemon(outside_);
  ASSERT_TRUE(daemon.start());
  const DeploymentId id = daemon.create("web").value();
  ASSERT_TRUE(daemon.until_status(id, DeploymentStatus::create_failed));
  EXPECT_THAT(reason(daemon, id), HasSubstr("app"));
  EXPECT_THAT(reason(daemon, id), HasSubstr("task 'install': no space left"));
  EXPECT_EQ(outside_.playbooks.runs.size(), 4U) << "one create, three starts";
  EXPECT_THAT(daemon.watcher.tasks, Contains("task of app/start.yml"));
  int kept = 0;
  for (const auto& row : outside_.disk->log) kept += row.text == "the last words" ? 1 : 0;
  EXPECT_EQ(kept, 3) << "the log of a failed step is durable with its outcome";
  ASSERT_TRUE(daemon.remove(id)) << "a failed deployment can be deleted";
  ASSERT_TRUE(daemon.until_forgotten(id));
  EXPECT_TRUE(outside_.audit().live.empty());
}

TEST_F(EngineTest, ADeleteInMidBootstrapAbortsTheRunAndCleansUp) {
  outside_.playbooks.scripts["app/create.yml"].endless = true;
  Daemon daemon(outside_);
  ASSERT_TRUE(daemon.start());
  const DeploymentId id = daemon.create("web").value();
  ASSERT_TRUE(daemon.until([&] { return !outside_.playbooks.live.empty(); }));
  ASSERT_TRUE(daemon.remove(id));
  ASSERT_TRUE(daemon.until_forgotten(id));
  EXPECT_TRUE(outside_.playbooks.live.empty());
  EXPECT_TRUE(outside_.audit().live.empty());
}

TEST_F(EngineTest, ADeleteInMidCreateLeavesNothingThatAppearsLater) {
  simulated::Fault slow;
  slow.request_delay = 8ms;
  outside_.faults.plan("create", slow, 3);
  Daemon daemon(outside_);
  ASSERT_TRUE(daemon.start());
  const DeploymentId id = daemon.create("web").value();
  ASSERT_TRUE(daemon.until([&] { return outside_.faults.calls().contains("create"); }));
  ASSERT_TRUE(daemon.remove(id));
  ASSERT_TRUE(daemon.until_forgotten(id));
  EXPECT_TRUE(outside_.audit().live.empty());
}

TEST_F(EngineTest, AnIdempotencyKeyMakesOneDeployment) {
  Daemon daemon(outside_);
  ASSERT_TRUE(daemon.start());
  const DeploymentId id = daemon.create("web", "key", "digest").value();
  EXPECT_EQ(daemon.create("web", "key", "digest").value(), id);
  const auto other = daemon.create("web", "key", "another");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, "idempotency_key_reused");
  EXPECT_EQ(outside_.disk->states.size(), 1U);
}

TEST_F(EngineTest, ShortMemoryBlocksUntilItIsThere) {
  outside_.cloud->options().quota[ResourceKind::instance] = 1;
  Daemon daemon(outside_);
  ASSERT_TRUE(daemon.start());
  const DeploymentId id = daemon.create("web").value();
  ASSERT_TRUE(daemon.until([&] {
    const auto found = daemon.watcher.last.find(id);
    return found != daemon.watcher.last.end() && found->second.state->blocked_on.has_value();
  }));
  EXPECT_THAT(*daemon.watcher.last.at(id).state->blocked_on, HasSubstr("quota"));
  outside_.cloud->options().quota.clear();
  ASSERT_TRUE(daemon.until_status(id, DeploymentStatus::create_complete));
}

TEST_F(EngineTest, HistoryGoesWhenItIsOld) {
  const WallTime old = outside_.clock.now() - std::chrono::hours(24 * 31);
  outside_.disk->journal.push_back({DeploymentId("gone"), old, "event", "{}"});
  Daemon daemon(outside_);
  ASSERT_TRUE(daemon.start());
  EXPECT_TRUE(daemon.until([&] { return outside_.disk->journal.empty(); }));
}

TEST_F(EngineTest, AStopLeavesWorkThatTheNextStartFinishes) {
  outside_.playbooks.scripts["app/create.yml"].endless = true;
  DeploymentId id;
  {
    Daemon daemon(outside_);
    ASSERT_TRUE(daemon.start());
    id = daemon.create("web").value();
    ASSERT_TRUE(daemon.until([&] { return !outside_.playbooks.live.empty(); }));
    daemon.stop();
    EXPECT_TRUE(outside_.playbooks.live.empty()) << "a graceful stop ends its runs";
  }
  outside_.playbooks.scripts["app/create.yml"].endless = false;
  Daemon next(outside_);
  ASSERT_TRUE(next.start());
  ASSERT_TRUE(next.until_status(id, DeploymentStatus::create_complete)) << reason(next, id);
  EXPECT_TRUE(outside_.nothing_doubled());
}

TEST_F(EngineTest, ADeploymentThatCannotBeReadIsShownAndTheOthersGoOn) {
  DeploymentId good, bad, lost;
  {
    Daemon daemon(outside_);
    ASSERT_TRUE(daemon.start());
    good = daemon.create("web").value();
    bad = daemon.create("web").value();
    outside_.topologies["gone"] = web_topology(1);
    lost = daemon.create("gone").value();
    ASSERT_TRUE(daemon.until_status(lost, DeploymentStatus::create_complete));
  }
  outside_.disk->states[bad] = "{\"version\":1,\"nonsense\":true}";
  outside_.topologies.erase("gone");
  Daemon next(outside_);
  ASSERT_TRUE(next.start());
  EXPECT_EQ(next.watcher.last.at(bad).state->status, DeploymentStatus::unknown);
  EXPECT_THAT(reason(next, bad), HasSubstr("cannot be read"));
  EXPECT_EQ(next.watcher.last.at(lost).state->status, DeploymentStatus::unknown);
  EXPECT_FALSE(next.remove(bad));
  EXPECT_TRUE(outside_.disk->states.contains(bad)) << "never dropped";
  ASSERT_TRUE(next.until_status(good, DeploymentStatus::create_complete));
  ASSERT_TRUE(next.remove(lost)) << "without its template it can still be deleted";
  ASSERT_TRUE(next.until_forgotten(lost));
}

}  // namespace
}  // namespace tutti::engine::test
