// TOSCA's functions (Simple 1.3, section 4). get_input and get_property are worked off here;
// get_attribute stays, with its node found; concat, join and token fold when all is known.
#include <algorithm>
#include <array>

#include "tosca/resolve/evaluate.hpp"
#include "tosca/source/scalar.hpp"
#include "tosca/source/suggest.hpp"

namespace tutti::tosca::resolution {

namespace {

constexpr std::array<std::string_view, 9> kFunctions{
    "get_input",    "get_property",         "get_attribute",     "concat", "join",
    "get_artifact", "get_operation_output", "get_nodes_of_type", "token"};

const std::string* literal_text(const Expression& expression) {
  const Value* value = expression.literal();
  return value == nullptr ? nullptr : value->as_string();
}

bool has_dangling_secret(const ExpressionList& parts) {
  return std::any_of(parts.begin(), parts.end(), [](const Expression& part) {
    return part.literal() == nullptr || part.literal()->as_secret() != nullptr;
  });
}

// The list of texts that join's first argument gives, where it is known.
std::optional<std::vector<std::string>> texts_of(const ExpressionList& parts) {
  if (parts.size() == 1) {
    const Value* value = parts.front().literal();
    if (value != nullptr && value->as_list() != nullptr) {
      std::vector<std::string> texts;
      for (const Value& item : *value->as_list()) {
        const auto text = write_scalar(item);
        if (!text) return std::nullopt;
        texts.push_back(text->text);
      }
      return texts;
    }
  }
  std::vector<std::string> texts;
  for (const Expression& part : parts) {
    const auto* text = literal_text(part);
    if (text == nullptr) return std::nullopt;
    texts.push_back(*text);
  }
  return texts;
}

std::string nth_token(const std::string& text, const std::string& delimiters, std::int64_t index) {
  std::size_t from = 0;
  for (std::int64_t i = 0; i < index; ++i) {
    const auto next = text.find_first_of(delimiters, from);
    if (next == std::string::npos) return {};
    from = next + 1;
  }
  const auto end = text.find_first_of(delimiters, from);
  return text.substr(from, end == std::string::npos ? std::string::npos : end - from);
}

}  // namespace

std::optional<FunctionCall> function_of(const Node& node) {
  if (!node.is_mapping() || node.entries.size() != 1) return std::nullopt;
  const Entry& entry = node.entries.front();
  const std::string_view name = entry.key->text;
  if (std::find(kFunctions.begin(), kFunctions.end(), name) == kFunctions.end()) {
    return std::nullopt;
  }
  // Credentials have a property called token: only a list of three is a call.
  if (name == "token" && (!entry.value->is_sequence() || entry.value->items.size() != 3)) {
    return std::nullopt;
  }
  return FunctionCall{name, entry.key, entry.value};
}

Evaluation Evaluator::bad(const Node& node, const FunctionCall& function,
                          const std::string& wanted) {
  resolution_.error("function.arguments", node, std::string(function.name) + " needs " + wanted);
  return {{}, true};
}

std::optional<std::vector<std::string>> Evaluator::path_of(const Node& argument, std::size_t least,
                                                           const FunctionCall& function) {
  std::vector<std::string> path;
  bool good = argument.is_sequence() && argument.items.size() >= least;
  if (good) {
    for (const Node* item : argument.items) {
      good = good && item->is_scalar();
      path.emplace_back(item->text);
    }
  }
  if (good) return path;
  bad(argument, function, "a list like [ SELF, name ]");
  return std::nullopt;
}

Evaluation Evaluator::call(const FunctionCall& function, const Node& node, const Site& site) {
  if (function.name == "get_input") return get_input(function, node);
  if (function.name == "get_property") return get_property(function, node, site);
  if (function.name == "get_attribute") return get_attribute(function, node, site);
  if (function.name == "concat") return concat(function, site);
  if (function.name == "join") return join(function, node, site);
  if (function.name == "token") return token(function, node, site);
  if (function.name == "get_artifact") return get_artifact(function, node, site);
  resolution_.warning("function.unsupported", *function.key,
                      std::string(function.name) + " is not supported; the value stays empty");
  return {{}, true};
}

Evaluation Evaluator::get_input(const FunctionCall& function, const Node& node) {
  std::vector<std::string> path;
  if (function.argument->is_scalar()) {
    path.emplace_back(function.argument->text);
  } else if (auto found = path_of(*function.argument, 1, function)) {
    path = std::move(*found);
  } else {
    return {{}, true};
  }
  const auto input_at = resolution_.inputs.find(path.front());
  if (input_at == resolution_.inputs.end()) {
    std::vector<std::string_view> names;
    for (const auto& [name, model] : resolution_.inputs) names.push_back(name);
    resolution_.error("input.unknown", *function.argument,
                      "there is no input \"" + path.front() + "\"",
                      did_you_mean(path.front(), names));
    return {{}, true};
  }
  Evaluation value = input(input_at->second, path.front());
  path.erase(path.begin());
  const Primitive type = data_info(resolution_, *input_at->second.definition).primitive;
  const bool has_members = type == Primitive::none || type == Primitive::list ||
                           type == Primitive::map || type == Primitive::any;
  if (!path.empty() && !has_members) {
    resolution_.error("function.path", node, "the input is a single value and has no members");
    return {{}, true};
  }
  return navigate(std::move(value), path, node);
}

NodeModel* Evaluator::node_named(const std::string& word, const Node& place, const Site& site,
                                 bool report) {
  RelationshipModel* relationship = site.relationship;
  if (word == "SELF" && relationship == nullptr && site.self != nullptr) return site.self;
  if (word == "SOURCE" && relationship != nullptr) return relationship->source;
  if (word == "TARGET" && relationship != nullptr) return relationship->target;
  if (word == "HOST" && site.self != nullptr) {
    for (const RelationshipModel& link : site.self->relationships) {
      const bool hosts = link.type != nullptr && link.type->is_a("tosca.relationships.HostedOn");
      if (hosts && link.target != nullptr) return link.target;
    }
  }
  if (NodeModel* node = resolution_.node(word)) return node;
  if (!report) return nullptr;
  std::vector<std::string_view> names;
  for (const auto& [name, model] : resolution_.node_by_name) names.push_back(name);
  const bool keyword = word == "SELF" || word == "HOST" || word == "SOURCE" || word == "TARGET";
  resolution_.error("function.node", place,
                    keyword ? word + " means nothing here"
                            : "there is no node template \"" + word + "\"",
                    keyword ? (word == "HOST" ? "the node has no host" : "") : did_you_mean(word, names));
  return nullptr;
}

namespace {

Slot* slot_in(Slots& slots, const std::string& name) {
  const auto found = slots.find(name);
  return found == slots.end() ? nullptr : &found->second;
}

NodeModel* host_of(const NodeModel& node) {
  for (const RelationshipModel& link : node.relationships) {
    if (link.type != nullptr && link.type->is_a("tosca.relationships.HostedOn")) return link.target;
  }
  return nullptr;
}

struct SlotPath {
  Slot* slot = nullptr;
  std::size_t used = 0;  // of the path
};

// The target's capability that the relationship ends in comes first, then the target itself.
SlotPath slot_through(const RelationshipModel& link, const std::string& name) {
  if (link.target == nullptr) return {};
  NodeModel& target = *link.target;
  const auto capability = target.capabilities.find(link.capability);
  if (capability != target.capabilities.end()) {
    if (Slot* slot = slot_in(capability->second.properties, name)) return {slot, 2};
  }
  if (Slot* slot = slot_in(target.properties, name)) return {slot, 2};
  for (auto& [other_name, other] : target.capabilities) {
    if (Slot* slot = slot_in(other.properties, name)) return {slot, 2};
  }
  return {};
}

SlotPath slot_on(NodeModel& node, const std::vector<std::string>& path) {
  if (Slot* slot = slot_in(node.properties, path[0])) return {slot, 1};
  if (path.size() < 2) return {};
  const auto capability = node.capabilities.find(path[0]);
  if (capability != node.capabilities.end()) {
    if (Slot* slot = slot_in(capability->second.properties, path[1])) return {slot, 2};
  }
  for (const RelationshipModel& link : node.relationships) {
    if (link.requirement != path[0]) continue;
    if (const SlotPath found = slot_through(link, path[1]); found.slot != nullptr) return found;
  }
  return {};
}

// Names that could have been meant.
std::vector<std::string_view> names_on(const NodeModel& node) {
  std::vector<std::string_view> names;
  for (const auto& [name, slot] : node.properties) names.push_back(name);
  for (const auto& [name, attribute] : node.members->attributes) names.push_back(name);
  for (const auto& [name, capability] : node.capabilities) names.push_back(name);
  return names;
}

}  // namespace

RelationshipModel* Evaluator::relationship_named(const std::string& name) const {
  if (resolution_.node(name) != nullptr) return nullptr;
  const auto& templates = resolution_.units.main()->service->topology->relationship_templates;
  const bool known = std::any_of(templates.begin(), templates.end(),
                                 [&](const auto& made) { return made.name == name; });
  if (!known) return nullptr;
  for (const auto& node : resolution_.nodes) {
    for (RelationshipModel& link : node->relationships) {
      const bool uses = link.written != nullptr && link.written->relationship != nullptr &&
                        link.written->relationship->text == name;
      if (uses) return &link;
    }
  }
  return nullptr;
}

Evaluator::Found Evaluator::find_property(const Node& call, const Node& argument, const Site& site,
                                          bool report) {
  Found found;
  std::vector<std::string> path;
  for (const Node* item : argument.items) path.emplace_back(item->text);
  const std::string word = path.front();
  path.erase(path.begin());
  RelationshipModel* relationship = word == "SELF" ? site.relationship : relationship_named(word);
  if (relationship != nullptr) {
    found.slot = slot_in(relationship->properties, path[0]);
    found.rest.assign(path.begin() + 1, path.end());
    if (found.slot == nullptr && report) {
      resolution_.error("function.property", call,
                        "the relationship has no property \"" + path[0] + "\"");
    }
    found.broken = found.slot == nullptr;
    return found;
  }
  NodeModel* node = node_named(word, *argument.items.front(), site, report);
  NodeModel* const first = node;
  // HOST means the nearest host that has the property, down to the machine.
  for (std::size_t depth = 0; node != nullptr && depth <= resolution_.nodes.size(); ++depth) {
    if (node->members == nullptr) break;
    const SlotPath at = slot_on(*node, path);
    if (at.slot != nullptr) {
      found.slot = at.slot;
      found.rest.assign(path.begin() + static_cast<std::ptrdiff_t>(at.used), path.end());
      return found;
    }
    if (word != "HOST") break;
    node = host_of(*node);
  }
  found.broken = true;
  if (first != nullptr && first->members != nullptr && report) {
    resolution_.error("function.property", call,
                      "\"" + first->name + "\" has no property \"" + path[0] +
                          (path.size() > 1 ? "." + path[1] : "") + "\"",
                      did_you_mean(path[0], names_on(*first)));
  }
  return found;
}

Evaluation Evaluator::get_property(const FunctionCall& function, const Node& node,
                                   const Site& site) {
  if (!path_of(*function.argument, 2, function)) return {{}, true};
  const Found found = find_property(node, *function.argument, site, true);
  if (found.slot == nullptr) return {{}, true};
  return navigate(slot(*found.slot, node), found.rest, node);
}

Evaluation Evaluator::navigate(Evaluation value, const std::vector<std::string>& path,
                               const Node& place) {
  for (const std::string& step : path) {
    if (value.unknown) return value;
    if (auto* attribute = std::get_if<GetAttribute>(&value.expression.data)) {
      attribute->path.push_back(step);
      value.expression.wants_list = false;
      continue;
    }
    const auto index = integer_from(step);
    std::optional<Expression> next;
    if (const Value* literal = value.expression.literal()) {
      if (literal->is_null()) return value;
      if (const auto* members = literal->as_map(); members != nullptr) {
        if (const auto at = members->find(step); at != members->end()) next = Expression(at->second);
      } else if (const auto* items = literal->as_list(); items != nullptr && index) {
        if (*index >= 0 && static_cast<std::size_t>(*index) < items->size()) {
          next = Expression((*items)[static_cast<std::size_t>(*index)]);
        }
      }
    } else if (const auto* members = std::get_if<ExpressionMap>(&value.expression.data)) {
      if (const auto at = members->find(step); at != members->end()) next = at->second;
    } else if (const auto* items = std::get_if<ExpressionList>(&value.expression.data)) {
      if (index && *index >= 0 && static_cast<std::size_t>(*index) < items->size()) {
        next = (*items)[static_cast<std::size_t>(*index)];
      }
    }
    if (!next) {
      resolution_.error("function.path", place, "the value has no member \"" + step + "\"");
      return {{}, true};
    }
    const bool secret = value.expression.secret;
    value.expression = std::move(*next);
    value.expression.secret = value.expression.secret || secret;
  }
  return value;
}

namespace {

struct AttributePath {
  NodeModel* node = nullptr;
  Slot* slot = nullptr;              // a property that stands in for the attribute
  std::vector<std::string> path;     // what is left of it for the slot
  std::vector<std::string> written;  // from the node on
};

bool has_member(const Evaluation& value, const std::vector<std::string>& path) {
  const Value* at = value.expression.literal();
  for (const std::string& step : path) {
    if (value.unknown || at == nullptr) return true;
    const auto index = integer_from(step);
    if (const auto* members = at->as_map()) {
      const auto found = members->find(step);
      if (found == members->end()) return false;
      at = &found->second;
    } else if (const auto* items = at->as_list(); items != nullptr && index && *index >= 0) {
      if (static_cast<std::size_t>(*index) >= items->size()) return false;
      at = &(*items)[static_cast<std::size_t>(*index)];
    } else {
      return false;
    }
  }
  return true;
}

std::vector<std::string> tail(const std::vector<std::string>& path, std::size_t from) {
  return {path.begin() + static_cast<std::ptrdiff_t>(from), path.end()};
}

bool has(const PropertyMap& map, const std::string& name) { return map.find(name) != map.end(); }

std::optional<AttributePath> attribute_on(NodeModel& node, const std::vector<std::string>& path) {
  if (has(node.members->attributes, path[0])) return AttributePath{&node, nullptr, {}, path};
  if (Slot* slot = slot_in(node.properties, path[0])) {
    return AttributePath{&node, slot, tail(path, 1), path};
  }
  const auto capability = node.capabilities.find(path[0]);
  if (capability != node.capabilities.end() && path.size() > 1) {
    if (capability->second.members != nullptr &&
        has(capability->second.members->attributes, path[1])) {
      return AttributePath{&node, nullptr, {}, path};
    }
    if (Slot* slot = slot_in(capability->second.properties, path[1])) {
      return AttributePath{&node, slot, tail(path, 2), path};
    }
  }
  if (path.size() < 2) return std::nullopt;
  for (const RelationshipModel& link : node.relationships) {
    if (link.requirement != path[0] || link.target == nullptr) continue;
    if (link.target->members == nullptr) return std::nullopt;
    std::vector<std::string> inner = tail(path, 1);
    const auto reached = link.target->capabilities.find(link.capability);
    if (reached != link.target->capabilities.end() && reached->second.members != nullptr &&
        has(reached->second.members->attributes, inner[0])) {
      inner.insert(inner.begin(), link.capability);
    }
    return attribute_on(*link.target, inner);
  }
  return std::nullopt;
}

}  // namespace

Evaluation Evaluator::get_attribute(const FunctionCall& function, const Node& node,
                                    const Site& site) {
  auto path = path_of(*function.argument, 2, function);
  if (!path) return {{}, true};
  const std::string word = path->front();
  path->erase(path->begin());
  if ((word == "SELF" && site.relationship != nullptr) || relationship_named(word) != nullptr) {
    resolution_.warning("function.unsupported", node,
                        "attributes of relationships are not supported; the value stays empty");
    return {{}, true};
  }
  NodeModel* at = node_named(word, *function.argument->items.front(), site, true);
  NodeModel* const first = at;
  for (std::size_t depth = 0; at != nullptr && depth <= resolution_.nodes.size(); ++depth) {
    if (at->members == nullptr) return {{}, true};
    if (const auto found = attribute_on(*at, *path)) {
      const Expression reference(
          Expression::Data(GetAttribute{found->node->name, found->written}));
      if (found->slot == nullptr) return {reference, false};
      // A property is an attribute too; members that it lacks may come at run time.
      const Evaluation& whole = slot(*found->slot, node);
      if (!has_member(whole, found->path)) return {reference, false};
      return navigate(whole, found->path, node);
    }
    if (word != "HOST") break;
    at = host_of(*at);
  }
  if (first != nullptr) {
    resolution_.error("function.attribute", node,
                      "\"" + first->name + "\" has no attribute \"" + path->front() + "\"",
                      did_you_mean(path->front(), names_on(*first)));
  }
  return {{}, true};
}

Evaluation Evaluator::part(const Node& node, const Site& site) {
  if (const auto function = function_of(node)) {
    Evaluation value = call(*function, node, site);
    const Value* literal = value.expression.literal();
    if (literal != nullptr && literal->as_secret() == nullptr && literal->as_list() == nullptr) {
      if (const auto text = write_scalar(*literal)) value.expression = Expression(Value(text->text));
    }
    return value;
  }
  // The text as written: 16.10 must not become 16.1 on its way into a longer text.
  if (node.is_scalar()) {
    return {Expression(Value(node.is_null() ? std::string() : std::string(node.text))), false};
  }
  return untyped(node, site);
}

Evaluation Evaluator::concat(const FunctionCall& function, const Site& site) {
  if (!function.argument->is_sequence() || function.argument->items.empty()) {
    return bad(*function.argument, function, "a list of texts");
  }
  Concat made;
  Evaluation whole;
  for (const Node* item : function.argument->items) {
    Evaluation value = part(*item, site);
    whole.unknown = whole.unknown || value.unknown;
    made.parts.push_back(std::move(value.expression));
  }
  if (whole.unknown) return whole;
  if (has_dangling_secret(made.parts)) {
    whole.expression = Expression(Expression::Data(std::move(made)));
    return whole;
  }
  std::string text;
  for (const Expression& item : made.parts) {
    const auto* piece = literal_text(item);
    if (piece == nullptr) return bad(*function.argument, function, "texts, not lists or maps");
    text += *piece;
  }
  whole.expression = Expression(Value(std::move(text)));
  return whole;
}

Evaluation Evaluator::join(const FunctionCall& function, const Node&, const Site& site) {
  const Node& argument = *function.argument;
  const bool good = argument.is_sequence() && !argument.items.empty() && argument.items.size() <= 2;
  if (!good) return bad(argument, function, "a list of texts and a delimiter");
  Join made;
  Evaluation whole;
  const auto add = [&](const Node& item) {
    Evaluation value = part(item, site);
    whole.unknown = whole.unknown || value.unknown;
    made.parts.push_back(std::move(value.expression));
  };
  if (argument.items[0]->is_sequence()) {
    for (const Node* item : argument.items[0]->items) add(*item);
  } else {
    add(*argument.items[0]);
  }
  if (argument.items.size() == 2) {
    if (!argument.items[1]->is_scalar()) return bad(argument, function, "a text as its delimiter");
    made.delimiter = std::string(argument.items[1]->text);
  }
  if (whole.unknown) return whole;
  const auto texts = has_dangling_secret(made.parts) ? std::nullopt : texts_of(made.parts);
  if (!texts) {
    whole.expression = Expression(Expression::Data(std::move(made)));
    return whole;
  }
  std::string text;
  for (std::size_t i = 0; i < texts->size(); ++i) {
    if (i > 0) text += made.delimiter;
    text += (*texts)[i];
  }
  whole.expression = Expression(Value(std::move(text)));
  return whole;
}

Evaluation Evaluator::token(const FunctionCall& function, const Node&, const Site& site) {
  const Node& argument = *function.argument;
  const auto index = argument.items[2]->is_scalar() ? integer_from(argument.items[2]->text)
                                                    : std::nullopt;
  if (!argument.items[1]->is_scalar() || !index || *index < 0) {
    return bad(argument, function, "a text, its delimiters and an index from 0");
  }
  Evaluation whole = part(*argument.items[0], site);
  if (whole.unknown) return whole;
  const std::string delimiters(argument.items[1]->text);
  if (const auto* text = literal_text(whole.expression)) {
    whole.expression = Expression(Value(nth_token(*text, delimiters, *index)));
    return whole;
  }
  Token made;
  made.text.push_back(std::move(whole.expression));
  made.delimiters = delimiters;
  made.index = *index;
  return {Expression(Expression::Data(std::move(made))), false};
}

Evaluation Evaluator::get_artifact(const FunctionCall& function, const Node& node,
                                   const Site& site) {
  const auto path = path_of(*function.argument, 2, function);
  if (!path) return {{}, true};
  NodeModel* at = node_named(path->front(), *function.argument->items.front(), site, true);
  if (at == nullptr || at->members == nullptr) return {{}, true};
  const grammar::ArtifactDefinition* found = nullptr;
  for (const grammar::ArtifactDefinition& artifact : at->members->artifacts) {
    if (artifact.name == (*path)[1]) found = &artifact;
  }
  for (const grammar::ArtifactDefinition& artifact : at->written->artifacts) {
    if (artifact.name == (*path)[1]) found = &artifact;
  }
  if (found == nullptr || found->file == nullptr) {
    resolution_.error("function.artifact", node,
                      "\"" + at->name + "\" has no artifact \"" + (*path)[1] + "\"");
    return {{}, true};
  }
  Site inner = site;
  inner.self = at;
  return part(*found->file, inner);
}

}  // namespace tutti::tosca::resolution
