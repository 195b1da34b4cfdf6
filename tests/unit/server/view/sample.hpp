// A deployment in the middle of its life, for tests of what is rendered: one machine of two exists,
// one service is being configured on it, and a password took part.
#pragma once

#include "server/view/view.hpp"

namespace tutti::view {

inline const DeploymentId kDeployment("0190163a-0000-7000-8000-000000000001");
inline const WallTime kCreated = *parse_rfc3339("2026-03-04T05:06:07.890Z");

inline tosca::Topology sample_topology() {
  tosca::Topology topology;
  tosca::NodeTemplate machine;
  machine.name = "server";
  machine.type = "tosca.nodes.indigo.Compute";
  machine.ancestry = {machine.type, "tosca.nodes.Compute", "tosca.nodes.Root"};
  machine.count = 2;
  machine.scaled = true;
  auto& host = machine.capabilities["host"];
  host.properties["num_cpus"] = tosca::Value(2);
  host.properties["mem_size"] = tosca::Value("2 GB");
  machine.capabilities["os"].properties["distribution"] = tosca::Value("debian");
  tosca::NodeTemplate service;
  service.name = "web";
  service.type = "tosca.nodes.SoftwareComponent";
  service.ancestry = {service.type, "tosca.nodes.Root"};
  topology.nodes = {{"server", machine}, {"web", service}};
  const tosca::GetAttribute address{"server", {"private_address"}};
  topology.outputs["addresses"].value = tosca::Expression(tosca::Expression::Data(address));
  topology.outputs["password"].value = tosca::Value(tosca::SecretRef{"input/password"});
  tosca::Concat concat;
  concat.parts = {tosca::Value("user:"), tosca::Value(tosca::SecretRef{"input/password"})};
  topology.outputs["url"].value = tosca::Expression(tosca::Expression::Data(concat));
  topology.outputs["words"].value = tosca::Value(tosca::List{"a \"quoted\"\x01", 1, true, 0.5, {}});
  return topology;
}

inline reconcile::NodeInstance sample_instance(const std::string& node, int ordinal,
                                               reconcile::InstanceState state) {
  reconcile::NodeInstance instance;
  instance.id = InstanceId("00000000-0000-4000-8000-00000000" +
                           std::string(node == "web" ? "1" : "2") + "00" + std::to_string(ordinal));
  instance.key = {node, ordinal};
  instance.type = node == "web" ? "tosca.nodes.SoftwareComponent" : "tosca.nodes.indigo.Compute";
  instance.hostname = "server-" + std::to_string(ordinal);
  instance.state = state;
  instance.created_at = kCreated;
  instance.updated_at = kCreated + std::chrono::seconds(10);
  if (node == "server") {
    instance.required_by = {"web"};
    instance.resource = ResourceId("instance/server-" + std::to_string(ordinal));
  } else {
    instance.host = reconcile::InstanceKey{"server", ordinal};
  }
  return instance;
}

inline reconcile::DeploymentState sample_state() {
  using reconcile::InstanceState;
  using reconcile::ResourceRecord;
  using reconcile::StepRecord;
  reconcile::DeploymentState state;
  state.id = kDeployment;
  state.created_at = kCreated;
  state.updated_at = kCreated + std::chrono::minutes(2);
  for (int i = 0; i < 2; ++i) {
    auto machine =
        sample_instance("server", i, i == 0 ? InstanceState::started : InstanceState::creating);
    if (i == 0) machine.attributes["private_address"] = tosca::Value("10.213.0.10");
    const auto web =
        sample_instance("web", i, i == 0 ? InstanceState::configuring : InstanceState::initial);
    ResourceRecord record;
    record.id = *machine.resource;
    record.status = i == 0 ? ResourceRecord::Status::active : ResourceRecord::Status::creating;
    if (i == 0) {
      record.native_id = NativeId("c0ffee");
      record.attributes = {{"private_address", "10.213.0.10"}, {"ssh_port", "22"}};
    }
    state.resources.emplace(record.id, record);
    state.instances.emplace(machine.key, machine);
    state.instances.emplace(web.key, web);
  }
  const auto step = [&state](const std::string& id, StepRecord::Status status, int begin, int end) {
    StepRecord record;
    record.status = status;
    record.attempt = begin < 0 ? 0 : 1;
    if (begin >= 0) record.started_at = kCreated + std::chrono::seconds(begin);
    if (end >= 0) record.finished_at = kCreated + std::chrono::seconds(end);
    return &state.steps.emplace(reconcile::StepId(id), record).first->second;
  };
  step("network/private/resource.create@", StepRecord::Status::done, 0, 1);
  step("server/resource.create@0.1", StepRecord::Status::done, 1, 5);
  auto* retrying = step("server/resource.create@1.1", StepRecord::Status::retrying, 1, 4);
  retrying->attempt = 3;
  retrying->retry_at = kCreated + std::chrono::seconds(30);
  retrying->failure = reconcile::Failure{ErrorClass::throttled, "429", "slow down"};
  step("web/Standard.configure@0.1", StepRecord::Status::running, 6, -1);
  step("web/Standard.start@0.1,1.1", StepRecord::Status::waiting, -1, -1);
  return state;
}

inline Facts sample_facts(reconcile::DeploymentState state = sample_state()) {
  Facts facts;
  facts.state = std::make_shared<const reconcile::DeploymentState>(std::move(state));
  facts.topology = std::make_shared<const tosca::Topology>(sample_topology());
  facts.request_json = std::make_shared<const std::string>(
      R"({"version":1,"parameters":{"password":"canary"},"userGroup":"physicists",)"
      R"("callback":"https://portal.example/cb","createdBy":{"issuer":"https://iam/","subject":"s1"},)"
      R"("warnings":["template:3:4: warning: image replaced [image.sandbox]"]})");
  facts.running_tasks[reconcile::StepId("web/Standard.configure@0.1")] = "Wait for \"web\"";
  return facts;
}

inline SiteInfo sample_site() {
  SiteInfo site;
  site.name = "local";
  site.provider = "docker";
  site.endpoint = "unix:///var/run/docker.sock";
  return site;
}

}  // namespace tutti::view
