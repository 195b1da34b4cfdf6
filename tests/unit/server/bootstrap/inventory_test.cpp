#include "server/bootstrap/inventory.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace tutti::bootstrap {
namespace {

using Json = nlohmann::json;

Host host(const std::string& name, const std::string& address, int port) {
  Host made;
  made.name = name;
  made.address = address;
  made.port = port;
  made.host_public_key = "ssh-ed25519 KEY-" + name;
  made.vars["tutti_ordinal"] = 0;
  return made;
}

TEST(InventoryTest, HasTargetsAndAGroupForEachNodeTemplate) {
  bootstrap::Run run;
  run.targets = {host("master-0", "10.0.0.1", 22)};
  run.groups["master"] = run.targets;
  run.groups["slave"] = {host("slave-0", "10.0.0.2", 2222)};
  run.groups["targets"] = run.groups["slave"];  // a node template with an unlucky name
  const auto json = Json::parse(inventory_json(run));
  EXPECT_EQ(json["all"]["hosts"]["master-0"]["ansible_host"], "10.0.0.1");
  EXPECT_EQ(json["all"]["hosts"]["slave-0"]["ansible_port"], 2222);
  EXPECT_EQ(json["all"]["hosts"]["master-0"]["tutti_ordinal"], 0);
  const auto& groups = json["all"]["children"];
  EXPECT_TRUE(groups["targets"]["hosts"].contains("master-0"));
  EXPECT_FALSE(groups["targets"]["hosts"].contains("slave-0"));
  EXPECT_TRUE(groups["slave"]["hosts"].contains("slave-0"));
}

TEST(InventoryTest, NothingAUserTypedIsATemplate) {
  tosca::Map inner;
  inner["deep"] = "x {% raw %}";
  tosca::Map vars;
  vars["plain"] = "a {b} c";
  vars["evil"] = "{{ lookup('pipe', 'id') }}";
  vars["list"] = tosca::List{tosca::Value("{# c #}"), tosca::Value(inner), tosca::Value(2.5)};
  const auto json = Json::parse(vars_json(vars));
  EXPECT_EQ(json["plain"], "a {b} c");
  EXPECT_EQ(json["evil"]["__ansible_unsafe"], "{{ lookup('pipe', 'id') }}");
  EXPECT_EQ(json["list"][0]["__ansible_unsafe"], "{# c #}");
  EXPECT_EQ(json["list"][1]["deep"]["__ansible_unsafe"], "x {% raw %}");
  EXPECT_EQ(json["list"][2], 2.5);
}

TEST(InventoryTest, KnownHostsNameUnusualPorts) {
  bootstrap::Run run;
  run.targets = {host("a-0", "10.0.0.1", 22), host("b-0", "10.0.0.2", 2222)};
  run.groups["a"] = {run.targets[0]};
  EXPECT_EQ(known_hosts(run),
            "10.0.0.1 ssh-ed25519 KEY-a-0\n[10.0.0.2]:2222 ssh-ed25519 KEY-b-0\n");
}

}  // namespace
}  // namespace tutti::bootstrap
