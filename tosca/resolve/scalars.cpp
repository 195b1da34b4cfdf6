#include "tosca/resolve/scalars.hpp"

#include "tosca/source/scalar.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <vector>

namespace tutti::tosca::resolution {

namespace {

// TOSCA Simple 1.3, sections 3.3.6.4 to 3.3.6.7; each in the type's base unit.
struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array kSizes{Unit{"B", 1},
                            Unit{"kB", 1e3},
                            Unit{"KiB", 1024.0},
                            Unit{"MB", 1e6},
                            Unit{"MiB", 1048576.0},
                            Unit{"GB", 1e9},
                            Unit{"GiB", 1073741824.0},
                            Unit{"TB", 1e12},
                            Unit{"TiB", 1099511627776.0}};
constexpr std::array kTimes{Unit{"d", 86400}, Unit{"h", 3600},  Unit{"m", 60},   Unit{"s", 1},
                            Unit{"ms", 1e-3}, Unit{"us", 1e-6}, Unit{"ns", 1e-9}};
constexpr std::array kFrequencies{Unit{"Hz", 1}, Unit{"kHz", 1e3}, Unit{"MHz", 1e6},
                                  Unit{"GHz", 1e9}};
constexpr std::array kBitrates{Unit{"bps", 1},
                               Unit{"Kbps", 1e3},
                               Unit{"Kibps", 1024.0},
                               Unit{"Mbps", 1e6},
                               Unit{"Mibps", 1048576},
                               Unit{"Gbps", 1e9},
                               Unit{"Gibps", 1073741824.0},
                               Unit{"Tbps", 1e12},
                               Unit{"Tibps", 1099511627776.0},
                               Unit{"Bps", 8},
                               Unit{"KBps", 8e3},
                               Unit{"KiBps", 8 * 1024.0},
                               Unit{"MBps", 8e6},
                               Unit{"MiBps", 8 * 1048576.0},
                               Unit{"GBps", 8e9},
                               Unit{"GiBps", 8 * 1073741824.0},
                               Unit{"TBps", 8e12},
                               Unit{"TiBps", 8 * 1099511627776.0}};

std::span<const Unit> units_of(Primitive type) {
  switch (type) {
    case Primitive::size:
      return kSizes;
    case Primitive::time:
      return kTimes;
    case Primitive::frequency:
      return kFrequencies;
    case Primitive::bitrate:
      return kBitrates;
    default:
      return {};
  }
}

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

struct Measure {
  std::string_view number;  // as written
  const Unit* unit;
  double amount;  // in the base unit
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<Measure> measure_from(Primitive type, std::string_view text) {
  text = trimmed(text);
  const auto number_end = text.find_first_not_of("+-.0123456789eE");
  // An exponent's E may belong to no unit here: none begins with it.
  if (number_end == std::string_view::npos || number_end == 0) return std::nullopt;
  const std::string_view number = trimmed(text.substr(0, number_end));
  const std::string_view unit = trimmed(text.substr(number_end));
  const auto amount = floating_from(number);
  if (!amount || !std::isfinite(*amount)) return std::nullopt;
  const std::span<const Unit> known = units_of(type);
  // Bit rates tell bits from bytes by the letter's case; all others are written in any case.
  for (const Unit& candidate : known) {
    if (candidate.name == unit) return Measure{number, &candidate, *amount * candidate.factor};
  }
  for (const Unit& candidate : known) {
    if (type != Primitive::bitrate && same_letters(candidate.name, unit)) {
      return Measure{number, &candidate, *amount * candidate.factor};
    }
  }
  return std::nullopt;
}

ScalarReading read_measure(Primitive type, std::string_view text) {
  const auto measure = measure_from(type, text);
  if (measure) {
    std::string normal(measure->number);
    normal += ' ';
    normal += measure->unit->name;
    return {Value(std::move(normal)), {}};
  }
  std::string expected = "a number with a unit (";
  const auto known = units_of(type);
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (i > 0) expected += ", ";
    expected += known[i].name;
  }
  return {std::nullopt, expected + ")"};
}

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// major[.minor[.fix[.qualifier[-build]]]] (3.3.2); the minor part may be missing, as it often is.
bool is_version(std::string_view text) {
  for (int part = 0; part < 3; ++part) {
    const auto dot = text.find('.');
    if (!all_digits(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
  const auto dash = text.find('-');
  const std::string_view qualifier = text.substr(0, dash);
  const bool named =
      !qualifier.empty() && std::all_of(qualifier.begin(), qualifier.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
      });
  return named && (dash == std::string_view::npos || all_digits(text.substr(dash + 1)));
}

// YAML's timestamps: 2001-12-14, or with a time and a zone.
bool is_timestamp(std::string_view text) {
  const auto digits = [&](std::size_t least, std::size_t most) {
    std::size_t count = 0;
    while (count < most && count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
    text.remove_prefix(count);
    return count >= least;
  };
  const auto mark = [&](std::string_view any) {
    if (text.empty() || any.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
  };
  if (!digits(4, 4) || !mark("-") || !digits(1, 2) || !mark("-") || !digits(1, 2)) return false;
  if (text.empty()) return true;
  if (!mark("Tt ")) return false;
  text = trimmed(text);
  if (!digits(1, 2) || !mark(":") || !digits(2, 2) || !mark(":") || !digits(2, 2)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!digits(1, 20)) return false;
  }
  text = trimmed(text);
  if (text.empty() || text == "Z" || text == "z") return true;
  return mark("+-") && digits(1, 2) &&
         (text.empty() || (mark(":") && digits(2, 2) && text.empty()));
}

std::vector<std::int64_t> version_numbers(std::string_view text) {
  std::vector<std::int64_t> numbers;
  while (!text.empty()) {
    const auto end = text.find_first_of(".-");
    const auto number = integer_from(text.substr(0, end));
    numbers.push_back(number.value_or(-1));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  numbers.resize(5, 0);
  return numbers;
}

std::optional<double> number_of(const Value& value) {
  if (const auto* whole = value.as_integer()) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&value.data)) return *real;
  return std::nullopt;
}

ScalarReading taken_if(bool good, std::string_view text, std::string expected) {
  if (good) return {Value(std::string(text)), {}};
  return {std::nullopt, std::move(expected)};
}

std::string shortest(double number) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  return error == std::errc{} ? std::string(buffer.data(), end) : std::string();
}

}  // namespace

ScalarReading read_scalar(Primitive type, std::string_view text, bool plain) {
  switch (type) {
    case Primitive::string:
      return {Value(std::string(text)), {}};
    case Primitive::integer:
      if (const auto number = integer_from(trimmed(text))) return {Value(*number), {}};
      return {std::nullopt, "an integer"};
    case Primitive::floating:
      if (const auto number = floating_from(trimmed(text))) return {Value(*number), {}};
      return {std::nullopt, "a number"};
    case Primitive::boolean:
      if (const auto word = boolean_from(trimmed(text))) return {Value(*word), {}};
      return {std::nullopt, "true or false"};
    case Primitive::timestamp:
      return taken_if(is_timestamp(trimmed(text)), trimmed(text),
                      "a timestamp like 2001-12-14T21:59:43Z");
    case Primitive::version:
      return taken_if(is_version(trimmed(text)), trimmed(text),
                      "a version like 1.2 or 1.2.3.beta-4");
    case Primitive::size:
    case Primitive::time:
    case Primitive::frequency:
    case Primitive::bitrate:
      return read_measure(type, text);
    case Primitive::range:
      return {std::nullopt, "a range like [ 1, 4 ]"};
    case Primitive::list:
      return {std::nullopt, "a list"};
    case Primitive::map:
      return {std::nullopt, "a map"};
    case Primitive::none:
      return {std::nullopt, "a mapping of its properties"};
    case Primitive::any:
      return {untyped_scalar(text, plain), {}};
  }
  return {std::nullopt, "a value"};
}

std::optional<ScalarText> write_scalar(const Value& value) {
  if (value.is_null()) return ScalarText{"", true};
  if (const auto* text = value.as_string()) return ScalarText{*text, false};
  if (const auto* whole = value.as_integer()) return ScalarText{std::to_string(*whole), true};
  if (const auto* word = value.as_boolean()) return ScalarText{*word ? "true" : "false", true};
  if (const auto* real = std::get_if<double>(&value.data)) return ScalarText{shortest(*real), true};
  return std::nullopt;
}

std::optional<std::partial_ordering> compare(Primitive type, const Value& a, const Value& b) {
  switch (type) {
    case Primitive::integer:
    case Primitive::floating: {
      if (const auto* x = a.as_integer(), *y = b.as_integer(); x != nullptr && y != nullptr) {
        return *x <=> *y;
      }
      const auto x = number_of(a);
      const auto y = number_of(b);
      if (!x || !y) return std::nullopt;
      return *x <=> *y;
    }
    case Primitive::size:
    case Primitive::time:
    case Primitive::frequency:
    case Primitive::bitrate: {
      const auto x = a.as_string() ? measure_from(type, *a.as_string()) : std::nullopt;
      const auto y = b.as_string() ? measure_from(type, *b.as_string()) : std::nullopt;
      if (!x || !y) return std::nullopt;
      return x->amount <=> y->amount;
    }
    case Primitive::version:
      if (a.as_string() == nullptr || b.as_string() == nullptr) return std::nullopt;
      return version_numbers(*a.as_string()) <=> version_numbers(*b.as_string());
    case Primitive::string:
    case Primitive::timestamp:
      if (a.as_string() == nullptr || b.as_string() == nullptr) return std::nullopt;
      return *a.as_string() <=> *b.as_string();
    default:
      return std::nullopt;
  }
}

Value untyped_scalar(std::string_view text, bool plain) {
  if (!plain) return Value(std::string(text));
  switch (core_type(text)) {
    case CoreType::null:
      return Value();
    case CoreType::boolean:
      return Value(*boolean_from(text));
    case CoreType::integer: {
      const std::int64_t number = *integer_from(text);
      return std::to_string(number) == text ? Value(number) : Value(std::string(text));
    }
    case CoreType::floating: {
      const double number = *floating_from(text);
      return shortest(number) == text ? Value(number) : Value(std::string(text));
    }
    case CoreType::string:
      break;
  }
  return Value(std::string(text));
}

}  // namespace tutti::tosca::resolution
