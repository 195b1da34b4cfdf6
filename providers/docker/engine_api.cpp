#include "providers/docker/engine_api.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace tutti::docker {
namespace net = boost::asio;

namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// curl does not say why a unix socket cannot be connected to: asked here.
Error unreachable(const std::string& socket) {
  if (access(socket.c_str(), F_OK) != 0) {
    return Error(ErrorClass::transient, "engine_unreachable",
                 "no Docker engine: there is no socket " + socket +
                     " (start dockerd, or configure where its socket is)");
  }
  if (access(socket.c_str(), R_OK | W_OK) != 0 && errno == EACCES) {
    return Error(ErrorClass::authentication, "permission_denied",
                 "this user may not use the Docker engine's socket " + socket +
                     " (run as root, or as a member of the group docker)");
  }
  return Error(ErrorClass::transient, "engine_unreachable",
               "no Docker engine answers at " + socket + " (start dockerd)");
}

// The frames of a log without a terminal: one byte of stream, three of zero, four of length.
std::string unframe(const std::string& raw) {
  constexpr std::size_t kHeader = 8;
  std::string text;
  std::size_t at = 0;
  while (at + kHeader <= raw.size()) {
    std::size_t length = 0;
    for (std::size_t i = 4; i < kHeader; ++i) {
      length = length << 8U | static_cast<unsigned char>(raw[at + i]);
    }
    text += raw.substr(at + kHeader, length);
    at += kHeader + length;
  }
  return text;
}

}  // namespace

std::string text_at(const Json& json, const char* pointer) {
  const Json::json_pointer place(pointer);
  if (!json.contains(place)) return {};
  const Json& value = json.at(place);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t number_at(const Json& json, const char* pointer, std::int64_t otherwise) {
  const Json::json_pointer place(pointer);
  if (!json.contains(place)) return otherwise;
  const Json& value = json.at(place);
  return value.is_number_integer() ? value.get<std::int64_t>() : otherwise;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kPlain.find(c) != std::string_view::npos;
    if (plain) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4U];
      encoded += kDigits[byte & 15U];
    }
  }
  return encoded;
}

std::string image_path(std::string_view name) {
  std::string path = "/images/";
  for (const char c : name) path += c == '/' ? std::string(1, c) : percent_encode({&c, 1});
  return path + "/json";
}

std::string label_filter(const std::vector<std::string>& labels) {
  Json filters = Json::object();
  filters["label"] = labels;
  return "filters=" + percent_encode(filters.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Error engine_error(int status, const std::string& message) {
  const auto error = [&message](ErrorClass cls, std::string code) {
    return Error(cls, std::move(code), message);
  };
  if (has(message, "Address already in use")) return error(ErrorClass::capacity, "address_in_use");
  if (has(message, "overlaps with other one") || has(message, "overlapping IPv4")) {
    return error(ErrorClass::capacity, "subnet_in_use");
  }
  if (has(message, "no space left on device")) return error(ErrorClass::capacity, "disk_full");
  if (has(message, "annot allocate memory")) return error(ErrorClass::capacity, "memory_short");
  if (status == 404 && has(message, "No such image")) {
    return Error(ErrorClass::invalid, "image_missing",
                 message + " (build the sandbox's images first: deploy/images/build)");
  }
  if (has(message, "has active endpoints")) return error(ErrorClass::transient, "network_in_use");
  if (has(message, "volume is in use")) return error(ErrorClass::transient, "volume_in_use");
  const std::string code = std::to_string(status);
  switch (status) {
    case 400:
      return error(ErrorClass::invalid, code);
    case 401:
    case 403:
      return error(ErrorClass::authentication, code);
    case 404:
      return error(ErrorClass::not_found, code);
    case 409:
      return error(ErrorClass::conflict, code);
    case 429:
      return error(ErrorClass::throttled, code);
    default:
      return error(status >= 500 ? ErrorClass::transient : ErrorClass::unknown, code);
  }
}

HttpRequest EngineApi::request(std::string method, const std::string& path) const {
  HttpRequest made(std::move(method), "http://localhost/v1.41" + path);
  made.unix_socket = socket_;
  made.timeout = kPatience;
  return made;
}

net::awaitable<Result<HttpResponse>> EngineApi::perform(HttpRequest request) {
  Result<HttpResponse> response = co_await http_.perform(std::move(request));
  if (!response && response.error().code == "connect") co_return unreachable(socket_);
  co_return response;
}

EngineApi::Answer EngineApi::exchange(HttpRequest request) {
  TUTTI_CO_TRY(const HttpResponse response, co_await perform(std::move(request)));
  Json body = nullptr;
  if (!response.body.empty()) body = Json::parse(response.body, nullptr, false);
  if (response.status >= 400) {
    std::string message = body.is_object() ? text_at(body, "/message") : std::string();
    if (message.empty()) message = "the Docker engine answered " + std::to_string(response.status);
    co_return engine_error(response.status, message);
  }
  if (body.is_discarded()) {
    co_return Error(ErrorClass::unknown, "engine_answer",
                    "what answers on " + socket_ + " does not speak JSON: no Docker engine?");
  }
  co_return EngineAnswer(response.status, std::move(body));
}

EngineApi::Answer EngineApi::get(std::string path) {
  HttpRequest made = request("GET", path);
  co_return co_await exchange(std::move(made));
}

EngineApi::Answer EngineApi::post(std::string path, Json body) {
  HttpRequest made = request("POST", path);
  made.headers.emplace_back("Content-Type", "application/json");
  if (!body.is_null()) made.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  co_return co_await exchange(std::move(made));
}

EngineApi::Answer EngineApi::make(std::string path, Json body) {
  const auto executor = co_await net::this_coro::executor;
  auto to_its_end = net::bind_cancellation_slot(net::cancellation_slot(), net::use_awaitable);
  auto answer = post(std::move(path), std::move(body));
  co_return co_await net::co_spawn(executor, std::move(answer), std::move(to_its_end));
}

EngineApi::Answer EngineApi::put_archive(std::string path, std::string tar) {
  HttpRequest made = request("PUT", path);
  made.headers.emplace_back("Content-Type", "application/x-tar");
  made.body = std::move(tar);
  co_return co_await exchange(std::move(made));
}

net::awaitable<Result<void>> EngineApi::remove(std::string path) {
  HttpRequest made = request("DELETE", path);
  const Result<EngineAnswer> answer = co_await exchange(std::move(made));
  if (answer) co_return Result<void>();
  const Error& error = answer.error();
  const bool leaving = has(error.message, "is already in progress");
  if (error.cls == ErrorClass::not_found || leaving) co_return Result<void>();
  co_return error;
}

net::awaitable<std::string> EngineApi::output_of(std::string container_path) {
  HttpRequest made = request("GET", container_path + "/logs?stdout=1&stderr=1&tail=20");
  const Result<HttpResponse> response = co_await perform(std::move(made));
  co_return response && response->status == 200 ? unframe(response->body) : std::string();
}

}  // namespace tutti::docker
