// Time as a dependency: the daemon passes SystemClock, the simulator a virtual one. Nothing else in
// the tree makes timers.
#pragma once

#include "providers/base/wall_time.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>

namespace tutti {

class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  [[nodiscard]] virtual WallTime now() const = 0;
  // Returns early (without an error) when the coroutine is cancelled; the next await then throws.
  [[nodiscard]] virtual boost::asio::awaitable<void> sleep_for(std::chrono::milliseconds time) = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime now() const override;
  [[nodiscard]] boost::asio::awaitable<void> sleep_for(std::chrono::milliseconds time) override;
};

}  // namespace tutti
