// Lets a limited number of coroutines through at once; the others wait in order. Used on one
// thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/channel.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace tutti::docker {

class Gate {
  using Channel = boost::asio::experimental::channel<void(boost::system::error_code)>;

 public:
  // Held while one is inside.
  class Permit {
   public:
    explicit Permit(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}
    Permit(Permit&&) noexcept = default;
    Permit& operator=(Permit&&) = delete;
    ~Permit();

   private:
    std::shared_ptr<Channel> channel_;
  };

  explicit Gate(std::size_t permits) : permits_(permits) {}
  [[nodiscard]] boost::asio::awaitable<Permit> enter();

 private:
  std::size_t permits_;
  std::shared_ptr<Channel> channel_;  // made by the first who enters: it needs an executor
};

}  // namespace tutti::docker
