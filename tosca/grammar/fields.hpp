// Reading one entity's mapping: which keys it may have, which it must have, and of what shape they
// are. Every reader of this folder goes through Fields, so that each wrong key or shape is reported
// once, at its place.
#pragma once

#include "tosca/grammar/version.hpp"
#include "tosca/source/diagnostic.hpp"
#include "tosca/source/tree.hpp"

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace tutti::tosca::grammar {

// What all readers of one document share.
class Reader {
 public:
  Reader(Diagnostics& diagnostics, Version version)
      : diagnostics_(diagnostics), version_(version) {}

  void error(std::string rule, const Node& at, std::string message, std::string hint = {});
  void warning(std::string rule, const Node& at, std::string message, std::string hint = {});
  [[nodiscard]] Version version() const { return version_; }

 private:
  Diagnostics& diagnostics_;
  Version version_;
};

// A key name and the first version of the grammar that knows it.
struct Key {
  Key(const char* key_name,
      Version first = Version::simple_1_0)  // NOLINT: tables are made of these
      : name(key_name), since(first) {}
  std::string_view name;
  Version since;
};
using Keys = std::vector<Key>;

// `others` decides on a key that the table lacks: true when it took care of it.
using OtherKey = std::function<bool(const Entry&)>;

class Fields {
 public:
  // Reports unknown keys (rule grammar.unknown-key), keys of later versions (grammar.version, a
  // warning) and a node that is no mapping (grammar.shape).
  Fields(Reader& reader, const Node& node, std::string_view entity, const Keys& keys,
         const OtherKey& others = {});

  // All of them answer null or an empty list for a key that is absent or null; a wrong shape is
  // reported and counts as absent.
  [[nodiscard]] const Node* any(std::string_view key) const;
  [[nodiscard]] const Node* scalar(std::string_view key) const;
  [[nodiscard]] const Node* mapping(std::string_view key) const;
  [[nodiscard]] const Node* sequence(std::string_view key) const;
  [[nodiscard]] std::vector<const Node*> scalars(std::string_view key) const;  // a list of them
  [[nodiscard]] std::string text(std::string_view key) const;
  [[nodiscard]] bool boolean(std::string_view key, bool fallback) const;
  // The members of a mapping of named entities.
  [[nodiscard]] std::vector<Entry> named(std::string_view key) const;
  // The members of a list of single-key mappings; a plain mapping is accepted too.
  [[nodiscard]] std::vector<Entry> ordered(std::string_view key) const;
  // Reports when the key is absent (grammar.missing-key).
  const Node* require(std::string_view key) const;
  // Checks that metadata is a mapping; values other than text are a warning.
  void check_metadata() const;

  [[nodiscard]] Reader& reader() const { return reader_; }

 private:
  void shape(const Node& at, std::string_view key, std::string_view wanted) const;

  Reader& reader_;
  const Node& node_;
  std::string entity_;
};

}  // namespace tutti::tosca::grammar
