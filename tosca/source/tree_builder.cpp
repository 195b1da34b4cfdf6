#include "tosca/source/tree_builder.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>
#include <unordered_set>

namespace tutti::tosca {

namespace {

constexpr std::string_view kMergeKey = "<<";

Position scalar_end(Position at, std::string_view text, bool plain) {
  // The parser does not say where a scalar ends; right for all that stand on one line.
  if (text.find('\n') != std::string_view::npos) return at;
  at.column += static_cast<std::uint32_t>(text.size()) + (plain ? 0 : 2);
  return at;
}

std::vector<std::uint32_t> sorted_by_key(const std::vector<Entry>& entries) {
  std::vector<std::uint32_t> order(entries.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return entries[a].key->text < entries[b].key->text;
  });
  return order;
}

bool is_merge(const Node& key) {
  return key.is_scalar() && key.plain && key.text == kMergeKey;
}

}  // namespace

Node* TreeBuilder::make_node(Position at, Node::Kind kind) {
  if (++expanded_ > options_.limits.nodes) {
    throw TreeLimit{"yaml.nodes", at,
                    "the document has more than " + std::to_string(options_.limits.nodes) +
                        " values, aliases expanded",
                    "split it into imports"};
  }
  void* place = document_.arena().allocate(sizeof(Node), alignof(Node));
  Node* node = ::new (place) Node;
  node->kind = kind;
  node->begin = at;
  node->end = at;
  node->file = &document_.name();
  return node;
}

template <typename T>
std::span<T> TreeBuilder::keep(const std::vector<T>& values) {
  if (values.empty()) return {};
  void* place = document_.arena().allocate(sizeof(T) * values.size(), alignof(T));
  T* begin = static_cast<T*>(place);
  std::uninitialized_copy(values.begin(), values.end(), begin);
  return {begin, values.size()};
}

void TreeBuilder::report(Severity severity, std::string rule, const Node& node, std::string message,
                         std::string hint) {
  diagnostics_.push_back(
      {severity, std::move(rule), node.span(), std::move(message), std::move(hint)});
}

void TreeBuilder::bind(Anchor anchor, const Node* node) {
  if (anchor != 0) anchors_[anchor] = node;
}

void TreeBuilder::add(const Node* node) {
  if (open_.empty()) {
    if (documents_ == 0) root_ = node;
    return;
  }
  Frame& parent = open_.back();
  parent.children.push_back(node);
  if (node->end.line > parent.node->end.line ||
      (node->end.line == parent.node->end.line && node->end.column > parent.node->end.column)) {
    parent.node->end = node->end;
  }
}

void TreeBuilder::scalar(Position at, std::string_view text, bool plain, Anchor anchor) {
  // For a value that was left out the parser names the next token's place: the key's end is better.
  if (plain && text.empty() && !open_.empty() && open_.back().node->is_mapping() &&
      open_.back().children.size() % 2 == 1) {
    at = open_.back().children.back()->end;
  }
  Node* node = make_node(at, Node::Kind::scalar);
  node->plain = plain;
  char* copy = static_cast<char*>(document_.arena().allocate(text.size() + 1, 1));
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  node->text = {copy, text.size()};
  node->end = scalar_end(at, text, plain);
  bind(anchor, node);
  add(node);
}

void TreeBuilder::alias(Position at, Anchor anchor) {
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end() || found->second == nullptr) {
    throw TreeLimit{"yaml.alias", at, "an alias stands inside the value that it names",
                    "a value cannot contain itself"};
  }
  const Node* target = found->second;
  expanded_ += target->weight;
  if (expanded_ > options_.limits.nodes) {
    throw TreeLimit{
        "yaml.alias", at,
        "aliases expand to more than " + std::to_string(options_.limits.nodes) + " values",
        "repeat less"};
  }
  // The alias is the anchored node itself; its place in the text stays the anchor's.
  if (open_.empty()) {
    add(target);
  } else {
    open_.back().children.push_back(target);
  }
}

