// Literals by their declared type: scalars, lists, maps and data types with properties.
#include "tosca/resolve/evaluate.hpp"
#include "tosca/source/scalar.hpp"
#include "tosca/source/suggest.hpp"

#include <algorithm>

namespace tutti::tosca::resolution {

namespace {

constexpr std::size_t kDeepestNesting = 100;

Site below(const Site& site, std::string_view key) {
  Site inner = site;
  inner.secret_id += '/';
  inner.secret_id += key;
  return inner;
}

bool holds_secret(const Value& value) {
  if (value.as_secret() != nullptr) return true;
  if (const auto* items = value.as_list()) {
    return std::any_of(items->begin(), items->end(), holds_secret);
  }
  if (const auto* members = value.as_map()) {
    return std::any_of(members->begin(), members->end(),
                       [](const auto& member) { return holds_secret(member.second); });
  }
  return false;
}

}  // namespace

void Evaluator::wrong_type(const Node& node, const DataInfo& info, const std::string& expected) {
  // The value itself stays out of the message: it may be meant as a secret.
  resolution_.error("property.type", node,
                    "this must be " + expected + " (the type is " + info.name + ")");
}

Value Evaluator::keep_secret(Value value, const Site& site) {
  if (auto* items = std::get_if<List>(&value.data)) {
    for (std::size_t i = 0; i < items->size(); ++i) {
      (*items)[i] = keep_secret(std::move((*items)[i]), below(site, std::to_string(i)));
    }
    return value;
  }
  if (auto* members = std::get_if<Map>(&value.data)) {
    for (auto& [key, member] : *members) member = keep_secret(std::move(member), below(site, key));
    return value;
  }
  const auto text = write_scalar(value);
  // Nothing is hidden in an empty text, and already a reference is what a reference is.
  if (!text || text->text.empty()) return value;
  SecretRef reference{site.secret_id};
  resolution_.result.secrets[reference] = text->text;
  return Value(std::move(reference));
}

Value Evaluator::reveal(const Value& value) const {
  const auto* reference = value.as_secret();
  if (reference == nullptr) return value;
  const auto text = resolution_.result.secrets.find(*reference);
  return text == resolution_.result.secrets.end() ? Value() : Value(text->second);
}

Evaluation Evaluator::scalar(const Node& node, const Schema&, const DataInfo& info,
                             const Site& site, bool secret) {
  Evaluation value;
  if (!node.is_scalar()) {
    wrong_type(node, info,
               read_scalar(info.primitive, "", true).expected.empty()
                   ? "a text"
                   : read_scalar(info.primitive, "", true).expected);
    value.unknown = true;
    return value;
  }
  if (node.is_null()) return value;
  ScalarReading reading = read_scalar(info.primitive, node.text, node.plain);
  if (!reading.value) {
    wrong_type(node, info, reading.expected);
    value.unknown = true;
    return value;
  }
  check_constraints(resolution_, *reading.value, info, node, secret);
  value.expression =
      Expression(secret ? keep_secret(std::move(*reading.value), site) : std::move(*reading.value));
  return value;
}

Evaluation Evaluator::list(const Node& node, const DataInfo& info, const Site& site, bool secret) {
  Evaluation whole;
  if (!node.is_sequence()) {
    wrong_type(node, info, "a list");
    whole.unknown = true;
    return whole;
  }
  const Schema anything;
  ExpressionList items;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    Evaluation item = typed(*node.items[i], info.entry ? *info.entry : anything,
                            below(site, std::to_string(i)), secret);
    whole.unknown = whole.unknown || item.unknown;
    items.push_back(std::move(item.expression));
  }
  whole.expression = folded(std::move(items));
  return whole;
}

Evaluation Evaluator::map(const Node& node, const DataInfo& info, const Site& site, bool secret) {
  Evaluation whole;
  if (!node.is_mapping()) {
    wrong_type(node, info, "a map");
    whole.unknown = true;
    return whole;
  }
  const Schema anything;
  ExpressionMap members;
  for (const Entry& entry : node.entries) {
    if (info.key) (void)typed(*entry.key, *info.key, site, false);
    Evaluation member = typed(*entry.value, info.entry ? *info.entry : anything,
                              below(site, entry.key->text), secret);
    whole.unknown = whole.unknown || member.unknown;
    members.emplace(std::string(entry.key->text), std::move(member.expression));
  }
  whole.expression = folded(std::move(members));
  return whole;
}

