// The daemon dies at each commit of a whole life, one after the other; the next one goes on.
// Nothing may be lost or doubled.
#include "tests/unit/server/engine/daemon.hpp"

#include <gmock/gmock.h>

namespace tutti::engine::test {
namespace {

using reconcile::DeploymentStatus;

struct Life {
  int commits = 0;  // of the daemon that died, or of all when none died
  bool died = false;
  bool complete = false;
  bool gone = false;
  DeploymentId id;
};

// Create, wait until complete, delete, wait until gone; dies at the given commit.
Life live(Outside& outside, int crash_at, std::size_t keeps) {
  Daemon daemon(outside);
  Life life;
  EXPECT_TRUE(daemon.start());
  daemon.crash_at = crash_at;
  daemon.crash_keeps = keeps;
  const auto created = daemon.create("web");
  if (created) {
    life.id = *created;
    life.complete = daemon.until_status(life.id, DeploymentStatus::create_complete);
    if (life.complete && daemon.remove(life.id)) life.gone = daemon.until_forgotten(life.id);
  }
  life.commits = daemon.commits;
  life.died = daemon.dead();
  return life;
}

// The next daemon takes what is on the disk to its end and deletes it.
void finish(Outside& outside) {
  Daemon next(outside);
  ASSERT_TRUE(next.start());
  std::vector<DeploymentId> ids;
  for (const auto& [id, json] : outside.disk->states) ids.push_back(id);
  ASSERT_LE(ids.size(), 1U);
  for (const DeploymentId& id : ids) {
    const auto settled = [&] {
      const auto found = next.watcher.last.find(id);
      return found == next.watcher.last.end() ||
             found->second.state->status == DeploymentStatus::create_complete;
    };
    ASSERT_TRUE(next.until(settled)) << next.watcher.last.at(id).state->status_reason;
    if (next.watcher.last.contains(id)) {
      ASSERT_TRUE(next.remove(id));
    }
    ASSERT_TRUE(next.until_forgotten(id));
  }
}

class CrashTest : public testing::TestWithParam<std::tuple<int, bool>> {};

TEST_P(CrashTest, AtEveryCommitNothingIsLostOrDoubled) {
  const auto [keeps, slow_cloud] = GetParam();
  int at = 1;
  for (bool died = true; died; ++at) {
    SCOPED_TRACE("dies at commit " + std::to_string(at));
    Outside outside;
    outside.topologies["web"] = web_topology(2);
    if (slow_cloud) {
      // Requests travel for a while, so that the dead daemon's arrive when the next one lives.
      outside.cloud->options().visible_after = 4ms;
      simulated::Fault slow;
      slow.request_delay = 4ms;
      outside.faults.plan("create", slow, 100);
    }
    const Life life = live(outside, at, static_cast<std::size_t>(keeps));
    died = life.died;
    if (!died) {
      EXPECT_TRUE(life.gone);
    }
    finish(outside);
    if (HasFatalFailure()) return;
    EXPECT_TRUE(outside.nothing_doubled());
    EXPECT_TRUE(outside.playbooks.live.empty()) << "no run outlives its deployment";
    EXPECT_TRUE(outside.audit().live.empty()) << "nothing owned remains after a delete";
    EXPECT_TRUE(outside.disk->states.empty());
    ASSERT_LT(at, 200);
  }
  EXPECT_GT(at, 10) << "a whole life has more commits than this";
}

INSTANTIATE_TEST_SUITE_P(Tails, CrashTest, testing::Combine(testing::Values(0, 1), testing::Bool()),
                         [](const auto& parameters) {
                           return std::string(std::get<0>(parameters.param) == 0 ? "lost"
                                                                                 : "kept") +
                                  (std::get<1>(parameters.param) ? "_slow" : "_quick");
                         });

}  // namespace
}  // namespace tutti::engine::test
