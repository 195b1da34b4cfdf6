#include "server/bootstrap/ssh_wait.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>

namespace tutti::bootstrap {
namespace net = boost::asio;
namespace {

constexpr std::chrono::milliseconds kFirstPause{50};
constexpr std::chrono::milliseconds kLongestPause{1000};
constexpr std::chrono::milliseconds kOneAttempt{5000};

// True when the peer's first bytes are those of an SSH server (RFC 4253, 4.2).
net::awaitable<bool> greets(const Host& host) {
  boost::system::error_code bad;
  const auto address = net::ip::make_address(host.address, bad);
  if (bad) co_return false;
  net::ip::tcp::socket socket(co_await net::this_coro::executor);
  const net::ip::tcp::endpoint peer(address, static_cast<std::uint16_t>(host.port));
  const auto [refused] = co_await socket.async_connect(peer, net::as_tuple(net::use_awaitable));
  if (refused) co_return false;
  std::array<char, 4> banner{};
  const auto [error, size] =
      co_await socket.async_read_some(net::buffer(banner), net::as_tuple(net::use_awaitable));
  co_return !error && size == banner.size() && std::string_view(banner.data(), size) == "SSH-";
}

net::awaitable<bool> answers_before(const Host& host, Clock& clock, WallTime deadline) {
  using namespace net::experimental::awaitable_operators;
  auto pause = kFirstPause;
  while (true) {
    const auto left = std::max(deadline - clock.now(), kFirstPause);
    const auto attempt = co_await (greets(host) || clock.sleep_for(std::min(kOneAttempt, left)));
    if (attempt.index() == 0 && std::get<0>(attempt)) co_return true;
    if (clock.now() + pause > deadline) co_return false;
    co_await clock.sleep_for(pause);
    pause = std::min(pause * 3 / 2, kLongestPause);
  }
}

}  // namespace

net::awaitable<std::vector<std::string>> wait_for_ssh(const std::vector<Host>& targets,
                                                      Clock& clock,
                                                      std::chrono::milliseconds deadline) {
  const auto executor = co_await net::this_coro::executor;
  const WallTime until = clock.now() + deadline;
  std::vector<bool> answered(targets.size(), false);
  const auto one = [&](std::size_t i) -> net::awaitable<void> {
    answered[i] = co_await answers_before(targets[i], clock, until);
  };
  using Wait = decltype(net::co_spawn(executor, one(0), net::deferred));
  std::vector<Wait> waits;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    waits.push_back(net::co_spawn(executor, one(i), net::deferred));
  }
  auto group = net::experimental::make_parallel_group(std::move(waits));
  if (!targets.empty()) {
    co_await group.async_wait(net::experimental::wait_for_all(), net::use_awaitable);
  }
  std::vector<std::string> silent;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!answered[i]) silent.push_back(targets[i].name);
  }
  co_return silent;
}

}  // namespace tutti::bootstrap
