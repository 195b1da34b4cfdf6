// Artifact definitions of types and templates (TOSCA Simple 1.3, section 3.6.7).
#pragma once

#include "tosca/grammar/fields.hpp"

#include <string>

namespace tutti::tosca::grammar {

struct ArtifactDefinition {
  std::string name;
  const Node* node = nullptr;
  const Node* type = nullptr;
  const Node* file = nullptr;  // text, or a function that gives it
};

[[nodiscard]] ArtifactDefinition read_artifact(Reader& reader, const Entry& entry);

}  // namespace tutti::tosca::grammar
