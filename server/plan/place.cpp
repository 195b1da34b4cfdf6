// What the site has to hold: one private network, a machine for each Compute instance, and the
// virtual addresses.
#include "server/plan/draft.hpp"
#include "server/plan/expressions.hpp"

#include <algorithm>

namespace tutti::plan {

namespace {

constexpr const char* kResourceCreate = "resource.create";

void add_network(Draft& draft) {
  const ResourceId network = private_network();
  if (draft.is_active(network, 1)) return;
  Step step;
  step.node = network.value;
  step.operation = kResourceCreate;
  step.id = StepId(network.value + "/" + kResourceCreate + "@1");
  step.after = InstanceState::started;
  step.action = ResourceCall{ResourceCall::Action::create, network, ResourceKind::network, 1,
                             ResourceSpec(NetworkSpec{"private"})};
  draft.network_step = draft.add(std::move(step));
}

void add_resource(Draft& draft, DraftNode& node, int ordinal, const ResourceId& resource,
                  ResourceSpec spec) {
  const InstanceKey key{node.definition->name, ordinal};
  const int incarnation = draft.incarnation(key);
  if (draft.is_active(resource, incarnation)) return;
  Step step;
  step.node = key.node;
  step.operation = kResourceCreate;
  step.id = step_id(key.node, kResourceCreate, {{key, incarnation, InstanceState::initial}});
  step.instances = {key};
  step.during = InstanceState::creating;
  step.after = InstanceState::started;  // lowered when operations of its own follow
  const ResourceKind kind = kind_of(spec);
  step.action =
      ResourceCall{ResourceCall::Action::create, resource, kind, incarnation, std::move(spec)};
  const std::size_t index = draft.add(std::move(step));
  if (draft.network_step) draft.require(index, {*draft.network_step});
  node.resource_steps.push_back(index);
}

void add_machines(Draft& draft, DraftNode& node, std::uint32_t first_index, std::uint32_t room) {
  const tosca::NodeTemplate& definition = *node.definition;
  InstanceSpec machine = machine_of(draft, definition);
  machine.network.resource = private_network();
  const std::vector<std::string> hostnames = hostnames_of(draft, definition, node.ordinals);
  for (std::size_t i = 0; i < node.ordinals.size(); ++i) {
    const auto ordinal = static_cast<std::uint32_t>(node.ordinals[i]);
    if (ordinal >= room) {
      draft.error("plan.too-many-instances", definition.span,
                  "node '" + definition.name + "' wants more than " + std::to_string(room) +
                      " instances, and the site's network has no more addresses for it",
                  "lower its count");
      return;
    }
    machine.hostname = hostnames[i];
    machine.address_index = first_index + ordinal;
    draft.hostnames[{definition.name, node.ordinals[i]}] = machine.hostname;
    add_resource(draft, node, node.ordinals[i],
                 instance_resource({definition.name, node.ordinals[i]}), machine);
  }
}

void check_hostnames(Draft& draft) {
  std::map<std::string, InstanceKey> seen;
  for (const auto& [key, hostname] : draft.hostnames) {
    const auto [other, fresh] = seen.emplace(hostname, key);
    if (fresh) continue;
    draft.error("plan.hostname", draft.desired.nodes.at(key.node).span,
                "nodes '" + other->second.node + "' and '" + key.node +
                    "' would share the host name " + hostname,
                "change the name of one, or its endpoint's dns_name");
  }
}

void add_virtual_address(Draft& draft, DraftNode& node) {
  const tosca::NodeTemplate& definition = *node.definition;
  if (!draft.site.capabilities.virtual_address) {
    draft.error("site.virtual-address", definition.span,
                "node '" + definition.name + "' needs a virtual address, and site '" +
                    draft.site.name.value + "' (" + draft.site.provider + ") cannot give one",
                "choose another site, or leave the virtual address out");
    return;
  }
  // Machines move it among themselves (VRRP); no site here does it for them.
  const auto mechanism = definition.properties.find("mechanism");
  if (mechanism != definition.properties.end() &&
      literal_of(mechanism->second) == tosca::Value("provider")) {
    draft.error("site.virtual-address", definition.span,
                "node '" + definition.name + "': site '" + draft.site.name.value + "' (" +
                    draft.site.provider + ") does not move addresses between machines",
                "use mechanism: vrrp");
  }
  VirtualAddressSpec spec{definition.name, {private_network(), {}}, std::nullopt};
  const auto asked = definition.properties.find("ip_address");
  if (asked != definition.properties.end()) {
    const auto value = literal_of(asked->second);
    const std::string* text = value ? value->as_string() : nullptr;
    if (!value || (text == nullptr && !value->is_null())) {
      draft.error("plan.not-literal", definition.span,
                  "node '" + definition.name + "': ip_address must be known before anything runs",
                  "give an address, use get_input, or leave it out");
    } else if (text != nullptr && !text->empty()) {
      spec.ip_address = *text;
    }
  }
  for (const int ordinal : node.ordinals) {
    add_resource(draft, node, ordinal, virtual_address_resource(definition.name), spec);
  }
}

}  // namespace

void place_on_site(Draft& draft) {
  std::vector<DraftNode*> computes;
  std::vector<DraftNode*> addresses;
  for (auto& [name, node] : draft.nodes) {
    if (node.definition->is_a(kCompute)) computes.push_back(&node);
    if (node.definition->is_a(kVirtualAddress)) addresses.push_back(&node);
  }
  if (computes.empty() && addresses.empty()) return;
  add_network(draft);
  // Each Compute has a range of its own, by its place among the sorted names: an address stays the
  // same whatever is scaled beside it.
  const auto tiers = static_cast<std::uint32_t>(std::max<std::size_t>(computes.size(), 1));
  const std::uint32_t addresses_in_all = draft.site.capabilities.fixed_addresses
                                             ? kMaxAddresses
                                             : tiers * static_cast<std::uint32_t>(kMaxInstances);
  const std::uint32_t room = addresses_in_all / tiers;
  for (std::uint32_t i = 0; i < computes.size(); ++i) {
    add_machines(draft, *computes[i], i * room, room);
  }
  check_hostnames(draft);
  for (DraftNode* node : addresses) add_virtual_address(draft, *node);
}

}  // namespace tutti::plan
