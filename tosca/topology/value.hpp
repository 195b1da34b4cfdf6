// Values of TOSCA properties, attributes, inputs and outputs, and expressions that become values
// once instances exist. Data only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tutti::tosca {

// Names a secret that the store keeps sealed; the text itself is never part of a topology, a plan,
// a state, an event or a log. Ids are deterministic within a deployment ("input/mesos_password").
struct SecretRef {
  std::string id;
  auto operator<=>(const SecretRef&) const = default;
};

struct Value;
using List = std::vector<Value>;
using Map = std::map<std::string, Value>;

// Scalars with units ("2 GB") and versions stay strings in their normal form; sizes are normalised
// to bytes only where the consumer asks (size_bytes()).
struct Value {
  using Data =
      std::variant<std::monostate, bool, std::int64_t, double, std::string, SecretRef, List, Map>;

  Value() = default;
  Value(bool b) : data(b) {}                            // NOLINT: a value is made of these
  Value(std::int64_t n) : data(n) {}                    // NOLINT
  Value(int n) : data(static_cast<std::int64_t>(n)) {}  // NOLINT
  Value(double d) : data(d) {}                          // NOLINT
  Value(std::string s) : data(std::move(s)) {}          // NOLINT
  Value(const char* s) : data(std::string(s)) {}        // NOLINT
  Value(SecretRef s) : data(std::move(s)) {}            // NOLINT
  Value(List l) : data(std::move(l)) {}                 // NOLINT
  Value(Map m) : data(std::move(m)) {}                  // NOLINT

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(data); }
  [[nodiscard]] const std::string* as_string() const { return std::get_if<std::string>(&data); }
  [[nodiscard]] const std::int64_t* as_integer() const { return std::get_if<std::int64_t>(&data); }
  [[nodiscard]] const bool* as_boolean() const { return std::get_if<bool>(&data); }
  [[nodiscard]] const List* as_list() const { return std::get_if<List>(&data); }
  [[nodiscard]] const Map* as_map() const { return std::get_if<Map>(&data); }
  [[nodiscard]] const SecretRef* as_secret() const { return std::get_if<SecretRef>(&data); }
  [[nodiscard]] bool operator==(const Value& other) const;

  Data data;
};

// What is left of TOSCA's functions after resolution (Simple Profile 1.3, section 4): get_input and
// get_property are gone; get_attribute names a node template (SELF, HOST, ... are resolved).
struct Expression;
using ExpressionList = std::vector<Expression>;
using ExpressionMap = std::map<std::string, Expression>;

struct GetAttribute {
  std::string node;               // a node template of this topology
  std::vector<std::string> path;  // attribute name, then keys and decimal indexes
};
struct Concat {
  ExpressionList parts;
};
struct Join {
  ExpressionList parts;  // one expression that gives a list, or several strings
  std::string delimiter;
};
struct Token {
  ExpressionList text;  // exactly one
  std::string delimiters;
  std::int64_t index = 0;
};

struct Expression {
  using Data =
      std::variant<Value, ExpressionList, ExpressionMap, GetAttribute, Concat, Join, Token>;

  Expression() = default;
  Expression(Value value) : data(std::move(value)) {}  // NOLINT: a literal is an expression
  explicit Expression(Data d) : data(std::move(d)) {}

  [[nodiscard]] const Value* literal() const { return std::get_if<Value>(&data); }

  Data data = Value{};
  // The property's type says list: a scalar result (an attribute of an unscaled node) is wrapped.
  bool wants_list = false;
  // The result is secret even where no SecretRef takes part (the property is marked).
  bool secret = false;
};

// Bytes of "2 GB", "512 MiB", "1024" (TOSCA 1.3, 3.3.6.4: B, kB, KiB, MB, MiB, GB, GiB, TB, TiB,
// any case of letters, space optional). Returns -1 for anything else or more than 2^63-1.
[[nodiscard]] std::int64_t size_bytes(const Value& value);

}  // namespace tutti::tosca
