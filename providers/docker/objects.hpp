// How the provider's objects lie in the engine: their names, labels, and what they are to the rest
// of Tutti. Pure; the JSON is what the engine's lists answered.
#pragma once

#include "providers/docker/engine_api.hpp"
#include "providers/model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tutti::docker {

namespace label {
inline constexpr const char* kOwner = "tutti.owner";
inline constexpr const char* kDeployment = "tutti.deployment";
inline constexpr const char* kToken = "tutti.token";
inline constexpr const char* kKind = "tutti.kind";
inline constexpr const char* kAddress = "tutti.address";             // instance, virtual_address
inline constexpr const char* kNetwork = "tutti.network";             // virtual_address: its id
inline constexpr const char* kImageWarning = "tutti.image-warning";  // instance
}  // namespace label

// What label::kKind says. A virtual address has no object of the engine's own: a volume without
// content stands for it.
namespace kind {
inline constexpr const char* kInstance = "instance";
inline constexpr const char* kInstanceVolume = "instance-volume";
inline constexpr const char* kHelper = "helper";
inline constexpr const char* kNetwork = "network";
inline constexpr const char* kVirtualAddress = "virtual_address";
}  // namespace kind

// The attribute of an instance that must be created again (with the same ownership) to get done.
inline constexpr const char* kIncomplete = "incomplete";

// The name of a token's container, volume or network.
[[nodiscard]] std::string object_name(const CreateToken& token);
[[nodiscard]] Json make_labels(const Ownership& ownership, const char* kind);
// The labels as an engine's filter wants them; an empty deployment or token is left out.
[[nodiscard]] std::vector<std::string> label_terms(const OwnerId& owner,
                                                   const DeploymentId& deployment,
                                                   const CreateToken& token);
// Whether owner, deployment and token are all these.
[[nodiscard]] bool carries(const Json& labels, const Ownership& ownership);
// The labels that lie at a JSON pointer of the engine's answer; an empty object when none do.
[[nodiscard]] const Json& labels_at(const Json& object, const char* pointer = "/Labels");
[[nodiscard]] std::string label_of(const Json& labels, const char* name);

// The engine's own times: RFC 3339 with up to nine decimals and any offset.
[[nodiscard]] std::optional<WallTime> parse_engine_time(std::string_view text);

// `containers` and `volumes` as listed: an instance is the container, volume and helpers of one
// token, whichever of them are there.
[[nodiscard]] std::vector<Resource> instances_in(const Json& containers, const Json& volumes);
[[nodiscard]] std::vector<Resource> virtual_addresses_in(const Json& volumes);
[[nodiscard]] std::vector<Resource> networks_in(const Json& networks);

void sort_oldest_first(std::vector<Resource>& resources);

}  // namespace tutti::docker
