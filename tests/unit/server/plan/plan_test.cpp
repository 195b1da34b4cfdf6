#include "server/plan/plan.hpp"

#include "tests/unit/server/plan/topologies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tutti::plan {
namespace {

using namespace tutti::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<std::string> step_ids(const Plan& plan) {
  std::vector<std::string> ids;
  for (const Step& step : plan.steps) ids.push_back(step.id.value);
  return ids;
}

const InstanceSpec& machine(const Plan& plan, const std::string& id) {
  return std::get<InstanceSpec>(*std::get<ResourceCall>(find_step(plan, id)->action).spec);
}

// Everything that the plan would bring about, as an observation.
Observation all_done(const Plan& plan) {
  Observation observed;
  for (const PlannedInstance& instance : plan.instances) {
    observed.instances.push_back({instance.key, instance.incarnation, InstanceState::started});
  }
  for (const Step& step : plan.steps) {
    if (const auto* call = std::get_if<ResourceCall>(&step.action)) {
      observed.resources.push_back({call->resource, call->kind, call->incarnation, true});
    }
  }
  return observed;
}

TEST(MakePlan, SkeletonIsNetworkMachinePlaybook) {
  const Plan plan = planned(skeleton());
  EXPECT_THAT(step_ids(plan),
              ElementsAre("network/private/resource.create@1", "server/resource.create@0.1",
                          "zookeeper/Standard.create@0.1"));
  EXPECT_THAT(plan.steps[1].requires_steps, ElementsAre(0));
  EXPECT_THAT(plan.steps[2].requires_steps, ElementsAre(1));
  EXPECT_EQ(plan.steps[1].after, InstanceState::started);
  EXPECT_EQ(plan.steps[2].during, InstanceState::creating);
  EXPECT_EQ(plan.steps[2].after, InstanceState::started);
  const auto& playbook = std::get<Playbook>(plan.steps[2].action);
  EXPECT_EQ(playbook.playbook, "zookeeper.yml");
  EXPECT_EQ(playbook.inputs.count("hosts"), 1U);

  ASSERT_EQ(plan.instances.size(), 2U);
  EXPECT_EQ(plan.instances[0].key, (InstanceKey{"server", 0}));
  EXPECT_EQ(plan.instances[0].resource, ResourceId("instance/server-0"));
  EXPECT_THAT(plan.instances[0].required_by, ElementsAre("zookeeper"));
  EXPECT_EQ(plan.instances[1].host, (InstanceKey{"server", 0}));
  EXPECT_EQ(plan.instances[1].hostname, "server-0");
  EXPECT_EQ(plan.instances[1].resource, std::nullopt);
}

TEST(MakePlan, SoftwareHasAnInstancePerHostAndOneStepForAll) {
  const Plan plan = planned(flagship());
  const Step* create = find_step(plan, "master/Standard.create@0.1,1.1,2.1");
  ASSERT_NE(create, nullptr);
  EXPECT_THAT(create->instances, ElementsAre(InstanceKey{"master", 0}, InstanceKey{"master", 1},
                                             InstanceKey{"master", 2}));
  const Step* start = find_step(plan, "master/Standard.start@0.1,1.1,2.1");
  ASSERT_NE(start, nullptr);
  EXPECT_THAT(required_ids(plan, *start), ElementsAre(create->id.value));
  EXPECT_EQ(create->after, InstanceState::created);
  EXPECT_EQ(start->after, InstanceState::started);
}

TEST(MakePlan, TiersThatNeedOnlyAddressesRunBesideTheMasters) {
  const Plan plan = planned(flagship());
  const std::string agent = "agent/Standard.create@0.1,1.1";
  EXPECT_TRUE(waits_for(plan, agent, "agent_server/resource.create@1.1"));
  EXPECT_TRUE(waits_for(plan, agent, "master_server/resource.create@2.1"));
  EXPECT_FALSE(waits_for(plan, agent, "master/Standard.create@0.1,1.1,2.1"));
  EXPECT_TRUE(waits_for(plan, "balancer/Standard.create@0.1,1.1", "vip/resource.create@0.1"));
  EXPECT_FALSE(waits_for(plan, "vip/resource.create@0.1", "master_server/resource.create@0.1"));
}

TEST(MakePlan, RequirementsWaitUntilAllInstancesAreStarted) {
  tosca::Topology topology = flagship();
  topology.nodes.at("agent").relationships.push_back(relation("dependency", "master"));
  const Plan plan = planned(topology);
  EXPECT_TRUE(
      waits_for(plan, "agent/Standard.create@0.1,1.1", "master/Standard.start@0.1,1.1,2.1"));
}

TEST(MakePlan, AttributesOfSoftwareWaitForItsLastStep) {
  tosca::Topology topology = flagship();
  topology.nodes.at("agent").operations.front().inputs["leader"] = attribute("master", {"leader"});
  const Plan plan = planned(topology);
  EXPECT_TRUE(
      waits_for(plan, "agent/Standard.create@0.1,1.1", "master/Standard.start@0.1,1.1,2.1"));
}

TEST(MakePlan, RequirementsComeFirstInTheList) {
  const Plan plan = planned(flagship());
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    for (const std::size_t earlier : plan.steps[i].requires_steps) EXPECT_LT(earlier, i);
  }
}

