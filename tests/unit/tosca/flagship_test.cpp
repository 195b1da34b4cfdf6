// templates/mesos-cluster.yaml: what its users were promised.
#include "tests/unit/tosca/resolve_support.hpp"

namespace tutti::tosca {
namespace {

ResolveResult flagship(std::map<std::string, Value> inputs = {}) {
  Resolving options;
  options.inputs = {{"mesos_password", "mesos-canary"},
                    {"marathon_password", "marathon-canary"},
                    {"chronos_password", "chronos-canary"}};
  for (auto& [name, value] : inputs) options.inputs.insert_or_assign(name, value);
  return resolve_text(read_file(TUTTI_SOURCE_DIR "/templates/mesos-cluster.yaml"), options);
}

TEST(Flagship, ThreeMastersTwoBalancersTwoAgents) {
  const auto result = flagship();
  ASSERT_THAT(result, Resolves());
  EXPECT_THAT(result.diagnostics, testing::IsEmpty()) << all_problems(result);
  const auto& nodes = result.topology->nodes;
  EXPECT_EQ(nodes.at("master_server").count, 3);
  EXPECT_EQ(nodes.at("lb_server").count, 2);
  EXPECT_EQ(nodes.at("agent_server").count, 2);
  ASSERT_EQ(result.topology->policies.size(), 1U);
  EXPECT_EQ(result.topology->policies[0].type, "tutti.policies.OddMembers");
  EXPECT_EQ(result.topology->policies[0].targets, std::vector<std::string>{"mesos_master"});
}

TEST(Flagship, CountsAndSizesAreInputs) {
  const auto result = flagship({{"master_count", "5"}, {"agent_count", 0}, {"agent_mem", "4GiB"}});
  ASSERT_THAT(result, Resolves());
  EXPECT_EQ(result.topology->nodes.at("master_server").count, 5);
  EXPECT_EQ(result.topology->nodes.at("agent_server").count, 0);
  EXPECT_EQ(*result.topology->nodes.at("agent_server")
                 .capabilities.at("host")
                 .properties.at("mem_size")
                 .literal(),
            Value("4 GiB"));
  EXPECT_TRUE(has_errors(flagship({{"master_count", 10}}).diagnostics));
  EXPECT_TRUE(has_errors(flagship({{"mesos_password", "short"}}).diagnostics));
}

TEST(Flagship, EndpointsAreThroughTheVirtualAddress) {
  const auto result = flagship();
  ASSERT_THAT(result, Resolves());
  for (const auto* name : {"mesos_endpoint", "marathon_endpoint", "chronos_endpoint"}) {
    const auto* concat = std::get_if<Concat>(&result.topology->outputs.at(name).value.data);
    ASSERT_NE(concat, nullptr) << name;
    EXPECT_EQ(std::get<GetAttribute>(concat->parts.at(1).data).node, "virtual_address");
  }
}

TEST(Flagship, HasItsSecretsSealed) {
  const auto result = flagship();
  ASSERT_THAT(result, Resolves());
  EXPECT_EQ(result.secrets.at(SecretRef{"input/mesos_password"}), "mesos-canary");
  EXPECT_EQ(result.secrets.size(), 3U);
  for (const auto* name : {"mesos_password", "marathon_password", "chronos_password"}) {
    EXPECT_TRUE(result.topology->inputs.at(name).secret);
  }
  // Masters, their health and the cluster's health get the same references.
  for (const auto* node : {"mesos_master", "cluster"}) {
    for (const auto& operation : result.topology->nodes.at(node).operations) {
      EXPECT_EQ(*operation.inputs.at("chronos_password").literal(),
                Value(SecretRef{"input/chronos_password"}));
    }
  }
}

TEST(Flagship, ValidatesWithoutInputs) {
  Resolving options;
  options.require_inputs = false;
  EXPECT_THAT(resolve_text(read_file(TUTTI_SOURCE_DIR "/templates/mesos-cluster.yaml"), options),
              Resolves());
  EXPECT_THAT(resolve_text(read_file(TUTTI_SOURCE_DIR "/templates/mesos-cluster.yaml")),
              ReportsAt("input.missing", "22:7"));
}

}  // namespace
}  // namespace tutti::tosca
