// The client against real servers on loopback and on a unix socket: Beast for what a server should
// say, raw sockets for what it should not.
#include "providers/support/http_client.hpp"

#include "providers/support/clock.hpp"
#include "providers/support/task_scope.hpp"
#include "tests/unit/providers/coroutine.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <gtest/gtest.h>

namespace tutti {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using Request = http::request<http::string_body>;
using Reply = http::response<http::string_body>;
using std::chrono::milliseconds;

class HttpClientTest : public testing::Test {
 protected:
  ~HttpClientTest() override {
    const auto end = [this]() -> net::awaitable<void> {
      client_.reset();
      servers_.cancel_all();
      co_await servers_.join();
    };
    test::run(io_, end());
  }

  // Answers by path; "/mute" never, "/echo" with what came.
  Reply answer(const Request& request) {
    ++served_;
    Reply reply(http::status::ok, request.version());
    const std::string target(request.target());
    if (target == "/echo") {
      reply.set("X-Method", request.method_string());
      reply.set("X-Given", request["X-Given"]);
      reply.body() = request.body();
    } else if (target.starts_with("/big/")) {
      reply.body() = std::string(std::stoul(target.substr(5)), 'b');
    } else if (target == "/redirect") {
      reply.result(http::status::found);
      reply.set(http::field::location, "/echo");
    } else {
      reply.result(http::status::not_found);
      reply.body() = "no such thing";
    }
    reply.keep_alive(request.keep_alive());
    reply.prepare_payload();
    return reply;
  }

  template <class Socket>
  net::awaitable<void> serve(Socket socket) {
    boost::beast::flat_buffer buffer;
    for (;;) {
      Request request;
      const auto [error, size] =
          co_await http::async_read(socket, buffer, request, net::as_tuple(net::use_awaitable));
      if (error) co_return;
      if (request.target() == "/mute") {
        co_await clock_.sleep_for(std::chrono::hours(1));
        co_return;
      }
      const Reply reply = answer(request);
      co_await http::async_write(socket, reply, net::as_tuple(net::use_awaitable));
    }
  }

  template <class Acceptor>
  net::awaitable<void> listen(Acceptor& acceptor) {
    for (;;) {
      auto [error, socket] = co_await acceptor.async_accept(net::as_tuple(net::use_awaitable));
      if (error) co_return;
      servers_.spawn(serve(std::move(socket)));
    }
  }

  // Sends these bytes to whoever connects, then closes.
  net::awaitable<void> blurt(std::string bytes) {
    auto [error, socket] = co_await tcp_.async_accept(net::as_tuple(net::use_awaitable));
    if (error) co_return;
    std::string request(4096, '\0');
    co_await socket.async_read_some(net::buffer(request), net::as_tuple(net::use_awaitable));
    co_await net::async_write(socket, net::buffer(bytes), net::as_tuple(net::use_awaitable));
  }

  std::string url(const std::string& path) {
    return "http://127.0.0.1:" + std::to_string(tcp_.local_endpoint().port()) + path;
  }
  Result<HttpResponse> perform(HttpRequest request) {
    return test::run(io_, client_->perform(std::move(request)));
  }
  Result<HttpResponse> get(const std::string& path) {
    return perform(HttpRequest("GET", url(path)));
  }

  net::io_context io_;
  SystemClock clock_;
  test::TempFolder folder_;
  std::string socket_ = folder_.file("s");
  net::ip::tcp::acceptor tcp_{io_, {net::ip::address_v4::loopback(), 0}};
  net::local::stream_protocol::acceptor local_{io_, net::local::stream_protocol::endpoint(socket_)};
  TaskScope servers_{io_.get_executor(), [](std::string_view text) { ADD_FAILURE() << text; }};
  std::unique_ptr<HttpClient> client_ = std::make_unique<HttpClient>(io_.get_executor());
  int served_ = 0;
};

TEST_F(HttpClientTest, SendsMethodHeadersAndBody) {
  servers_.spawn(listen(tcp_));
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH"}) {
    HttpRequest request(method, url("/echo"));
    request.headers = {{"X-Given", "value"}};
    request.body = std::string("bytes \0 and more", 16);
    const auto response = perform(request);
    ASSERT_TRUE(response) << response.error().describe();
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->headers.at("x-method"), method);
    EXPECT_EQ(response->headers.at("x-given"), "value");
    EXPECT_EQ(response->body, request.body);
  }
}

