// Reads the JSON that clients send. Lenient where INDIGO's clients need it (bodies built by hand
// with backslashes or line ends of YAML left as they are), limited everywhere. Pure.
#pragma once

#include "server/api/refusal.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace tutti::api {

inline constexpr std::size_t kMaxJsonDepth = 64;

// Text that is no valid JSON is read once more with raw control characters in strings taken as they
// are and unknown escapes ("\d") as two characters. 400 with line and column otherwise.
[[nodiscard]] Accepted<nlohmann::json> read_json(std::string_view text);

}  // namespace tutti::api
