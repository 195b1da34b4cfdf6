#include "tosca/source/tree.hpp"

#include "tosca/source/scalar.hpp"

#include <algorithm>
#include <utility>

namespace tutti::tosca {

bool Node::is_null() const {
  return is_scalar() && plain && is_null_text(text);
}

const Node* Node::find(std::string_view key) const {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), key,
                                   [this](std::uint32_t index, std::string_view name) {
                                     return entries[index].key->text < name;
                                   });
  if (at == sorted.end() || entries[*at].key->text != key) return nullptr;
  return entries[*at].value;
}

SourceSpan Node::span() const {
  return {file ? *file : std::string(), begin.line, begin.column, end.line, end.column};
}

Document::Document(std::string name)
    : name_(std::make_unique<std::string>(std::move(name))),
      arena_(std::make_unique<std::pmr::monotonic_buffer_resource>()) {}

}  // namespace tutti::tosca
