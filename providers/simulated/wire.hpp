// How specs, resources and errors are written between the remote provider and tutti-simcloud: JSON,
// both ends of one build. Secrets of specs (keys) do not travel; the simulated cloud has no use for
// them.
#pragma once

#include "providers/model.hpp"
#include "providers/provider.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace tutti::simulated {

using Json = nlohmann::json;

// Decoders throw nlohmann::json::exception or std::invalid_argument on what they cannot read; both
// ends turn that into an error of the one message.
[[nodiscard]] Json encode(const ResourceSpec& spec);
[[nodiscard]] ResourceSpec decode_spec(const Json& json);
[[nodiscard]] Json encode(const Ownership& ownership);
[[nodiscard]] Ownership decode_ownership(const Json& json);
[[nodiscard]] Json encode(const Resource& resource);
[[nodiscard]] Resource decode_resource(const Json& json);
[[nodiscard]] Json encode(const std::vector<Resource>& resources);
[[nodiscard]] std::vector<Resource> decode_resources(const Json& json);
[[nodiscard]] Json encode(const Error& error);
[[nodiscard]] Error decode_error(const Json& json);
[[nodiscard]] ResourceKind decode_kind(const Json& json);

}  // namespace tutti::simulated
