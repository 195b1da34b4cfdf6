#include "providers/base/json_writer.hpp"
#include "server/view/render.hpp"

#include <algorithm>

namespace tutti::view {
namespace {

using reconcile::InstanceState;
using reconcile::NodeInstance;
using reconcile::ResourceRecord;

const ResourceRecord* resource_of(const Facts& facts, const NodeInstance& instance) {
  if (!instance.resource) return nullptr;
  const auto found = facts.state->resources.find(*instance.resource);
  return found == facts.state->resources.end() ? nullptr : &found->second;
}

const tosca::NodeTemplate* node_of(const Facts& facts, const NodeInstance& instance) {
  if (!facts.topology) return nullptr;
  const auto found = facts.topology->nodes.find(instance.key.node);
  return found == facts.topology->nodes.end() ? nullptr : &found->second;
}

std::string state_name(const NodeInstance& instance) {
  std::string name(plan::to_string(instance.state));
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

std::string render_resource(const Facts& facts, const NodeInstance& instance,
                            const SiteInfo& site) {
  JsonWriter writer;
  writer.begin_object();
  writer.member("uuid", instance.id.value);
  writer.member("creationTime", format_indigo(instance.created_at));
  writer.member("updateTime", format_indigo(instance.updated_at));
  const ResourceRecord* resource = resource_of(facts, instance);
  if (resource != nullptr && !resource->native_id.empty()) {
    writer.member("physicalId", resource->native_id.value);
  }
  writer.member("state", state_name(instance));
  if (instance.state == InstanceState::error) writer.member("statusReason", instance.reason);
  writer.member("toscaNodeType", instance.type);
  writer.member("toscaNodeName", instance.key.node);
  writer.key("requiredBy").begin_array();
  for (const auto& node : instance.required_by) writer.string(node);
  writer.end_array();
  writer.key("metadata").begin_object();
  if (const auto machine = render_virtual_machine(facts, instance, site); !machine.empty()) {
    writer.member("VirtualMachineInfo", machine);
  }
  writer.end_object();
  const std::string deployment = kBase + ("/deployments/" + facts.state->id.value);
  writer.key("links").begin_array();
  writer.begin_object().member("rel", "deployment");
  writer.key("href").raw("\"" + deployment + "\"").end_object();
  writer.begin_object().member("rel", "self");
  writer.key("href").raw("\"" + deployment + "/resources/" + instance.id.value + "\"").end_object();
  writer.end_array().end_object();
  return writer.take();
}

// The words of IM's virtual machine states.
std::string_view machine_state(const Facts& facts, const NodeInstance& instance,
                               const ResourceRecord& resource) {
  if (instance.state == InstanceState::error) return "failed";
  if (instance.state == InstanceState::deleting) return "deleting";
  if (instance.state == InstanceState::stopped) return "stopped";
  if (resource.status != ResourceRecord::Status::active) return "pending";
  const auto status = facts.state->status;
  const bool complete = status == reconcile::DeploymentStatus::create_complete ||
                        status == reconcile::DeploymentStatus::update_complete;
  return complete ? "configured" : "running";
}

std::string attribute(const ResourceRecord& resource, const char* name) {
  const auto found = resource.attributes.find(name);
  return found == resource.attributes.end() ? "" : found->second;
}

const tosca::Value* capability_property(const tosca::NodeTemplate* node, const char* capability,
                                        const char* property) {
  if (node == nullptr) return nullptr;
  const auto found = node->capabilities.find(capability);
  if (found == node->capabilities.end()) return nullptr;
  const auto value = found->second.properties.find(property);
  return value == found->second.properties.end() ? nullptr : value->second.literal();
}

void write_text(JsonWriter& writer, std::string_view key, const tosca::Value* value) {
  if (value != nullptr && value->as_string() != nullptr) writer.member(key, *value->as_string());
}

void write_interface(JsonWriter& writer, int index, std::string_view network,
                     const std::string& address) {
  const std::string prefix = "net_interface." + std::to_string(index) + ".";
  writer.member(prefix + "connection", network).member(prefix + "ip", address);
}

}  // namespace

std::string render_virtual_machine(const Facts& facts, const NodeInstance& instance,
                                   const SiteInfo& site) {
  const ResourceRecord* resource = resource_of(facts, instance);
  if (resource == nullptr || resource->kind != ResourceKind::instance) return "";
  if (resource->native_id.empty()) return "";
  const tosca::NodeTemplate* node = node_of(facts, instance);
  const std::string private_address = attribute(*resource, "private_address");
  const std::string public_address = attribute(*resource, "public_address");
  JsonWriter writer;
  writer.begin_object().key("vmProperties").begin_array();
  if (!private_address.empty()) {
    writer.begin_object().member("class", "network").member("id", "private").end_object();
  }
  if (!public_address.empty()) {
    writer.begin_object().member("class", "network").member("id", "public");
    writer.member("outbound", "yes").end_object();
  }
  writer.begin_object().member("class", "system").member("id", instance.key.node);
  writer.member("state", machine_state(facts, instance, *resource));
  writer.member("instance_id", resource->native_id.value);
  writer.member("instance_name", instance.hostname);
  writer.member("provider.type", site.provider).member("provider.host", site.endpoint);
  if (const auto* cpus = capability_property(node, "host", "num_cpus");
      cpus != nullptr && cpus->as_integer() != nullptr) {
    writer.key("cpu.count").integer(*cpus->as_integer());
  }
  if (const auto* memory = capability_property(node, "host", "mem_size"); memory != nullptr) {
    if (const auto bytes = tosca::size_bytes(*memory); bytes > 0) {
      writer.key("memory.size").integer(bytes);
    }
  }
  write_text(writer, "disk.0.os.name", capability_property(node, "os", "type"));
  write_text(writer, "disk.0.os.flavour", capability_property(node, "os", "distribution"));
  write_text(writer, "disk.0.os.version", capability_property(node, "os", "version"));
  int interfaces = 0;
  if (!private_address.empty()) {
    write_interface(writer, interfaces++, "private", private_address);
  }
  if (!public_address.empty()) write_interface(writer, interfaces++, "public", public_address);
  writer.end_object();
  writer.begin_object().member("class", "configure").member("id", instance.key.node).end_object();
  writer.end_array().end_object();
  return writer.take();
}

std::string render_extrainfo(const Facts& facts, const SiteInfo& site) {
  JsonWriter writer;
  writer.begin_array();
  for (const auto& [key, instance] : facts.state->instances) {
    const std::string machine = render_virtual_machine(facts, instance, site);
    if (!machine.empty()) writer.raw(machine);
  }
  writer.end_array();
  return writer.take();
}

std::vector<RenderedResource> render_resources(const Facts& facts, const SiteInfo& site) {
  std::vector<RenderedResource> resources;
  for (const auto& [key, instance] : facts.state->instances) {
    RenderedResource rendered;
    rendered.id = instance.id;
    rendered.node = key.node;
    rendered.type = instance.type;
    const tosca::NodeTemplate* node = node_of(facts, instance);
    rendered.ancestry = node != nullptr ? node->ancestry : std::vector{instance.type};
    rendered.state = state_name(instance);
    rendered.created_at = instance.created_at;
    rendered.updated_at = instance.updated_at;
    rendered.json = render_resource(facts, instance, site);
    resources.push_back(std::move(rendered));
  }
  return resources;
}

}  // namespace tutti::view
