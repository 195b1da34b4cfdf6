// Clouds as plain data: what the planner asks for, what providers report. Used by plan, reconcile,
// engine and every provider. No Asio, no I/O.
#pragma once

#include "providers/base/ids.hpp"
#include "providers/base/result.hpp"
#include "providers/base/wall_time.hpp"

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tutti {

enum class ResourceKind {
  instance,
  network,
  security_group,
  volume,
  attachment,
  address,
  virtual_address,
  key,
};
[[nodiscard]] std::string_view to_string(ResourceKind kind);
[[nodiscard]] std::optional<ResourceKind> resource_kind_from(std::string_view name);

// "t-" + 32 base32 characters of SHA-256(owner, deployment, resource, incarnation). It is the
// identity under which a cloud object is created, found again and destroyed, whatever was lost.
struct CreateToken {
  std::string value;
  auto operator<=>(const CreateToken&) const = default;
};
[[nodiscard]] CreateToken make_create_token(const OwnerId& owner, const DeploymentId& deployment,
                                            const ResourceId& resource, int incarnation);

// Every cloud object carries these from its first moment.
struct Ownership {
  OwnerId owner;
  DeploymentId deployment;
  CreateToken token;
};

// Another resource of the same deployment. The planner names it; the engine fills native_id from
// what was observed before it calls the provider.
struct ResourceRef {
  ResourceId resource;
  NativeId native_id;
};

struct NetworkSpec {
  std::string name;  // for people, e.g. "private"
};

// An address reserved in a network and claimed by the instances themselves (VRRP).
struct VirtualAddressSpec {
  std::string name;
  ResourceRef network;
  std::optional<std::string> ip_address;  // asked for by the template
};

// Which image: an exact name wins, else every given filter must match (case-insensitive).
struct ImageQuery {
  std::string image;
  std::string type;          // linux
  std::string distribution;  // ubuntu
  std::string version;       // "16.04"
  std::string architecture;  // x86_64
};

struct PortRule {
  std::string protocol = "tcp";
  std::uint16_t first = 0;
  std::uint16_t last = 0;
};

struct InstanceSpec {
  std::string hostname;  // RFC 1123 label
  ImageQuery image;
  std::int64_t num_cpus = 1;
  std::int64_t mem_size_bytes = 0;   // 0: the provider's default
  std::int64_t disk_size_bytes = 0;  // 0: the image's
  std::string instance_type;
  ResourceRef network;
  // Unique and stable within the deployment, from 0; providers that assign fixed addresses add it
  // to the first usable address of the network.
  std::uint32_t address_index = 0;
  std::vector<PortRule> ports;
  bool public_address = false;
  // Service images that should be on the instance's Docker from the start (a provider may ignore).
  bool preload_service_images = true;
  // Filled by the engine at dispatch, never kept in plan, state or journal: OpenSSH texts.
  std::string authorized_key;
  std::string host_private_key;
};

using ResourceSpec = std::variant<NetworkSpec, VirtualAddressSpec, InstanceSpec>;
[[nodiscard]] ResourceKind kind_of(const ResourceSpec& spec);

enum class ResourceState { building, active, stopped, deleting, failed };
[[nodiscard]] std::string_view to_string(ResourceState state);

// One object as the cloud shows it. Well-known attributes: instance: private_address,
// public_address, ssh_port ("22"); network: cidr, gateway; virtual_address: ip_address; any kind
// while building: incomplete ("true": its create ended early, another one goes on with it).
struct Resource {
  ResourceKind kind = ResourceKind::instance;
  NativeId native_id;
  Ownership ownership;
  ResourceState state = ResourceState::building;
  std::string fault;  // the cloud's own words when failed
  WallTime created_at{};
  std::map<std::string, std::string> attributes;
};

enum class Power { on, off };

// How a provider behaves, so that the engine needs no knowledge of which cloud it is.
struct ProviderCapabilities {
  // Kinds of which the cloud itself refuses a second object of one token: of those an empty `find`
  // is certain at once.
  std::set<ResourceKind> native_tokens;
  bool virtual_address = false;  // kind virtual_address can be created
  bool fixed_addresses = false;  // address_index decides the address
  bool stop = false;             // set_power(off) works
  std::int64_t max_cpus = 0;     // 0: unknown; larger requests are lowered with a warning
  // A lost create may still become visible for so long: `find` must stay empty all that time before
  // a second create is sent or a delete is believed.
  std::chrono::milliseconds visibility_window{0};
};

}  // namespace tutti
