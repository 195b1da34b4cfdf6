#include "server/view/values.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace tutti::view {

void write_value(JsonWriter& writer, const tosca::Value& value) {
  if (const auto* text = value.as_string()) {
    writer.string(*text);
  } else if (const auto* number = value.as_integer()) {
    writer.integer(*number);
  } else if (const auto* flag = value.as_boolean()) {
    writer.boolean(*flag);
  } else if (const auto* real = std::get_if<double>(&value.data)) {
    // JSON has no infinities; nlohmann writes the shortest text that reads back the same.
    std::isfinite(*real) ? writer.raw(nlohmann::json(*real).dump()) : writer.null();
  } else if (const auto* list = value.as_list()) {
    writer.begin_array();
    for (const auto& item : *list) write_value(writer, item);
    writer.end_array();
  } else if (const auto* map = value.as_map()) {
    writer.begin_object();
    for (const auto& [name, item] : *map) {
      writer.key(name);
      write_value(writer, item);
    }
    writer.end_object();
  } else if (value.as_secret() != nullptr) {
    writer.string(kHidden);
  } else {
    writer.null();
  }
}

plan::AttributeSource attribute_source(const Facts& facts) {
  return [&facts](const std::string& node,
                  const std::string& attribute) -> std::optional<std::vector<tosca::Value>> {
    std::vector<tosca::Value> values;
    const auto& instances = facts.state->instances;
    for (auto it = instances.lower_bound({node, 0}); it != instances.end(); ++it) {
      if (it->first.node != node) break;
      const auto found = it->second.attributes.find(attribute);
      if (found == it->second.attributes.end()) return std::nullopt;
      values.push_back(found->second);
    }
    if (values.empty()) return std::nullopt;
    return values;
  };
}

void write_outputs(JsonWriter& writer, const Facts& facts, const plan::SecretSource* secrets) {
  // Stands in for each secret, so that what contains one still evaluates and is found tainted.
  const plan::SecretSource hide = [](const tosca::SecretRef&) {
    return std::optional<std::string>(kHidden);
  };
  const auto attributes = attribute_source(facts);
  writer.begin_object();
  for (const auto& [name, output] : facts.topology->outputs) {
    const bool reveal = secrets != nullptr && output.reveals_secret;
    const auto value =
        plan::evaluate(output.value, *facts.topology, attributes, reveal ? *secrets : hide);
    writer.key(name);
    if (!value) {
      writer.null();
    } else if (value->secret && !reveal) {
      writer.string(kHidden);
    } else {
      write_value(writer, value->value);
    }
  }
  writer.end_object();
}

}  // namespace tutti::view
