// The server over loopback sockets: framing, limits, deadlines, order, and the graceful stop.
#include "service.hpp"

#include <gmock/gmock.h>

namespace tutti::http::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

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

// However the bytes of an empty line before a request are cut.
TEST_F(Session, HalfAnEmptyLineIsWaitedFor) {
  start();
  auto client = connect();
  client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n\r");
  EXPECT_THAT(client.read_one(), HasSubstr("GET /a "));
  client.send("\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n\r\n\r");
  EXPECT_THAT(client.read_one(), HasSubstr("GET /b "));
  client.send("GET /c HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 400 "));
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
  const TimePasses passes(clock_);
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\nHost:"), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(exchange("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"),
              StartsWith("HTTP/1.1 408 "));
}

// Bytes that arrive in the very moment in which the time is up must not make it endless.
TEST_F(Session, DrippingDoesNotExtendADeadline) {
  options_.deadlines.body = 20ms;
  options_.deadlines.body_bytes_per_second = 1'000'000;
  start();
  const TimePasses passes(clock_);
  for (int i = 0; i < 50; ++i) {
    auto client = connect();
    client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
    for (int byte = 0; byte < 900; ++byte) client.send("x");
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 408 "));
  }
}

TEST_F(Session, IdleConnectionsAreClosedWithoutAWord) {
  options_.deadlines.idle = 30ms;
  start();
  auto silent = connect();
  auto client = connect();
  client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.read_one(), StartsWith("HTTP/1.1 200 "));
  const TimePasses passes(clock_);
  EXPECT_EQ(silent.read_all(), "");
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
  std::string answer;
  do {  // the server notices the close in its own time
    answer = exchange("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  } while (!answer.starts_with("HTTP/1.1 200"));
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
  boost::system::error_code refused;
  while (!refused) {  // by each of the server's threads, in its own time
    net::io_context context;
    tcp::socket late(context);
    late.connect(endpoint, refused);
  }
  handler_.released = true;
  const std::string answer = busy.read_all();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
}

TEST_F(Session, AStopDoesNotWaitForSlowClients) {
  options_.deadlines.drain = 50ms;
  start();
  auto slow = connect();
  slow.send("GET / HTTP/1.1\r\nHos");
  auto other = connect();
  other.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(other.read_one(), StartsWith("HTTP/1.1 200 "));
  const TimePasses passes(clock_);
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
}  // namespace tutti::http::test
