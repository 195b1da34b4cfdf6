// Constraints on values (TOSCA Simple 1.3, section 3.6.3).
#include "tosca/resolve/evaluate.hpp"
#include "tosca/source/scalar.hpp"

#include <algorithm>
#include <regex>

namespace tutti::tosca::resolution {

namespace {

using grammar::Constraint;
using grammar::ConstraintKind;

// A pattern is a program that a stranger wrote: the polynomial matcher and these bounds keep it
// small.
constexpr std::size_t kLongestPattern = 512;
constexpr std::size_t kLongestSubject = 4096;
constexpr std::int64_t kMostRepetitions = 1000;

std::string written(const Node& node) {
  if (node.is_scalar()) return std::string(node.text);
  std::string text = "[ ";
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    if (i > 0) text += ", ";
    text += written(*node.items[i]);
  }
  return text + " ]";
}

// The argument as a value of the constrained type; nothing when it is not one.
std::optional<Value> argument_value(const DataInfo& info, const Node& node) {
  if (node.is_sequence()) {
    List items;
    for (const Node* item : node.items) {
      if (!item->is_scalar()) return std::nullopt;
      items.push_back(untyped_scalar(item->text, item->plain));
    }
    return Value(std::move(items));
  }
  if (!node.is_scalar()) return std::nullopt;
  return read_scalar(info.primitive, node.text, node.plain).value;
}

bool equal(const DataInfo& info, const Value& value, const Node& argument) {
  const auto wanted = argument_value(info, argument);
  if (!wanted) return false;
  const auto order = compare(info.primitive, value, *wanted);
  return order ? *order == std::partial_ordering::equivalent : value == *wanted;
}

bool ordered(const DataInfo& info, const Value& value, const Node& argument, ConstraintKind kind) {
  const auto bound = argument_value(info, argument);
  const auto order = bound ? compare(info.primitive, value, *bound) : std::nullopt;
  if (!order) return false;
  switch (kind) {
    case ConstraintKind::greater_than:
      return *order > 0;
    case ConstraintKind::greater_or_equal:
      return *order >= 0;
    case ConstraintKind::less_than:
      return *order < 0;
    default:
      return *order <= 0;
  }
}

bool in_range(const DataInfo& info, const Value& value, const Node& argument) {
  // Of a range both ends must lie within.
  if (const auto* ends = value.as_list(); ends != nullptr && info.primitive == Primitive::range) {
    DataInfo end_info;
    end_info.primitive = Primitive::integer;
    return std::all_of(ends->begin(), ends->end(), [&](const Value& end) {
      return end.as_integer() == nullptr || in_range(end_info, end, argument);
    });
  }
  const auto bounded = [&](const Node& bound, ConstraintKind kind) {
    return bound.text == "UNBOUNDED" || ordered(info, value, bound, kind);
  };
  return bounded(*argument.items[0], ConstraintKind::greater_or_equal) &&
         bounded(*argument.items[1], ConstraintKind::less_or_equal);
}

std::optional<std::int64_t> length_of(const Value& value) {
  if (const auto* text = value.as_string()) {
    // Characters, not bytes: continuation bytes do not count.
    return std::count_if(text->begin(), text->end(),
                         [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
  }
  if (const auto* items = value.as_list()) return static_cast<std::int64_t>(items->size());
  if (const auto* members = value.as_map()) return static_cast<std::int64_t>(members->size());
  return std::nullopt;
}

bool length_fits(const Value& value, const Node& argument, ConstraintKind kind) {
  const auto length = length_of(value);
  const auto bound = argument.is_scalar() ? integer_from(argument.text) : std::nullopt;
  if (!length || !bound) return false;
  if (kind == ConstraintKind::min_length) return *length >= *bound;
  if (kind == ConstraintKind::max_length) return *length <= *bound;
  return *length == *bound;
}

bool modest(const std::string& pattern) {
  if (pattern.size() > kLongestPattern) return false;
  std::int64_t product = 1;
  for (std::size_t at = pattern.find('{'); at != std::string::npos;
       at = pattern.find('{', at + 1)) {
    std::int64_t most = 0;
    std::int64_t number = 0;
    for (std::size_t i = at + 1; i < pattern.size() && pattern[i] != '}'; ++i) {
      const bool digit = pattern[i] >= '0' && pattern[i] <= '9';
      number = digit ? std::min<std::int64_t>(number * 10 + (pattern[i] - '0'), 100'000) : 0;
      most = std::max(most, number);
    }
    product *= std::max<std::int64_t>(most, 1);
    if (product > kMostRepetitions) return false;
  }
  return true;
}

bool matches(Resolution& resolution, const Value& value, const Constraint& constraint,
             const Node& place) {
  const auto* text = value.as_string();
  if (text == nullptr || !constraint.argument->is_scalar()) return false;
  const std::string pattern(constraint.argument->text);
  if (text->size() > kLongestSubject || !modest(pattern)) {
    resolution.error("property.pattern", place, "the text or the pattern is too long to be matched",
                     "patterns are limited to 512 characters, texts to 4096");
    return true;
  }
  try {
    const std::regex compiled(pattern, std::regex::ECMAScript | std::regex_constants::__polynomial);
    return std::regex_match(*text, compiled);
  } catch (const std::regex_error&) {
    resolution.error("property.pattern", *constraint.argument,
                     "this is no regular expression that can be used");
    return true;
  }
}

bool holds(Resolution& resolution, const Value& value, const DataInfo& info,
           const Constraint& constraint, const Node& place) {
  const Node& argument = *constraint.argument;
  switch (constraint.kind) {
    case ConstraintKind::equal:
      return equal(info, value, argument);
    case ConstraintKind::greater_than:
    case ConstraintKind::greater_or_equal:
    case ConstraintKind::less_than:
    case ConstraintKind::less_or_equal:
      return ordered(info, value, argument, constraint.kind);
    case ConstraintKind::in_range:
      return in_range(info, value, argument);
    case ConstraintKind::valid_values:
      return std::any_of(argument.items.begin(), argument.items.end(),
                         [&](const Node* item) { return equal(info, value, *item); });
    case ConstraintKind::length:
    case ConstraintKind::min_length:
    case ConstraintKind::max_length:
      return length_fits(value, argument, constraint.kind);
    case ConstraintKind::pattern:
      return matches(resolution, value, constraint, place);
    case ConstraintKind::schema:
      return true;  // JSON and XML are not looked into
  }
  return true;
}

}  // namespace

void check_constraints(Resolution& resolution, const Value& value, const DataInfo& info,
                       const Node& place, bool hide) {
  for (const Constraint& constraint : info.constraints) {
    if (holds(resolution, value, info, constraint, place)) continue;
    const auto text = hide ? std::nullopt : write_scalar(value);
    const std::string shown = text ? "\"" + text->text.substr(0, 100) + "\"" : "the value";
    resolution.error("property.constraint", place,
                     shown + " does not satisfy " + std::string(to_string(constraint.kind)) + ": " +
                         written(*constraint.argument));
  }
}

}  // namespace tutti::tosca::resolution
