// The phases after types are known, in their order; each fills its part of the Resolution and
// reports all problems it finds. Private to tosca/resolve.
#pragma once

#include "tosca/resolve/evaluate.hpp"
#include "tosca/resolve/model.hpp"

namespace tutti::tosca::resolution {

// definitions.cpp: type references and defaults of all types that strangers wrote.
void check_definitions(Resolution& resolution, Evaluator& evaluator);

// nodes.cpp
void build_inputs(Resolution& resolution);
void build_nodes(Resolution& resolution);
// Slots for declared properties and for what was assigned; `owner` is for messages.
struct SlotRules {
  std::string owner;            // "the node template \"x\""
  std::string secret_id;        // "property/x"
  bool strict = true;           // undeclared: an error, and required ones are; else a warning
  const Node* place = nullptr;  // where a missing property is reported
};
[[nodiscard]] Slots make_slots(Resolution& resolution, const PropertyMap& declared,
                               const std::vector<Entry>& assigned, const Site& site,
                               const SlotRules& rules);

// requirements.cpp
void build_relationships(Resolution& resolution);
void check_cycles(Resolution& resolution);

// operations.cpp
[[nodiscard]] std::vector<OperationDefinition> make_operations(
    Resolution& resolution, Evaluator& evaluator,
    const std::vector<const grammar::Interface*>& interfaces, const NodeModel& artifacts_of,
    const Site& site, const std::string& secret_id);
void check_operations(Resolution& resolution, const NodeModel& node);

// topology_build.cpp: evaluates everything and makes the result.
[[nodiscard]] Topology build_topology(Resolution& resolution, Evaluator& evaluator);

}  // namespace tutti::tosca::resolution
