// What a scalar's text means: the YAML 1.2 core schema, with YAML 1.1's words for booleans where
// the caller expects a boolean. Pure functions over text; the text itself stays as written.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tutti::tosca {

enum class CoreType { null, boolean, integer, floating, string };

// The type that the core schema gives to an unquoted scalar; yes and no are strings to it.
[[nodiscard]] CoreType core_type(std::string_view text);
[[nodiscard]] bool is_null_text(std::string_view text);

// true, false, and YAML 1.1's yes, no, on, off, in the three usual spellings each.
[[nodiscard]] std::optional<bool> boolean_from(std::string_view text);
// Decimal with an optional sign, 0o17, 0x1F. Nothing when it does not fit 64 bits.
[[nodiscard]] std::optional<std::int64_t> integer_from(std::string_view text);
// Decimal notation, .inf and .nan; integers count too.
[[nodiscard]] std::optional<double> floating_from(std::string_view text);

}  // namespace tutti::tosca
