// From YAML text to a located tree. Everything that a stranger may send ends here in a tree within
// the limits or in diagnostics with their place; nothing throws. Used by resolve for templates and
// their imports, and by config for its own file.
#pragma once

#include "tosca/source/diagnostic.hpp"
#include "tosca/source/tree.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tutti::tosca {

struct ParseLimits {
  std::size_t bytes = 4U << 20;
  std::uint32_t nodes = 200'000;  // after expansion of aliases
  std::uint32_t depth = 100;
};

struct ParseOptions {
  ParseLimits limits{};
  // A repeated key is a warning and its last value wins, instead of an error.
  bool lenient = false;
};

// Rules: yaml.syntax, yaml.encoding, yaml.size, yaml.nodes, yaml.depth, yaml.alias, yaml.documents,
// yaml.duplicate-key, yaml.key, yaml.merge. After an error the root may still be there (a duplicate
// key, say), so that the rest of the document can be judged too.
[[nodiscard]] Document parse(std::string name, std::string_view text, const ParseOptions& options,
                             Diagnostics& diagnostics);

}  // namespace tutti::tosca
