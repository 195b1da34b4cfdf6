#include "server/api/handler.hpp"

#include "providers/support/secrets.hpp"
#include "server/api/listing.hpp"
#include "server/api/service_info.hpp"
#include "server/api/text.hpp"
#include "server/http/base_url.hpp"

#include <algorithm>

namespace tutti::api {

namespace net = boost::asio;
using http::Media;
using http::Request;
using http::Response;

namespace {

constexpr std::uint64_t kJsonBytes = 8 * 1024 * 1024;
// Bodies that no route reads (a DELETE with a list in it) are received and ignored.
constexpr std::uint64_t kIgnoredBytes = 64 * 1024;

// application/json and application/...+json, with any parameters; absent is taken for JSON.
bool is_json(std::string_view content_type) {
  if (content_type.empty()) return true;
  std::string type = lower_case(content_type.substr(0, content_type.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  return type == "application/json" ||
         (type.starts_with("application/") && type.ends_with("+json"));
}

Response to_response(Accepted<std::string> body) {
  return body ? json_response(std::move(*body)) : error_response(body.error());
}

Response broken_parameter(const std::string& name) {
  return error_response(400, "The query parameter " + name + " has a broken escape");
}

Response unknown_path(const Request& request, const Match& match) {
  if (match.allow.empty()) return error_response(404, "There is nothing at this path");
  if (request.method() == "OPTIONS")
    return Response(204, Media::none, "").with("Allow", match.allow);
  return error_response(
             405, std::string(request.method()) + " is not possible here; " + match.allow + " are")
      .with("Allow", match.allow);
}

}  // namespace

Response json_response(std::string body) {
  return {200, Media::json, std::move(body)};
}

Response no_deployment(std::string_view id) {
  return error_response(404, "The deployment " + std::string(id) + " doesn't exist");
}

const view::RenderedResource* find_resource(const view::Snapshot& snapshot, std::string_view id) {
  const auto found = std::find_if(snapshot.resources.begin(), snapshot.resources.end(),
                                  [id](const auto& resource) { return resource.id.value == id; });
  return found == snapshot.resources.end() ? nullptr : &*found;
}

std::string no_resource(const view::Snapshot& snapshot, std::string_view id) {
  return "The resource " + std::string(id) + " in deployment " + snapshot.id.value +
         " doesn't exist";
}

RestHandler::RestHandler(Dependencies dependencies)
    : commands_(std::move(dependencies.commands)),
      view_(dependencies.view),
      texts_(dependencies.texts),
      offload_(dependencies.offload),
      clock_(dependencies.clock),
      settings_(std::move(dependencies.settings)),
      info_(render_info()),
      configuration_(render_configuration(settings_.configuration)) {}

Response RestHandler::error(unsigned status, std::string_view message) {
  return error_response(status, message);
}

http::Admission RestHandler::admit(const Request& request) {
  http::Admission admission;
  admission.body_limit_bytes = kIgnoredBytes;
  if (request.method() == "GET" || request.method() == "HEAD") return admission;
  const auto target = http::parse_target(request.target());
  const Match match = target ? match_route(request.method(), *target) : Match{};
  if (target && target->broken_parameter) {
    admission.refusal = broken_parameter(*target->broken_parameter);
  } else if (match.route == nullptr) {
    admission.refusal = unknown_path(request, match);
  } else if (match.route->takes_json) {
    const Action action = match.route->action;
    const bool with_template =
        action == Action::create_deployment || action == Action::update_deployment;
    if (with_template) admission.body_limit_bytes = kJsonBytes;
    if (!is_json(request.field("Content-Type"))) {
      admission.refusal = error_response(415, "The body must be application/json");
    }
  }
  return admission;
}

net::awaitable<Response> RestHandler::handle(Request& request) {
  const auto target = http::parse_target(request.target());
  if (!target) co_return error_response(404, "There is nothing at this path");
  if (target->broken_parameter) co_return broken_parameter(*target->broken_parameter);
  const Match match = match_route(request.method(), *target);
  if (match.route == nullptr) co_return unknown_path(request, match);
  const Call call(request, *target, match);
  switch (call.action()) {
    case Action::create_deployment:
      co_return co_await create(call);
    case Action::delete_deployment:
      co_return co_await remove(call);
    case Action::show_deployment: {
      const auto snapshot = view_.find(call.deployment());
      if (!snapshot) co_return no_deployment(call.deployment());
      if (snapshot->reveals) co_return co_await show_revealed(call, *snapshot);
      co_return json_response(view::splice(snapshot->json, http::base_url(request)));
    }
    case Action::show_template:
      co_return co_await show_template(call);
    case Action::show_log:
      co_return co_await show_log(call);
    case Action::update_deployment:
      co_return update(call);
    case Action::reset_deployment:
      co_return reset(call);
    case Action::act_on_resource:
      co_return act(call);
    default:
      co_return show(call);
  }
}

Response RestHandler::show(const Call& call) const {
  switch (call.action()) {
    case Action::root:
      return {200, Media::text, "INDIGO-Orchestrator"};
    case Action::info:
      return json_response(info_);
    case Action::configuration:
      return json_response(configuration_);
    case Action::schedules:
      return error_response(501, "Schedules of data movements are not implemented");
    case Action::list_deployments: {
      const bool lavish = call.request.field("User-Agent").starts_with("orpy-");
      return to_response(
          list_deployments(view_, call.target, lavish, http::base_url(call.request)));
    }
    case Action::show_progress: {
      auto progress = view_.progress(call.deployment(), clock_.now());
      return progress ? json_response(std::move(*progress)) : no_deployment(call.deployment());
    }
    default:
      break;
  }
  const auto snapshot = view_.find(call.deployment());
  return snapshot ? show_of(call, *snapshot) : no_deployment(call.deployment());
}

Response RestHandler::show_of(const Call& call, const view::Snapshot& snapshot) const {
  switch (call.action()) {
    case Action::show_extrainfo:
      return json_response(snapshot.extrainfo);
    case Action::list_resources: {
      const bool lavish = call.request.field("User-Agent").starts_with("orpy-");
      return to_response(
          list_resources(snapshot, call.target, lavish, http::base_url(call.request)));
    }
    case Action::filter_resources:
      return to_response(filter_resources(snapshot, call.target, http::base_url(call.request)));
    case Action::show_resource: {
      const auto* resource = find_resource(snapshot, call.resource());
      if (resource == nullptr) return error_response(404, no_resource(snapshot, call.resource()));
      return json_response(view::splice(resource->json, http::base_url(call.request)));
    }
    default:
      break;
  }
  TUTTI_ASSERT(!"every action has its place");
  return {};
}

// Secrets that outputs are declared to reveal are opened for this answer alone.
net::awaitable<Response> RestHandler::show_revealed(const Call& call,
                                                    const view::Snapshot& snapshot) {
  auto secrets = co_await texts_.secrets(snapshot.id);
  if (!secrets) co_return error_response(secrets.error());
  const plan::SecretSource source =
      [&secrets](const tosca::SecretRef& reference) -> std::optional<std::string> {
    const auto found = secrets->find(reference);
    if (found == secrets->end()) return std::nullopt;
    return found->second;
  };
  const std::string revealed = view_.reveal(snapshot, source);
  for (auto& [reference, text] : *secrets) wipe(text);
  co_return json_response(view::splice(revealed, http::base_url(call.request)));
}

net::awaitable<Response> RestHandler::show_template(const Call& call) {
  const auto snapshot = view_.find(call.deployment());
  if (!snapshot) co_return no_deployment(call.deployment());
  auto text = co_await texts_.template_text(snapshot->id);
  if (!text) co_return error_response(text.error());
  if (!*text) co_return no_deployment(call.deployment());
  co_return Response(200, Media::text, std::move(**text));
}

net::awaitable<Response> RestHandler::show_log(const Call& call) {
  const auto snapshot = view_.find(call.deployment());
  if (!snapshot) co_return no_deployment(call.deployment());
  auto text = co_await texts_.log(snapshot->id);
  if (!text) co_return error_response(text.error());
  co_return Response(200, Media::text, std::move(*text));
}

Commands commands_of(engine::Engine& engine) {
  Commands commands;
  commands.create = [&engine](engine::CreateCommand command) {
    return engine.create(std::move(command));
  };
  commands.remove = [&engine](DeploymentId deployment) {
    return engine.remove(std::move(deployment));
  };
  return commands;
}

std::unique_ptr<http::Handler> make_handler(Dependencies dependencies) {
  return std::make_unique<RestHandler>(std::move(dependencies));
}

}  // namespace tutti::api
