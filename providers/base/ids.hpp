// Identifiers as types of their own, so that a deployment's id cannot be passed for a resource's.
// All are short printable strings without secrets.
#pragma once

#include <compare>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace tutti {

template <class Tag>
struct StrongId {
  StrongId() = default;
  explicit StrongId(std::string text) : value(std::move(text)) {}
  [[nodiscard]] bool empty() const { return value.empty(); }
  auto operator<=>(const StrongId&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const StrongId& id) { return out << id.value; }

  std::string value;
};

using OwnerId = StrongId<struct OwnerTag>;            // one installation's database, a UUID
using DeploymentId = StrongId<struct DeploymentTag>;  // UUIDv7, 36 characters
using InstanceId = StrongId<struct InstanceTag>;      // a NodeInstance, UUID
using ResourceId = StrongId<struct ResourceTag>;      // within a deployment, e.g. "instance/web-0"
using RunId = StrongId<struct RunTag>;                // one attempt of one bootstrap run, a UUID
using NativeId = StrongId<struct NativeTag>;          // the cloud's own name for an object
using SiteName = StrongId<struct SiteTag>;            // one configured account of a cloud

}  // namespace tutti

template <class Tag>
struct std::hash<tutti::StrongId<Tag>> {
  std::size_t operator()(const tutti::StrongId<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.value);
  }
};
