#include "providers/base/wall_time.hpp"

#include <cstdio>

namespace tutti {
namespace {

struct Parts {
  int year;
  unsigned month, day;
  int hour, minute, second, millisecond;
};

Parts split(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count()),
          static_cast<int>(clock.subseconds().count())};
}

}  // namespace

std::string format_indigo(WallTime time) {
  const Parts p = split(time);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d+0000", p.year, p.month, p.day, p.hour,
                p.minute);
  return text;
}

std::string format_rfc3339(WallTime time) {
  const Parts p = split(time);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", p.year, p.month, p.day,
                p.hour, p.minute, p.second, p.millisecond);
  return text;
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd.dddZ";
  if (text.size() != kShape.size()) return std::nullopt;
  int numbers[7] = {};
  int field = 0;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == 'd') {
      if (text[i] < '0' || text[i] > '9') return std::nullopt;
      numbers[field] = numbers[field] * 10 + (text[i] - '0');
    } else {
      if (text[i] != kShape[i]) return std::nullopt;
      ++field;
    }
  }
  const std::chrono::year_month_day date{std::chrono::year{numbers[0]},
                                         std::chrono::month{static_cast<unsigned>(numbers[1])},
                                         std::chrono::day{static_cast<unsigned>(numbers[2])}};
  if (!date.ok() || numbers[3] > 23 || numbers[4] > 59 || numbers[5] > 60) return std::nullopt;
  return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{numbers[3]} +
         std::chrono::minutes{numbers[4]} + std::chrono::seconds{numbers[5]} +
         std::chrono::milliseconds{numbers[6]};
}

}  // namespace tutti
