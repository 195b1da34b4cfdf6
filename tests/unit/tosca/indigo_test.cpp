// INDIGO's own templates, unmodified (tests/golden/tosca/indigo).
#include "tests/unit/tosca/resolve_support.hpp"

namespace tutti::tosca {
namespace {

ResolveResult indigo(const std::string& name, bool require_inputs = false) {
  Resolving options;
  options.require_inputs = require_inputs;
  if (require_inputs) {
    for (const auto* input : {"mesos_password", "marathon_password", "chronos_password"}) {
      options.inputs[input] = Value("canary");
    }
  }
  return resolve_text(read_file(TUTTI_SOURCE_DIR "/tests/golden/tosca/indigo/" + name + ".yaml"),
                      options);
}

TEST(Indigo, TheFiveClustersResolve) {
  for (const auto* name : {"mesos_cluster", "mesos_elastic_cluster", "hybrid_mesos_elastic_cluster",
                           "mesos_cluster_aws", "spark_mesos_cluster"}) {
    EXPECT_THAT(indigo(name), Resolves()) << name;
  }
}

TEST(Indigo, TheMesosClusterCanBeDeployed) {
  const auto result = indigo("mesos_cluster", true);
  ASSERT_THAT(result, Resolves());
  const auto& nodes = result.topology->nodes;
  for (const auto& [name, node] : nodes) {
    for (const auto& operation : node.operations) {
      EXPECT_THAT(operation.implementation, testing::StartsWith("tosca/")) << name;
    }
  }
  EXPECT_EQ(nodes.at("mesos_slave_server").count, 2);
  EXPECT_EQ(*nodes.at("mesos_lb_server").capabilities.at("os").properties.at("version").literal(),
            Value("16.04"));
  const Expression& masters = nodes.at("mesos_master").properties.at("mesos_masters_list");
  EXPECT_EQ(std::get<GetAttribute>(masters.data).node, "mesos_master_server");
  EXPECT_TRUE(masters.wants_list);
  EXPECT_EQ(nodes.at("mesos_slave").ancestry.at(1), "tosca.nodes.indigo.LRMS.WorkerNode.Mesos");
}

TEST(Indigo, PasswordsAreTaintedBackToTheirInputs) {
  const auto result = indigo("mesos_cluster", true);
  ASSERT_THAT(result, Resolves());
  for (const auto* name : {"mesos_password", "marathon_password", "chronos_password"}) {
    EXPECT_TRUE(result.topology->inputs.at(name).secret) << name;
    EXPECT_EQ(result.secrets.at(SecretRef{"input/" + std::string(name)}), "canary");
  }
  EXPECT_FALSE(result.topology->inputs.at("slave_num").secret);
}

TEST(Indigo, WhatTuttiDoesNotShipIsNamed) {
  const auto result = indigo("mesos_elastic_cluster");
  ASSERT_THAT(result, Resolves());
  const auto& operations = result.topology->nodes.at("elastic_cluster_front_end").operations;
  ASSERT_EQ(operations.size(), 1U);
  EXPECT_EQ(operations[0].implementation, "missing:artifacts/ec3/ec3_install.yml");
  // Properties of capabilities of nodes behind requirements.
  EXPECT_EQ(*operations[0].inputs.at("clues_queue_system").literal(), Value("mesos"));
  EXPECT_EQ(*operations[0].inputs.at("ec3_max_instances").literal(), Value(3));
}

TEST(Indigo, CredentialsAreSecretInside) {
  const auto result = indigo("mesos_elastic_cluster");
  ASSERT_THAT(result, Resolves());
  const Value& credentials = *result.topology->nodes.at("elastic_cluster_front_end")
                                  .properties.at("marathon_credentials")
                                  .literal();
  EXPECT_EQ(credentials.as_map()->at("token"), Value(SecretRef{"input/marathon_password"}));
  EXPECT_EQ(credentials.as_map()->at("user"), Value("admin"));
}

}  // namespace
}  // namespace tutti::tosca
