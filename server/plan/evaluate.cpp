#include "server/plan/evaluate.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace tutti::plan {

namespace {

using tosca::Expression;
using tosca::GetAttribute;
using tosca::Value;

// Declared defaults of attributes may name other attributes: deeper than this is a loop.
constexpr int kDeepest = 32;

Error invalid(std::string message) {
  return Error(ErrorClass::invalid, "expression", std::move(message));
}

Error unknown_attribute(const GetAttribute& reference) {
  std::string name = reference.node;
  for (const std::string& part : reference.path) name += "." + part;
  return Error(ErrorClass::not_found, "attribute_unknown", "attribute " + name + " is not known");
}

std::optional<std::size_t> index_of(const std::string& text) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return index;
}

std::string text_of(double number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return std::string(digits.data(), end);
}

// What concat, join and token take.
Result<std::string> text_of(const Value& value) {
  if (const auto* text = value.as_string()) return *text;
  if (const auto* number = value.as_integer()) return std::to_string(*number);
  if (const auto* flag = value.as_boolean()) return std::string(*flag ? "true" : "false");
  if (const auto* number = std::get_if<double>(&value.data)) return text_of(*number);
  if (value.is_null()) return std::string();
  return invalid("a list or a map stands where a string is wanted");
}

class Evaluator {
 public:
  Evaluator(const tosca::Topology& topology, const AttributeSource& attributes,
            const SecretSource& secrets)
      : topology_(topology), attributes_(attributes), secrets_(secrets) {}

  Result<Value> evaluate(const Expression& expression) {
    secret_ = secret_ || expression.secret;
    TUTTI_TRY(Value value,
              std::visit([this](const auto& data) { return this->of(data); }, expression.data));
    if (expression.wants_list && value.as_list() == nullptr && !value.is_null()) {
      return Value(tosca::List{std::move(value)});
    }
    return value;
  }

  [[nodiscard]] bool secret() const { return secret_; }

 private:
  Result<Value> of(const Value& value) {
    if (const auto* reference = value.as_secret()) {
      secret_ = true;
      auto text = secrets_ ? secrets_(*reference) : std::nullopt;
      if (text) return Value(std::move(*text));
      return Error(ErrorClass::not_found, "secret_unknown",
                   "the secret " + reference->id + " is not at hand");
    }
    if (const auto* list = value.as_list()) {
      tosca::List values;
      for (const Value& item : *list) {
        TUTTI_TRY(Value plain, of(item));
        values.push_back(std::move(plain));
      }
      return Value(std::move(values));
    }
    if (const auto* map = value.as_map()) {
      tosca::Map values;
      for (const auto& [key, item] : *map) {
        TUTTI_TRY(Value plain, of(item));
        values.emplace(key, std::move(plain));
      }
      return Value(std::move(values));
    }
    return value;
  }

  Result<Value> of(const tosca::ExpressionList& list) {
    tosca::List values;
    for (const Expression& item : list) {
      TUTTI_TRY(Value value, evaluate(item));
      values.push_back(std::move(value));
    }
    return Value(std::move(values));
  }

  Result<Value> of(const tosca::ExpressionMap& map) {
    tosca::Map values;
    for (const auto& [key, item] : map) {
      TUTTI_TRY(Value value, evaluate(item));
      values.emplace(key, std::move(value));
    }
    return Value(std::move(values));
  }

  Result<Value> of(const tosca::Concat& concat) {
    std::string text;
    for (const Expression& part : concat.parts) {
      TUTTI_TRY(Value value, evaluate(part));
      TUTTI_TRY(const std::string piece, text_of(value));
      text += piece;
    }
    return Value(std::move(text));
  }

  Result<Value> of(const tosca::Join& join) {
    tosca::List values;
    for (const Expression& part : join.parts) {
      TUTTI_TRY(Value value, evaluate(part));
      if (const auto* list = value.as_list(); list != nullptr && join.parts.size() == 1) {
        values = *list;
      } else {
        values.push_back(std::move(value));
      }
    }
    std::string text;
    for (std::size_t i = 0; i < values.size(); ++i) {
      TUTTI_TRY(const std::string piece, text_of(values[i]));
      if (i > 0) text += join.delimiter;
      text += piece;
    }
    return Value(std::move(text));
  }

