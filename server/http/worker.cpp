#include "server/http/worker.hpp"

#include "providers/support/log.hpp"
#include "server/http/session.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detail/socket_option.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <cstdio>
#include <ctime>

namespace tutti::http {

namespace net = boost::asio;
using net::ip::tcp;

namespace {

using ReusePort = net::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
constexpr auto kAwait = net::as_tuple(net::use_awaitable);

void report(std::string_view what) {
  log(LogLevel::error, "an HTTP session ended with an exception", {{"what", what}});
}

// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" (RFC 9110, 5.6.7), whatever the locale.
std::string format_date(WallTime now) {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 64> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                    kDays.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                    kMonths.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900,
                    utc.tm_hour, utc.tm_min, utc.tm_sec);
  return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace

Shared::Entry Shared::enter(const net::ip::address& peer) {
  const std::lock_guard lock(mutex_);
  const auto found = served_by_peer_.find(peer);
  const std::size_t of_peer = found == served_by_peer_.end() ? 0 : found->second;
  if (served_ < limits.connections && of_peer < limits.connections_per_peer) {
    ++served_;
    ++served_by_peer_[peer];
    return Entry::served;
  }
  if (refused_ >= limits.refused_connections) return Entry::closed;
  ++refused_;
  return Entry::refused;
}

void Shared::leave(const net::ip::address& peer, Entry entry) {
  const std::lock_guard lock(mutex_);
  if (entry == Entry::refused) --refused_;
  if (entry != Entry::served) return;
  --served_;
  const auto found = served_by_peer_.find(peer);
  if (--found->second == 0) served_by_peer_.erase(found);
}

bool Shared::reserve_body(std::uint64_t size_bytes) {
  const std::uint64_t before = body_bytes_.fetch_add(size_bytes);
  if (before + size_bytes <= limits.body_bytes_in_flight) return true;
  body_bytes_.fetch_sub(size_bytes);
  return false;
}

void Shared::release_body(std::uint64_t size_bytes) {
  body_bytes_.fetch_sub(size_bytes);
}

Worker::Worker(Shared& shared)
    : shared_(shared),
      services_(context_.get_executor(), report),
      connections_(context_.get_executor(), report),
      date_header_(format_date(shared.clock.now())) {}

Worker::~Worker() = default;

tcp::endpoint Worker::listen(const tcp::endpoint& endpoint) {
  acceptor_.open(endpoint.protocol());
  acceptor_.set_option(tcp::acceptor::reuse_address(true));
  acceptor_.set_option(ReusePort(true));
  acceptor_.bind(endpoint);
  acceptor_.listen();
  return acceptor_.local_endpoint();
}

void Worker::start() {
  services_.spawn(accept_all());
  services_.spawn(tick_all());
}

void Worker::drain() {
  draining_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  const auto sessions = sessions_;  // ending one removes it
  for (Session* session : sessions) session->drain();
  services_.spawn(end_drain());
}

net::awaitable<void> Worker::finish() {
  co_await connections_.join();
  services_.cancel_all();
  co_await services_.join();
}

net::awaitable<void> Worker::end_drain() {
  co_await shared_.clock.sleep_for(shared_.deadlines.drain);
  const auto sessions = sessions_;
  for (Session* session : sessions) session->close();
}

net::awaitable<void> Worker::accept_all() {
  while (!draining_) {
    auto [error, socket] = co_await acceptor_.async_accept(kAwait);
    if (draining_) co_return;
    if (!error) {
      connections_.spawn(serve(std::move(socket)));
      continue;
    }
    if (error == net::error::operation_aborted) co_return;
    // Out of descriptors, mostly: sessions that end will free some.
    log(LogLevel::warning, "cannot accept a connection", {{"cause", error.message()}});
    co_await shared_.clock.sleep_for(shared_.deadlines.tick);
  }
}

net::awaitable<void> Worker::tick_all() {
  for (;;) {
    co_await shared_.clock.sleep_for(shared_.deadlines.tick);
    ++now_;
    date_header_ = format_date(shared_.clock.now());
    for (Session* session : sessions_) session->on_tick(now_);
  }
}

net::awaitable<void> Worker::serve(tcp::socket socket) {
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error).address();
  if (error) co_return;  // gone already
  const Shared::Entry entry = shared_.enter(peer);
  if (entry == Shared::Entry::closed) co_return;
  {
    Session session(std::move(socket), *this, entry == Shared::Entry::refused);
    add(session);
    try {
      co_await session.run();
    } catch (const std::exception& exception) {
      report(exception.what());
    }
    remove(session);
  }
  shared_.leave(peer, entry);
}

Tick Worker::tick_after(std::chrono::milliseconds time) const {
  const auto tick = shared_.deadlines.tick.count();
  return now_ + 1 + static_cast<Tick>((time.count() + tick - 1) / tick);
}

}  // namespace tutti::http
