// Texts of a deployment that are read rarely and so are not kept in snapshots: its template and its
// log. Reads the store, never writes it; used by the API.
#pragma once

#include "server/store/store.hpp"
#include "tosca/topology/value.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace tutti::view {

// Opens what the engine sealed before it gave it to the store.
using Unseal = std::function<Result<std::string>(
    const DeploymentId& deployment, const std::string& document, const std::string& sealed)>;

class ColdTexts {
 public:
  // `store` outlives this.
  ColdTexts(store::Store& store, Unseal unseal) : store_(store), unseal_(std::move(unseal)) {}

  // Nothing when the deployment has gone meanwhile.
  [[nodiscard]] boost::asio::awaitable<Result<std::optional<std::string>>> template_text(
      DeploymentId deployment);
  // One line per record, oldest first, each with its time and step; the newest part of a long log.
  [[nodiscard]] boost::asio::awaitable<Result<std::string>> log(DeploymentId deployment);
  // Every secret of the deployment in plain text; for outputs that are declared to reveal one.
  [[nodiscard]] boost::asio::awaitable<Result<std::map<tosca::SecretRef, std::string>>> secrets(
      DeploymentId deployment);

 private:
  store::Store& store_;
  Unseal unseal_;
};

}  // namespace tutti::view
