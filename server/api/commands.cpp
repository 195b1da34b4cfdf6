// The half of the handler that changes something, or will.
#include "providers/base/json_writer.hpp"
#include "server/api/handler.hpp"
#include "server/api/json_input.hpp"
#include "server/api/listing.hpp"
#include "server/api/text.hpp"
#include "server/http/base_url.hpp"

#include <openssl/sha.h>

#include <array>

namespace tutti::api {

namespace net = boost::asio;
using http::Media;
using http::Response;

namespace {

constexpr std::size_t kMaxKeyBytes = 255;
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
  return parameter && (parameter->empty() || lower_case(*parameter) == "true");
}

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

bool may_change(reconcile::DeploymentStatus status) {
  using reconcile::DeploymentStatus;
  return status == DeploymentStatus::create_complete ||
         status == DeploymentStatus::update_complete || status == DeploymentStatus::update_failed;
}

Response wrong_status(const view::Snapshot& snapshot, std::string_view what) {
  return error_response(409, "Cannot " + std::string(what) + " a deployment in the state " +
                                 std::string(reconcile::to_string(snapshot.status)));
}

// What `tutti plan` shows: also a plan that cannot be carried out here, and why.
Response show_plan(const Prepared& prepared) {
  JsonWriter writer;
  writer.begin_object().key("plan").raw(plan::to_json(prepared.plan));
  writer.member("mermaid", plan::to_mermaid(prepared.plan));
  writer.key("deployable").boolean(prepared.errors.empty());
  writer.key("errors").raw(diagnostics_json(prepared.errors));
  writer.key("warnings").raw(diagnostics_json(prepared.warnings)).end_object();
  return json_response(writer.take());
}

}  // namespace

net::awaitable<Response> RestHandler::create(const Call& call) {
  const std::string_view key = call.request.field("Idempotency-Key");
  if (key.size() > kMaxKeyBytes) {
    co_return error_response(
        400, "The Idempotency-Key is longer than " + std::to_string(kMaxKeyBytes) + " characters");
  }
  auto prepared = co_await prepare_permitted(call);
  if (!prepared) co_return error_response(prepared.error());
  if (is_true(call.target.parameter("dryRun"))) co_return show_plan(*prepared);
  if (!prepared->errors.empty()) co_return error_response(refuse_deployment(*prepared));
  engine::CreateCommand command = std::move(prepared->command);
  command.idempotency_key = key;
  command.request_digest = sha256_hex(call.request.body);
  co_return co_await create_prepared(call, std::move(command));
}

// The permit ends with the preparation: a commit that takes long keeps nobody from being resolved.
net::awaitable<Accepted<Prepared>> RestHandler::prepare_permitted(const Call& call) {
  const Permit permit(preparations_, settings_.max_preparations);
  if (!permit.granted()) {
    co_return Refusal(503, "Too many templates are being resolved; try again");
  }
  auto work = [this, &call]() -> Accepted<Prepared> {
    auto body = read_json(call.request.body);
    if (!body) return body.error();
    auto request = decode_deployment_request(*body);
    if (!request) return request.error();
    return prepare(std::move(*request), settings_);
  };
  co_return co_await offload_.run(work);
}

net::awaitable<Response> RestHandler::create_prepared(const Call& call,
                                                      engine::CreateCommand command) {
  const auto id = co_await commands_.create(std::move(command));
  if (!id) co_return error_response(id.error());
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

net::awaitable<Response> RestHandler::remove(const Call& call) {
  const auto snapshot = view_.find(call.deployment());
  if (!snapshot) co_return no_deployment(call.deployment());
  const auto removed = co_await commands_.remove(snapshot->id);
  if (!removed && removed.error().cls == ErrorClass::not_found) {
    co_return no_deployment(call.deployment());
  }
  if (!removed) co_return error_response(removed.error());
  co_return Response(204, Media::none, "");
}

Response RestHandler::update(const Call& call) const {
  const auto snapshot = view_.find(call.deployment());
  if (!snapshot) return no_deployment(call.deployment());
  if (!may_change(snapshot->status)) return wrong_status(*snapshot, "update");
  return error_response(501,
                        "Updating a deployment is not implemented yet; delete it and create "
                        "another one");
}

Response RestHandler::reset(const Call& call) const {
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

Response RestHandler::act(const Call& call) const {
  const auto snapshot = view_.find(call.deployment());
  if (!snapshot) return no_deployment(call.deployment());
  const auto* resource = find_resource(*snapshot, call.resource());
  if (resource == nullptr) {
    return error_response(400, no_resource(*snapshot, call.resource()));
  }
  const auto body = read_json(call.request.body);
  if (!body) return error_response(body.error());
  const auto type = body->is_object() ? body->find("type") : body->end();
  if (type == body->end() || (*type != "start" && *type != "stop")) {
    return error_response(400, "The type of an action must be start or stop");
  }
  if (!may_change(snapshot->status)) return wrong_status(*snapshot, "start or stop a resource of");
  const bool machine = is_of_type(*resource, "tosca.nodes.Compute");
  if (!machine) return error_response(400, "Only machines can be started and stopped");
  const std::string_view needed = *type == "start" ? "STOPPED" : "STARTED";
  if (resource->state != needed) {
    return error_response(409, "The resource " + resource->id.value + " is in the state " +
                                   resource->state + ", not " + std::string(needed));
  }
  return error_response(501, "Starting and stopping resources is not implemented yet");
}

}  // namespace tutti::api
