// Topologies made by hand for the tests of plan and reconcile: what tosca/resolve would give.
#pragma once

#include "server/plan/plan.hpp"
#include "tosca/topology/topology.hpp"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

namespace tutti::test {

inline tosca::Expression attribute(std::string node, std::vector<std::string> path) {
  return tosca::Expression(tosca::GetAttribute{std::move(node), std::move(path)});
}

inline tosca::NodeTemplate node(std::string name, std::string type,
                                std::vector<std::string> parents = {}) {
  tosca::NodeTemplate made;
  made.name = std::move(name);
  made.type = std::move(type);
  made.ancestry = {made.type};
  made.ancestry.insert(made.ancestry.end(), parents.begin(), parents.end());
  made.span.file = "template";
  made.span.line = 1;
  return made;
}

inline tosca::NodeTemplate compute(std::string name, std::int64_t count = 1) {
  tosca::NodeTemplate made = node(std::move(name), "tosca.nodes.indigo.Compute",
                                  {"tosca.nodes.Compute", "tosca.nodes.Root"});
  made.count = count;
  made.scaled = count != 1;
  tosca::Capability host{"host", "tosca.capabilities.indigo.Container", {}};
  host.properties["num_cpus"] = tosca::Value(2);
  host.properties["mem_size"] = tosca::Value("2 GB");
  made.capabilities["host"] = host;
  return made;
}

inline tosca::Relationship relation(std::string requirement, std::string target,
                                    bool hosted_on = false) {
  tosca::Relationship made;
  made.requirement = std::move(requirement);
  made.relationship_type =
      hosted_on ? "tosca.relationships.HostedOn" : "tosca.relationships.DependsOn";
  made.hosted_on = hosted_on;
  made.target = std::move(target);
  return made;
}

inline tosca::OperationDefinition operation(std::string name, std::string playbook,
                                            tosca::ExpressionMap inputs = {}) {
  tosca::OperationDefinition made;
  made.interface_name = "Standard";
  made.name = std::move(name);
  made.implementation = std::move(playbook);
  made.inputs = std::move(inputs);
  return made;
}

inline tosca::NodeTemplate software(std::string name, std::string host,
                                    std::vector<tosca::OperationDefinition> operations) {
  tosca::NodeTemplate made =
      node(std::move(name), "example.Software", {"tosca.nodes.SoftwareComponent"});
  made.relationships.push_back(relation("host", std::move(host), true));
  made.operations = std::move(operations);
  return made;
}

inline tosca::Topology topology_of(std::vector<tosca::NodeTemplate> nodes) {
  tosca::Topology made;
  for (tosca::NodeTemplate& each : nodes) made.nodes.emplace(each.name, each);
  return made;
}

// One machine with ZooKeeper: the smallest deployment that uses every layer.
inline tosca::Topology skeleton() {
  return topology_of(
      {compute("server"),
       software("zookeeper", "server",
                {operation("create", "zookeeper.yml",
                           {{"hosts", attribute("server", {"private_address"})}})})});
}

// The flagship's shape: three tiers, an ensemble that is waited for in `start`, a virtual address.
inline tosca::Topology flagship(std::int64_t masters = 3, std::int64_t balancers = 2,
                                std::int64_t agents = 2) {
  const auto master_addresses = attribute("master_server", {"private_address"});
  tosca::NodeTemplate balancer = software(
      "balancer", "balancer_server",
      {operation(
          "create", "balancer.yml",
          {{"masters", master_addresses}, {"virtual_ip", attribute("vip", {"ip_address"})}})});
  balancer.relationships.push_back(relation("address", "vip"));
  tosca::Topology made = topology_of(
      {compute("master_server", masters), compute("agent_server", agents),
       compute("balancer_server", balancers),
       software("master", "master_server",
                {operation("create", "master.yml", {{"masters", master_addresses}}),
                 operation("start", "master_health.yml")}),
       software("agent", "agent_server",
                {operation("create", "agent.yml", {{"masters", master_addresses}})}),
       balancer, node("vip", "tutti.nodes.network.VirtualAddress", {"tosca.nodes.Root"})});
  tosca::Policy odd;
  odd.name = "odd_masters";
  odd.type = "tutti.policies.OddMembers";
  odd.ancestry = {odd.type, "tosca.policies.Root"};
  odd.targets = {"master_server"};
  made.policies.push_back(odd);
  return made;
}

inline plan::Site sandbox() {
  plan::Site site;
  site.name = SiteName("local");
  site.provider = "docker";
  site.capabilities.virtual_address = true;
  site.capabilities.fixed_addresses = true;
  site.capabilities.stop = true;
  site.capabilities.max_cpus = 2;
  return site;
}

inline std::vector<std::string> rules(const tosca::Diagnostics& diagnostics) {
  std::vector<std::string> found;
  for (const tosca::Diagnostic& diagnostic : diagnostics) found.push_back(diagnostic.rule);
  return found;
}

inline plan::Plan planned(const tosca::Topology& topology, const plan::Observation& observed = {},
                          const plan::Site& site = sandbox()) {
  plan::PlanResult result = plan::make_plan(&topology, observed, site);
  EXPECT_THAT(rules(result.diagnostics), testing::IsEmpty());
  return result.plan.value_or(plan::Plan{});
}

inline plan::PlanResult refused(const tosca::Topology& topology,
                                const plan::Site& site = sandbox()) {
  plan::PlanResult result = plan::make_plan(&topology, {}, site);
  EXPECT_FALSE(result.feasible());
  return result;
}

inline const plan::Step* find_step(const plan::Plan& made, const std::string& id) {
  for (const plan::Step& step : made.steps) {
    if (step.id.value == id) return &step;
  }
  return nullptr;
}

inline std::vector<std::string> required_ids(const plan::Plan& made, const plan::Step& step) {
  std::vector<std::string> ids;
  for (const std::size_t index : step.requires_steps) ids.push_back(made.steps[index].id.value);
  return ids;
}

// Whether `later` can only begin when `earlier` is done, by whatever path.
inline bool waits_for(const plan::Plan& made, const std::string& later,
                      const std::string& earlier) {
  const plan::Step* step = find_step(made, later);
  if (step == nullptr) return false;
  for (const std::string& id : required_ids(made, *step)) {
    if (id == earlier || waits_for(made, id, earlier)) return true;
  }
  return false;
}

}  // namespace tutti::test
