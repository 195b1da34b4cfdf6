// The view as a shared thing: what readers see while the engine publishes.
#include "sample.hpp"
#include "server/view/view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace tutti::view {
namespace {

using reconcile::DeploymentStatus;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(View, FindsWhatWasPublishedLast) {
  View view(sample_site());
  EXPECT_EQ(view.find(kDeployment.value), nullptr);
  EXPECT_EQ(view.progress(kDeployment.value, kCreated), std::nullopt);
  auto state = sample_state();
  view.publish(kDeployment, sample_facts(state));
  const auto first = view.find(kDeployment.value);
  EXPECT_EQ(view.find(kDeployment.value), first);  // rendered once
  state.status = DeploymentStatus::create_complete;
  view.publish(kDeployment, sample_facts(state));
  EXPECT_EQ(view.find(kDeployment.value)->status, DeploymentStatus::create_complete);
  EXPECT_EQ(first->status, DeploymentStatus::create_in_progress);  // old readers keep theirs
  view.forget(kDeployment);
  EXPECT_EQ(view.find(kDeployment.value), nullptr);
}

TEST(View, ATaskThatBeginsRendersNothingAgain) {
  View view(sample_site());
  auto facts = sample_facts();
  view.publish(kDeployment, facts);
  const auto before = view.find(kDeployment.value);
  facts.running_tasks[reconcile::StepId("web/Standard.configure@0.1")] = "Start the service";
  view.publish(kDeployment, facts);
  EXPECT_EQ(view.find(kDeployment.value), before);
  EXPECT_THAT(*view.progress(kDeployment.value, kCreated), HasSubstr("Start the service"));
  facts.state = std::make_shared<const reconcile::DeploymentState>(*facts.state);
  view.publish(kDeployment, facts);
  EXPECT_NE(view.find(kDeployment.value), before);
}

TEST(View, LetsGoOfTheRequestOnceItIsRead) {
  View view(sample_site());
  auto facts = sample_facts();
  const std::weak_ptr<const std::string> request = facts.request_json;
  view.publish(kDeployment, std::move(facts));
  const auto snapshot = view.find(kDeployment.value);
  EXPECT_TRUE(request.expired());
  EXPECT_THAT(snapshot->json, HasSubstr("https://portal.example/cb"));
  EXPECT_THAT(*view.progress(kDeployment.value, kCreated), HasSubstr("image replaced"));
  EXPECT_EQ(view.cards().front().user_group, "physicists");
  facts = sample_facts();
  facts.request_json = nullptr;  // told before
  view.publish(kDeployment, facts);
  EXPECT_THAT(view.find(kDeployment.value)->json, HasSubstr("https://portal.example/cb"));
}

TEST(View, NobodysDeploymentsBelongToTheAnonymousOne) {
  View view(sample_site());
  auto facts = sample_facts();
  facts.request_json = nullptr;
  view.publish(kDeployment, facts);
  EXPECT_EQ(view.cards().front().created_by, kAnonymous);
}

TEST(View, ListsNewestFirst) {
  View view(sample_site());
  for (int i = 0; i < 5; ++i) {
    auto state = sample_state();
    state.id = DeploymentId("id-" + std::to_string(i));
    state.created_at += std::chrono::minutes(i / 2);  // pairs of one instant
    view.publish(state.id, sample_facts(state));
  }
  std::vector<std::string> ids;
  for (const auto& card : view.cards()) ids.push_back(card.id.value);
  EXPECT_THAT(ids, ElementsAre("id-4", "id-3", "id-2", "id-1", "id-0"));
  EXPECT_EQ(view.cards().front().created_by, "s1@https://iam/");
  EXPECT_EQ(view.cards().front().user_group, "physicists");
}

TEST(View, ReadersSeeWholeSnapshotsWhileTheEngineWrites) {
  View view(sample_site());
  auto state = sample_state();
  view.publish(kDeployment, sample_facts(state));
  std::atomic<bool> stop = false;
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      std::size_t seen = 0;
      while (!stop) {
        const auto snapshot = view.find(kDeployment.value);
        ASSERT_NE(snapshot, nullptr);
        // Generations only ever grow, and the parts of one snapshot belong together.
        ASSERT_GE(snapshot->resources.size(), seen);
        seen = snapshot->resources.size();
        for (const auto& card : view.cards()) ASSERT_FALSE(card.id.empty());
      }
    });
  }
  for (int i = 0; i < 200; ++i) {
    const auto extra = sample_instance("web", i + 10, reconcile::InstanceState::initial);
    state.instances.emplace(extra.key, extra);
    view.publish(kDeployment, sample_facts(state));
    state.id = DeploymentId("other-" + std::to_string(i));
    view.publish(state.id, sample_facts(state));
    view.forget(state.id);
    state.id = kDeployment;
  }
  stop = true;
  readers.clear();
  EXPECT_EQ(view.find(kDeployment.value)->resources.size(), 204U);
}

TEST(Splice, ReplacesEveryMark) {
  EXPECT_EQ(splice("a\x01"
                   "b\x01\x01",
                   "-"),
            "a-b--");
  EXPECT_EQ(splice("", "x"), "");
  EXPECT_EQ(splice("plain", "x"), "plain");
}

}  // namespace
}  // namespace tutti::view
