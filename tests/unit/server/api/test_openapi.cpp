// proto/openapi.yaml says what is served: its paths and methods are the route table's, and what the
// golden files show has its schemas' members.
#include "server/api/routes.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <set>

namespace tutti::api {
namespace {

using nlohmann::json;

YAML::Node document() {
  return YAML::LoadFile(TUTTI_SOURCE_DIR "/proto/openapi.yaml");
}

std::set<std::string> served_methods(const std::string& path) {
  const auto target = http::parse_target(path);
  std::set<std::string> methods;
  std::istringstream allow(match_route("NONE", *target).allow);
  for (std::string word; allow >> word;) {
    if (word.ends_with(',')) word.pop_back();
    if (word != "HEAD" && word != "OPTIONS") methods.insert(word);
  }
  return methods;
}

TEST(OpenApi, PathsAreTheRoutes) {
  const YAML::Node description = document();
  std::size_t paths = 0;
  for (const auto& path : description["paths"]) {
    std::set<std::string> described;
    for (const auto& member : path.second) {
      auto name = member.first.as<std::string>();
      if (name == "parameters") continue;
      for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      described.insert(name);
    }
    std::string example = path.first.as<std::string>();  // "{deployment}" needs escapes in a target
    for (char& c : example) c = c == '{' || c == '}' ? 'x' : c;
    EXPECT_EQ(described, served_methods(example)) << example;
    ++paths;
  }
  EXPECT_EQ(paths, 17U);  // as many as the table has patterns
}

void expect_schema(const json& value, const YAML::Node& schema, const std::string& place) {
  for (const auto& name : schema["required"]) {
    EXPECT_TRUE(value.contains(name.as<std::string>())) << place << " lacks " << name;
  }
  for (const auto& [name, member] : value.items()) {
    EXPECT_TRUE(schema["properties"][name]) << place << " does not describe " << name;
  }
}

json golden(const std::string& name) {
  std::ifstream file(TUTTI_SOURCE_DIR "/tests/golden/api/" + name + ".json");
  return json::parse(file);
}

TEST(OpenApi, SchemasDescribeTheGoldenFiles) {
  const YAML::Node schemas = document()["components"]["schemas"];
  for (const char* name :
       {"deployment_new", "deployment_in_progress", "deployment_complete", "deployment_failed"}) {
    expect_schema(golden(name), schemas["Deployment"], name);
  }
  for (const auto& resource : golden("resources")) {
    expect_schema(resource, schemas["Resource"], "resource");
  }
  const json progress = golden("progress");
  expect_schema(progress, schemas["Progress"], "progress");
  for (const auto& node : progress.at("nodes")) {
    expect_schema(node, schemas["Progress"]["properties"]["nodes"]["items"], "node");
  }
  for (const char* name : {"error_not_found", "error_invalid_json", "error_fields"}) {
    expect_schema(golden(name), schemas["Error"], name);
  }
}

}  // namespace
}  // namespace tutti::api
