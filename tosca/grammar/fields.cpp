#include "tosca/grammar/fields.hpp"

#include "tosca/source/scalar.hpp"
#include "tosca/source/suggest.hpp"

#include <algorithm>
#include <utility>

namespace tutti::tosca::grammar {

void Reader::error(std::string rule, const Node& at, std::string message, std::string hint) {
  diagnostics_.push_back(
      {Severity::error, std::move(rule), at.span(), std::move(message), std::move(hint)});
}

void Reader::warning(std::string rule, const Node& at, std::string message, std::string hint) {
  diagnostics_.push_back(
      {Severity::warning, std::move(rule), at.span(), std::move(message), std::move(hint)});
}

Fields::Fields(Reader& reader, const Node& node, std::string_view entity, const Keys& keys,
               const OtherKey& others)
    : reader_(reader), node_(node), entity_(entity) {
  if (!node.is_mapping()) {
    if (!node.is_null()) {
      reader_.error("grammar.shape", node, entity_ + " must be a mapping of keys to values");
    }
    return;
  }
  for (const Entry& entry : node.entries) {
    const auto known = std::find_if(keys.begin(), keys.end(),
                                    [&](const Key& key) { return key.name == entry.key->text; });
    const std::string name(entry.key->text);
    if (known == keys.end()) {
      if (others && others(entry)) continue;
      std::vector<std::string_view> names;
      for (const Key& key : keys) names.push_back(key.name);
      reader_.error("grammar.unknown-key", *entry.key, entity_ + " has no key \"" + name + "\"",
                    did_you_mean(name, names));
    } else if (known->since > reader_.version()) {
      reader_.warning("grammar.version", *entry.key,
                      "\"" + name + "\" belongs to " + std::string(to_string(known->since)) +
                          ", the document says " + std::string(to_string(reader_.version())));
    }
  }
}

void Fields::shape(const Node& at, std::string_view key, std::string_view wanted) const {
  reader_.error("grammar.shape", at,
                "\"" + std::string(key) + "\" of " + entity_ + " must be " + std::string(wanted));
}

const Node* Fields::any(std::string_view key) const {
  if (!node_.is_mapping()) return nullptr;
  const Node* value = node_.find(key);
  return value != nullptr && value->is_null() ? nullptr : value;
}

const Node* Fields::scalar(std::string_view key) const {
  const Node* value = any(key);
  if (value == nullptr || value->is_scalar()) return value;
  shape(*value, key, "a single value");
  return nullptr;
}

const Node* Fields::mapping(std::string_view key) const {
  const Node* value = any(key);
  if (value == nullptr || value->is_mapping()) return value;
  shape(*value, key, "a mapping of keys to values");
  return nullptr;
}

const Node* Fields::sequence(std::string_view key) const {
  const Node* value = any(key);
  if (value == nullptr || value->is_sequence()) return value;
  shape(*value, key, "a list");
  return nullptr;
}

std::vector<const Node*> Fields::scalars(std::string_view key) const {
  std::vector<const Node*> found;
  const Node* list = sequence(key);
  if (list == nullptr) return found;
  for (const Node* item : list->items) {
    if (item->is_scalar()) {
      found.push_back(item);
    } else {
      shape(*item, key, "a list of single values");
    }
  }
  return found;
}

std::string Fields::text(std::string_view key) const {
  const Node* value = scalar(key);
  return value == nullptr ? std::string() : std::string(value->text);
}

bool Fields::boolean(std::string_view key, bool fallback) const {
  const Node* value = scalar(key);
  if (value == nullptr) return fallback;
  const auto word = boolean_from(value->text);
  if (!word) shape(*value, key, "true or false");
  return word.value_or(fallback);
}

std::vector<Entry> Fields::named(std::string_view key) const {
  const Node* value = mapping(key);
  if (value == nullptr) return {};
  return {value->entries.begin(), value->entries.end()};
}

std::vector<Entry> Fields::ordered(std::string_view key) const {
  const Node* value = any(key);
  if (value == nullptr) return {};
  if (value->is_mapping()) return {value->entries.begin(), value->entries.end()};
  std::vector<Entry> found;
  if (!value->is_sequence()) {
    shape(*value, key, "a list of entries with one name each");
    return found;
  }
  for (const Node* item : value->items) {
    if (item->is_mapping() && item->entries.size() == 1) {
      found.push_back(item->entries.front());
    } else {
      shape(*item, key, "a list of entries with one name each");
    }
  }
  return found;
}

const Node* Fields::require(std::string_view key) const {
  const Node* value = any(key);
  if (value == nullptr && node_.is_mapping()) {
    reader_.error("grammar.missing-key", node_,
                  entity_ + " needs the key \"" + std::string(key) + "\"");
  } else if (value == nullptr && node_.is_null()) {
    reader_.error("grammar.missing-key", node_,
                  entity_ + " is empty, and needs the key \"" + std::string(key) + "\"");
  }
  return value;
}

void Fields::check_metadata() const {
  const Node* metadata = mapping("metadata");
  if (metadata == nullptr) return;
  for (const Entry& entry : metadata->entries) {
    if (!entry.value->is_scalar()) {
      reader_.warning("grammar.metadata", *entry.value,
                      "metadata is text by the specification; \"" + std::string(entry.key->text) +
                          "\" is kept but not used");
    }
  }
}

}  // namespace tutti::tosca::grammar
