// Makes one instance out of a volume (a clone of the image store) and a container, step by step;
// each step finds what an earlier, interrupted attempt of the same token left and goes on from it.
#pragma once

#include "providers/docker/docker_provider.hpp"
#include "providers/docker/engine_api.hpp"
#include "providers/docker/gate.hpp"
#include "providers/docker/machine_body.hpp"
#include "providers/docker/objects.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <set>
#include <string>

namespace tutti::docker {

// A network of the same deployment as the engine inspects it. Errors: not_found; invalid when it
// is not the deployment's.
[[nodiscard]] boost::asio::awaitable<Result<Json>> owned_network(EngineApi& api,
                                                                 const NativeId& network,
                                                                 const Ownership& ownership);

// MemAvailable of this machine; -1 when it cannot be read.
[[nodiscard]] std::int64_t available_memory_bytes();

class MachineMaker {
 public:
  MachineMaker(EngineApi& api, const DockerOptions& options);

  // Done when the container has been started. `conflict`: it was started before, another call is
  // making it right now, or something that is not ours has its name. After transient and unknown
  // errors what was made stays for the next attempt, after all others nothing does.
  [[nodiscard]] boost::asio::awaitable<Result<NativeId>> make(const InstanceSpec& spec,
                                                              const Ownership& ownership);
  [[nodiscard]] bool is_making(const CreateToken& token) const { return making_.contains(token); }

  // Everything of an instance that carries the ownership; how many objects there were.
  [[nodiscard]] boost::asio::awaitable<Result<std::size_t>> remove(const Ownership& ownership);

 private:
  template <class T>
  using Task = boost::asio::awaitable<Result<T>>;

  enum class Progress { nothing, created, started };
  struct HelperEnd {
    std::int64_t exit_code = -1;
    std::string output;
  };

  Task<NativeId> make_alone(const InstanceSpec& spec, const Ownership& ownership);
  Task<Progress> progress_of(const Ownership& ownership);
  Task<void> build(const InstanceSpec& spec, const Ownership& ownership);
  Task<std::string> choose_address(const InstanceSpec& spec, const Ownership& ownership);
  Task<void> make_volume(const Ownership& ownership);
  Task<void> clone_image_store(const Ownership& ownership);
  Task<std::string> image_store();
  Task<Host> host(const Ownership& ownership);
  Task<bool> may_be_privileged(const Ownership& ownership);
  Task<void> create_container(const Ownership& ownership, Json body);
  Task<void> seed_and_start(const InstanceSpec& spec, const Ownership& ownership);
  Task<HelperEnd> run_helper(const Ownership& ownership, Json body);
  Task<std::size_t> remove_containers(const Ownership& ownership, bool helpers_alone);

  EngineApi& api_;
  DockerOptions options_;
  Gate clone_gate_;
  Gate host_gate_{1};
  std::optional<Host> host_;  // asked once
  std::set<CreateToken> making_;
};

}  // namespace tutti::docker
