#include "tests/unit/tosca/topology_json.hpp"

namespace tutti::tosca {
namespace {

using Json = nlohmann::ordered_json;

Json value_json(const Value& value) {
  if (const auto* word = value.as_boolean()) return *word;
  if (const auto* number = value.as_integer()) return *number;
  if (const auto* real = std::get_if<double>(&value.data)) return *real;
  if (const auto* text = value.as_string()) return *text;
  if (const auto* secret = value.as_secret()) return Json{{"$secret", secret->id}};
  if (const auto* items = value.as_list()) {
    Json list = Json::array();
    for (const Value& item : *items) list.push_back(value_json(item));
    return list;
  }
  if (const auto* members = value.as_map()) {
    Json map = Json::object();
    for (const auto& [key, member] : *members) map[key] = value_json(member);
    return map;
  }
  return nullptr;
}

Json expression_json(const Expression& expression);

Json list_json(const ExpressionList& items) {
  Json list = Json::array();
  for (const Expression& item : items) list.push_back(expression_json(item));
  return list;
}

Json map_json(const ExpressionMap& items) {
  Json map = Json::object();
  for (const auto& [key, item] : items) map[key] = expression_json(item);
  return map;
}

struct ExpressionJson {
  Json operator()(const Value& value) const { return value_json(value); }
  Json operator()(const ExpressionList& items) const { return list_json(items); }
  Json operator()(const ExpressionMap& items) const { return map_json(items); }
  Json operator()(const GetAttribute& attribute) const {
    Json path = Json::array({attribute.node});
    for (const std::string& step : attribute.path) path.push_back(step);
    return Json{{"$get_attribute", path}};
  }
  Json operator()(const Concat& concat) const { return Json{{"$concat", list_json(concat.parts)}}; }
  Json operator()(const Join& join) const {
    return Json{{"$join", list_json(join.parts)}, {"delimiter", join.delimiter}};
  }
  Json operator()(const Token& token) const {
    return Json{{"$token", list_json(token.text)},
                {"delimiters", token.delimiters},
                {"index", token.index}};
  }
};

Json expression_json(const Expression& expression) {
  Json made = std::visit(ExpressionJson{}, expression.data);
  if (expression.literal() == nullptr && made.is_object()) {
    if (expression.wants_list) made["$wants_list"] = true;
    if (expression.secret) made["$is_secret"] = true;
  }
  return made;
}

Json operations_json(const std::vector<OperationDefinition>& operations) {
  Json all = Json::object();
  for (const OperationDefinition& operation : operations) {
    all[operation.interface_name + "." + operation.name] =
        Json{{"implementation", operation.implementation}, {"inputs", map_json(operation.inputs)}};
  }
  return all;
}

Json node_json(const NodeTemplate& node) {
  Json made{{"ancestry", node.ancestry}, {"count", node.count}, {"scaled", node.scaled}};
  made["properties"] = map_json(node.properties);
  for (const auto& [name, capability] : node.capabilities) {
    made["capabilities"][name] =
        Json{{"type", capability.type}, {"properties", map_json(capability.properties)}};
  }
  made["relationships"] = Json::array();
  for (const Relationship& link : node.relationships) {
    made["relationships"].push_back(Json{{"requirement", link.requirement},
                                         {"type", link.relationship_type},
                                         {"hosted_on", link.hosted_on},
                                         {"target", link.target},
                                         {"capability", link.capability},
                                         {"properties", map_json(link.properties)},
                                         {"operations", operations_json(link.operations)}});
  }
  made["operations"] = operations_json(node.operations);
  return made;
}

}  // namespace

Json to_json(const Topology& topology) {
  Json made;
  for (const auto& [name, input] : topology.inputs) {
    Json& one = made["inputs"][name];
    one = Json{{"type", input.type}, {"required", input.required}, {"secret", input.secret}};
    if (input.default_value) one["default"] = value_json(*input.default_value);
  }
  for (const auto& [name, node] : topology.nodes) made["nodes"][name] = node_json(node);
  for (const Policy& policy : topology.policies) {
    made["policies"].push_back(Json{{"name", policy.name},
                                    {"ancestry", policy.ancestry},
                                    {"targets", policy.targets},
                                    {"properties", map_json(policy.properties)}});
  }
  for (const auto& [name, output] : topology.outputs) {
    made["outputs"][name] =
        Json{{"value", expression_json(output.value)}, {"reveals_secret", output.reveals_secret}};
  }
  return made;
}

}  // namespace tutti::tosca
