// Imports and repositories in all their notations (TOSCA Simple 1.3, sections 3.6.6 and 3.6.8), and
// INDIGO's: a list of one-key mappings from a name to a URL.
#pragma once

#include "tosca/grammar/fields.hpp"

#include <optional>
#include <string>

namespace tutti::tosca::grammar {

struct Import {
  const Node* node = nullptr;        // where the import is reported
  const Node* file = nullptr;        // a path or a URL
  const Node* repository = nullptr;  // a repository's name
  std::string prefix;                // namespace_prefix
};

struct Repository {
  std::string name;
  const Node* url = nullptr;
};

[[nodiscard]] std::optional<Import> read_import(Reader& reader, const Node& node);
[[nodiscard]] Repository read_repository(Reader& reader, const Entry& entry);

}  // namespace tutti::tosca::grammar
