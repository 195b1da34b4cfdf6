#include "tosca/source/scalar.hpp"

#include <array>
#include <charconv>
#include <limits>

namespace tutti::tosca {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// [-+]? ( \. digits | digits ( \. digits* )? ) ( [eE] [-+]? digits )?
bool looks_floating(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - from;
  };
  const auto sign = [&] {
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  };
  sign();
  std::size_t count = digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    count += digits();
  }
  if (count == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    sign();
    if (digits() == 0) return false;
  }
  return at == text.size();
}

std::optional<double> special_floating(std::string_view text) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  } else if (text == ".nan" || text == ".NaN" || text == ".NAN") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (text == ".inf" || text == ".Inf" || text == ".INF") return negative ? -infinity : infinity;
  return std::nullopt;
}

}  // namespace

bool is_null_text(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

std::optional<bool> boolean_from(std::string_view text) {
  constexpr std::array<std::string_view, 9> yes{"true", "True", "TRUE", "yes", "Yes",
                                                "YES",  "on",   "On",   "ON"};
  constexpr std::array<std::string_view, 9> no{"false", "False", "FALSE", "no", "No",
                                               "NO",    "off",   "Off",   "OFF"};
  for (const auto word : yes) {
    if (text == word) return true;
  }
  for (const auto word : no) {
    if (text == word) return false;
  }
  return std::nullopt;
}

std::optional<std::int64_t> integer_from(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0o")) {
    base = text[1] == 'x' ? 16 : 8;
    text.remove_prefix(2);
    if (text.starts_with('-')) return std::nullopt;
  } else if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

std::optional<double> floating_from(std::string_view text) {
  if (const auto special = special_floating(text)) return special;
  if (!looks_floating(text)) {
    const auto whole = integer_from(text);
    return whole ? std::optional<double>(static_cast<double>(*whole)) : std::nullopt;
  }
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

CoreType core_type(std::string_view text) {
  if (is_null_text(text)) return CoreType::null;
  if (text == "true" || text == "True" || text == "TRUE" || text == "false" || text == "False" ||
      text == "FALSE") {
    return CoreType::boolean;
  }
  if (integer_from(text)) return CoreType::integer;
  if (floating_from(text)) return CoreType::floating;
  return CoreType::string;
}

}  // namespace tutti::tosca
