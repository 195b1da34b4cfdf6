// tutti-simcloud SOCKET [boot_ms]: serves the simulated cloud until SIGTERM or SIGINT. Prints
// "ready" when it listens. For tests only.
#include "providers/simulated/server/cloud_service.hpp"
#include "providers/support/log.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <charconv>
#include <cstdio>
#include <iostream>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace tutti;

int serve(const std::string& socket, simulated::WorldOptions options) {
  boost::asio::io_context io(1);
  SystemClock clock;
  simulated::CloudService service(io.get_executor(), clock, std::move(options));
  TaskScope scope(io.get_executor(), [](std::string_view text) {
    log(LogLevel::error, text);
    std::exit(1);
  });
  scope.spawn(service.serve(socket));
  boost::asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&scope](boost::system::error_code, int) { scope.cancel_all(); });
  // The first turn of the loop binds the socket.
  io.poll();
  std::cout << "ready" << std::endl;
  io.run();
  ::unlink(socket.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view boot = argc > 2 ? argv[2] : "100";
  std::int64_t boot_ms = 0;
  const auto [end, error] = std::from_chars(boot.data(), boot.data() + boot.size(), boot_ms);
  if (argc < 2 || argc > 3 || error != std::errc() || end != boot.data() + boot.size()) {
    std::cerr << "usage: tutti-simcloud SOCKET [boot_ms]\n";
    return 2;
  }
  simulated::WorldOptions options;
  options.boot_time = std::chrono::milliseconds(boot_ms);
  return serve(argv[1], std::move(options));
}
