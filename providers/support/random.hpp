// Random bytes from the system's generator, and identifiers made of them.
#pragma once

#include "providers/base/wall_time.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace tutti {

// Cryptographically strong; aborts when the system has none to give.
[[nodiscard]] std::string random_bytes(std::size_t count);
[[nodiscard]] std::string to_hex(std::string_view bytes);

// RFC 9562. Version 7 sorts by time: ids of rows that are made one after the other stay neighbours.
[[nodiscard]] std::string make_uuid_v4();
[[nodiscard]] std::string make_uuid_v7(WallTime now);
// Eight-four-four-four-twelve hexadecimal digits, as both makers above write them.
[[nodiscard]] bool is_uuid(std::string_view text);

}  // namespace tutti
