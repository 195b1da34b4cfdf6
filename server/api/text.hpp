// Small help with texts that clients write in any case. Pure; internal to server/api.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace tutti::api {

// ASCII alone, whatever the locale.
[[nodiscard]] inline std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

}  // namespace tutti::api
