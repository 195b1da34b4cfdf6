// The server over loopback sockets: framing, limits, deadlines, order, and the graceful stop.
#include "providers/support/clock.hpp"
#include "server/http/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <stdexcept>
#include <thread>

namespace tutti::http {
namespace {

namespace net = boost::asio;
using namespace std::chrono_literals;
using net::ip::tcp;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

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
    options_.deadlines.tick = 10ms;
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
  SystemClock clock_;
  Options options_;
  std::unique_ptr<Server> server_;
};

TEST_F(Session, AnswersWithTheFramingOfAResponse) {
  start();
  auto client = connect();
  client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string answer = client.read_one();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/plain;charset=UTF-8\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 7\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("Connection:")));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\nGET /a "));
}

TEST_F(Session, KeepsTheConnectionAndItsOrder) {
  start();
  auto client = connect();
  std::string pipeline;
  for (int i = 0; i < 50; ++i) {
    pipeline += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n";
    pipeline += (i < 10 ? "0" : "") + std::to_string(i);
  }
  client.send(pipeline);
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(client.read_one(), HasSubstr("POST /" + std::to_string(i) + " "));
  }
}

TEST_F(Session, ByteByByte) {
  start();
  auto client = connect();
  for (const char c :
       std::string("\r\nPUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")) {
    client.send({&c, 1});
  }
  EXPECT_THAT(client.read_one(), HasSubstr("PUT /x abc"));
}

TEST_F(Session, ChunkedBodiesAreJoinedAndTrailersDropped) {
  start();
  auto client = connect();
  client.send(
      "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\nX-Trailer: t\r\n\r\nGET /next HTTP/1.1\r\nHost: "
      "h\r\n\r\n");
  EXPECT_THAT(client.read_one(), HasSubstr("POST /c abcdefg"));
  EXPECT_THAT(client.read_one(), HasSubstr("GET /next "));
}

TEST_F(Session, BrokenChunksAreRefused) {
  start();
  const std::string head = "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* body :
       {"zz\r\n", "3\r\nabcd\r\n0\r\n\r\n", "ffffffffffffffffff\r\n", "-1\r\n"}) {
    const std::string answer = exchange(head + body);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request")) << body;
    EXPECT_THAT(answer, HasSubstr("Connection: close")) << body;
  }
}