  // TOSCA 1.3, 4.3.3: any character of `delimiters` separates; indexes count from 0.
  Result<Value> of(const tosca::Token& token) {
    if (token.text.size() != 1) return invalid("token takes one string");
    TUTTI_TRY(Value value, evaluate(token.text.front()));
    TUTTI_TRY(const std::string text, text_of(value));
    std::size_t begin = 0;
    for (std::int64_t index = 0; index <= token.index; ++index) {
      const std::size_t end = text.find_first_of(token.delimiters, begin);
      if (index == token.index) return Value(text.substr(begin, end - begin));
      if (end == std::string::npos) break;
      begin = end + 1;
    }
    return invalid("token " + std::to_string(token.index) + " is beyond the last one");
  }

  Result<Value> of(const GetAttribute& reference) {
    if (reference.path.empty()) return invalid("get_attribute names no attribute");
    const tosca::NodeTemplate* scaled = scaled_node(reference.node);
    auto values = attributes_ ? attributes_(reference.node, reference.path.front()) : std::nullopt;
    if (!values && scaled != nullptr && scaled->count == 0) values.emplace();
    if (!values) return declared_default(reference);
    std::size_t position = 1;
    Value value;
    if (scaled != nullptr) {
      value = Value(tosca::List(values->begin(), values->end()));
    } else {
      if (values->empty()) return unknown_attribute(reference);
      value = std::move(values->front());
      // Templates write [node, public_address, 0] for unscaled nodes too.
      const bool indexed = position < reference.path.size() && value.as_list() == nullptr &&
                           value.as_map() == nullptr;
      if (indexed && index_of(reference.path[position]) == 0U) ++position;
    }
    for (; position < reference.path.size(); ++position) {
      TUTTI_TRY(value, member(value, reference.path[position], reference));
    }
    return of(value);
  }

  Result<Value> member(const Value& value, const std::string& key, const GetAttribute& reference) {
    const std::string place = "attribute " + reference.node + "." + reference.path.front();
    if (const auto* map = value.as_map()) {
      const auto found = map->find(key);
      if (found != map->end()) return found->second;
      return invalid(place + " has no member " + key);
    }
    const auto* list = value.as_list();
    const auto index = index_of(key);
    if (list == nullptr || !index) return invalid(place + " has no part " + key);
    if (*index < list->size()) return (*list)[*index];
    return invalid(place + " has " + std::to_string(list->size()) + " entries, none at index " +
                   key);
  }

  Result<Value> declared_default(const GetAttribute& reference) {
    const auto node = topology_.nodes.find(reference.node);
    if (node == topology_.nodes.end()) return unknown_attribute(reference);
    const auto attribute = node->second.attributes.find(reference.path.front());
    if (attribute == node->second.attributes.end()) return unknown_attribute(reference);
    if (++depth_ > kDeepest) return invalid("attributes are defined by each other");
    TUTTI_TRY(Value value, evaluate(attribute->second));
    --depth_;
    for (std::size_t i = 1; i < reference.path.size(); ++i) {
      TUTTI_TRY(value, member(value, reference.path[i], reference));
    }
    return value;
  }

  // The node that decides how many there are of this one, when that is written in the template: the
  // node itself or what it is hosted on. Its attributes are lists over instances.
  [[nodiscard]] const tosca::NodeTemplate* scaled_node(const std::string& name) const {
    const std::string* current = &name;
    for (std::size_t hops = 0; hops <= topology_.nodes.size(); ++hops) {
      const auto node = topology_.nodes.find(*current);
      if (node == topology_.nodes.end()) return nullptr;
      if (node->second.scaled) return &node->second;
      const std::string* host = nullptr;
      for (const tosca::Relationship& relationship : node->second.relationships) {
        if (relationship.hosted_on && host == nullptr) host = &relationship.target;
      }
      if (host == nullptr) return nullptr;
      current = host;
    }
    return nullptr;
  }

  const tosca::Topology& topology_;
  const AttributeSource& attributes_;
  const SecretSource& secrets_;
  bool secret_ = false;
  int depth_ = 0;
};

}  // namespace

Result<Evaluated> evaluate(const Expression& expression, const tosca::Topology& topology,
                           const AttributeSource& attributes, const SecretSource& secrets) {
  Evaluator evaluator(topology, attributes, secrets);
  TUTTI_TRY(Value value, evaluator.evaluate(expression));
  return Evaluated{std::move(value), evaluator.secret()};
}

}  // namespace tutti::plan