TEST_F(HttpClientTest, EveryStatusIsAnAnswerAndRedirectsAreNotFollowed) {
  servers_.spawn(listen(tcp_));
  EXPECT_EQ(get("/nothing")->status, 404);
  EXPECT_EQ(get("/nothing")->body, "no such thing");
  const auto redirect = get("/redirect");
  EXPECT_EQ(redirect->status, 302);
  EXPECT_EQ(redirect->headers.at("location"), "/echo");
  HttpRequest head("HEAD", url("/big/10"));
  EXPECT_EQ(perform(head)->body, "");
}

TEST_F(HttpClientTest, SpeaksThroughAUnixSocket) {
  servers_.spawn(listen(local_));
  HttpRequest request("POST", "http://localhost/echo");
  request.unix_socket = socket_;
  request.body = "by socket";
  const auto response = perform(request);
  ASSERT_TRUE(response) << response.error().describe();
  EXPECT_EQ(response->body, "by socket");
}

TEST_F(HttpClientTest, ServesManyAtOnce) {
  servers_.spawn(listen(tcp_));
  TaskScope scope(io_.get_executor(), [](std::string_view text) { ADD_FAILURE() << text; });
  int good = 0;
  const auto one = [&]() -> net::awaitable<void> {
    const auto response = co_await client_->perform(HttpRequest("GET", url("/big/1000")));
    if (response && response->body.size() == 1000) ++good;
  };
  const auto all = [&]() -> net::awaitable<void> {
    for (int i = 0; i < 300; ++i) scope.spawn(one());
    co_await scope.join();
  };
  test::run(io_, all());
  EXPECT_EQ(good, 300);
  EXPECT_EQ(served_, 300);
}

TEST_F(HttpClientTest, CapsTheBody) {
  servers_.spawn(listen(tcp_));
  HttpRequest request("GET", url("/big/1000"));
  request.max_body_bytes = 1000;
  EXPECT_EQ(perform(request)->body.size(), 1000U);
  request.max_body_bytes = 999;
  const auto response = perform(request);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "body_too_large");
}

TEST_F(HttpClientTest, EndsAtItsDeadline) {
  servers_.spawn(listen(tcp_));
  HttpRequest request("GET", url("/mute"));
  request.timeout = milliseconds(50);
  const auto response = perform(request);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "timeout");
  EXPECT_EQ(response.error().cls, ErrorClass::transient);
}

TEST_F(HttpClientTest, TellsARefusedConnection) {
  const std::string nowhere = url("/echo");
  tcp_.close();
  const auto refused = perform(HttpRequest("GET", nowhere));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "connect");
  HttpRequest request("GET", "http://localhost/");
  request.unix_socket = folder_.file("no-such-socket");
  const auto missing = perform(request);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, "connect");
}

TEST_F(HttpClientTest, RefusesOtherProtocols) {
  const auto response = perform(HttpRequest("GET", "file:///etc/hostname"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "request");
}

TEST_F(HttpClientTest, TellsBrokenAnswers) {
  for (const char* bytes :
       {"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "nonsense\r\n"}) {
    servers_.spawn(blurt(bytes));
    const auto response = get("/");
    ASSERT_FALSE(response) << bytes;
    EXPECT_EQ(response.error().code, "connection_lost") << response.error().describe();
    EXPECT_EQ(response.error().cls, ErrorClass::transient);
  }
}

TEST_F(HttpClientTest, IsCancelled) {
  servers_.spawn(listen(tcp_));
  std::string code;
  const auto mute = [&]() -> net::awaitable<void> {
    const auto response = co_await client_->perform(HttpRequest("GET", url("/mute")));
    code = response ? "answered" : response.error().code;
  };
  const auto race = [&]() -> net::awaitable<void> {
    using namespace net::experimental::awaitable_operators;
    co_await (mute() || clock_.sleep_for(milliseconds(20)));
  };
  test::run(io_, race());
  EXPECT_EQ(code, "cancelled");
  EXPECT_EQ(get("/echo")->status, 200);  // the client serves on
}

TEST_F(HttpClientTest, DestructionEndsWhatIsUnderWay) {
  servers_.spawn(listen(tcp_));
  TaskScope scope(io_.get_executor(), [](std::string_view text) { ADD_FAILURE() << text; });
  std::string code;
  const auto mute = [&]() -> net::awaitable<void> {
    const auto response = co_await client_->perform(HttpRequest("GET", url("/mute")));
    code = response ? "answered" : response.error().code;
  };
  const auto all = [&]() -> net::awaitable<void> {
    scope.spawn(mute());
    co_await clock_.sleep_for(milliseconds(20));
    client_.reset();
    co_await scope.join();
  };
  test::run(io_, all());
  EXPECT_EQ(code, "cancelled");
}

}  // namespace
}  // namespace tutti