Evaluation Evaluator::range(const Node& node) {
  Evaluation value;
  const bool pair = node.is_sequence() && node.items.size() == 2 && node.items[0]->is_scalar() &&
                    node.items[1]->is_scalar();
  const auto lower = pair ? integer_from(node.items[0]->text) : std::nullopt;
  const auto upper = pair ? integer_from(node.items[1]->text) : std::nullopt;
  const bool unbounded = pair && node.items[1]->text == "UNBOUNDED";
  if (!lower || !(unbounded || (upper && *upper >= *lower))) {
    resolution_.error("property.type", node,
                      "this must be a range like [ 1, 4 ] or [ 1, UNBOUNDED ]");
    value.unknown = true;
    return value;
  }
  value.expression =
      Expression(Value(List{Value(*lower), unbounded ? Value("UNBOUNDED") : Value(*upper)}));
  return value;
}

void Evaluator::field(const Node& node, const PropertyDefinition& definition, const Site& site,
                      bool secret, Evaluation& whole, ExpressionMap& fields) {
  const Node* written = node.find(definition.name);
  Site inner = below(site, definition.name);
  if (written == nullptr) {
    written = definition.default_value;
    inner.literal = site.literal;
  }
  if (written == nullptr) {
    if (definition.required) {
      resolution_.error("property.missing", node,
                        "the property \"" + definition.name + "\" is required here");
    }
    return;
  }
  Evaluation value = typed(*written, definition, inner, secret || definition.secret);
  whole.unknown = whole.unknown || value.unknown;
  const Value* literal = value.expression.literal();
  if (literal == nullptr || !literal->is_null()) {
    fields.emplace(definition.name, std::move(value.expression));
  }
}

Evaluation Evaluator::data(const Node& node, const DataInfo& info, const Site& site, bool secret) {
  Evaluation whole;
  if (!node.is_mapping()) {
    wrong_type(node, info, "a mapping of its properties");
    whole.unknown = true;
    return whole;
  }
  if (nesting_ >= kDeepestNesting) {
    resolution_.error("property.depth", node, "data types are nested too deeply here");
    whole.unknown = true;
    return whole;
  }
  const Members& members = resolution_.members(*info.type);
  for (const Entry& entry : node.entries) {
    if (members.properties.find(entry.key->text) != members.properties.end()) continue;
    std::vector<std::string_view> names;
    for (const auto& [name, property] : members.properties) names.push_back(name);
    resolution_.error("property.unknown", *entry.key,
                      info.name + " has no property \"" + std::string(entry.key->text) + "\"",
                      did_you_mean(entry.key->text, names));
  }
  ExpressionMap fields;
  ++nesting_;
  for (const auto& [name, property] : members.properties) {
    field(node, property, site, secret, whole, fields);
  }
  --nesting_;
  whole.expression = folded(std::move(fields));
  return whole;
}

Evaluation Evaluator::fit(Evaluation value, const Node& place, const Schema& schema,
                          const Site& site, bool secret) {
  if (value.unknown) return value;
  const DataInfo info = data_info(resolution_, schema);
  const bool hidden = secret || info.secret;
  const Value* literal = value.expression.literal();
  if (literal == nullptr) {
    if (info.primitive == Primitive::list &&
        !std::holds_alternative<ExpressionList>(value.expression.data)) {
      value.expression.wants_list = true;
    }
    value.expression.secret = value.expression.secret || hidden;
    return value;
  }
  if (literal->is_null()) return value;
  if (const auto* reference = literal->as_secret()) {
    const Value text = reveal(*literal);
    if (text.as_string() == nullptr) return value;
    const ScalarReading reading = read_scalar(info.primitive, *text.as_string(), true);
    if (!reading.value) {
      wrong_type(place, info, reading.expected);
    } else {
      check_constraints(resolution_, *reading.value, info, place, true);
    }
    return {Expression(Value(*reference)), false};
  }
  // References deeper down were checked where they came from.
  if (holds_secret(*literal)) return value;
  Site literal_site = site;
  literal_site.literal = true;
  const Node* node = node_from(resolution_, *literal, place);
  return typed(*node, schema, literal_site, secret);
}

}  // namespace tutti::tosca::resolution
