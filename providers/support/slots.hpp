// A counting semaphore for coroutines of one thread: so many at once, the others wait their turn.
// Used where a cloud or this machine bears only so much.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace tutti {

class Slots {
 public:
  Slots(boost::asio::any_io_executor executor, std::size_t count)
      : taken_(std::move(executor), std::max<std::size_t>(count, 1)) {}

  // Gives the slot back when it goes; must not outlive its Slots.
  class Held {
   public:
    explicit Held(Slots& slots) : slots_(&slots) {}
    Held(Held&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
    Held& operator=(Held&&) = delete;
    ~Held() {
      if (slots_ != nullptr) slots_->taken_.try_receive([](boost::system::error_code) {});
    }

   private:
    Slots* slots_;
  };

  // nullopt: cancelled while it waited.
  [[nodiscard]] boost::asio::awaitable<std::optional<Held>> take() {
    const boost::system::error_code none;
    const auto [error] =
        co_await taken_.async_send(none, boost::asio::as_tuple(boost::asio::use_awaitable));
    if (error) co_return std::nullopt;
    co_return std::optional<Held>(Held(*this));
  }

 private:
  boost::asio::experimental::channel<void(boost::system::error_code)> taken_;
};

}  // namespace tutti
