// The simulated cloud's objects and rules. Pure: the instant comes with every call and must not go
// back. The simulator holds one in virtual time, tutti-simcloud one in real time.
#pragma once

#include "providers/model.hpp"
#include "providers/provider.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tutti::simulated {

using Milliseconds = std::chrono::milliseconds;

// What this cloud promises; the daemon's side has to assume the same.
[[nodiscard]] ProviderCapabilities default_capabilities();

struct WorldOptions {
  ProviderCapabilities capabilities = default_capabilities();
  Milliseconds boot_time{100};        // from create or power on until active
  Milliseconds visible_after{0};      // from create until find and list show it
  Milliseconds destroy_time{20};      // from destroy until it is gone
  std::int64_t memory_bytes = 0;      // for all instances together; 0: no limit
  std::map<ResourceKind, int> quota;  // live objects of a kind; absent: no limit
};

// What tests ask of a whole run.
struct Audit {
  std::map<std::string, int> creates;    // objects ever made, by token
  std::map<std::string, int> most_live;  // the most of one token alive at once
  std::vector<Resource> live;            // all that is there now, visible or not, of every owner
};

class World {
 public:
  explicit World(WorldOptions options = {});

  // Errors: token_exists (conflict, if the cloud has native tokens), quota, memory_short
  // (capacity), network_missing (not_found), address_unavailable (invalid), addresses_exhausted
  // (capacity).
  Result<NativeId> create(const ResourceSpec& spec, const Ownership& ownership, WallTime now);
  // The request travels until `at`: the object is made then, whether or not anybody still waits for
  // the answer. Refusals are lost.
  void create_later(const ResourceSpec& spec, const Ownership& ownership, WallTime at);
  // Gives the n next instances a failed boot.
  void fail_boots(int count) { failing_boots_ = count; }
  // Puts an object there that nobody asked for, e.g. another user's of a similar name.
  void plant(Resource resource);

  [[nodiscard]] std::vector<Resource> find(const Ownership& ownership, ResourceKind kind,
                                           WallTime now);
  [[nodiscard]] std::vector<Resource> list_owned(const OwnerId& owner,
                                                 const DeploymentId& deployment, WallTime now);
  // not_found when it is gone; invalid for other kinds than instances and for what is not ours.
  Result<void> set_power(const Resource& resource, Power power, WallTime now);
  // network_in_use (transient) while instances or virtual addresses are in it.
  Result<void> destroy(const Resource& resource, WallTime now);
  [[nodiscard]] Catalogue catalogue(WallTime now);

  [[nodiscard]] Audit audit(WallTime now);
  [[nodiscard]] WorldOptions& options() { return options_; }

 private:
  struct Object {
    Resource resource;
    NativeId network;  // that it is in, or empty
    std::int64_t memory_bytes = 0;
    WallTime visible_at{};
    WallTime active_at{};
    WallTime gone_at = WallTime::max();
    bool fails = false;
  };
  struct Request {
    ResourceSpec spec;
    Ownership ownership;
    WallTime at{};
  };

  void advance(WallTime now);
  Result<NativeId> create_now(const ResourceSpec& spec, const Ownership& ownership, WallTime now);
  Result<void> place(const ResourceSpec& spec, Object& object);
  Result<void> place_instance(const InstanceSpec& spec, Object& object);
  Result<void> place_address(const VirtualAddressSpec& spec, Object& object);
  Result<void> check_limits(ResourceKind kind, std::int64_t memory_bytes) const;
  [[nodiscard]] const Object* object(const NativeId& id) const;
  [[nodiscard]] static Resource shown(const Object& object, WallTime now);
  template <class Predicate>
  std::vector<Resource> show(WallTime now, Predicate predicate);

  WorldOptions options_;
  std::map<std::uint64_t, Object> objects_;  // by order of creation
  std::vector<Request> travelling_;
  std::map<std::string, int> creates_;
  std::map<std::string, int> most_live_;
  std::uint64_t next_ = 1;
  std::uint32_t next_network_ = 0;
  int failing_boots_ = 0;
};

}  // namespace tutti::simulated