TEST(MakePlan, CyclesAreNamed) {
  tosca::Topology topology = skeleton();
  topology.nodes.at("zookeeper").relationships.push_back(relation("dependency", "other"));
  tosca::NodeTemplate other = software("other", "server", {operation("create", "other.yml")});
  other.relationships.push_back(relation("dependency", "zookeeper"));
  topology.nodes.emplace("other", other);
  const PlanResult result = refused(topology);
  EXPECT_FALSE(result.plan.has_value());
  ASSERT_THAT(rules(result.diagnostics), ElementsAre("plan.cycle"));
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr("dependency loop"));
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr("other -> zookeeper -> other"));
  EXPECT_EQ(result.diagnostics[0].span.line, 1U);
}

TEST(MakePlan, SitesWithoutVirtualAddressesRefuseThem) {
  Site site = sandbox();
  site.capabilities.virtual_address = false;
  EXPECT_THAT(rules(refused(flagship(), site).diagnostics), ElementsAre("site.virtual-address"));
}

TEST(MakePlan, AddressesThatTheSiteWouldHaveToMoveAreRefused) {
  tosca::Topology topology = flagship();
  topology.nodes.at("vip").properties["mechanism"] = tosca::Value("provider");
  EXPECT_THAT(rules(refused(topology).diagnostics), ElementsAre("site.virtual-address"));
  topology.nodes.at("vip").properties["mechanism"] = tosca::Value("vrrp");
  topology.nodes.at("vip").properties["ip_address"] = tosca::Value("10.0.0.250");
  const Plan plan = planned(topology);
  const auto& call = std::get<ResourceCall>(find_step(plan, "vip/resource.create@0.1")->action);
  EXPECT_EQ(std::get<VirtualAddressSpec>(*call.spec).ip_address, "10.0.0.250");
}

TEST(MakePlan, RequirementsThatOthersImplyAreLeftOut) {
  const Plan plan = planned(flagship());
  const Step* start = find_step(plan, "master/Standard.start@0.1,1.1,2.1");
  EXPECT_EQ(start->requires_steps.size(), 1U);
  for (const Step& step : plan.steps) {
    for (const std::size_t earlier : step.requires_steps) {
      for (const std::size_t other : step.requires_steps) {
        EXPECT_FALSE(waits_for(plan, plan.steps[other].id.value, plan.steps[earlier].id.value));
      }
    }
  }
}

// A template of 4 MB can hold so many: planning stays near linear, and refuses by its limits.
TEST(MakePlan, LongChainsAndManyInstancesAreBounded) {
  tosca::Topology chain = topology_of({compute("n0")});
  for (int i = 1; i < 15000; ++i) {
    const std::string name = "n" + std::to_string(i);
    chain.nodes.emplace(name, software(name, "n" + std::to_string(i - 1), {}));
  }
  EXPECT_EQ(planned(chain).instances.size(), 15000U);
  chain.nodes.at("n0").count = 900;
  EXPECT_THAT(rules(refused(chain).diagnostics), testing::Contains("plan.too-many-instances"));
}

