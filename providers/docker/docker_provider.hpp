// Containers of this machine's Docker engine as a cloud: the sandbox. Used by main alone; speaks to
// the engine by its unix socket. Changes and deletes nothing that does not carry our labels.
#pragma once

#include "providers/provider.hpp"
#include "providers/support/clock.hpp"
#include "providers/support/http_client.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace tutti {

struct DockerOptions {
  std::string socket = "/var/run/docker.sock";
  std::string image = "tutti/instance:bookworm";
  // An image without content whose label tutti.image-store names the volume to clone; see
  // deploy/images. When it is missing, instances begin with an empty engine.
  std::string image_store = "tutti/image-store:current";
  std::string pool = "10.213.0.0/16";  // each network takes a free /24 of it
  std::size_t clones_at_once = 4;
};

// Both references outlive the provider. An instance whose creation was interrupted is shown as
// building with the attribute incomplete="true": create() of the same ownership goes on with it.
[[nodiscard]] std::unique_ptr<Provider> make_docker_provider(const DockerOptions& options,
                                                             HttpClient& http, Clock& clock);

}  // namespace tutti
