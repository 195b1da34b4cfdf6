// Policies and groups of a topology (TOSCA Simple 1.3, sections 3.8.5 and 3.8.6).
#pragma once

#include "tosca/grammar/interface.hpp"

#include <string>
#include <vector>

namespace tutti::tosca::grammar {

struct Policy {
  std::string name;
  const Node* key = nullptr;
  const Node* node = nullptr;
  const Node* type = nullptr;
  std::vector<Entry> properties;
  std::vector<const Node*> targets;
};

struct Group {
  std::string name;
  const Node* key = nullptr;
  const Node* node = nullptr;
  const Node* type = nullptr;
  std::vector<Entry> properties;
  std::vector<const Node*> members;
};

[[nodiscard]] Policy read_policy(Reader& reader, const Entry& entry);
[[nodiscard]] Group read_group(Reader& reader, const Entry& entry);

}  // namespace tutti::tosca::grammar
