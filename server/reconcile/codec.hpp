// Between the state's types and JSON. Private to this folder.
#pragma once

#include "server/reconcile/state.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string_view>

namespace tutti::reconcile {

using Json = nlohmann::ordered_json;

[[nodiscard]] std::string_view to_string(StepRecord::Status status);
[[nodiscard]] std::string_view to_string(ResourceRecord::Status status);
[[nodiscard]] std::string_view to_string(Goal goal);
[[nodiscard]] std::optional<DeploymentStatus> deployment_status_from(std::string_view name);
[[nodiscard]] std::optional<StepRecord::Status> step_status_from(std::string_view name);
[[nodiscard]] std::optional<ResourceRecord::Status> resource_status_from(std::string_view name);
[[nodiscard]] std::optional<Goal> goal_from(std::string_view name);

// Scalars as themselves; {"$secret": id}; a map whose key begins with "$" as {"$map": {...}}; a
// double that JSON cannot write as {"$double": "nan"}.
[[nodiscard]] Json to_json(const tosca::Value& value);
[[nodiscard]] std::optional<tosca::Value> value_from(const Json& json);

// Text that is not UTF-8 (a cloud's own words can be anything) is replaced, never refused.
[[nodiscard]] std::string dump(const Json& json);

[[nodiscard]] inline std::int64_t milliseconds_of(WallTime time) {
  return time.time_since_epoch().count();
}

}  // namespace tutti::reconcile
