#include "server/config/config.hpp"

#include <gtest/gtest.h>

namespace tutti::config {
namespace {

Loaded load_text(const std::string& text, std::map<std::string, std::string> variables = {}) {
  const Environment environment =
      [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  return load("tutti.yaml", text, environment, false);
}

TEST(Config, HasDefaultsThatWork) {
  const Loaded loaded = load_text("", {{"HOME", "/home/someone"}});
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->http_address, "127.0.0.1");
  EXPECT_EQ(loaded.config->http_port, 8080);
  EXPECT_EQ(loaded.config->data_dir, "/home/someone/.local/share/tutti");
  EXPECT_EQ(loaded.config->key_file, "/home/someone/.local/share/tutti/key");
  EXPECT_EQ(loaded.config->mesos_stack, "images");
}

TEST(Config, ReadsSectionsAndImports) {
  const Loaded loaded = load_text(
      "http: {port: 9000}\ndata_dir: /d\nsite:\n  provider: simulated\n"
      "cluster:\n  mesos_stack: standin\n  vars: {zookeeper_image: 'zookeeper:3.8'}\n"
      "imports:\n  https://a/b.yaml: /c.yaml\n");
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->http_port, 9000);
  EXPECT_EQ(loaded.config->key_file, "/d/key");
  EXPECT_EQ(loaded.config->site_provider, "simulated");
  EXPECT_EQ(loaded.config->imports.at("https://a/b.yaml"), "/c.yaml");
  EXPECT_EQ(loaded.config->mesos_stack, "standin");
  EXPECT_EQ(loaded.config->cluster_vars.at("zookeeper_image"), "zookeeper:3.8");
}

TEST(Config, EnvironmentWins) {
  const Loaded loaded = load_text("http: {port: 9000}\n", {{"TUTTI_PORT", "9001"}});
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->http_port, 9001);
}

TEST(Config, RefusesWithThePlace) {
  struct Case {
    const char* text;
    const char* rule;
    unsigned line, column;
  };
  for (const Case& c :
       {Case{"http:\n  prot: 1\n", "config.unknown-key", 2, 3},
        Case{"http:\n  port: many\n", "config.value", 2, 9},
        Case{"http:\n  port: 70000\n", "config.value", 2, 9},
        Case{"http:\n  address: 0.0.0.0\n", "config.value", 2, 12},
        Case{"site: {provider: aws}\n", "config.value", 1, 18},
        Case{"cluster: {vars: {a: [1]}}\n", "config.type", 1, 21},
        Case{"data_dir: [a]\n", "config.type", 1, 11}, Case{"- a\n", "config.type", 1, 1}}) {
    const Loaded loaded = load_text(c.text);
    EXPECT_FALSE(loaded.config) << c.text;
    ASSERT_EQ(loaded.diagnostics.size(), 1U) << c.text;
    EXPECT_EQ(loaded.diagnostics[0].rule, c.rule) << c.text;
    EXPECT_EQ(loaded.diagnostics[0].span.line, c.line) << c.text;
    EXPECT_EQ(loaded.diagnostics[0].span.column, c.column) << c.text;
  }
}

TEST(Config, ReportsEveryProblem) {
  const Loaded loaded = load_text("http: {port: x, adress: y}\nlog: {level: loud}\n",
                                  {{"TUTTI_MESOS_STACK", "real"}});
  EXPECT_FALSE(loaded.config);
  EXPECT_EQ(loaded.diagnostics.size(), 4U);
}

}  // namespace
}  // namespace tutti::config
