// What a plan refuses, and what it tells without refusing.
#include "tests/unit/server/plan/topologies.hpp"

namespace tutti::plan {
namespace {

using namespace tutti::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(PlanRefusals, NamesThatAnsibleWouldReadOtherwiseAreRefused) {
  for (const std::string name : {"{{ lookup('pipe', 'id') }}", "a:b", "a[1:3]", "a b", "-a", ""}) {
    tosca::NodeTemplate node = compute("x");
    node.name = name;
    EXPECT_THAT(rules(refused(topology_of({node})).diagnostics),
                testing::Contains("plan.node-name"))
        << name;
  }
  EXPECT_THAT(rules(planned(topology_of({compute("Web_1.a-b")})).warnings), IsEmpty());
}

TEST(PlanRefusals, HostsInACircleAreRefused) {
  tosca::NodeTemplate a = software("a", "b", {});
  tosca::NodeTemplate b = software("b", "a", {});
  EXPECT_THAT(rules(refused(topology_of({a, b})).diagnostics),
              ElementsAre("plan.cycle", "plan.cycle"));
}

TEST(PlanRefusals, EvenMastersAreRefusedWithTheQuorumExplained) {
  const PlanResult result = refused(flagship(4));
  ASSERT_THAT(rules(result.diagnostics), ElementsAre("policy.odd-members"));
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr("4 members: a majority of them is 3"));
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr("loss of 1, no more than 3 would"));
  EXPECT_THAT(result.diagnostics[0].hint, HasSubstr("count to 3, or to 5"));
  EXPECT_THAT(refused(flagship(2)).diagnostics[0].message, HasSubstr("loss of none"));
  EXPECT_THAT(refused(flagship(0)).diagnostics[0].message, HasSubstr("no members"));
  EXPECT_THAT(rules(planned(flagship(1)).warnings), IsEmpty());
}

TEST(PlanRefusals, OtherPoliciesAreSaidToHaveNoEffect) {
  tosca::Topology topology = skeleton();
  tosca::Policy scaling;
  scaling.name = "grow";
  scaling.type = "tosca.policies.Scaling";
  topology.policies.push_back(scaling);
  EXPECT_THAT(rules(planned(topology).warnings), ElementsAre("policy.ignored"));
}

TEST(PlanRefusals, APlacementOnAnotherSiteIsRefusedAndCanStillBeLookedAt) {
  tosca::Topology topology = skeleton();
  tosca::Policy sla;
  sla.name = "deploy_on";
  sla.type = "tosca.policies.indigo.SlaPlacement";
  sla.ancestry = {sla.type, "tosca.policies.Placement", "tosca.policies.Root"};
  topology.policies.push_back(sla);
  EXPECT_THAT(planned(topology).warnings, IsEmpty()) << "it names no place";
  auto& place = topology.policies.front().properties["sla_id"];
  place = tosca::Value(sandbox().name.value);
  EXPECT_THAT(planned(topology).warnings, IsEmpty()) << "it names this site";
  place = tosca::Value("SLA_provider-AWS");
  const PlanResult result = refused(topology);
  EXPECT_TRUE(result.plan.has_value());
  ASSERT_THAT(rules(result.diagnostics), ElementsAre("policy.placement"));
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr("'SLA_provider-AWS'"));
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr("missing"));
}

TEST(PlanRefusals, OperationsThatNobodyPerformsAreTold) {
  tosca::Topology topology = skeleton();
  tosca::NodeTemplate& zookeeper = topology.nodes.at("zookeeper");
  tosca::OperationDefinition stop = zookeeper.operations.front();
  stop.name = "stop";
  zookeeper.operations.push_back(stop);
  EXPECT_THAT(rules(planned(topology).warnings), ElementsAre("plan.operation-ignored"));
  tosca::OperationDefinition attach = stop;
  attach.interface_name = "Configure";
  attach.name = "pre_configure_source";
  zookeeper.relationships.front().operations.push_back(attach);
  const PlanResult result = refused(topology);
  EXPECT_TRUE(result.plan.has_value());
  ASSERT_THAT(rules(result.diagnostics), ElementsAre("plan.missing-implementation"));
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr("Configure.pre_configure_source"));
}

TEST(PlanRefusals, MissingImplementationsAreNamedAndCanStillBeLookedAt) {
  tosca::Topology topology = skeleton();
  topology.nodes.at("zookeeper").operations.front().implementation = "missing:clues/install.yml";
  const PlanResult result = refused(topology);
  ASSERT_TRUE(result.plan.has_value());
  ASSERT_THAT(rules(result.diagnostics), ElementsAre("plan.missing-implementation"));
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr("zookeeper"));
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr("Standard.create"));
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr("clues/install.yml"));
}

}  // namespace
}  // namespace tutti::plan
