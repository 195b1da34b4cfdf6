// TOSCA's functions (Simple 1.3, section 4). get_input and get_property are worked off here;
// get_attribute stays, with its node found; concat, join and token fold when all is known.
#include "tosca/resolve/evaluate.hpp"
#include "tosca/source/scalar.hpp"
#include "tosca/source/suggest.hpp"

#include <algorithm>
#include <array>

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
        if (const auto at = members->find(step); at != members->end())
          next = Expression(at->second);
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

Evaluation Evaluator::part(const Node& node, const Site& site) {
  if (const auto function = function_of(node)) {
    Evaluation value = call(*function, node, site);
    const Value* literal = value.expression.literal();
    if (literal != nullptr && literal->as_secret() == nullptr && literal->as_list() == nullptr) {
      if (const auto text = write_scalar(*literal))
        value.expression = Expression(Value(text->text));
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
  const auto index =
      argument.items[2]->is_scalar() ? integer_from(argument.items[2]->text) : std::nullopt;
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
