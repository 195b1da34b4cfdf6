// Looks into expressions without evaluating them. Private to this folder.
#pragma once

#include "tosca/topology/value.hpp"

#include <optional>
#include <vector>

namespace tutti::plan {

// The value when no function takes part: literals, and lists and maps of literals.
[[nodiscard]] std::optional<tosca::Value> literal_of(const tosca::Expression& expression);

// Every get_attribute inside, in document order.
[[nodiscard]] std::vector<const tosca::GetAttribute*> references_in(
    const tosca::Expression& expression);

}  // namespace tutti::plan
