#include "server/plan/plan.hpp"

#include <array>
#include <utility>

namespace tutti::plan {

namespace {

constexpr std::array<std::pair<InstanceState, std::string_view>, 11> kStates{{
    {InstanceState::initial, "initial"},
    {InstanceState::creating, "creating"},
    {InstanceState::created, "created"},
    {InstanceState::configuring, "configuring"},
    {InstanceState::configured, "configured"},
    {InstanceState::starting, "starting"},
    {InstanceState::started, "started"},
    {InstanceState::stopping, "stopping"},
    {InstanceState::stopped, "stopped"},
    {InstanceState::deleting, "deleting"},
    {InstanceState::error, "error"},
}};

}  // namespace

std::string_view to_string(InstanceState state) {
  for (const auto& [value, name] : kStates) {
    if (value == state) return name;
  }
  return "error";
}

std::optional<InstanceState> instance_state_from(std::string_view name) {
  for (const auto& [value, known] : kStates) {
    if (known == name) return value;
  }
  return std::nullopt;
}

ResourceId instance_resource(const InstanceKey& key) {
  return ResourceId("instance/" + key.text());
}

ResourceId private_network() {
  return ResourceId("network/private");
}

ResourceId virtual_address_resource(const std::string& node) {
  return ResourceId("virtual_address/" + node);
}

}  // namespace tutti::plan
