// Plans of INDIGO's own templates, unmodified: all five can be looked at, and what hinders a
// deployment here is named.
#include "tests/unit/server/plan/topologies.hpp"
#include "tests/unit/tosca/resolve_support.hpp"

namespace tutti::plan {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;

PlanResult plan_of(const std::string& name) {
  tosca::Resolving options;
  options.require_inputs = false;
  const auto resolved = tosca::resolve_text(
      tosca::read_file(TUTTI_SOURCE_DIR "/tests/golden/tosca/indigo/" + name + ".yaml"), options);
  EXPECT_TRUE(resolved.topology) << tosca::all_problems(resolved);
  return make_plan(&*resolved.topology, {}, test::sandbox());
}

auto says(const std::string& rule, const std::string& text) {
  return Contains(AllOf(Field(&tosca::Diagnostic::rule, rule),
                        Field(&tosca::Diagnostic::message, HasSubstr(text))));
}

TEST(IndigoPlans, TheMesosClusterIsDeployedOnTheSandboxsImage) {
  const PlanResult result = plan_of("mesos_cluster");
  ASSERT_TRUE(result.feasible());
  EXPECT_THAT(result.plan->warnings, says("site.image", "asks for ubuntu 16.04"));
}

TEST(IndigoPlans, WhatTheOthersLackIsNamed) {
  const std::map<std::string, std::pair<std::string, std::string>> lacks{
      {"mesos_elastic_cluster", {"plan.missing-implementation", "artifacts/ec3/ec3_install.yml"}},
      {"hybrid_mesos_elastic_cluster",
       {"plan.missing-implementation", "artifacts/ec3/ec3_install.yml"}},
      {"spark_mesos_cluster", {"plan.missing-implementation", "spark"}},
      {"mesos_cluster_aws", {"policy.placement", "SLA_provider-AWS-us-east-1_indigo-dc"}}};
  for (const auto& [name, lack] : lacks) {
    const PlanResult result = plan_of(name);
    ASSERT_TRUE(result.plan.has_value()) << name;
    EXPECT_FALSE(result.plan->steps.empty()) << name;
    EXPECT_FALSE(result.feasible()) << name;
    EXPECT_THAT(result.diagnostics, says(lack.first, lack.second)) << name;
  }
}

}  // namespace
}  // namespace tutti::plan
