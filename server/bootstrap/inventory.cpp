#include "server/bootstrap/inventory.hpp"

#include <nlohmann/json.hpp>

#include <set>

namespace tutti::bootstrap {
namespace {

using Json = nlohmann::json;

// Ansible's JSON reader turns this object into a string that Jinja never looks into.
Json text(const std::string& value) {
  for (const char* marker : {"{{", "{%", "{#"}) {
    if (value.find(marker) != std::string::npos) return {{"__ansible_unsafe", value}};
  }
  return value;
}

Json to_json(const tosca::Value& value) {
  if (const auto* flag = value.as_boolean()) return *flag;
  if (const auto* number = value.as_integer()) return *number;
  if (const auto* real = std::get_if<double>(&value.data)) return *real;
  if (const auto* string = value.as_string()) return text(*string);
  if (const auto* list = value.as_list()) {
    Json json = Json::array();
    for (const tosca::Value& item : *list) json.push_back(to_json(item));
    return json;
  }
  if (const auto* map = value.as_map()) {
    Json json = Json::object();
    for (const auto& [key, item] : *map) json[key] = to_json(item);
    return json;
  }
  TUTTI_ASSERT(value.as_secret() == nullptr);
  return nullptr;
}

std::string dump(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace);
}

Json host_json(const Host& host) {
  Json json = Json::object();
  for (const auto& [name, value] : host.vars) json[name] = to_json(value);
  json["ansible_host"] = host.address;
  json["ansible_port"] = host.port;
  return json;
}

// Every host once; targets may also be members of groups.
std::map<std::string, const Host*> all_hosts(const Run& run) {
  std::map<std::string, const Host*> hosts;
  for (const auto& [group, members] : run.groups) {
    for (const Host& host : members) hosts[host.name] = &host;
  }
  for (const Host& host : run.targets) hosts[host.name] = &host;
  return hosts;
}

}  // namespace

std::string inventory_json(const Run& run) {
  Json hosts = Json::object();
  const auto all = all_hosts(run);
  for (const auto& [name, host] : all) {
    TUTTI_ASSERT(name.find_first_of("{}[]:, ") == std::string::npos);  // the plan refuses them
    hosts[name] = host_json(*host);
  }
  Json children = Json::object();
  const auto group = [&](const std::string& name, const std::vector<Host>& members) {
    Json list = Json::object();
    for (const Host& host : members) list[host.name] = nullptr;
    children[name] = {{"hosts", list}};
  };
  const std::set<std::string> reserved{"all", "ungrouped", "targets"};
  for (const auto& [name, members] : run.groups) {
    // Ansible keeps groups and hosts in one name space.
    if (!reserved.contains(name) && !all.contains(name)) group(name, members);
  }
  group("targets", run.targets);
  return dump({{"all", {{"hosts", hosts}, {"children", children}}}});
}

std::string vars_json(const tosca::Map& vars) {
  Json json = Json::object();
  for (const auto& [name, value] : vars) json[name] = to_json(value);
  return dump(json);
}

std::string known_hosts(const Run& run) {
  std::string lines;
  for (const auto& [name, host] : all_hosts(run)) {
    if (host->host_public_key.empty()) continue;
    const std::string where =
        host->port == 22 ? host->address : "[" + host->address + "]:" + std::to_string(host->port);
    lines += where + " " + host->host_public_key + "\n";
  }
  return lines;
}

}  // namespace tutti::bootstrap
