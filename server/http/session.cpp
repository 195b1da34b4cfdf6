#include "server/http/session.hpp"

#include "providers/base/result.hpp"
#include "providers/support/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <tuple>

namespace tutti::http {

namespace net = boost::asio;

namespace {

constexpr auto kAwait = net::as_tuple(net::use_awaitable);
constexpr std::size_t kReadBytes = 8 * 1024;
// Smaller bodies are copied behind their head: one buffer costs less than two.
constexpr std::size_t kJoinedBytes = 16 * 1024;

std::string_view media_header(Media media) {
  switch (media) {
    case Media::none:
      return "";
    case Media::json:
      return "Content-Type: application/json;charset=UTF-8\r\n";
    case Media::text:
      return "Content-Type: text/plain;charset=UTF-8\r\n";
  }
  return "";
}

}  // namespace

Session::Session(net::ip::tcp::socket socket, Worker& worker, bool refused)
    : socket_(std::move(socket)),
      worker_(worker),
      refused_(refused),
      buffer_(worker.shared().limits.read_buffer_bytes) {
  boost::system::error_code ignored;
  socket_.set_option(net::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  request_.peer = socket_.remote_endpoint(ignored).address();
  request_.local = socket_.local_endpoint(ignored);
}

void Session::on_tick(Tick now) {
  if (now < deadline_) return;
  timed_out_ = true;
  // Once more with every tick until the phase ends: what had its bytes already when it was
  // cancelled goes on with another read or write, which must not wait for ever.
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Session::begin_phase(std::chrono::milliseconds limit) {
  timed_out_ = false;
  deadline_ = worker_.tick_after(limit);
}

void Session::drain() {
  if (idle_) close();
}

void Session::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

std::string_view Session::buffered() const {
  const auto data = buffer_.data();
  return {static_cast<const char*>(data.data()), data.size()};
}

net::awaitable<void> Session::run() {
  // A handler may be waiting on another thread, where a cancellation from here must not reach; a
  // session ends by closing its socket.
  co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
  for (bool more = true; more;) more = co_await serve_one();
  boost::system::error_code ignored;
  socket_.shutdown(net::ip::tcp::socket::shutdown_send, ignored);
  socket_.close(ignored);
}

net::awaitable<bool> Session::serve_one() {
  Shared& shared = worker_.shared();
  const Step head = co_await receive_head();
  if (head == Step::gone) co_return false;
  if (head == Step::rejected) {
    request_.header = Header();
    co_await refuse(shared.handler.error(rejection_->status, rejection_->message));
    co_return false;
  }
  if (refused_) {
    co_await refuse(shared.handler.error(503, "Too many connections").with("Retry-After", "1"));
    co_return false;
  }
  take_request();
  Admission admission = shared.handler.admit(request_);
  if (admission.refusal && !parser_->is_done()) {
    co_await refuse(std::move(*admission.refusal));
    co_return false;
  }
  if (!admission.refusal && !parser_->is_done()) {
    const Step body = co_await receive_body(admission.body_limit_bytes);
    if (body == Step::gone) co_return false;
    if (body == Step::rejected) {
      auto response = shared.handler.error(rejection_->status, rejection_->message);
      if (rejection_->status == 503) response.headers.emplace_back("Retry-After", "1");
      co_await refuse(std::move(response));
      co_return false;
    }
  }
  Response response;
  if (admission.refusal) {
    response = std::move(*admission.refusal);
  } else {
    response = co_await call_handler();
  }
  ++served_;
  const bool keep_alive = parser_->keep_alive() && !worker_.draining() && !handler_failed_ &&
                          served_ < shared.limits.requests_per_connection;
  co_return co_await send(response, keep_alive);
}

// Those before a request are tolerated (RFC 9112, 2.2).
void Session::skip_empty_lines() {
  while (buffered().starts_with("\r\n")) buffer_.consume(2);
}

net::awaitable<Session::Step> Session::receive_head() {
  const Shared& shared = worker_.shared();
  skip_empty_lines();
  idle_ = buffer_.size() == 0;
  if (idle_ && worker_.draining()) co_return Step::gone;
  begin_phase(idle_ ? shared.deadlines.idle : shared.deadlines.header);
  std::size_t scanned = 0;
  for (;;) {
    // The first half of an empty line says nothing yet: the other half may come with the next read.
    HeadScan scan;
    if (buffered() != "\r") scan = scan_head(buffered(), scanned, shared.limits);
    rejection_ = std::move(scan.rejection);
    if (rejection_) co_return Step::rejected;
    if (scan.length != 0) {
      parser_.emplace();
      rejection_ = parse_head(buffered().substr(0, scan.length), *parser_, shared.limits);
      buffer_.consume(scan.length);
      end_phase();
      co_return rejection_ ? Step::rejected : Step::done;
    }
    const bool some = co_await read_more();
    if (!some) {
      // Whoever sent nothing since the last answer has not asked anything.
      co_return timed_out_ && !idle_ ? reject(408, "The header took too long") : Step::gone;
    }
    if (scanned == 0) skip_empty_lines();
    if (idle_ && buffer_.size() != 0) {
      idle_ = false;
      begin_phase(shared.deadlines.header);
    }
  }
}

// The header leaves the parser before the body is read: trailer fields never become part of it.
void Session::take_request() {
  request_.header = std::move(parser_->get().base());
  request_.body.clear();
}

net::awaitable<Session::Step> Session::receive_body(std::uint64_t limit_bytes) {
  Shared& shared = worker_.shared();
  const auto length = parser_->content_length();
  if (length && *length > limit_bytes) {
    co_return reject(413, "The body is larger than " + std::to_string(limit_bytes) + " bytes");
  }
  const std::uint64_t reserved = length ? *length : limit_bytes;
  if (!shared.reserve_body(reserved)) {
    co_return reject(503, "Too many large requests are being received");
  }
  parser_->body_limit(limit_bytes);
  parser_->eager(true);
  const std::chrono::seconds extra(reserved / shared.deadlines.body_bytes_per_second);
  begin_phase(shared.deadlines.body + extra);
  const Step step = co_await receive_body_bytes();
  shared.release_body(reserved);
  end_phase();
  co_return step;
}

net::awaitable<Session::Step> Session::receive_body_bytes() {
  if (!request_.field("Expect").empty() && buffer_.size() == 0) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto [error, sent] =
        co_await net::async_write(socket_, net::buffer(kContinue.data(), kContinue.size()), kAwait);
    if (error) co_return Step::gone;
  }
  for (;;) {
    boost::system::error_code error;
    if (buffer_.size() != 0) buffer_.consume(parser_->put(buffer_.data(), error));
    if (error == boost::beast::http::error::body_limit) {
      co_return reject(413, "The body is larger than this route allows");
    }
    if (error && error != boost::beast::http::error::need_more) {
      co_return reject(400, "The body's framing is broken: " + error.message());
    }
    if (parser_->is_done()) break;
    if (buffer_.size() == buffer_.max_size()) co_return reject(400, "A chunk's header is too long");
    const bool some = co_await read_more();
    if (!some) {
      co_return timed_out_ ? reject(408, "The body took too long") : Step::gone;
    }
  }
  request_.body = std::move(parser_->get().body());
  co_return Step::done;
}

net::awaitable<Response> Session::call_handler() {
  Handler& handler = worker_.shared().handler;
  try {
    co_return co_await handler.handle(request_);
  } catch (const std::exception& exception) {
    log(LogLevel::error, "a request failed with an exception",
        {{"method", request_.method()}, {"what", exception.what()}});
  }
  handler_failed_ = true;
  co_return handler.error(500, "An internal error occurred; the server's log tells more");
}

net::awaitable<bool> Session::read_more() {
  const std::size_t room = buffer_.max_size() - buffer_.size();
  if (room == 0) co_return false;
  const auto space = buffer_.prepare(std::min(room, kReadBytes));
  const auto [error, count] = co_await socket_.async_read_some(space, kAwait);
  buffer_.commit(count);
  co_return !error;
}

void Session::write_head(const Response& response, bool keep_alive) {
  head_.clear();
  head_.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  head_.append(reason_phrase(response.status)).append("\r\n");
  head_.append(worker_.date_header());
  head_.append("Server: tutti\r\n");
  head_.append(media_header(response.media));
  for (const auto& [name, value] : response.headers) {
    TUTTI_ASSERT(value.find_first_of("\r\n") == std::string::npos);
    head_.append(name).append(": ").append(value).append("\r\n");
  }
  // 204 has no body and must not claim one (RFC 9110, 8.6).
  if (response.status != 204) {
    head_.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
  }
  if (!keep_alive) {
    head_.append("Connection: close\r\n");
  } else if (parser_->get().version() == 10) {
    head_.append("Connection: keep-alive\r\n");
  }
  head_.append("\r\n");
}

net::awaitable<bool> Session::send(Response& response, bool keep_alive) {
  write_head(response, keep_alive);
  const bool with_body = request_.header.method() != boost::beast::http::verb::head;
  std::array<net::const_buffer, 2> parts{
      net::buffer(head_), with_body ? net::buffer(response.body) : net::const_buffer()};
  if (with_body && response.body.size() <= kJoinedBytes) {
    head_.append(response.body);
    parts = {net::buffer(head_), net::const_buffer()};
  }
  // Nearly always the socket takes it all at once: no suspension, no deadline.
  boost::system::error_code error;
  const std::size_t sent = socket_.write_some(parts[0], error);
  if (error && error != net::error::would_block) co_return false;
  if (sent < net::buffer_size(parts)) {
    parts[0] += sent;
    begin_phase(worker_.shared().deadlines.write);
    std::tie(error, std::ignore) = co_await net::async_write(socket_, parts, kAwait);
    end_phase();
    if (error) co_return false;
  }
  co_return keep_alive;
}

net::awaitable<void> Session::refuse(Response response) {
  if (!parser_) parser_.emplace();
  co_await send(response, false);
  co_await discard_rest();
}

// A socket that is closed over unread bytes resets the connection, and the client loses the answer.
net::awaitable<void> Session::discard_rest() {
  boost::system::error_code ignored;
  socket_.shutdown(net::ip::tcp::socket::shutdown_send, ignored);
  begin_phase(worker_.shared().deadlines.discard);
  std::uint64_t discarded = buffer_.size();
  buffer_.clear();
  while (discarded < worker_.shared().limits.discarded_bytes) {
    const bool some = co_await read_more();
    if (!some) break;
    discarded += buffer_.size();
    buffer_.clear();
  }
  end_phase();
}

Session::Step Session::reject(unsigned status, std::string message) {
  rejection_ = Rejection{status, std::move(message)};
  return Step::rejected;
}

}  // namespace tutti::http