TEST_F(Session, OversizeBodiesGet413AndTheClientSeesIt) {
  start();
  const std::string large(1'500'000, 'x');
  EXPECT_THAT(exchange("POST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 1500000\r\n\r\n" + large),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(exchange("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "16e360\r\n" +
                       large + "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(Session, RefusalsBeforeTheBodyNeedNoBody) {
  start();
  EXPECT_THAT(exchange("POST /refused HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"),
              StartsWith("HTTP/1.1 415 "));
  auto client = connect();
  client.send("GET /refused HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_one(), StartsWith("HTTP/1.1 415 "));
  EXPECT_THAT(client.read_one(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Session, SaysContinueOnceTheHeaderIsAccepted) {
  start();
  auto client = connect();
  client.send("POST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_one(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hi");
  EXPECT_THAT(client.read_one(), HasSubstr("POST /c hi"));
  EXPECT_THAT(exchange("POST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\n"
                       "Expect: 100-continue\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(Session, HeadHasTheLengthWithoutTheBody) {
  start();
  auto client = connect();
  client.send("HEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string answer = client.read_all();
  EXPECT_THAT(answer, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n"));
}

TEST_F(Session, ClosesWhereHttp10OrTheClientAsks) {
  start();
  EXPECT_THAT(exchange("GET /a HTTP/1.0\r\n\r\n"), HasSubstr("Connection: close"));
  EXPECT_THAT(exchange("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              HasSubstr("Connection: close"));
  auto client = connect();
  client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(client.read_one(), HasSubstr("Connection: keep-alive"));
}

TEST_F(Session, BadFramingEndsTheConnection) {
  start();
  const std::string answer =
      exchange("GET / HTTP/1.1\r\n\r\nGET /second HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(answer, Not(HasSubstr("/second")));
}

TEST_F(Session, AnExceptionIsA500AndTheServerGoesOn) {
  start();
  EXPECT_THAT(exchange("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(exchange("GET /a HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Session, DrippedHeadersAndBodiesRunOut) {
  options_.deadlines.header = 50ms;
  options_.deadlines.body = 50ms;
  start();
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\nHost:"), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(exchange("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"),
              StartsWith("HTTP/1.1 408 "));
}

TEST_F(Session, IdleConnectionsAreClosedWithoutAWord) {
  options_.deadlines.idle = 30ms;
  start();
  EXPECT_EQ(exchange(""), "");
  auto client = connect();
  client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_one(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(client.read_all(), "");
}

TEST_F(Session, ConnectionsBeyondTheLimitGet503) {
  options_.limits.connections = 2;
  options_.limits.refused_connections = 1;
  start();
  auto first = connect();
  auto second = connect();
  const std::string request = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
  first.send(request);
  second.send(request);
  EXPECT_THAT(first.read_one(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(second.read_one(), StartsWith("HTTP/1.1 200 "));
  const std::string refused = exchange(request);
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(refused, HasSubstr("Retry-After: 1"));
  first.close();
  const auto end = std::chrono::steady_clock::now() + 10s;
  std::string answer;
  do {  // the server notices the close in its own time
    answer = exchange("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  } while (!answer.starts_with("HTTP/1.1 200") && std::chrono::steady_clock::now() < end);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
}

TEST_F(Session, OnePeerCannotHaveAllConnections) {
  options_.limits.connections_per_peer = 1;
  start();
  auto first = connect();
  first.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(first.read_one(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(exchange("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(Session, BodiesInFlightAreBounded) {
  options_.limits.body_bytes_in_flight = 800;
  start();
  auto first = connect();
  first.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(first.read_one(), StartsWith("HTTP/1.1 100 "));
  const std::string answer = exchange("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 1"));
  first.send(std::string(500, 'x'));
  EXPECT_THAT(first.read_one(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Session, RequestsPerConnectionAreBounded) {
  options_.limits.requests_per_connection = 2;
  start();
  auto client = connect();
  client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_one(), Not(HasSubstr("Connection: close")));
  EXPECT_THAT(client.read_all(), HasSubstr("Connection: close"));
}

TEST_F(Session, GracefulStopFinishesWhatIsUnderWay) {
  start();
  auto idle = connect();
  idle.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(idle.read_one(), StartsWith("HTTP/1.1 200 "));
  auto busy = connect();
  busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  handler_.entered.get_future().wait();
  const auto endpoint = server_->endpoint();
  std::jthread stopping([this] { stop(); });
  EXPECT_EQ(idle.read_all(), "");  // closed at once
  handler_.released = true;
  const std::string answer = busy.read_all();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  stopping.join();
  net::io_context context;
  tcp::socket late(context);
  boost::system::error_code error;
  late.connect(endpoint, error);
  EXPECT_TRUE(error);
}

TEST_F(Session, AStopDoesNotWaitForSlowClients) {
  options_.deadlines.drain = 50ms;
  start();
  auto slow = connect();
  slow.send("GET / HTTP/1.1\r\nHos");
  auto other = connect();
  other.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(other.read_one(), StartsWith("HTTP/1.1 200 "));
  stop();
  EXPECT_EQ(slow.read_all(), "");
}

TEST_F(Session, OnlyLoopbackAddressesAreServed) {
  for (const char* address : {"0.0.0.0", "::", "10.0.0.1", "nonsense", ""}) {
    options_.address = address;
    const auto started = Server::start(options_, handler_, clock_);
    ASSERT_FALSE(started) << address;
    EXPECT_EQ(started.error().cls, ErrorClass::invalid);
    EXPECT_THAT(started.error().message, HasSubstr("loopback"));
  }
}

TEST_F(Session, ASecondServerOnThePortIsRefused) {
  start();
  options_.port = server_->endpoint().port();
  const auto second = Server::start(options_, handler_, clock_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().cls, ErrorClass::conflict);
}

}  // namespace
}  // namespace tutti::http
