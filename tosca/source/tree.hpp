// A YAML document as a tree that knows where everything stands: made by parse() from events, read
// by the grammar. Scalars keep their text as written. Nodes are immutable and live as long as the
// Document that owns them; nothing here interprets TOSCA.
#pragma once

#include "tosca/source/diagnostic.hpp"

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>

namespace tutti::tosca {

struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

struct Node;

struct Entry {
  const Node* key;  // a scalar
  const Node* value;
};

struct Node {
  enum class Kind : std::uint8_t { scalar, sequence, mapping };

  Kind kind = Kind::scalar;
  bool plain = false;  // a scalar without quotes, and not marked !!str
  // Nodes below and including this one, after expansion of aliases.
  std::uint32_t weight = 1;
  Position begin;
  Position end;
  const std::string* file = nullptr;
  std::string_view text;                  // of a scalar
  std::span<const Node* const> items;     // of a sequence
  std::span<const Entry> entries;         // of a mapping, as written; merge keys applied
  std::span<const std::uint32_t> sorted;  // indexes into entries, by key

  [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
  [[nodiscard]] bool is_sequence() const { return kind == Kind::sequence; }
  [[nodiscard]] bool is_mapping() const { return kind == Kind::mapping; }
  // A plain empty scalar, ~ or null.
  [[nodiscard]] bool is_null() const;
  // The value of a mapping's key, or null; logarithmic.
  [[nodiscard]] const Node* find(std::string_view key) const;
  [[nodiscard]] SourceSpan span() const;
};

// Owns one document's nodes and texts.
class Document {
 public:
  explicit Document(std::string name);

  [[nodiscard]] const std::string& name() const { return *name_; }
  // Null when the text was no YAML at all or was empty.
  [[nodiscard]] const Node* root() const { return root_; }

  // For the builder.
  void set_root(const Node* root) { root_ = root; }
  [[nodiscard]] std::pmr::memory_resource& arena() { return *arena_; }

 private:
  std::unique_ptr<std::string> name_;  // nodes point to it: its address must not move
  std::unique_ptr<std::pmr::monotonic_buffer_resource> arena_;
  const Node* root_ = nullptr;
};

}  // namespace tutti::tosca
