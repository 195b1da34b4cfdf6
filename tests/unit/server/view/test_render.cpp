// Every shape that clients read, against golden files; and the rules that shapes alone don't show.
#include "golden.hpp"
#include "sample.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tutti::view {
namespace {

using nlohmann::json;
using reconcile::DeploymentStatus;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kUrl = "https://portal.example/orchestrator";

std::shared_ptr<const Snapshot> render(reconcile::DeploymentState state) {
  View view(sample_site());
  view.publish(kDeployment, sample_facts(std::move(state)));
  return view.find(kDeployment.value);
}

json deployment(reconcile::DeploymentState state) {
  return json::parse(splice(render(std::move(state))->json, kUrl));
}

TEST(Render, DeploymentInProgress) {
  expect_golden("deployment_in_progress", splice(render(sample_state())->json, kUrl));
}

TEST(Render, DeploymentComplete) {
  auto state = sample_state();
  state.status = DeploymentStatus::create_complete;
  state.instances.at({"server", 1}).attributes["private_address"] = tosca::Value("10.213.0.11");
  expect_golden("deployment_complete", splice(render(state)->json, kUrl));
}

TEST(Render, DeploymentFailed) {
  auto state = sample_state();
  state.status = DeploymentStatus::create_failed;
  state.status_reason = "node web, step Standard.start: health \"never\" came";
  expect_golden("deployment_failed", splice(render(state)->json, kUrl));
}

TEST(Render, DeploymentWithoutACloudYet) {
  reconcile::DeploymentState state;
  state.id = kDeployment;
  state.created_at = state.updated_at = kCreated;
  View view(sample_site());
  Facts facts;
  facts.state = std::make_shared<const reconcile::DeploymentState>(state);
  view.publish(kDeployment, facts);
  expect_golden("deployment_new", splice(view.find(kDeployment.value)->json, kUrl));
}

TEST(Render, ReasonsAreForErrorsAndForWhatHoldsItUp) {
  auto state = sample_state();
  state.status_reason = "an old reason";
  EXPECT_FALSE(deployment(state).contains("statusReason"));
  state.blocked_on = "memory of site local";
  EXPECT_EQ(deployment(state).at("statusReason"), "Waiting: memory of site local");
  state.blocked_on.reset();
  state.status = DeploymentStatus::create_complete;
  EXPECT_FALSE(deployment(state).contains("statusReason"));
  state.status = DeploymentStatus::unknown;
  EXPECT_EQ(deployment(state).at("statusReason"), "an old reason");
}

TEST(Render, OutputsAreFilledWhenComplete) {
  auto state = sample_state();
  EXPECT_EQ(deployment(state).at("outputs"), json::object());
  state.status = DeploymentStatus::create_complete;
  const json outputs = deployment(state).at("outputs");
  EXPECT_TRUE(outputs.at("addresses").is_null());  // one machine has no address
  EXPECT_EQ(outputs.at("password"), "<secret>");
  EXPECT_EQ(outputs.at("url"), "<secret>");
  EXPECT_EQ(outputs.at("words"), json::array({"a \"quoted\"\x01", 1, true, 0.5, nullptr}));
}

TEST(Render, SecretsShowWhereAnOutputIsDeclaredToRevealThem) {
  auto facts = sample_facts();
  auto topology = *facts.topology;
  topology.outputs.at("password").reveals_secret = true;
  facts.topology = std::make_shared<const tosca::Topology>(topology);
  auto state = *facts.state;
  View view(sample_site());
  const auto publish = [&](DeploymentStatus status) {
    state.status = status;
    facts.state = std::make_shared<const reconcile::DeploymentState>(state);
    view.publish(kDeployment, facts);
    return view.find(kDeployment.value);
  };
  EXPECT_FALSE(publish(DeploymentStatus::create_in_progress)->reveals);
  const auto snapshot = publish(DeploymentStatus::create_complete);
  EXPECT_TRUE(snapshot->reveals);
  EXPECT_THAT(snapshot->json, Not(HasSubstr("open sesame")));
  const plan::SecretSource secrets = [](const tosca::SecretRef&) {
    return std::optional<std::string>("open sesame");
  };
  const json outputs = json::parse(splice(view.reveal(*snapshot, secrets), kUrl)).at("outputs");
  EXPECT_EQ(outputs.at("password"), "open sesame");
  EXPECT_EQ(outputs.at("url"), "<secret>");
}

TEST(Render, Resources) {
  const auto snapshot = render(sample_state());
  std::string all = "[";
  for (const auto& resource : snapshot->resources)
    all += (all.size() > 1 ? "," : "") + resource.json;
  expect_golden("resources", splice(all + "]", kUrl));
}

TEST(Render, ResourcesOfOneDeploymentShareTheirCreationTime) {
  const auto snapshot = render(sample_state());
  for (const auto& resource : snapshot->resources) {
    EXPECT_EQ(json::parse(splice(resource.json, kUrl)).at("creationTime"), "2026-03-04T05:06+0000");
  }
}

TEST(Render, VirtualMachineInfoIsAStringOfJson) {
  const auto snapshot = render(sample_state());
  const json machine = json::parse(splice(snapshot->resources.at(0).json, kUrl));
  const json info = json::parse(machine.at("metadata").at("VirtualMachineInfo").get<std::string>());
  EXPECT_EQ(json::array({info}), json::parse(snapshot->extrainfo));
  expect_golden("extrainfo", snapshot->extrainfo);
  const json service = json::parse(splice(snapshot->resources.at(2).json, kUrl));
  EXPECT_EQ(service.at("metadata"), json::object());
}

TEST(Render, Progress) {
  View view(sample_site());
  view.publish(kDeployment, sample_facts());
  expect_golden("progress", *view.progress(kDeployment.value, kCreated + std::chrono::seconds(20)));
}

TEST(Render, ProgressSummarisesNodes) {
  auto state = sample_state();
  const auto node_state = [&state](const std::string& name) -> std::string {
    View view(sample_site());
    view.publish(kDeployment, sample_facts(state));
    const json progress = json::parse(*view.progress(kDeployment.value, kCreated));
    for (const auto& node : progress.at("nodes")) {
      if (node.at("name") == name) return node.at("state");
    }
    return "";
  };
  EXPECT_EQ(node_state("server"), "creating 1/2");
  state.instances.at({"server", 1}).state = reconcile::InstanceState::started;
  EXPECT_EQ(node_state("server"), "started");
  state.instances.at({"server", 1}).state = reconcile::InstanceState::error;
  EXPECT_EQ(node_state("server"), "error 1/2");
  EXPECT_EQ(node_state("network/private"), "done");
}

TEST(Render, ParametersNeverShow) {
  auto state = sample_state();
  state.status = DeploymentStatus::create_complete;
  View view(sample_site());
  view.publish(kDeployment, sample_facts(state));
  const auto snapshot = view.find(kDeployment.value);
  EXPECT_THAT(snapshot->json, Not(HasSubstr("canary")));
  EXPECT_THAT(*view.progress(kDeployment.value, kCreated), Not(HasSubstr("canary")));
}

}  // namespace
}  // namespace tutti::view
