// Builds the located tree from parser events: aliases, merge keys, duplicate keys and the limits
// are judged here. Private to tosca/source; knows no parser, so that the parser can be exchanged.
#pragma once

#include "tosca/source/parse.hpp"
#include "tosca/source/tree.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tutti::tosca {

// Thrown through the parser to stop it: going on would cost more than the limit allows.
struct TreeLimit {
  std::string rule;
  Position at;
  std::string message;
  std::string hint;
};

class TreeBuilder {
 public:
  using Anchor = std::size_t;  // 0: none

  TreeBuilder(Document& document, const ParseOptions& options, Diagnostics& diagnostics)
      : document_(document), options_(options), diagnostics_(diagnostics) {}

  void scalar(Position at, std::string_view text, bool plain, Anchor anchor);
  void alias(Position at, Anchor anchor);
  void open(Position at, Node::Kind kind, Anchor anchor);
  void close();
  void document_end();

  [[nodiscard]] const Node* root() const { return root_; }

 private:
  struct Frame {
    Node* node;
    std::vector<const Node*> children;  // of a mapping: keys and values in turn
  };

  Node* make_node(Position at, Node::Kind kind);
  template <typename T>
  std::span<T> keep(const std::vector<T>& values);
  void add(const Node* node);
  void bind(Anchor anchor, const Node* node);
  void finish_sequence(Frame& frame);
  void finish_mapping(Frame& frame);
  std::vector<Entry> own_entries(const Frame& frame, std::vector<const Node*>& merged);
  void append_merged(std::vector<Entry>& entries, const std::vector<const Node*>& merged);
  void drop_duplicates(std::vector<Entry>& entries);
  void report(Severity severity, std::string rule, const Node& node, std::string message,
              std::string hint);

  Document& document_;
  const ParseOptions& options_;
  Diagnostics& diagnostics_;
  std::vector<Frame> open_;
  std::unordered_map<Anchor, const Node*> anchors_;      // null while the anchored node is open
  std::vector<std::pair<Anchor, const Node*>> pending_;  // anchors of open nodes
  std::uint64_t expanded_ = 0;
  std::size_t documents_ = 0;
  const Node* root_ = nullptr;
};

}  // namespace tutti::tosca
