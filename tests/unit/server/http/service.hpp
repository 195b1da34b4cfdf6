// A server over loopback sockets whose time stands still, and a client that speaks bytes to it.
#pragma once

#include "providers/support/clock.hpp"
#include "server/http/server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace tutti::http::test {

namespace net = boost::asio;
using namespace std::chrono_literals;
using net::ip::tcp;

// Echoes "METHOD target body"; "/throw" throws, "/wait" waits until it is released.
class Echo final : public Handler {
 public:
  Admission admit(const Request& request) override {
    Admission admission;
    admission.body_limit_bytes = 1000;
    if (request.target() == "/refused") admission.refusal = error(415, "not this");
    return admission;
  }
  net::awaitable<Response> handle(Request& request) override {
    if (request.target() == "/throw") throw std::runtime_error("planted");
    if (request.target() == "/wait") {
      entered.set_value();
      net::steady_timer poll(co_await net::this_coro::executor);
      while (!released) {
        poll.expires_after(1ms);
        co_await poll.async_wait(net::use_awaitable);
      }
    }
    co_return Response(
        200, Media::text,
        std::string(request.method()) + " " + std::string(request.target()) + " " + request.body);
  }
  Response error(unsigned status, std::string_view message) override {
    return {status, Media::text, "error: " + std::string(message)};
  }

  std::promise<void> entered;
  std::atomic<bool> released = false;
};

// Time that stands still until a test lets it pass, so that no deadline ends because the machine
// that runs the tests is slow.
class HeldClock final : public Clock {
 public:
  WallTime now() const override { return WallTime{} + std::chrono::milliseconds(elapsed_ms_); }
  net::awaitable<void> sleep_for(std::chrono::milliseconds time) override {
    const std::int64_t due = elapsed_ms_ + time.count();
    net::steady_timer poll(co_await net::this_coro::executor);
    while (elapsed_ms_ < due) {
      poll.expires_after(1ms);
      const auto [error] = co_await poll.async_wait(net::as_tuple(net::use_awaitable));
      if (error) co_return;
    }
  }
  void pass(std::chrono::milliseconds time) { elapsed_ms_ += time.count(); }

 private:
  std::atomic<std::int64_t> elapsed_ms_ = 0;
};

// Lets a clock run, fast, for as long as it lives.
class TimePasses {
 public:
  explicit TimePasses(HeldClock& clock)
      : thread_([&clock](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            clock.pass(10ms);
            std::this_thread::sleep_for(1ms);
          }
        }) {}

 private:
  std::jthread thread_;
};

class Client {
 public:
  explicit Client(const tcp::endpoint& endpoint) { socket_.connect(endpoint); }

  void send(std::string_view text) {
    boost::system::error_code ignored;  // the server may have closed already
    net::write(socket_, net::buffer(text.data(), text.size()), ignored);
  }
  // Everything until the server closes.
  std::string read_all() {
    boost::system::error_code ignored;
    net::read(socket_, net::dynamic_buffer(received_), ignored);
    return std::exchange(received_, "");
  }
  // One response with a Content-Length.
  std::string read_one() {
    boost::system::error_code error;
    const std::size_t head =
        net::read_until(socket_, net::dynamic_buffer(received_), "\r\n\r\n", error);
    if (error) return received_;
    const std::size_t field = received_.find("Content-Length: ");
    const std::size_t length = field < head ? std::stoul(received_.substr(field + 16)) : 0;
    if (received_.size() < head + length) {
      net::read(socket_, net::dynamic_buffer(received_),
                net::transfer_exactly(head + length - received_.size()), error);
    }
    std::string response = received_.substr(0, head + length);
    received_.erase(0, head + length);
    return response;
  }
  void half_close() { socket_.shutdown(tcp::socket::shutdown_send); }
  void close() { socket_.close(); }

 private:
  net::io_context context_;
  tcp::socket socket_{context_};
  std::string received_;
};

class Session : public testing::Test {
 protected:
  Session() {
    options_.port = 0;
    options_.threads = 2;
    // Only what a test shortens can run out, however fast it lets the time pass.
    Deadlines& deadlines = options_.deadlines;
    for (auto* limit : {&deadlines.idle, &deadlines.header, &deadlines.body, &deadlines.write,
                        &deadlines.discard, &deadlines.drain}) {
      *limit = 24h;
    }
    deadlines.tick = 10ms;
  }
  void start() {
    auto started = Server::start(options_, handler_, clock_);
    ASSERT_TRUE(started) << started.error().describe();
    server_ = std::move(*started);
  }
  [[nodiscard]] Client connect() const { return Client(server_->endpoint()); }
  std::string exchange(const std::string& text) {
    Client client(server_->endpoint());
    client.send(text);
    return client.read_all();
  }
  void stop() {
    net::io_context context;
    auto done = net::co_spawn(context, server_->stop(), net::use_future);
    context.run();
    done.get();
  }

  Echo handler_;
  HeldClock clock_;
  Options options_;
  std::unique_ptr<Server> server_;
};

}  // namespace tutti::http::test
