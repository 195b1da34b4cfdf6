// The Docker Engine API, version 1.41, as far as the provider needs it: JSON in, JSON out, errors
// mapped to our classes with the engine's own words kept. Knows nothing of deployments.
#pragma once

#include "providers/base/result.hpp"
#include "providers/support/http_client.hpp"

#include <boost/asio/awaitable.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tutti::docker {

using Json = nlohmann::json;

// Any answer below 400. A class of its own since Json converts from and to nearly everything.
struct EngineAnswer {
  EngineAnswer() = default;
  EngineAnswer(int status_code, Json content) : status(status_code), body(std::move(content)) {}
  int status = 0;
  Json body;  // null when the answer had none
};

// The value at a JSON pointer when it is a string or number, else "" or `otherwise`: the engine's
// answers are read without trust.
[[nodiscard]] std::string text_at(const Json& json, const char* pointer);
[[nodiscard]] std::int64_t number_at(const Json& json, const char* pointer, std::int64_t otherwise);

// For one segment or one value of a query.
[[nodiscard]] std::string percent_encode(std::string_view text);
// "/images/<name>/json"; the slashes of the name stay.
[[nodiscard]] std::string image_path(std::string_view name);
// "filters=...", all labels ("name=value") must match.
[[nodiscard]] std::string label_filter(const std::vector<std::string>& labels);

// The class of an answer of 400 or more, by the engine's status and its words.
[[nodiscard]] Error engine_error(int status, const std::string& message);

class EngineApi {
 public:
  using Answer = boost::asio::awaitable<Result<EngineAnswer>>;
  // The engine answers a create or a start late when the machine is loaded.
  static constexpr std::chrono::milliseconds kPatience{120000};

  EngineApi(HttpClient& http, std::string socket) : http_(http), socket_(std::move(socket)) {}

  // Paths begin with '/' and have no version. Codes of errors: "engine_unreachable",
  // "permission_denied", "engine_answer" or engine_error()'s.
  [[nodiscard]] Answer get(std::string path);
  [[nodiscard]] Answer post(std::string path, Json body = nullptr);
  // A POST that makes something. It is waited for also when the caller is cancelled: the engine
  // goes on without its client, and what it makes later nobody would look for.
  [[nodiscard]] Answer make(std::string path, Json body = nullptr);
  [[nodiscard]] Answer put_archive(std::string path, std::string tar);
  // What is gone already is success.
  [[nodiscard]] boost::asio::awaitable<Result<void>> remove(std::string path);
  // What a container wrote, both streams, for errors; "" when it cannot be had.
  [[nodiscard]] boost::asio::awaitable<std::string> output_of(std::string container_path);

 private:
  [[nodiscard]] boost::asio::awaitable<Result<HttpResponse>> perform(HttpRequest request);
  [[nodiscard]] Answer exchange(HttpRequest request);
  [[nodiscard]] HttpRequest request(std::string method, const std::string& path) const;

  HttpClient& http_;
  std::string socket_;
};

}  // namespace tutti::docker