TEST(MakePlan, MachinesFollowTheirCapabilities) {
  tosca::Topology topology = topology_of({compute("mesos_master")});
  tosca::NodeTemplate& server = topology.nodes.at("mesos_master");
  server.capabilities["host"].properties["num_cpus"] = tosca::Value("8");
  server.capabilities["host"].properties["mem_size"] = tosca::Value("4 GiB");
  tosca::Capability endpoint{"endpoint", "tosca.capabilities.indigo.Endpoint", {}};
  endpoint.properties["network_name"] = tosca::Value("provider.PUBLIC");
  endpoint.properties["ports"] = tosca::Value(tosca::Map{
      {"all", tosca::Map{{"protocol", "tcp"},
                         {"source_range", tosca::List{tosca::Value(1), tosca::Value(65535)}}}},
      {"dns", tosca::Map{{"protocol", "UDP"}, {"source", tosca::Value("8600")}}}});
  server.capabilities["endpoint"] = endpoint;
  tosca::Capability os{"os", "tosca.capabilities.indigo.OperatingSystem", {}};
  os.properties["distribution"] = tosca::Value("ubuntu");
  os.properties["version"] = tosca::Value("16.04");
  server.capabilities["os"] = os;

  const Plan plan = planned(topology);
  const InstanceSpec& spec = machine(plan, "mesos_master/resource.create@0.1");
  EXPECT_EQ(spec.hostname, "mesos-master-0");
  EXPECT_EQ(spec.num_cpus, 2);
  EXPECT_EQ(spec.mem_size_bytes, std::int64_t{4} << 30);
  EXPECT_TRUE(spec.public_address);
  EXPECT_EQ(spec.network.resource, private_network());
  ASSERT_EQ(spec.ports.size(), 2U);
  EXPECT_EQ(spec.ports[0].last, 65535);
  EXPECT_EQ(spec.ports[1].protocol, "udp");
  EXPECT_EQ(spec.ports[1].first, 8600);
  EXPECT_EQ(spec.image.version, "16.04");
  EXPECT_THAT(rules(plan.warnings), UnorderedElementsAre("site.cpus", "site.image"));
}

TEST(MakePlan, ComputePropertiesMustBeKnownAndSound) {
  tosca::Topology topology = flagship();
  auto& properties = topology.nodes.at("agent_server").capabilities["host"].properties;
  properties["num_cpus"] = attribute("master_server", {"private_address"});
  properties["mem_size"] = tosca::Value("a lot");
  EXPECT_THAT(rules(refused(topology).diagnostics),
              UnorderedElementsAre("plan.not-literal", "plan.property"));
  properties["num_cpus"] = tosca::Value(0);
  properties["mem_size"] = tosca::Value("1 GB");
  EXPECT_THAT(rules(refused(topology).diagnostics), ElementsAre("plan.property"));
}

TEST(MakePlan, HostnamesFollowDnsName) {
  tosca::Topology topology = topology_of({compute("server", 2)});
  tosca::Capability& endpoint = topology.nodes.at("server").capabilities["endpoint"];
  endpoint.properties["dns_name"] = tosca::Value("Mesos_Public.example.org");
  EXPECT_EQ(machine(planned(topology), "server/resource.create@1.1").hostname, "mesos-public-1");
  endpoint.properties["dns_name"] = tosca::Value(tosca::List{"vnode-1", "vnode-2"});
  EXPECT_EQ(machine(planned(topology), "server/resource.create@1.1").hostname, "vnode-2");
  topology.nodes.at("server").count = 1;
  endpoint.properties["dns_name"] = tosca::Value("mesosserverpublic");
  EXPECT_EQ(machine(planned(topology), "server/resource.create@0.1").hostname, "mesosserverpublic");
  tosca::NodeTemplate twin = compute("twin");
  twin.capabilities["endpoint"] = endpoint;
  topology.nodes.emplace("twin", twin);
  EXPECT_THAT(rules(refused(topology).diagnostics), ElementsAre("plan.hostname"));
}

TEST(MakePlan, AddressesAreUniqueAndStayWhenATierGrows) {
  std::map<std::string, std::uint32_t> small;
  for (const auto agents : {2, 30}) {
    const Plan plan = planned(flagship(3, 2, agents));
    std::set<std::uint32_t> indexes;
    for (const Step& step : plan.steps) {
      const auto* call = std::get_if<ResourceCall>(&step.action);
      if (call == nullptr || call->kind != ResourceKind::instance) continue;
      const std::uint32_t index = std::get<InstanceSpec>(*call->spec).address_index;
      EXPECT_LT(index, 200U);
      EXPECT_TRUE(indexes.insert(index).second);
      const auto before = small.emplace(call->resource.value, index);
      EXPECT_EQ(before.first->second, index) << call->resource.value;
    }
  }
  EXPECT_THAT(rules(refused(flagship(3, 2, 100)).diagnostics),
              ElementsAre("plan.too-many-instances"));
  EXPECT_THAT(rules(refused(flagship(3, 2, 1'000'000'000'000)).diagnostics),
              ElementsAre("plan.too-many-instances"));
}

TEST(MakePlan, NodesWithoutOperationsPassThrough) {
  tosca::Topology topology = skeleton();
  topology.nodes.emplace("app", software("app", "zookeeper", {}));
  const Plan plan = planned(topology);
  const Step* step = find_step(plan, "app/Standard.start@0.1");
  ASSERT_NE(step, nullptr);
  EXPECT_TRUE(std::holds_alternative<NoOp>(step->action));
  EXPECT_TRUE(waits_for(plan, step->id.value, "zookeeper/Standard.create@0.1"));
}

