// TOSCA values as JSON, and a deployment's attributes as the source that expressions ask. Internal
// to server/view. Secrets never show: their place holds "<secret>".
#pragma once

#include "providers/base/json_writer.hpp"
#include "server/plan/evaluate.hpp"
#include "server/view/view.hpp"

#include <string_view>

namespace tutti::view {

inline constexpr std::string_view kHidden = "<secret>";

void write_value(JsonWriter& writer, const tosca::Value& value);

// Attributes of the instances in `facts`, ordered by ordinal; `facts` outlives the source.
[[nodiscard]] plan::AttributeSource attribute_source(const Facts& facts);

// {"name": value, ...} of every output that can be evaluated; others are null. Secrets are hidden,
// but where `secrets` is given and the output is declared to reveal them.
void write_outputs(JsonWriter& writer, const Facts& facts, const plan::SecretSource* secrets);

}  // namespace tutti::view
