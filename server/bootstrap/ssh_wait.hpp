// Waits until machines answer as SSH servers. Polls from 50 ms up, all machines at once.
#pragma once

#include "providers/support/clock.hpp"
#include "server/bootstrap/bootstrap.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace tutti::bootstrap {

// Names of the targets that did not greet as SSH servers before the deadline.
[[nodiscard]] boost::asio::awaitable<std::vector<std::string>> wait_for_ssh(
    const std::vector<Host>& targets, Clock& clock, std::chrono::milliseconds deadline);

}  // namespace tutti::bootstrap
