// Scalars by their TOSCA type: text in, a Value or a reason in. Also their order, for constraints.
// Pure functions; the tolerated spellings are those of deployed templates ("2" for an integer).
#pragma once

#include "tosca/resolve/unit.hpp"
#include "tosca/topology/value.hpp"

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace tutti::tosca::resolution {

// A value, or nothing and what was expected instead ("an integer").
struct ScalarReading {
  std::optional<Value> value;
  std::string expected;
};

// Sizes, times, frequencies and bit rates come out in their normal form, "2 GB"; versions and
// timestamps as written.
[[nodiscard]] ScalarReading read_scalar(Primitive type, std::string_view text, bool plain);

// How a value would be written; nothing for lists, maps and secrets.
struct ScalarText {
  std::string text;
  bool plain = true;
};
[[nodiscard]] std::optional<ScalarText> write_scalar(const Value& value);

// Nothing when the type has no order or a value is not of the type.
[[nodiscard]] std::optional<std::partial_ordering> compare(Primitive type, const Value& a,
                                                           const Value& b);

// Unquoted scalars without a declared type: the core schema, except that a number whose text would
// be lost ("16.10") stays text.
[[nodiscard]] Value untyped_scalar(std::string_view text, bool plain);

}  // namespace tutti::tosca::resolution
