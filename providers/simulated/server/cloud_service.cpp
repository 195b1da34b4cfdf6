#include "providers/simulated/server/cloud_service.hpp"

#include "providers/support/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

namespace tutti::simulated {
namespace net = boost::asio;
namespace http = boost::beast::http;
namespace {

constexpr std::size_t kMaximumBody = std::size_t{1} << 20;

// A lost answer looks like what it is: the connection ends.
Answer answer_of(const Error& error) {
  Answer answer;
  answer.drop = error.code == "connection_lost";
  answer.status = 409;
  answer.body = encode(error);
  return answer;
}

Answer bad_request(const std::string& why) {
  Answer answer;
  answer.status = 400;
  answer.body = encode(Error(ErrorClass::invalid, "request", why));
  return answer;
}

template <class T, class Encode>
Answer answer_of(const Result<T>& result, const Encode& encode_value) {
  if (!result) return answer_of(result.error());
  Answer answer;
  answer.body = encode_value(*result);
  return answer;
}

Answer answer_of(const Result<void>& result) {
  return result ? Answer() : answer_of(result.error());
}

Json encode_catalogue(const Catalogue& catalogue) {
  Json json = Json::object();
  json["cpus"] = catalogue.cpus;
  json["free_memory_bytes"] = catalogue.free_memory_bytes;
  json["images"] = Json::array();
  for (const CatalogueImage& image : catalogue.images) json["images"].push_back(image.name);
  return json;
}

std::chrono::milliseconds milliseconds_of(const Json& message, const char* name,
                                          std::chrono::milliseconds otherwise) {
  return std::chrono::milliseconds(message.value(name, std::int64_t{otherwise.count()}));
}

Fault decode_fault(const Json& message) {
  Fault fault;
  const std::string when = message.value("when", "none");
  if (when == "before") {
    fault.when = Fault::When::before;
  } else if (when == "after") {
    fault.when = Fault::When::after;
  } else if (when != "none") {
    throw std::invalid_argument("when is none, before or after");
  }
  fault.cls = error_class_from(message.value("class", "transient"));
  fault.code = message.value("code", "connection_lost");
  fault.request_delay = milliseconds_of(message, "request_delay_ms", {});
  fault.answer_delay = milliseconds_of(message, "answer_delay_ms", {});
  return fault;
}

void set_options(WorldOptions& options, const Json& message) {
  options.boot_time = milliseconds_of(message, "boot_ms", options.boot_time);
  options.visible_after = milliseconds_of(message, "visible_after_ms", options.visible_after);
  options.destroy_time = milliseconds_of(message, "destroy_ms", options.destroy_time);
  options.memory_bytes = message.value("memory_bytes", options.memory_bytes);
  if (message.contains("quota")) {
    options.quota.clear();
    for (const auto& [kind, most] : message["quota"].items()) {
      options.quota[decode_kind(Json(kind))] = most.get<int>();
    }
  }
}

}  // namespace

CloudService::CloudService(net::any_io_executor executor, Clock& clock, WorldOptions options)
    : executor_(executor),
      clock_(clock),
      world_(std::move(options)),
      provider_(make_in_process_provider(world_, faults_, clock_)),
      connections_(std::move(executor), [](std::string_view text) { log(LogLevel::error, text); }) {
}

net::awaitable<void> CloudService::serve(const std::string& socket) {
  net::local::stream_protocol::acceptor acceptor(executor_,
                                                 net::local::stream_protocol::endpoint(socket));
  co_await accept(acceptor);
  co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
  connections_.cancel_all();
  co_await connections_.join();
}

net::awaitable<void> CloudService::accept(net::local::stream_protocol::acceptor& acceptor) {
  for (;;) {
    auto [error, socket] = co_await acceptor.async_accept(net::as_tuple(net::use_awaitable));
    if (error == net::error::operation_aborted) co_return;
    if (!error) connections_.spawn(converse(std::move(socket)));
  }
}

net::awaitable<void> CloudService::converse(Socket socket) {
  boost::beast::flat_buffer buffer;
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kMaximumBody);
    const auto [read_error, read] =
        co_await http::async_read(socket, buffer, parser, net::as_tuple(net::use_awaitable));
    if (read_error) co_return;
    const auto& request = parser.get();
    const Answer answered = co_await answer(std::string(request.target()), request.body());
    if (answered.drop) co_return;
    http::response<http::string_body> response(static_cast<http::status>(answered.status),
                                               request.version());
    response.set(http::field::content_type, "application/json");
    response.body() = answered.body.dump();
    response.keep_alive(request.keep_alive());
    response.prepare_payload();
    const auto [write_error, written] =
        co_await http::async_write(socket, response, net::as_tuple(net::use_awaitable));
    if (write_error || !request.keep_alive()) co_return;
  }
}

