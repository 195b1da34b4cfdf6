#include "tosca/topology/value.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <string_view>

namespace tutti::tosca {

namespace {

struct SizeUnit {
  std::string_view name;  // in lower case
  std::int64_t bytes;
};

constexpr std::array kSizeUnits{
    SizeUnit{"b", 1},           SizeUnit{"kb", 1'000},
    SizeUnit{"kib", 1LL << 10}, SizeUnit{"mb", 1'000'000},
    SizeUnit{"mib", 1LL << 20}, SizeUnit{"gb", 1'000'000'000},
    SizeUnit{"gib", 1LL << 30}, SizeUnit{"tb", 1'000'000'000'000},
    SizeUnit{"tib", 1LL << 40},
};

std::int64_t scaled(double number, std::int64_t unit) {
  const double bytes = number * static_cast<double>(unit);
  // 2^63 is exact as a double; anything from there on does not fit.
  if (!(bytes >= 0) || bytes >= 9223372036854775808.0) return -1;
  return static_cast<std::int64_t>(bytes);
}

std::int64_t size_of_text(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{}) return -1;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  std::string unit;
  for (const char c : text) unit += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (unit.empty()) unit = "b";
  for (const SizeUnit& known : kSizeUnits) {
    if (known.name == unit) return scaled(number, known.bytes);
  }
  return -1;
}

}  // namespace

bool Value::operator==(const Value& other) const {
  return data == other.data;
}

std::int64_t size_bytes(const Value& value) {
  if (const auto* number = value.as_integer()) return *number >= 0 ? *number : -1;
  if (const auto* text = value.as_string()) return size_of_text(*text);
  return -1;
}

}  // namespace tutti::tosca
