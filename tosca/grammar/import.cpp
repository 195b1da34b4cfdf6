#include "tosca/grammar/import.hpp"

#include <algorithm>

namespace tutti::tosca::grammar {

namespace {

const Keys& import_keys() {
  static const Keys keys{"file", "repository", "namespace_uri", "namespace_prefix"};
  return keys;
}

bool is_import_key(std::string_view name) {
  const Keys& keys = import_keys();
  return std::any_of(keys.begin(), keys.end(), [&](const Key& key) { return key.name == name; });
}

std::optional<Import> read_long_import(Reader& reader, const Node& node) {
  const Fields fields(reader, node, "an import", import_keys());
  Import found;
  found.node = &node;
  fields.require("file");
  found.file = fields.scalar("file");
  found.repository = fields.scalar("repository");
  found.prefix = fields.text("namespace_prefix");
  if (found.file == nullptr) return std::nullopt;
  return found;
}

}  // namespace

std::optional<Import> read_import(Reader& reader, const Node& node) {
  if (node.is_scalar() && !node.is_null()) return Import{&node, &node, nullptr, {}};
  if (node.is_mapping() && node.entries.size() == 1 && !is_import_key(node.entries[0].key->text)) {
    const Node& value = *node.entries[0].value;
    if (value.is_scalar() && !value.is_null()) return Import{&value, &value, nullptr, {}};
    if (value.is_mapping()) return read_long_import(reader, value);
  }
  if (node.is_mapping() && !node.entries.empty()) return read_long_import(reader, node);
  reader.error("grammar.shape", node,
               "an import is a file's name or URL, or a mapping with \"file\"");
  return std::nullopt;
}

Repository read_repository(Reader& reader, const Entry& entry) {
  Repository repository;
  repository.name = std::string(entry.key->text);
  if (entry.value->is_scalar() && !entry.value->is_null()) {
    repository.url = entry.value;
    return repository;
  }
  static const Keys keys{"description", "url", "credential", "metadata"};
  const Fields fields(reader, *entry.value, "a repository", keys);
  fields.require("url");
  repository.url = fields.scalar("url");
  return repository;
}

}  // namespace tutti::tosca::grammar
