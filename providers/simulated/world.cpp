#include "providers/simulated/world.hpp"

#include <algorithm>
#include <set>

namespace tutti::simulated {
namespace {

constexpr std::uint32_t kFirstInstance = 10;
constexpr std::uint32_t kLastInstance = 239;
constexpr std::uint32_t kFirstVirtual = 240;
constexpr std::uint32_t kLastVirtual = 254;

// "10.77.3.0/24" and 5 -> "10.77.3.5"
std::string address_in(const std::string& cidr, std::uint32_t offset) {
  return cidr.substr(0, cidr.rfind('.') + 1) + std::to_string(offset);
}

bool same(const Ownership& a, const Ownership& b) {
  return a.owner == b.owner && a.deployment == b.deployment && a.token == b.token;
}

Error gone(const Resource& resource) {
  return Error(ErrorClass::not_found, "missing", "there is no " + resource.native_id.value);
}

Error not_ours(const Resource& resource) {
  return Error(ErrorClass::invalid, "not_ours",
               resource.native_id.value + " does not carry this ownership");
}

}  // namespace

ProviderCapabilities default_capabilities() {
  ProviderCapabilities capabilities;
  capabilities.virtual_address = true;
  capabilities.fixed_addresses = true;
  capabilities.stop = true;
  capabilities.max_cpus = 64;
  capabilities.visibility_window = Milliseconds(500);
  return capabilities;
}

World::World(WorldOptions options) : options_(std::move(options)) {}

void World::advance(WallTime now) {
  std::stable_sort(travelling_.begin(), travelling_.end(),
                   [](const Request& a, const Request& b) { return a.at < b.at; });
  auto arrived = travelling_.begin();
  for (; arrived != travelling_.end() && arrived->at <= now; ++arrived) {
    static_cast<void>(create_now(arrived->spec, arrived->ownership, arrived->at));
  }
  travelling_.erase(travelling_.begin(), arrived);
  std::erase_if(objects_, [now](const auto& entry) { return entry.second.gone_at <= now; });
}

const World::Object* World::object(const NativeId& id) const {
  for (const auto& [number, object] : objects_) {
    if (object.resource.native_id == id) return &object;
  }
  return nullptr;
}

Resource World::shown(const Object& object, WallTime now) {
  Resource resource = object.resource;
  if (object.gone_at != WallTime::max()) {
    resource.state = ResourceState::deleting;
  } else if (resource.state != ResourceState::stopped) {
    resource.state = now < object.active_at ? ResourceState::building : ResourceState::active;
    if (object.fails && now >= object.active_at) {
      resource.state = ResourceState::failed;
      resource.fault = "the simulated machine did not boot";
    }
  }
  return resource;
}

template <class Predicate>
std::vector<Resource> World::show(WallTime now, Predicate predicate) {
  advance(now);
  std::vector<Resource> resources;
  for (const auto& [number, object] : objects_) {
    if (object.visible_at <= now && predicate(object.resource)) {
      resources.push_back(shown(object, now));
    }
  }
  return resources;
}

Result<NativeId> World::create(const ResourceSpec& spec, const Ownership& ownership, WallTime now) {
  advance(now);
  return create_now(spec, ownership, now);
}

void World::create_later(const ResourceSpec& spec, const Ownership& ownership, WallTime at) {
  travelling_.push_back(Request{spec, ownership, at});
}

Result<NativeId> World::create_now(const ResourceSpec& spec, const Ownership& ownership,
                                   WallTime now) {
  int live = 1;
  for (const auto& [number, other] : objects_) {
    if (other.gone_at > now && same(other.resource.ownership, ownership)) ++live;
  }
  if (live > 1 && options_.capabilities.native_tokens.contains(kind_of(spec))) {
    return Error(ErrorClass::conflict, "token_exists",
                 "an object with the token " + ownership.token.value + " exists already");
  }
  Object object;
  object.resource.kind = kind_of(spec);
  object.resource.native_id = NativeId("sim-" + std::to_string(next_));
  object.resource.ownership = ownership;
  object.resource.created_at = now;
  object.visible_at = now + options_.visible_after;
  object.active_at = now;
  if (auto placed = place(spec, object); !placed) return std::move(placed).error();
  if (object.resource.kind == ResourceKind::instance) {
    object.active_at = now + options_.boot_time;
    object.fails = failing_boots_ > 0;
    failing_boots_ -= object.fails ? 1 : 0;
  }
  ++creates_[ownership.token.value];
  int& most = most_live_[ownership.token.value];
  most = std::max(most, live);
  const NativeId id = object.resource.native_id;
  objects_.emplace(next_++, std::move(object));
  return id;
}

Result<void> World::place(const ResourceSpec& spec, Object& object) {
  const auto* instance = std::get_if<InstanceSpec>(&spec);
  object.memory_bytes = instance != nullptr ? instance->mem_size_bytes : 0;
  if (auto allowed = check_limits(object.resource.kind, object.memory_bytes); !allowed) {
    return allowed;
  }
  if (instance != nullptr) return place_instance(*instance, object);
  if (const auto* address = std::get_if<VirtualAddressSpec>(&spec)) {
    return place_address(*address, object);
  }
  const std::uint32_t number = next_network_++ % 65536;
  const std::string cidr =
      "10." + std::to_string(number >> 8) + "." + std::to_string(number & 255U) + ".0/24";
  object.resource.attributes["cidr"] = cidr;
  object.resource.attributes["gateway"] = address_in(cidr, 1);
  return {};
}

Result<void> World::check_limits(ResourceKind kind, std::int64_t memory_bytes) const {
  int live = 0;
  std::int64_t used = memory_bytes;
  for (const auto& [number, object] : objects_) {
    if (object.resource.kind == kind) ++live;
    used += object.memory_bytes;
  }
  const auto quota = options_.quota.find(kind);
  if (quota != options_.quota.end() && live >= quota->second) {
    return Error(ErrorClass::quota, "quota",
                 "the quota of " + std::to_string(quota->second) + " for " +
                     std::string(to_string(kind)) + " is used up");
  }
  if (options_.memory_bytes > 0 && used > options_.memory_bytes) {
    return Error(ErrorClass::capacity, "memory_short", "the simulated cloud has no memory left");
  }
  return {};
}

Result<void> World::place_instance(const InstanceSpec& spec, Object& object) {
  const Object* network = this->object(spec.network.native_id);
  if (network == nullptr) {
    return Error(ErrorClass::not_found, "network_missing", "the instance's network is not there");
  }
  if (spec.address_index > kLastInstance - kFirstInstance) {
    return Error(ErrorClass::capacity, "addresses_exhausted", "the network has no address left");
  }
  object.network = spec.network.native_id;
  const std::string address =
      address_in(network->resource.attributes.at("cidr"), kFirstInstance + spec.address_index);
  object.resource.attributes["private_address"] = address;
  object.resource.attributes["public_address"] = address;
  object.resource.attributes["ssh_port"] = "22";
  return {};
}

Result<void> World::place_address(const VirtualAddressSpec& spec, Object& object) {
  const Object* network = this->object(spec.network.native_id);
  if (network == nullptr) {
    return Error(ErrorClass::not_found, "network_missing", "the address's network is not there");
  }
  std::set<std::string> taken;
  for (const auto& [number, other] : objects_) {
    if (other.resource.kind == ResourceKind::virtual_address &&
        other.network == spec.network.native_id) {
      taken.insert(other.resource.attributes.at("ip_address"));
    }
  }
  object.network = spec.network.native_id;
  for (std::uint32_t offset = kLastVirtual; offset >= kFirstVirtual; --offset) {
    const std::string address = address_in(network->resource.attributes.at("cidr"), offset);
    const bool wanted = !spec.ip_address || *spec.ip_address == address;
    if (wanted && !taken.contains(address)) {
      object.resource.attributes["ip_address"] = address;
      return {};
    }
  }
  if (!spec.ip_address) {
    return Error(ErrorClass::capacity, "addresses_exhausted", "the network has no address left");
  }
  return Error(ErrorClass::invalid, "address_unavailable",
               "the virtual address " + *spec.ip_address + " is not free in this network");
}

void World::plant(Resource resource) {
  Object object;
  object.visible_at = object.active_at = resource.created_at;
  object.resource = std::move(resource);
  objects_.emplace(next_++, std::move(object));
}

std::vector<Resource> World::find(const Ownership& ownership, ResourceKind kind, WallTime now) {
  return show(now, [&](const Resource& resource) {
    return resource.kind == kind && same(resource.ownership, ownership);
  });
}

std::vector<Resource> World::list_owned(const OwnerId& owner, const DeploymentId& deployment,
                                        WallTime now) {
  return show(now, [&](const Resource& resource) {
    return resource.ownership.owner == owner &&
           (deployment.empty() || resource.ownership.deployment == deployment);
  });
}

Result<void> World::set_power(const Resource& resource, Power power, WallTime now) {
  advance(now);
  for (auto& [number, object] : objects_) {
    if (object.resource.native_id != resource.native_id) continue;
    if (!same(object.resource.ownership, resource.ownership)) return not_ours(resource);
    if (object.resource.kind != ResourceKind::instance) {
      return Error(ErrorClass::invalid, "kind", "only instances have power");
    }
    const bool off = object.resource.state == ResourceState::stopped;
    if (off && power == Power::on) {
      object.resource.state = ResourceState::building;
      object.active_at = now + options_.boot_time;
    } else if (power == Power::off) {
      object.resource.state = ResourceState::stopped;
    }
    return {};
  }
  return gone(resource);
}

Result<void> World::destroy(const Resource& resource, WallTime now) {
  advance(now);
  for (auto& [number, object] : objects_) {
    if (object.resource.native_id != resource.native_id) continue;
    if (!same(object.resource.ownership, resource.ownership)) return not_ours(resource);
    const bool used = std::any_of(objects_.begin(), objects_.end(), [&](const auto& entry) {
      return entry.second.network == resource.native_id;
    });
    if (used) {
      return Error(ErrorClass::transient, "network_in_use", "there are objects in this network");
    }
    object.gone_at = std::min(object.gone_at, now + options_.destroy_time);
    return {};
  }
  return {};
}

Catalogue World::catalogue(WallTime now) {
  advance(now);
  Catalogue catalogue;
  CatalogueImage image;
  image.name = "simulated";
  image.distribution = "debian";
  image.version = "12";
  image.architecture = "x86_64";
  catalogue.images.push_back(std::move(image));
  catalogue.cpus = options_.capabilities.max_cpus;
  if (options_.memory_bytes > 0) {
    catalogue.free_memory_bytes = options_.memory_bytes;
    for (const auto& [number, object] : objects_) {
      catalogue.free_memory_bytes -= object.memory_bytes;
    }
  }
  return catalogue;
}

Audit World::audit(WallTime now) {
  advance(now);
  Audit audit;
  audit.creates = creates_;
  audit.most_live = most_live_;
  for (const auto& [number, object] : objects_) audit.live.push_back(shown(object, now));
  return audit;
}

}  // namespace tutti::simulated
