// Resolved topologies beside their golden files (tests/golden/tosca). With TUTTI_UPDATE_GOLDEN set
// the files are written anew: read the difference before it is committed.
#include "tests/unit/tosca/resolve_support.hpp"
#include "tests/unit/tosca/topology_json.hpp"

#include <cstdlib>
#include <fstream>

namespace tutti::tosca {
namespace {

struct Case {
  const char* name;
  const char* path;  // below the root of the repository
};

class Golden : public testing::TestWithParam<Case> {};

TEST_P(Golden, Topology) {
  const std::string root = TUTTI_SOURCE_DIR "/";
  Resolving options;
  for (const auto* name : {"mesos_password", "marathon_password", "chronos_password"}) {
    options.inputs[name] = Value("canary-" + std::string(name));
  }
  const std::string text = read_file(root + GetParam().path);
  for (auto input = options.inputs.begin(); input != options.inputs.end();) {
    input = text.find("    " + input->first + ":") == std::string::npos
                ? options.inputs.erase(input)
                : std::next(input);
  }
  const auto result = resolve_text(text, options);
  ASSERT_THAT(result, Resolves());
  const std::string made = to_json(*result.topology).dump(2) + "\n";
  EXPECT_THAT(made, testing::Not(testing::HasSubstr("canary-")));
  const std::string golden = root + "tests/golden/tosca/" + GetParam().name + ".json";
  if (std::getenv("TUTTI_UPDATE_GOLDEN") != nullptr) std::ofstream(golden) << made;
  EXPECT_EQ(made, read_file(golden));
}

INSTANTIATE_TEST_SUITE_P(
    Files, Golden,
    testing::Values(Case{"mesos-cluster", "templates/mesos-cluster.yaml"},
                    Case{"zookeeper", "templates/zookeeper.yaml"},
                    Case{"indigo-mesos_cluster", "tests/golden/tosca/indigo/mesos_cluster.yaml"},
                    Case{"indigo-hybrid",
                         "tests/golden/tosca/indigo/hybrid_mesos_elastic_cluster.yaml"},
                    Case{"indigo-spark", "tests/golden/tosca/indigo/spark_mesos_cluster.yaml"}),
    [](const auto& param_info) {
      std::string name = param_info.param.name;
      for (char& c : name) c = c == '-' ? '_' : c;
      return name;
    });

}  // namespace
}  // namespace tutti::tosca
