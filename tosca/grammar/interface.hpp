// Interfaces and their operations, on types and on templates (TOSCA Simple 1.3, sections 3.6.16 to
// 3.6.20). Operations stand under `operations` or, in the older notation, directly.
#pragma once

#include "tosca/grammar/fields.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tutti::tosca::grammar {

struct Operation {
  std::string name;
  const Node* key = nullptr;
  const Node* node = nullptr;
  // Text of the primary artifact: a path, a URL or an artifact's name. Null: nothing is done.
  const Node* implementation = nullptr;
  const Node* timeout = nullptr;  // seconds
  std::vector<Entry> inputs;      // assignments, or definitions with defaults on types
};

struct Interface {
  std::string name;
  const Node* key = nullptr;
  const Node* node = nullptr;
  const Node* type = nullptr;
  std::vector<Entry> inputs;
  std::vector<Operation> operations;
};

[[nodiscard]] Interface read_interface(Reader& reader, const Entry& entry);
[[nodiscard]] std::vector<Interface> read_interfaces(Reader& reader,
                                                     const std::vector<Entry>& entries);
[[nodiscard]] Operation read_operation(Reader& reader, const Entry& entry);

}  // namespace tutti::tosca::grammar
