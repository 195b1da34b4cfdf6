// The types that the binary carries, from templates/types: embedded when it is built. Read-only
// data; which URL means which text is the import map's.
#pragma once

#include <span>
#include <string_view>

namespace tutti::tosca::profiles {

struct EmbeddedText {
  std::string_view name;  // the path below templates/types
  std::string_view text;
  bool normative = false;  // below tosca/: visible to every document of its version
};

[[nodiscard]] std::span<const EmbeddedText> embedded_texts();
// Null when there is none of that name.
[[nodiscard]] const EmbeddedText* embedded(std::string_view name);

}  // namespace tutti::tosca::profiles
