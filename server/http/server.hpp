// The HTTP server: one thread with an io_context for each core, each accepting on the same loopback
// address (SO_REUSEPORT). Used by main; must never listen on an address that others can reach, as
// long as there is neither TLS nor authorization.
#pragma once

#include "providers/base/result.hpp"
#include "providers/support/clock.hpp"
#include "server/http/handler.hpp"
#include "server/http/limits.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace tutti::http {

struct Options {
  std::string address = "127.0.0.1";  // or ::1
  std::uint16_t port = 8080;          // 0: any free one
  std::size_t threads = 0;            // 0: one for each core
  Limits limits;
  Deadlines deadlines;
};

class Server {
 public:
  // Binds and starts to serve. Errors: invalid (not a loopback address), conflict (in use).
  // `handler` and `clock` outlive the server.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(const Options& options,
                                                             Handler& handler, Clock& clock);
  // Stops at once where stop() was not awaited before.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const;

  // Closes the acceptors and answers what is under way with "Connection: close". After the drain
  // deadline every socket is closed. Returns when all sessions have ended: whom the handler still
  // keeps waiting is waited for, since nothing it holds may go before. From any executor, once.
  [[nodiscard]] boost::asio::awaitable<void> stop();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tutti::http
