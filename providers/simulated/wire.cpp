#include "providers/simulated/wire.hpp"

#include <array>
#include <stdexcept>

namespace tutti::simulated {
namespace {

constexpr std::array kStates{ResourceState::building, ResourceState::active, ResourceState::stopped,
                             ResourceState::deleting, ResourceState::failed};

ResourceState decode_state(const std::string& name) {
  for (const ResourceState state : kStates) {
    if (to_string(state) == name) return state;
  }
  throw std::invalid_argument("no such state: " + name);
}

InstanceSpec decode_instance(const Json& json) {
  InstanceSpec spec;
  spec.hostname = json.at("hostname").get<std::string>();
  spec.num_cpus = json.at("num_cpus").get<std::int64_t>();
  spec.mem_size_bytes = json.at("mem_size_bytes").get<std::int64_t>();
  spec.network.native_id = NativeId(json.at("network").get<std::string>());
  spec.address_index = json.at("address_index").get<std::uint32_t>();
  return spec;
}

}  // namespace

Json encode(const ResourceSpec& spec) {
  Json json = Json::object();
  json["kind"] = to_string(kind_of(spec));
  if (const auto* network = std::get_if<NetworkSpec>(&spec)) {
    json["name"] = network->name;
  } else if (const auto* address = std::get_if<VirtualAddressSpec>(&spec)) {
    json["name"] = address->name;
    json["network"] = address->network.native_id.value;
    if (address->ip_address) json["ip_address"] = *address->ip_address;
  } else {
    const auto& instance = std::get<InstanceSpec>(spec);
    json["hostname"] = instance.hostname;
    json["num_cpus"] = instance.num_cpus;
    json["mem_size_bytes"] = instance.mem_size_bytes;
    json["network"] = instance.network.native_id.value;
    json["address_index"] = instance.address_index;
  }
  return json;
}

ResourceSpec decode_spec(const Json& json) {
  switch (decode_kind(json.at("kind"))) {
    case ResourceKind::network: {
      NetworkSpec spec;
      spec.name = json.at("name").get<std::string>();
      return spec;
    }
    case ResourceKind::virtual_address: {
      VirtualAddressSpec spec;
      spec.name = json.at("name").get<std::string>();
      spec.network.native_id = NativeId(json.at("network").get<std::string>());
      if (json.contains("ip_address")) spec.ip_address = json["ip_address"].get<std::string>();
      return spec;
    }
    case ResourceKind::instance:
      return decode_instance(json);
    default:
      break;
  }
  throw std::invalid_argument("this cloud makes no such kind");
}

Json encode(const Ownership& ownership) {
  Json json = Json::object();
  json["owner"] = ownership.owner.value;
  json["deployment"] = ownership.deployment.value;
  json["token"] = ownership.token.value;
  return json;
}

Ownership decode_ownership(const Json& json) {
  Ownership ownership;
  ownership.owner = OwnerId(json.at("owner").get<std::string>());
  ownership.deployment = DeploymentId(json.at("deployment").get<std::string>());
  ownership.token.value = json.at("token").get<std::string>();
  return ownership;
}

Json encode(const Resource& resource) {
  Json json = Json::object();
  json["kind"] = to_string(resource.kind);
  json["id"] = resource.native_id.value;
  json["ownership"] = encode(resource.ownership);
  json["state"] = to_string(resource.state);
  json["fault"] = resource.fault;
  json["created_at_ms"] = resource.created_at.time_since_epoch().count();
  json["attributes"] = resource.attributes;
  return json;
}

Resource decode_resource(const Json& json) {
  Resource resource;
  resource.kind = decode_kind(json.at("kind"));
  resource.native_id = NativeId(json.at("id").get<std::string>());
  resource.ownership = decode_ownership(json.at("ownership"));
  resource.state = decode_state(json.at("state").get<std::string>());
  resource.fault = json.at("fault").get<std::string>();
  resource.created_at =
      WallTime{std::chrono::milliseconds(json.at("created_at_ms").get<std::int64_t>())};
  resource.attributes = json.at("attributes").get<std::map<std::string, std::string>>();
  return resource;
}

Json encode(const std::vector<Resource>& resources) {
  Json json = Json::array();
  for (const Resource& resource : resources) json.push_back(encode(resource));
  return json;
}

std::vector<Resource> decode_resources(const Json& json) {
  if (!json.is_array()) throw std::invalid_argument("not a list of resources");
  std::vector<Resource> resources;
  for (const Json& entry : json) resources.push_back(decode_resource(entry));
  return resources;
}

Json encode(const Error& error) {
  Json json = Json::object();
  json["class"] = to_string(error.cls);
  json["code"] = error.code;
  json["message"] = error.message;
  return json;
}

Error decode_error(const Json& json) {
  return Error(error_class_from(json.at("class").get<std::string>()),
               json.at("code").get<std::string>(), json.at("message").get<std::string>());
}

ResourceKind decode_kind(const Json& json) {
  const auto kind = resource_kind_from(json.get<std::string>());
  if (!kind) throw std::invalid_argument("no such kind: " + json.get<std::string>());
  return *kind;
}

}  // namespace tutti::simulated
