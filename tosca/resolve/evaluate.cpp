#include "tosca/resolve/evaluate.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>

namespace tutti::tosca::resolution {

namespace {

constexpr std::size_t kDeepestChain = 100;
constexpr std::string_view kSecretType = "tutti.datatypes.Secret";

Node* blank(Resolution& resolution, Node::Kind kind, const Node& place) {
  void* memory = resolution.scratch.arena().allocate(sizeof(Node), alignof(Node));
  Node* node = ::new (memory) Node;
  node->kind = kind;
  node->begin = place.begin;
  node->end = place.end;
  node->file = place.file;
  return node;
}

template <typename T>
std::span<T> kept(Resolution& resolution, const std::vector<T>& values) {
  if (values.empty()) return {};
  void* memory = resolution.scratch.arena().allocate(sizeof(T) * values.size(), alignof(T));
  T* begin = static_cast<T*>(memory);
  std::uninitialized_copy(values.begin(), values.end(), begin);
  return {begin, values.size()};
}

Node* text_node(Resolution& resolution, std::string_view text, bool plain, const Node& place) {
  Node* node = blank(resolution, Node::Kind::scalar, place);
  char* copy = static_cast<char*>(resolution.scratch.arena().allocate(text.size() + 1, 1));
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  node->text = {copy, text.size()};
  node->plain = plain;
  return node;
}

}  // namespace

DataInfo data_info(const Resolution& resolution, const Schema& schema) {
  DataInfo info;
  info.entry = schema.entry;
  info.key = schema.key;
  if (schema.type == nullptr) {
    info.name = "any";
    return info;
  }
  info.name = std::string(schema.type->text);
  const Type* type = resolution.units.find(TypeKind::data, *schema.type);
  if (type == nullptr) {
    info.primitive = primitive_from(schema.type->text);
    // An unknown type was reported at its definition; its values are not judged.
    if (info.primitive == Primitive::none) info.primitive = Primitive::any;
  } else if (type->broken) {
    info.primitive = Primitive::any;
  } else {
    info.type = type;
    info.primitive = type->base;
    info.secret = type->is_a(kSecretType);
    for (const Type* at = type; at != nullptr; at = at->parent) {
      const auto& own = at->definition->constraints;
      info.constraints.insert(info.constraints.begin(), own.begin(), own.end());
      if (info.entry == nullptr) info.entry = at->definition->entry;
      if (info.key == nullptr) info.key = at->definition->key_schema;
    }
  }
  info.constraints.insert(info.constraints.end(), schema.constraints.begin(),
                          schema.constraints.end());
  return info;
}

const Node* node_from(Resolution& resolution, const Value& value, const Node& place) {
  if (const auto* items = value.as_list()) {
    std::vector<const Node*> nodes;
    for (const Value& item : *items) nodes.push_back(node_from(resolution, item, place));
    Node* node = blank(resolution, Node::Kind::sequence, place);
    node->items = kept(resolution, nodes);
    return node;
  }
  if (const auto* members = value.as_map()) {
    std::vector<Entry> entries;  // in the order of their keys already
    for (const auto& [key, member] : *members) {
      entries.push_back(
          {text_node(resolution, key, false, place), node_from(resolution, member, place)});
    }
    std::vector<std::uint32_t> order(entries.size());
    std::iota(order.begin(), order.end(), 0U);
    Node* node = blank(resolution, Node::Kind::mapping, place);
    node->entries = kept(resolution, entries);
    node->sorted = kept(resolution, order);
    return node;
  }
  const auto text = write_scalar(value).value_or(ScalarText{"", true});
  return text_node(resolution, text.text, text.plain, place);
}

Expression folded(ExpressionList items) {
  const bool literal = std::all_of(items.begin(), items.end(),
                                   [](const Expression& e) { return e.literal() != nullptr; });
  if (!literal) return Expression(Expression::Data(std::move(items)));
  List values;
  for (Expression& item : items) values.push_back(std::get<Value>(std::move(item.data)));
  return {Value(std::move(values))};
}

Expression folded(ExpressionMap items) {
  const bool literal = std::all_of(items.begin(), items.end(),
                                   [](const auto& e) { return e.second.literal() != nullptr; });
  if (!literal) return Expression(Expression::Data(std::move(items)));
  Map values;
  for (auto& [key, item] : items) values.emplace(key, std::get<Value>(std::move(item.data)));
  return {Value(std::move(values))};
}

const Evaluation& Evaluator::slot(Slot& slot, const Node& asked_at) {
  if (slot.state == Slot::State::done) return slot.value;
  if (slot.state == Slot::State::running) {
    resolution_.error("function.loop", asked_at, "this value depends on itself");
    slot.value = {};
    slot.value.unknown = true;
    slot.state = Slot::State::done;
    return slot.value;
  }
  if (depth_ >= kDeepestChain) {
    resolution_.error("function.depth", asked_at,
                      "too many properties ask for each other in a row");
    slot.value.unknown = true;
    slot.state = Slot::State::done;
    return slot.value;
  }
  slot.state = Slot::State::running;
  ++depth_;
  Evaluation value;
  if (slot.source != nullptr) {
    value = slot.definition != nullptr
                ? typed(*slot.source, *slot.definition, slot.site, slot.secret)
                : untyped(*slot.source, slot.site);
  }
  --depth_;
  // A loop that was found meanwhile has settled the slot already.
  if (slot.state == Slot::State::running) slot.value = std::move(value);
  slot.state = Slot::State::done;
  return slot.value;
}

const Evaluation& Evaluator::input(InputModel& input, const std::string& name) {
  if (input.state != Slot::State::fresh) return input.value;
  input.state = Slot::State::done;
  const PropertyDefinition& definition = *input.definition;
  Site site;
  site.secret_id = "input/" + name;
  site.literal = true;
  const auto given = resolution_.request.inputs.find(name);
  if (given != resolution_.request.inputs.end() && !given->second.is_null()) {
    const Node* node = node_from(resolution_, given->second, *definition.node);
    input.value = typed(*node, definition, site, input.secret);
  } else if (definition.default_value != nullptr) {
    input.value = typed(*definition.default_value, definition, site, input.secret);
  } else if (!resolution_.request.require_inputs) {
    input.value.unknown = true;
  } else if (definition.required) {
    resolution_.error("input.missing", *definition.node, "the input \"" + name + "\" is required",
                      "give it with the request, it has no default");
    input.value.unknown = true;
  }
  return input.value;
}

Evaluation Evaluator::typed(const Node& node, const Schema& schema, const Site& site, bool secret) {
  if (!site.literal) {
    if (const auto function = function_of(node)) {
      return fit(call(*function, node, site), node, schema, site, secret);
    }
  }
  const DataInfo info = data_info(resolution_, schema);
  const bool hidden = secret || info.secret;
  if (node.is_null() && info.primitive != Primitive::string) return {};
  Evaluation value;
  switch (info.primitive) {
    case Primitive::any:
      value = untyped(node, site);
      break;
    case Primitive::list:
      value = list(node, info, site, hidden);
      break;
    case Primitive::map:
      value = map(node, info, site, hidden);
      break;
    case Primitive::range:
      value = range(node);
      break;
    case Primitive::none:
      value = data(node, info, site, hidden);
      break;
    default:
      return scalar(node, schema, info, site, hidden);
  }
  const Value* literal = value.expression.literal();
  if (literal != nullptr && !literal->is_null() && !value.unknown) {
    check_constraints(resolution_, *literal, info, node, hidden);
    if (hidden && info.primitive == Primitive::any) {
      value.expression = Expression(keep_secret(*literal, site));
    }
  } else if (hidden) {
    value.expression.secret = true;
  }
  if (info.primitive == Primitive::list) value.expression.wants_list = true;
  return value;
}

Evaluation Evaluator::untyped(const Node& node, const Site& site) {
  if (!site.literal) {
    if (const auto function = function_of(node)) return call(*function, node, site);
  }
  Evaluation whole;
  if (node.is_scalar()) {
    whole.expression = Expression(untyped_scalar(node.text, node.plain));
  } else if (node.is_sequence()) {
    ExpressionList items;
    for (const Node* item : node.items) {
      Evaluation inner = untyped(*item, site);
      whole.unknown = whole.unknown || inner.unknown;
      items.push_back(std::move(inner.expression));
    }
    whole.expression = folded(std::move(items));
  } else {
    ExpressionMap members;
    for (const Entry& entry : node.entries) {
      Evaluation inner = untyped(*entry.value, site);
      whole.unknown = whole.unknown || inner.unknown;
      members.emplace(std::string(entry.key->text), std::move(inner.expression));
    }
    whole.expression = folded(std::move(members));
  }
  return whole;
}

}  // namespace tutti::tosca::resolution
