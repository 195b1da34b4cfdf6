// INDIGO's REST contract, and what Tutti says beyond it: routes, decoding, authorization. Hands
// commands to the engine and reads the view; never a store's state or a cloud. main composes it.
#pragma once

#include "providers/support/clock.hpp"
#include "providers/support/offload.hpp"
#include "server/engine/engine.hpp"
#include "server/http/handler.hpp"
#include "server/plan/plan.hpp"
#include "server/view/cold_texts.hpp"
#include "server/view/view.hpp"
#include "tosca/resolve/resolve.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace tutti::api {

// What the API asks of the engine; callable on any thread.
struct Commands {
  std::function<boost::asio::awaitable<Result<DeploymentId>>(engine::CreateCommand)> create;
  std::function<boost::asio::awaitable<Result<void>>(DeploymentId)> remove;
};
[[nodiscard]] Commands commands_of(engine::Engine& engine);

struct Settings {
  tosca::ImportResolver imports;  // callable on any thread
  plan::Site site;                // that plans are made for
  // The roles start imitations of Mesos, Marathon and Chronos: deployments of them are told so.
  bool mesos_standins = false;
  // GET /configuration: names that clients know (im_url, ...) to URLs; missing ones are "".
  std::map<std::string, std::string> configuration;
  // Templates that are resolved at once; more get 503.
  std::size_t max_preparations = 4;
};

// References outlive the handler.
struct Dependencies {
  Commands commands;
  const view::View& view;
  view::ColdTexts& texts;
  Offload& offload;
  Clock& clock;
  Settings settings;
};

[[nodiscard]] std::unique_ptr<http::Handler> make_handler(Dependencies dependencies);

}  // namespace tutti::api
