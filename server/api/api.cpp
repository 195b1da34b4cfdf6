#include "server/api/api.hpp"

#include "providers/base/json_writer.hpp"
#include "server/api/deployment_request.hpp"
#include "server/api/json_input.hpp"
#include "server/api/listing.hpp"
#include "server/api/prepare.hpp"
#include "server/api/refusal.hpp"
#include "server/api/routes.hpp"
#include "server/api/service_info.hpp"
#include "server/http/base_url.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <atomic>

namespace tutti::api {

namespace net = boost::asio;
using http::Media;
using http::Request;
using http::Response;

namespace {

constexpr std::uint64_t kJsonBytes = 8 * 1024 * 1024;
// Bodies that no route reads (a DELETE with a list in it) are received and ignored.
constexpr std::uint64_t kIgnoredBytes = 64 * 1024;
constexpr std::size_t kMaxKeyBytes = 255;
constexpr const char* kKeyReused = "idempotency_key_reused";  // as the engine calls it

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

// application/json and application/...+json, with any parameters; absent is taken for JSON.
bool is_json(std::string_view content_type) {
  if (content_type.empty()) return true;
  std::string type = lower(content_type.substr(0, content_type.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  return type == "application/json" ||
         (type.starts_with("application/") && type.ends_with("+json"));
}

std::string sha256_hex(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::string out;
  for (const unsigned char byte : digest) {
    out += kHex[byte >> 4U];
    out += kHex[byte & 15U];
  }
  return out;
}

bool is_true(std::optional<std::string_view> parameter) {
  return parameter && (parameter->empty() || lower(*parameter) == "true");
}

Response json_response(std::string body) {
  return {200, Media::json, std::move(body)};
}

Response to_response(Accepted<std::string> body) {
  return body ? json_response(std::move(*body)) : error_response(body.error());
}

Response no_deployment(std::string_view id) {
  return error_response(404, "The deployment " + std::string(id) + " doesn't exist");
}

class Api final : public http::Handler {
 public:
  explicit Api(Dependencies dependencies)
      : commands_(std::move(dependencies.commands)),
        view_(dependencies.view),
        texts_(dependencies.texts),
        offload_(dependencies.offload),
        clock_(dependencies.clock),
        settings_(std::move(dependencies.settings)),
        info_(render_info()),
        configuration_(render_configuration(settings_.configuration)) {}

  http::Admission admit(const Request& request) override;
  net::awaitable<Response> handle(Request& request) override;
  Response error(unsigned status, std::string_view message) override {
    return error_response(status, message);
  }

 private:
  struct Call {
    Call(Request& r, const http::Target& t, const Match& m) : request(r), target(t), match(m) {}
    [[nodiscard]] std::string_view deployment() const { return match.wildcards.at(0); }
    [[nodiscard]] std::string_view resource() const { return match.wildcards.at(1); }

    Request& request;
    const http::Target& target;
    const Match& match;
  };

  net::awaitable<Response> perform(const Call& call);
  [[nodiscard]] Response show(const Call& call) const;
  [[nodiscard]] Response show_of(const Call& call, const view::Snapshot& snapshot) const;
  [[nodiscard]] Response show_resource(const Call& call, const view::Snapshot& snapshot) const;
  net::awaitable<Response> create(const Call& call);
  net::awaitable<Response> create_prepared(const Call& call, engine::CreateCommand command);
  net::awaitable<Response> remove(const Call& call);
  net::awaitable<Response> show_template(const Call& call);
  net::awaitable<Response> show_log(const Call& call);
  [[nodiscard]] Response update(const Call& call) const;
  [[nodiscard]] Response reset(const Call& call) const;
  [[nodiscard]] Response act(const Call& call) const;

  Commands commands_;
  const view::View& view_;
  view::ColdTexts& texts_;
  Offload& offload_;
  Clock& clock_;
  Settings settings_;
  const std::string info_;
  const std::string configuration_;
  std::atomic<std::size_t> preparations_{0};
};

// One of the preparations that may run at once.
class Permit {
 public:
  Permit(std::atomic<std::size_t>& count, std::size_t limit)
      : count_(count), granted_(count.fetch_add(1) < limit) {}
  ~Permit() { count_.fetch_sub(1); }
  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;
  [[nodiscard]] bool granted() const { return granted_; }

 private:
  std::atomic<std::size_t>& count_;
  bool granted_;
};

Response unknown_path(const Request& request, const Match& match) {
  if (match.allow.empty()) return error_response(404, "There is nothing at this path");
  if (request.method() == "OPTIONS")
    return Response(204, Media::none, "").with("Allow", match.allow);
  return error_response(
             405, std::string(request.method()) + " is not possible here; " + match.allow + " are")
      .with("Allow", match.allow);
}

http::Admission Api::admit(const Request& request) {
  http::Admission admission;
  admission.body_limit_bytes = kIgnoredBytes;
  if (request.method() == "GET" || request.method() == "HEAD") return admission;
  const auto target = http::parse_target(request.target());
  const Match match = target ? match_route(request.method(), *target) : Match{};
  if (match.route == nullptr) {
    admission.refusal = unknown_path(request, match);
  } else if (match.route->takes_json) {
    admission.body_limit_bytes = kJsonBytes;
    if (!is_json(request.field("Content-Type"))) {
      admission.refusal = error_response(415, "The body must be application/json");
    }
  }
  return admission;
}

net::awaitable<Response> Api::handle(Request& request) {
  const auto target = http::parse_target(request.target());
  if (!target) co_return error_response(404, "There is nothing at this path");
  const Match match = match_route(request.method(), *target);
  if (match.route == nullptr) co_return unknown_path(request, match);
  const Call call(request, *target, match);
  co_return co_await perform(call);
}

net::awaitable<Response> Api::perform(const Call& call) {
  switch (call.match.route->action) {
    case Action::create_deployment:
      co_return co_await create(call);
    case Action::delete_deployment:
      co_return co_await remove(call);
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

Response Api::show(const Call& call) const {
  switch (call.match.route->action) {
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

Response Api::show_of(const Call& call, const view::Snapshot& snapshot) const {
  switch (call.match.route->action) {
    case Action::show_deployment:
      return json_response(view::splice(snapshot.json, http::base_url(call.request)));
    case Action::show_extrainfo:
      return json_response(snapshot.extrainfo);
    case Action::list_resources: {
      const bool lavish = call.request.field("User-Agent").starts_with("orpy-");
      return to_response(
          list_resources(snapshot, call.target, lavish, http::base_url(call.request)));
    }
    case Action::filter_resources:
      return to_response(filter_resources(snapshot, call.target, http::base_url(call.request)));
    case Action::show_resource:
      return show_resource(call, snapshot);
    default:
      break;
  }
  TUTTI_ASSERT(!"every action has its place");
  return {};
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

Response Api::show_resource(const Call& call, const view::Snapshot& snapshot) const {
  const auto* resource = find_resource(snapshot, call.resource());
  if (resource == nullptr) return error_response(404, no_resource(snapshot, call.resource()));
  return json_response(view::splice(resource->json, http::base_url(call.request)));
}

net::awaitable<Response> Api::create(const Call& call) {
  const std::string_view key = call.request.field("Idempotency-Key");
  if (key.size() > kMaxKeyBytes) {
    co_return error_response(
        400, "The Idempotency-Key is longer than " + std::to_string(kMaxKeyBytes) + " characters");
  }
  const Permit permit(preparations_, settings_.max_preparations);
  if (!permit.granted()) {
    co_return error_response(503, "Too many templates are being resolved; try again");
  }
  auto work = [this, &call]() -> Accepted<Prepared> {
    auto body = read_json(call.request.body);
    if (!body) return body.error();
    auto request = decode_deployment_request(*body);
    if (!request) return request.error();
    return prepare(std::move(*request), settings_.imports, settings_.site);
  };
  auto prepared = co_await offload_.run(work);
  if (!prepared) co_return error_response(prepared.error());
  if (is_true(call.target.parameter("dryRun"))) {
    JsonWriter writer;
    writer.begin_object().key("plan").raw(plan::to_json(prepared->plan));
    writer.member("mermaid", plan::to_mermaid(prepared->plan));
    writer.key("warnings").raw(diagnostics_json(prepared->warnings)).end_object();
    co_return json_response(writer.take());
  }
  engine::CreateCommand command = std::move(prepared->command);
  command.idempotency_key = key;
  command.request_digest = sha256_hex(call.request.body);
  co_return co_await create_prepared(call, std::move(command));
}

net::awaitable<Response> Api::create_prepared(const Call& call, engine::CreateCommand command) {
  const auto id = co_await commands_.create(std::move(command));
  if (!id) {
    if (id.error().code == kKeyReused) {
      co_return error_response(422, id.error().message);
    }
    co_return error_response(id.error());
  }
  const auto snapshot = view_.find(id->value);
  if (!snapshot) {
    co_return error_response(
        409, "The deployment " + id->value + " that this Idempotency-Key made has been deleted");
  }
  const std::string base = http::base_url(call.request);
  Response response(201, Media::json, view::splice(snapshot->json, base));
  response.headers.emplace_back("Location", base + "/deployments/" + id->value);
  co_return response;
}

net::awaitable<Response> Api::remove(const Call& call) {
  const auto snapshot = view_.find(call.deployment());
  if (!snapshot) co_return no_deployment(call.deployment());
  const auto removed = co_await commands_.remove(snapshot->id);
  if (!removed && removed.error().cls == ErrorClass::not_found) {
    co_return no_deployment(call.deployment());
  }
  if (!removed) co_return error_response(removed.error());
  co_return Response(204, Media::none, "");
}

net::awaitable<Response> Api::show_template(const Call& call) {
  const auto snapshot = view_.find(call.deployment());
  if (!snapshot) co_return no_deployment(call.deployment());
  auto text = co_await texts_.template_text(snapshot->id);
  if (!text) co_return error_response(text.error());
  if (!*text) co_return no_deployment(call.deployment());
  co_return Response(200, Media::text, std::move(**text));
}

net::awaitable<Response> Api::show_log(const Call& call) {
  const auto snapshot = view_.find(call.deployment());
  if (!snapshot) co_return no_deployment(call.deployment());
  auto text = co_await texts_.log(snapshot->id);
  if (!text) co_return error_response(text.error());
  co_return Response(200, Media::text, std::move(*text));
}

bool may_change(reconcile::DeploymentStatus status) {
  using reconcile::DeploymentStatus;
  return status == DeploymentStatus::create_complete ||
         status == DeploymentStatus::update_complete || status == DeploymentStatus::update_failed;
}

Response wrong_status(const view::Snapshot& snapshot, std::string_view what) {
  return error_response(409, "Cannot " + std::string(what) + " a deployment in the state " +
                                 std::string(reconcile::to_string(snapshot.status)));
}

Response Api::update(const Call& call) const {
  const auto snapshot = view_.find(call.deployment());
  if (!snapshot) return no_deployment(call.deployment());
  auto body = read_json(call.request.body);
  if (!body) return error_response(body.error());
  if (const auto request = decode_deployment_request(*body); !request) {
    return error_response(request.error());
  }
  if (!may_change(snapshot->status)) return wrong_status(*snapshot, "update");
  return error_response(501,
                        "Updating a deployment is not implemented yet; delete it and create "
                        "another one");
}

Response Api::reset(const Call& call) const {
  const auto snapshot = view_.find(call.deployment());
  if (!snapshot) return no_deployment(call.deployment());
  const auto body = read_json(call.request.body);
  if (!body) return error_response(body.error());
  const auto status = body->is_object() ? body->find("status") : body->end();
  if (status == body->end() || *status != "DELETE_FAILED") {
    return error_response(400, "The only change possible is {\"status\": \"DELETE_FAILED\"}");
  }
  if (snapshot->status != reconcile::DeploymentStatus::delete_in_progress) {
    return wrong_status(*snapshot, "reset");
  }
  return error_response(501,
                        "Giving up a delete is not implemented yet; it is tried again until "
                        "nothing of the deployment is left");
}

Response Api::act(const Call& call) const {
  const auto snapshot = view_.find(call.deployment());
  if (!snapshot) return no_deployment(call.deployment());
  if (find_resource(*snapshot, call.resource()) == nullptr) {
    return error_response(400, no_resource(*snapshot, call.resource()));
  }
  const auto body = read_json(call.request.body);
  if (!body) return error_response(body.error());
  const auto type = body->is_object() ? body->find("type") : body->end();
  if (type == body->end() || (*type != "start" && *type != "stop")) {
    return error_response(400, "The type of an action must be start or stop");
  }
  if (!may_change(snapshot->status)) return wrong_status(*snapshot, "start or stop a resource of");
  return error_response(501, "Starting and stopping resources is not implemented yet");
}

}  // namespace

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
  return std::make_unique<Api>(std::move(dependencies));
}

}  // namespace tutti::api
