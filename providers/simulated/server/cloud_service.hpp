// The simulated cloud behind HTTP on a unix socket: /v1/<operation> for providers, /control/<what>
// for tests. Runs in tutti-simcloud; holds the world that outlives the daemon.
#pragma once

#include "providers/simulated/simulated_provider.hpp"
#include "providers/simulated/wire.hpp"
#include "providers/support/task_scope.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <memory>
#include <string>

namespace tutti::simulated {

// What is answered to one request; `drop` means that the connection is closed without an answer.
struct Answer {
  int status = 200;
  Json body = Json::object();
  bool drop = false;
};

class CloudService {
 public:
  CloudService(boost::asio::any_io_executor executor, Clock& clock, WorldOptions options);

  // Accepts until cancelled; what is under way then is cancelled and joined.
  [[nodiscard]] boost::asio::awaitable<void> serve(const std::string& socket);

  [[nodiscard]] World& world() { return world_; }

 private:
  using Socket = boost::asio::local::stream_protocol::socket;

  boost::asio::awaitable<void> accept(boost::asio::local::stream_protocol::acceptor& acceptor);
  boost::asio::awaitable<void> converse(Socket socket);
  boost::asio::awaitable<Answer> answer(std::string target, std::string body);
  boost::asio::awaitable<Answer> operate(std::string operation, Json message);
  Answer control(const std::string& what, const Json& message);
  Json audit();

  boost::asio::any_io_executor executor_;
  Clock& clock_;
  World world_;
  Faults faults_;
  std::unique_ptr<Provider> provider_;
  TaskScope connections_;
};

}  // namespace tutti::simulated
