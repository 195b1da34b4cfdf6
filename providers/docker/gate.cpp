#include "providers/docker/gate.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tutti::docker {
namespace net = boost::asio;

Gate::Permit::~Permit() {
  if (channel_) channel_->try_send(boost::system::error_code());
}

net::awaitable<Gate::Permit> Gate::enter() {
  const net::any_io_executor executor = co_await net::this_coro::executor;
  if (!channel_) {
    channel_ = std::make_shared<Channel>(executor, permits_);
    for (std::size_t i = 0; i < permits_; ++i) channel_->try_send(boost::system::error_code());
  }
  const std::shared_ptr<Channel> channel = channel_;
  co_await channel->async_receive(net::use_awaitable);
  co_return Permit(channel);
}

}  // namespace tutti::docker