TEST(MakePlan, OperationsNeedAMachine) {
  tosca::NodeTemplate lonely = node("lonely", "example.Software");
  lonely.operations.push_back(operation("create", "x.yml"));
  EXPECT_THAT(rules(refused(topology_of({lonely})).diagnostics), ElementsAre("plan.no-host"));
}

TEST(MakePlan, AnEmptyTierHasNoSteps) {
  const Plan plan = planned(flagship(3, 2, 0));
  for (const Step& step : plan.steps) EXPECT_THAT(step.node, testing::Not(HasSubstr("agent")));
  EXPECT_NE(find_step(plan, "balancer/Standard.create@0.1,1.1"), nullptr);
}

TEST(MakePlan, WhatIsDoneIsDropped) {
  const tosca::Topology topology = flagship();
  Observation observed = all_done(planned(topology));
  EXPECT_THAT(planned(topology, observed).steps, IsEmpty());
  for (ObservedInstance& instance : observed.instances) {
    if (instance.key == InstanceKey{"master", 1}) instance.state = InstanceState::created;
  }
  EXPECT_THAT(step_ids(planned(topology, observed)), ElementsAre("master/Standard.start@1.1"));
}

TEST(MakePlan, GrowingATierPlansItsNewInstancesAlone) {
  const Observation observed = all_done(planned(flagship()));
  EXPECT_THAT(step_ids(planned(flagship(3, 2, 3), observed)),
              ElementsAre("agent_server/resource.create@2.1", "agent/Standard.create@2.1"));
}

TEST(MakePlan, ShrinkingATierDestroysTheHighestOrdinals) {
  const Observation observed = all_done(planned(flagship(3, 2, 4)));
  const Plan plan = planned(flagship(3, 2, 2), observed);
  EXPECT_THAT(step_ids(plan), ElementsAre("instance/agent_server-3/resource.destroy@1",
                                          "instance/agent_server-2/resource.destroy@1"));
  EXPECT_EQ(plan.instances.size(), planned(flagship(3, 2, 2)).instances.size());
}

TEST(MakePlan, FreeOrdinalsAreTakenFromBelow) {
  Observation observed = all_done(planned(flagship(3, 2, 3)));
  std::erase_if(observed.instances, [](const ObservedInstance& instance) {
    return instance.key.ordinal == 0 && instance.key.node.starts_with("agent");
  });
  std::erase_if(observed.resources, [](const ObservedResource& resource) {
    return resource.id.value == "instance/agent_server-0";
  });
  EXPECT_THAT(step_ids(planned(flagship(3, 2, 3), observed)),
              ElementsAre("agent_server/resource.create@0.1", "agent/Standard.create@0.1"));
}

TEST(MakePlan, AbsenceDestroysMachinesThenAddressesThenNetworks) {
  const Observation observed = all_done(planned(flagship(1, 1, 2)));
  const PlanResult result = make_plan(nullptr, observed, sandbox());
  ASSERT_TRUE(result.feasible());
  const Plan& plan = *result.plan;
  ASSERT_EQ(plan.steps.size(), 6U);
  EXPECT_EQ(plan.steps[0].id.value, "instance/agent_server-1/resource.destroy@1");
  EXPECT_EQ(plan.steps[4].id.value, "virtual_address/vip/resource.destroy@1");
  EXPECT_EQ(plan.steps[5].id.value, "network/private/resource.destroy@1");
  EXPECT_THAT(plan.steps[4].requires_steps, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(plan.steps[5].requires_steps, ElementsAre(4));
  EXPECT_THAT(plan.instances, IsEmpty());
}

TEST(Render, SaysTheSamePlanTheSameWay) {
  const Plan plan = planned(skeleton());
  EXPECT_EQ(to_json(plan), to_json(planned(skeleton())));
  EXPECT_EQ(to_mermaid(plan),
            "flowchart LR\n"
            "  s0([\"network/private<br/>resource.create\"])\n"
            "  s1([\"server-0<br/>resource.create\"])\n"
            "  s2[\"zookeeper-0<br/>Standard.create\"]\n"
            "  s0 --> s1\n"
            "  s1 --> s2\n");
  EXPECT_THAT(to_json(plan), HasSubstr(R"("id":"zookeeper/Standard.create@0.1")"));
  EXPECT_THAT(to_json(plan), HasSubstr(R"("requires":["server/resource.create@0.1"])"));
}

TEST(InstanceStates, HaveNamesThatReadBack) {
  for (int i = 0; i <= static_cast<int>(InstanceState::error); ++i) {
    const auto state = static_cast<InstanceState>(i);
    EXPECT_EQ(instance_state_from(to_string(state)), state);
  }
  EXPECT_EQ(instance_state_from("STARTED"), std::nullopt);
}

}  // namespace
}  // namespace tutti::plan
