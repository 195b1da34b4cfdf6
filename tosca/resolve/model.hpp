// The working state of one resolution: written entities with their types found, and slots for
// values that are evaluated when first asked for. Filled phase by phase; becomes the Topology at
// the end.
#pragma once

#include "tosca/resolve/unit.hpp"
#include "tosca/topology/topology.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace tutti::tosca::resolution {

using grammar::PropertyDefinition;
using grammar::Schema;
using PropertyMap = std::map<std::string, PropertyDefinition, std::less<>>;

// A type's members with everything inherited.
struct CapabilityMembers {
  std::string name;
  const Type* type = nullptr;
  PropertyMap properties;
  PropertyMap attributes;
  std::vector<const Node*> valid_sources;
};
struct Members {
  PropertyMap properties;
  PropertyMap attributes;
  std::vector<CapabilityMembers> capabilities;
  std::vector<grammar::RequirementDefinition> requirements;
  std::vector<grammar::ArtifactDefinition> artifacts;
  std::vector<const grammar::Interface*> interfaces;  // ancestors' first

  [[nodiscard]] const CapabilityMembers* capability(std::string_view name) const;
};

struct Evaluation {
  Expression expression;
  bool unknown = false;  // depends on an input that was not given: fits every use
};

struct NodeModel;
struct RelationshipModel;

// Where an expression stands: what SELF, HOST, SOURCE and TARGET mean, and how literal secrets in
// it are to be named.
struct Site {
  NodeModel* self = nullptr;
  RelationshipModel* relationship = nullptr;
  std::string secret_id;
  // Values that clients sent: nothing in them is a function.
  bool literal = false;
};

// One property: assigned, defaulted or unset.
struct Slot {
  enum class State { fresh, running, done };

  const PropertyDefinition* definition = nullptr;  // null: assigned, but not declared
  const Node* source = nullptr;                    // null: unset
  bool assigned = false;                           // by the template
  bool secret = false;
  Site site;
  State state = State::fresh;
  Evaluation value;
};
using Slots = std::map<std::string, Slot, std::less<>>;

struct CapabilityModel {
  const CapabilityMembers* members = nullptr;
  Slots properties;
};

struct RelationshipModel {
  std::string requirement;
  const grammar::RequirementAssignment* written = nullptr;  // null: found without being asked for
  const grammar::RequirementDefinition* definition = nullptr;
  const Type* type = nullptr;
  NodeModel* source = nullptr;
  NodeModel* target = nullptr;
  std::string capability;
  Slots properties;
  std::vector<const grammar::Interface*> interfaces;
  const Node* place = nullptr;
};

struct NodeModel {
  std::string name;
  const grammar::NodeTemplate* written = nullptr;
  const Type* type = nullptr;
  const Members* members = nullptr;  // null: the type is not known, nothing more is judged
  Slots properties;
  std::map<std::string, CapabilityModel, std::less<>> capabilities;
  std::vector<RelationshipModel> relationships;
};

struct InputModel {
  const PropertyDefinition* definition = nullptr;
  bool secret = false;
  Slot::State state = Slot::State::fresh;
  Evaluation value;
};

// Shared by the phases.
struct Resolution {
  Resolution(const ResolveRequest& asked, ResolveResult& answer, const Units& all);

  void error(std::string rule, const Node& at, std::string message, std::string hint = {});
  void warning(std::string rule, const Node& at, std::string message, std::string hint = {});
  // A type's members, made at first use.
  const Members& members(const Type& type);
  [[nodiscard]] NodeModel* node(std::string_view name) const;

  const ResolveRequest& request;
  ResolveResult& result;
  const Units& units;
  std::map<std::string, InputModel, std::less<>> inputs;
  std::vector<std::unique_ptr<NodeModel>> nodes;  // as written
  std::map<std::string, NodeModel*, std::less<>> node_by_name;
  // Templates made by `copy`.
  std::vector<std::unique_ptr<grammar::NodeTemplate>> copies;
  // Nodes made from values that were never text.
  Document scratch{"values"};

 private:
  std::unordered_map<const Type*, std::unique_ptr<Members>> members_;
};

// inheritance.cpp
[[nodiscard]] Members inherit(Resolution& resolution, const Type& type);
// A definition that refines an inherited one: what it leaves out stays, constraints add up.
[[nodiscard]] PropertyDefinition refine(const PropertyDefinition& inherited,
                                        const PropertyDefinition& own);
[[nodiscard]] PropertyMap inherited_properties(const Type& type);

}  // namespace tutti::tosca::resolution
