// HTTP for talking to clouds: libcurl's multi interface driven by Asio. Verifies peers, follows no
// redirects, reads no proxy from the environment, limits every body and every wait. One object
// belongs to one executor's thread; it serves any number of requests at once.
#pragma once

#include "providers/base/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tutti {

struct HttpRequest {
  HttpRequest(std::string verb, std::string address)
      : method(std::move(verb)), url(std::move(address)) {}

  std::string method;
  std::string url;  // http:// or https://; for a unix socket http://localhost/path
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string unix_socket;  // path; empty: TCP
  std::string ca_file;      // PEM; empty: the system's
  std::chrono::milliseconds connect_timeout{10000};
  std::chrono::milliseconds timeout{60000};  // the whole exchange
  std::size_t max_body_bytes = std::size_t{16} << 20;
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; of repeated ones the last
  std::string body;
};

struct HttpClientLimits {
  long connections_per_host = 16;  // further requests wait their turn
  long connections = 64;
};

class HttpClient {
 public:
  explicit HttpClient(boost::asio::any_io_executor executor, HttpClientLimits limits = {});
  // Requests under way end with the error "cancelled".
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Any status is an answer. Errors by code: "connect" (transient; nothing was sent), "timeout",
  // "connection_lost", "cancelled" (transient; the request may have had its effect), "tls"
  // (authentication), "body_too_large", "request" (invalid: a URL that cannot be used).
  [[nodiscard]] boost::asio::awaitable<Result<HttpResponse>> perform(HttpRequest request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tutti
