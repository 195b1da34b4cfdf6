// What a machine's container is told to be. Pure: the engine's JSON for POST /containers/create.
#pragma once

#include "providers/docker/engine_api.hpp"
#include "providers/model.hpp"

#include <cstdint>
#include <string>

namespace tutti::docker {

// What the engine's host gives to every machine.
struct Host {
  std::int64_t cpus = 1;
  // Else every capability by itself: a host that lacks one refuses privileged as a whole.
  bool privileged = false;
};

// `address` in the network that the spec names.
[[nodiscard]] Json machine_body(const InstanceSpec& spec, const Ownership& ownership,
                                const std::string& address, const std::string& image,
                                const Host& host);

// A bounded log whatever the engine's default is.
[[nodiscard]] Json log_config();

// Why the sandbox's only image is not what was asked for; "" when it is.
[[nodiscard]] std::string image_warning(const ImageQuery& query, const std::string& image);

// Refuses (invalid) what no machine of the sandbox can be.
[[nodiscard]] Result<void> check_machine(const InstanceSpec& spec);

}  // namespace tutti::docker
