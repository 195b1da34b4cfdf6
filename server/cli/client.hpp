// Requests to a Tutti daemon, for commands that wait: a request is sent, its answer returned, and
// between polls the terminal's Ctrl-C is noticed.
#pragma once

#include "providers/support/clock.hpp"
#include "providers/support/http_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <chrono>
#include <string>

namespace tutti::cli {

class Client {
 public:
  explicit Client(std::string server);

  // Any HTTP status is an answer; an Error means that there was none.
  [[nodiscard]] Result<HttpResponse> send(const std::string& method, const std::string& path,
                                          const std::string& body = {},
                                          const std::string& idempotency_key = {});
  // Waits; false when Ctrl-C (or SIGTERM) came, now or before.
  [[nodiscard]] bool pause(std::chrono::milliseconds time);
  [[nodiscard]] const std::string& server() const { return server_; }

 private:
  std::string server_;
  boost::asio::io_context context_;
  boost::asio::signal_set signals_;
  bool interrupted_ = false;
  HttpClient http_;
};

// Prints why a request did not do what was asked, with the diagnostics of a refused template.
// Returns the exit code for it: refused for 4xx about the input, unreachable for the rest.
[[nodiscard]] int report(const Client& client, const Result<HttpResponse>& answer);

}  // namespace tutti::cli
