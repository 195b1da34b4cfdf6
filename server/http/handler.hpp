// What the HTTP layer is given to serve. It knows nothing of deployments: routes, authorization and
// the shape of error bodies are the handler's.
#pragma once

#include "server/http/message.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace tutti::http {

// Decided from the header alone, before the client is told to send its body.
struct Admission {
  std::uint64_t body_limit_bytes = 0;
  std::optional<Response> refusal;
};

// Called on any HTTP thread, several at once.
class Handler {
 public:
  Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;

  [[nodiscard]] virtual Admission admit(const Request& request) = 0;
  // `request` outlives the coroutine. An exception becomes a 500 and ends the connection.
  [[nodiscard]] virtual boost::asio::awaitable<Response> handle(Request& request) = 0;
  // The answer to what never reached handle(): bad framing, limits, too many connections.
  [[nodiscard]] virtual Response error(unsigned status, std::string_view message) = 0;
};

}  // namespace tutti::http
