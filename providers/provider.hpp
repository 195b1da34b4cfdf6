// What every cloud implements. The engine calls it from the control thread; implementations hold no
// deployment state: what exists is what the cloud answers. Errors are mapped to ErrorClass by a
// table of each cloud's own, with the cloud's code and message kept.
#pragma once

#include "providers/model.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <vector>

namespace tutti {

struct CatalogueImage {
  std::string name;
  std::string distribution;
  std::string version;
  std::string architecture;
};

// What the account offers; asking for it also proves that the credentials work.
struct Catalogue {
  std::vector<CatalogueImage> images;
  std::int64_t free_memory_bytes = -1;  // -1: unknown
  std::int64_t cpus = -1;
};

class Provider {
 public:
  Provider() = default;
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;
  virtual ~Provider() = default;

  [[nodiscard]] virtual const ProviderCapabilities& capabilities() const = 0;
  [[nodiscard]] virtual boost::asio::awaitable<Result<Catalogue>> catalogue() = 0;

  // Accepted: the object exists or is being made; poll find(). `conflict` when an object of this
  // token exists already (native_tokens). After transient or unknown errors the object may exist.
  [[nodiscard]] virtual boost::asio::awaitable<Result<NativeId>> create(
      const ResourceSpec& spec, const Ownership& ownership) = 0;

  // Every object that carries the token, the oldest first; empty when none is visible.
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::vector<Resource>>> find(
      const Ownership& ownership, ResourceKind kind) = 0;

  // Every object of one deployment (or of the owner when `deployment` is empty), of every kind,
  // in as few calls as the cloud allows. The only observation that a delete believes.
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::vector<Resource>>> list_owned(
      const OwnerId& owner, const DeploymentId& deployment) = 0;

  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> set_power(const Resource& resource,
                                                                       Power power) = 0;

  // Accepted: gone when list_owned no longer shows it. An object that is gone already is success.
  // Refuses (invalid) an object that does not carry the given ownership.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> destroy(const Resource& resource) = 0;
};

}  // namespace tutti