net::awaitable<Answer> CloudService::answer(std::string target, std::string body) {
  constexpr std::string_view kOperations = "/v1/", kControl = "/control/";
  Json message = body.empty() ? Json::object() : Json::parse(body, nullptr, false);
  if (!message.is_object()) co_return bad_request("the body must be a JSON object");
  if (target == "/v1/ready") co_return Answer();
  std::string problem;
  try {
    if (target.starts_with(kOperations)) {
      co_return co_await operate(target.substr(kOperations.size()), std::move(message));
    }
    if (target.starts_with(kControl)) {
      co_return control(target.substr(kControl.size()), message);
    }
    problem = "no such path: " + target;
  } catch (const Json::exception& error) {
    problem = error.what();
  } catch (const std::invalid_argument& error) {
    problem = error.what();
  }
  co_return bad_request(problem);
}

net::awaitable<Answer> CloudService::operate(std::string operation, Json message) {
  if (operation == "catalogue") {
    co_return answer_of(co_await provider_->catalogue(), encode_catalogue);
  }
  if (operation == "create") {
    const ResourceSpec spec = decode_spec(message.at("spec"));
    const Ownership ownership = decode_ownership(message.at("ownership"));
    const auto created = co_await provider_->create(spec, ownership);
    const auto encode_id = [](const NativeId& id) {
      Json json = Json::object();
      json["id"] = id.value;
      return json;
    };
    co_return answer_of(created, encode_id);
  }
  const auto encode_list = [](const std::vector<Resource>& list) { return encode(list); };
  if (operation == "find") {
    const Ownership ownership = decode_ownership(message.at("ownership"));
    const auto found = co_await provider_->find(ownership, decode_kind(message.at("kind")));
    co_return answer_of(found, encode_list);
  }
  if (operation == "list") {
    const OwnerId owner(message.at("owner").get<std::string>());
    const DeploymentId deployment(message.at("deployment").get<std::string>());
    const auto listed = co_await provider_->list_owned(owner, deployment);
    co_return answer_of(listed, encode_list);
  }
  const Resource resource = decode_resource(message.at("resource"));
  if (operation == "power") {
    const Power power = message.at("on").get<bool>() ? Power::on : Power::off;
    const auto done = co_await provider_->set_power(resource, power);
    co_return answer_of(done);
  }
  if (operation != "destroy") co_return bad_request("no such operation: " + operation);
  const auto done = co_await provider_->destroy(resource);
  co_return answer_of(done);
}

Answer CloudService::control(const std::string& what, const Json& message) {
  Answer answer;
  if (what == "fault") {
    faults_.plan(message.at("operation").get<std::string>(), decode_fault(message),
                 message.value("times", 1));
  } else if (what == "fail_boots") {
    world_.fail_boots(message.at("count").get<int>());
  } else if (what == "options") {
    set_options(world_.options(), message);
  } else if (what == "plant") {
    world_.plant(decode_resource(message.at("resource")));
  } else if (what == "audit") {
    answer.body = audit();
  } else {
    return bad_request("no such control: " + what);
  }
  return answer;
}

Json CloudService::audit() {
  const Audit audit = world_.audit(clock_.now());
  Json json = Json::object();
  json["creates"] = audit.creates;
  json["most_live"] = audit.most_live;
  json["live"] = encode(audit.live);
  json["calls"] = faults_.calls();
  return json;
}

}  // namespace tutti::simulated
