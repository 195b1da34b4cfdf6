// Turns expressions into values once attributes are known. Pure; used by the engine for operation
// inputs and by the view for outputs.
#pragma once

#include "providers/base/result.hpp"
#include "tosca/topology/topology.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tutti::plan {

// Attribute values of all instances of a node template, ordered by ordinal; nullopt where the
// attribute is not known (yet).
using AttributeSource = std::function<std::optional<std::vector<tosca::Value>>(
    const std::string& node, const std::string& attribute)>;

struct Evaluated {
  tosca::Value value;   // with secrets in plain text where the source gave them: handle by `secret`
  bool secret = false;  // a secret took part (taint)
};

// Gives the text of a secret; the engine passes the store's, views pass one that always refuses.
using SecretSource = std::function<std::optional<std::string>(const tosca::SecretRef&)>;

// get_attribute of a scaled node gives a list over instances, of an unscaled one the single value;
// an index into a single value's place (get_attribute [n, private_address, 0]) is accepted.
// Errors: not_found (attribute not known yet), invalid (bad index, wrong type).
[[nodiscard]] Result<Evaluated> evaluate(const tosca::Expression& expression,
                                         const tosca::Topology& topology,
                                         const AttributeSource& attributes,
                                         const SecretSource& secrets);

}  // namespace tutti::plan
