// Makes one instance out of a volume (a clone of the image store) and a container, step by step;
// each step finds what an earlier, interrupted attempt of the same token left and goes on from it.
#pragma once

#include "providers/docker/docker_provider.hpp"
#include "providers/docker/engine_api.hpp"
#include "providers/docker/gate.hpp"
#include "providers/docker/objects.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <set>
#include <string>

namespace tutti::docker {

// One range of a network of the deployment, read from the engine. Errors: not_found; invalid when
// the network is not the deployment's.
[[nodiscard]] boost::asio::awaitable<Result<Json>> owned_network(EngineApi& api,
                                                                 const NativeId& network,
                                                                 const Ownership& ownership);

// Why the sandbox's only image is not what was asked for; "" when it is.
[[nodiscard]] std::string image_warning(const ImageQuery& query, const std::string& image);

// MemAvailable of this machine; -1 when it cannot be read.
[[nodiscard]] std::int64_t available_memory_bytes();

// "/images/<name>/json"; slashes of the name stay.
[[nodiscard]] std::string image_path(std::string_view name);

class MachineMaker {
 public:
  MachineMaker(EngineApi& api, const DockerOptions& options);

  // Done when the container has been started. `conflict`: it was started before, or another call
  // is making it right now.
  [[nodiscard]] boost::asio::awaitable<Result<NativeId>> make(const InstanceSpec& spec,
                                                              const Ownership& ownership);
  [[nodiscard]] bool is_making(const CreateToken& token) const { return making_.contains(token); }

  // Containers (and with `machine` also the instance's own) that carry the ownership; how many.
  [[nodiscard]] boost::asio::awaitable<Result<std::size_t>> remove_containers(
      const Ownership& ownership, bool machine);

 private:
  struct Host {
    std::int64_t cpus = 1;
    std::string volumes_folder;
    bool privileged = false;
  };
  enum class Progress { nothing, created, started };

  [[nodiscard]] boost::asio::awaitable<Result<NativeId>> make_alone(const InstanceSpec& spec,
                                                                    const Ownership& ownership);
  [[nodiscard]] boost::asio::awaitable<Result<Progress>> progress_of(const Ownership& ownership);
  [[nodiscard]] boost::asio::awaitable<Result<std::string>> choose_address(
      const InstanceSpec& spec, const Ownership& ownership);
  [[nodiscard]] boost::asio::awaitable<Result<void>> learn_host(const Ownership& ownership);
  [[nodiscard]] boost::asio::awaitable<Result<bool>> may_be_privileged(const Ownership& ownership);
  [[nodiscard]] boost::asio::awaitable<Result<void>> make_volume(const Ownership& ownership);
  [[nodiscard]] boost::asio::awaitable<Result<void>> clone_image_store(const Ownership& ownership);
  [[nodiscard]] boost::asio::awaitable<Result<void>> create_container(const InstanceSpec& spec,
                                                                      const Ownership& ownership,
                                                                      const std::string& address);
  [[nodiscard]] boost::asio::awaitable<Result<void>> seed_and_start(const InstanceSpec& spec,
                                                                    const Ownership& ownership);
  [[nodiscard]] Json container_body(const InstanceSpec& spec, const Ownership& ownership,
                                    const std::string& address) const;

  struct HelperEnd {
    std::int64_t exit_code = -1;
    std::string output;
  };
  [[nodiscard]] boost::asio::awaitable<Result<HelperEnd>> run_helper(Json body);

  EngineApi& api_;
  DockerOptions options_;
  Gate clone_gate_;
  Gate host_gate_{1};
  std::optional<Host> host_;  // asked once
  std::set<CreateToken> making_;
};

}  // namespace tutti::docker
