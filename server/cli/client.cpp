#include "server/cli/client.hpp"

#include "server/cli/options.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <nlohmann/json.hpp>

#include <iostream>

namespace tutti::cli {

Client::Client(std::string server)
    : server_(std::move(server)),
      signals_(context_, SIGINT, SIGTERM),
      http_(context_.get_executor()) {
  signals_.async_wait([this](boost::system::error_code error, int) {
    if (!error) interrupted_ = true;
  });
}

Result<HttpResponse> Client::send(const std::string& method, const std::string& path,
                                  const std::string& body, const std::string& idempotency_key) {
  HttpRequest request(method, server_ + path);
  request.headers.emplace_back("Accept", "application/json");
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  if (!idempotency_key.empty()) request.headers.emplace_back("Idempotency-Key", idempotency_key);
  request.body = body;
  request.connect_timeout = std::chrono::seconds(5);
  auto answer =
      boost::asio::co_spawn(context_, http_.perform(std::move(request)), boost::asio::use_future);
  context_.restart();
  while (answer.wait_for(std::chrono::seconds(0)) != std::future_status::ready) context_.run_one();
  return answer.get();
}

bool Client::pause(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  context_.restart();
  while (!interrupted_ && std::chrono::steady_clock::now() < end) context_.run_one_until(end);
  return !interrupted_;
}

namespace {

void print_diagnostics(const nlohmann::json& body) {
  const auto found = body.find("diagnostics");
  if (found == body.end() || !found->is_array()) return;
  for (const auto& diagnostic : *found) {
    std::cerr << diagnostic.value("file", "template") << ':' << diagnostic.value("line", 0) << ':'
              << diagnostic.value("column", 0) << ": " << diagnostic.value("severity", "error")
              << ": " << diagnostic.value("message", "") << " [" << diagnostic.value("rule", "")
              << "]";
    const std::string hint = diagnostic.value("hint", "");
    if (!hint.empty()) std::cerr << " (hint: " << hint << ")";
    std::cerr << '\n';
  }
}

}  // namespace

int report(const Client& client, const Result<HttpResponse>& answer) {
  if (!answer) {
    std::cerr << "tutti: no answer from " << client.server() << ": " << answer.error().describe()
              << "\n";
    return kUnreachable;
  }
  const auto body = nlohmann::json::parse(answer->body, nullptr, false);
  std::string message = "HTTP status " + std::to_string(answer->status);
  if (body.is_object()) {
    message = body.value("message", body.value("title", message));
    print_diagnostics(body);
  }
  std::cerr << "tutti: " << message << "\n";
  const bool input = answer->status == 400 || answer->status == 413 || answer->status == 415 ||
                     answer->status == 422;
  return input ? kRefused : kUnreachable;
}

}  // namespace tutti::cli
