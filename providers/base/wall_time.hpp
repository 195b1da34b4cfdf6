// Instants that are kept and shown. Code never reads the clock through this header: time is an
// argument, or comes from support::Clock.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tutti {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

// "2016-05-30T07:10+0000": UTC, minutes, the only form that INDIGO's clients read.
[[nodiscard]] std::string format_indigo(WallTime time);
// "2016-05-30T07:10:59.123Z", RFC 3339, for logs and journals.
[[nodiscard]] std::string format_rfc3339(WallTime time);
// Reads the RFC 3339 form above (exactly it); nothing else.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace tutti
