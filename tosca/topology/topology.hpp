// The result of resolution: one deployable topology with all types' contributions merged in, ready
// for planning. Data only; made by tosca/resolve, read by server/plan.
#pragma once

#include "tosca/source/diagnostic.hpp"
#include "tosca/topology/value.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tutti::tosca {

struct Capability {
  std::string name;
  std::string type;
  ExpressionMap properties;
};

// One operation of one interface with its implementation, e.g. Standard.create.
struct OperationDefinition {
  std::string interface_name;  // "Standard"
  std::string name;            // "create", "configure", "start", "stop", "delete"
  // A playbook's path relative to the playbooks' folder, e.g. "tosca/zookeeper.yml"; or
  // "missing:" and the name of an artifact that Tutti does not ship, which the plan refuses.
  std::string implementation;
  ExpressionMap inputs;
  std::optional<std::int64_t> timeout_seconds;
  SourceSpan span;
};

// A requirement after matching. `relationship_type` is concrete (e.g.
// tosca.relationships.HostedOn).
struct Relationship {
  std::string requirement;  // the requirement's name: host, dependency, ...
  std::string relationship_type;
  bool hosted_on = false;  // derives from tosca.relationships.HostedOn
  std::string target;      // node template
  std::string capability;  // name of the target's capability, may be empty
  ExpressionMap properties;
  // Of the relationship itself, e.g. Configure.pre_configure_source.
  std::vector<OperationDefinition> operations;
  SourceSpan span;
};

struct Artifact {
  std::string name;
  std::string type;
  std::string file;
};

struct NodeTemplate {
  std::string name;
  std::string type;
  std::vector<std::string> ancestry;  // the type itself first, then its parents up to the root
  ExpressionMap properties;           // assigned or default; unset optional ones are absent
  ExpressionMap attributes;           // declared defaults of attributes
  std::map<std::string, Capability> capabilities;
  std::vector<Relationship> relationships;  // in the template's order
  std::vector<OperationDefinition> operations;
  std::vector<Artifact> artifacts;
  std::map<std::string, std::string> metadata;
  // capabilities.scalable.properties.count of this node (not of its host), never negative.
  std::int64_t count = 1;
  // A count was assigned in the template: address attributes of this node are lists.
  bool scaled = false;
  SourceSpan span;

  [[nodiscard]] bool is_a(std::string_view type_name) const;
};

struct Policy {
  std::string name;
  std::string type;
  std::vector<std::string> ancestry;
  std::vector<std::string> targets;
  ExpressionMap properties;
  SourceSpan span;
};

struct Output {
  std::string description;
  Expression value;
  bool reveals_secret = false;  // declared so (type tutti.datatypes.Secret): shown to the owner
  SourceSpan span;
};

struct Input {
  std::string type;
  std::string description;
  bool required = true;
  bool secret = false;
  std::optional<Value> default_value;  // a SecretRef when secret
  SourceSpan span;
};

struct Topology {
  std::string description;
  std::map<std::string, Input> inputs;
  std::map<std::string, NodeTemplate> nodes;
  std::vector<Policy> policies;
  std::map<std::string, Output> outputs;
};

}  // namespace tutti::tosca