void TreeBuilder::open(Position at, Node::Kind kind, Anchor anchor) {
  if (open_.size() >= options_.limits.depth) {
    throw TreeLimit{"yaml.depth", at,
                    "the document is nested more than " + std::to_string(options_.limits.depth) +
                        " levels deep",
                    ""};
  }
  if (anchor != 0) anchors_[anchor] = nullptr;
  open_.push_back({make_node(at, kind), {}});
  if (anchor != 0) pending_.emplace_back(anchor, open_.back().node);
}

void TreeBuilder::close() {
  Frame frame = std::move(open_.back());
  open_.pop_back();
  std::uint64_t weight = 1;
  for (const Node* child : frame.children) weight += child->weight;
  frame.node->weight = static_cast<std::uint32_t>(std::min<std::uint64_t>(weight, UINT32_MAX));
  if (frame.node->is_mapping()) {
    finish_mapping(frame);
  } else {
    finish_sequence(frame);
  }
  if (!pending_.empty() && pending_.back().second == frame.node) {
    bind(pending_.back().first, frame.node);
    pending_.pop_back();
  }
  add(frame.node);
}

void TreeBuilder::finish_sequence(Frame& frame) {
  frame.node->items = keep(frame.children);
}

std::vector<Entry> TreeBuilder::own_entries(const Frame& frame, std::vector<const Node*>& merged) {
  std::vector<Entry> entries;
  entries.reserve(frame.children.size() / 2);
  for (std::size_t i = 0; i + 1 < frame.children.size(); i += 2) {
    const Node* key = frame.children[i];
    const Node* value = frame.children[i + 1];
    if (!key->is_scalar()) {
      report(Severity::error, "yaml.key", *key, "a key must be a single word or text", "");
    } else if (!is_merge(*key)) {
      entries.push_back({key, value});
    } else if (value->is_mapping()) {
      merged.push_back(value);
    } else if (value->is_sequence() && std::all_of(value->items.begin(), value->items.end(),
                                                   [](const Node* n) { return n->is_mapping(); })) {
      merged.insert(merged.end(), value->items.begin(), value->items.end());
    } else {
      report(Severity::error, "yaml.merge", *value,
             "the merge key << needs a mapping or a list of mappings", "");
    }
  }
  return entries;
}

void TreeBuilder::drop_duplicates(std::vector<Entry>& entries) {
  const std::vector<std::uint32_t> order = sorted_by_key(entries);
  std::vector<bool> dropped(entries.size(), false);
  bool any = false;
  for (std::size_t i = 1; i < order.size(); ++i) {
    const Node& first = *entries[order[i - 1]].key;
    const Node& second = *entries[order[i]].key;
    if (first.text != second.text) continue;
    report(options_.lenient ? Severity::warning : Severity::error, "yaml.duplicate-key", second,
           "the key \"" + std::string(second.text) + "\" stands here a second time",
           "it is already at line " + std::to_string(first.begin.line) +
               (options_.lenient ? "; the last one wins" : ""));
    dropped[order[i - 1]] = true;
    any = true;
  }
  if (!any) return;
  std::vector<Entry> kept;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!dropped[i]) kept.push_back(entries[i]);
  }
  entries = std::move(kept);
}

void TreeBuilder::append_merged(std::vector<Entry>& entries,
                                const std::vector<const Node*>& merged) {
  if (merged.empty()) return;
  std::unordered_set<std::string_view> known;
  for (const Entry& entry : entries) known.insert(entry.key->text);
  for (const Node* source : merged) {
    for (const Entry& entry : source->entries) {
      if (known.insert(entry.key->text).second) entries.push_back(entry);
    }
  }
}

void TreeBuilder::finish_mapping(Frame& frame) {
  std::vector<const Node*> merged;
  std::vector<Entry> entries = own_entries(frame, merged);
  drop_duplicates(entries);
  append_merged(entries, merged);
  const std::vector<std::uint32_t> order = sorted_by_key(entries);
  frame.node->entries = keep(entries);
  frame.node->sorted = keep(order);
}

void TreeBuilder::document_end() {
  ++documents_;
  if (documents_ > 1) {
    throw TreeLimit{"yaml.documents",
                    {1, 1},
                    "the text holds more than one YAML document",
                    "keep the first and remove --- and what follows"};
  }
}

}  // namespace tutti::tosca
