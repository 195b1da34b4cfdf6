// Turns written values into typed ones: literals are coerced and checked against their schema,
// functions are worked off as far as is possible before instances exist. Each property is evaluated
// once, when first asked for; a property that needs itself is an error.
#pragma once

#include "tosca/resolve/model.hpp"
#include "tosca/resolve/scalars.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tutti::tosca::resolution {

// A schema with its type looked up and the type's own contributions added.
struct DataInfo {
  Primitive primitive = Primitive::any;
  const Type* type = nullptr;  // of a data type; null for built-in ones
  std::vector<grammar::Constraint> constraints;
  std::shared_ptr<const Schema> entry;
  std::shared_ptr<const Schema> key;
  bool secret = false;  // tutti.datatypes.Secret
  std::string name;     // for messages
};
[[nodiscard]] DataInfo data_info(const Resolution& resolution, const Schema& schema);

// What a function call looks like; nothing when the mapping is plain data.
struct FunctionCall {
  std::string_view name;
  const Node* key;
  const Node* argument;
};
[[nodiscard]] std::optional<FunctionCall> function_of(const Node& node);

class Evaluator {
 public:
  explicit Evaluator(Resolution& resolution) : resolution_(resolution) {}

  // `secret`: literals are exchanged for SecretRefs named by the site.
  [[nodiscard]] Evaluation typed(const Node& node, const Schema& schema, const Site& site,
                                 bool secret);
  [[nodiscard]] Evaluation untyped(const Node& node, const Site& site);
  const Evaluation& slot(Slot& slot, const Node& asked_at);
  const Evaluation& input(InputModel& input, const std::string& name);

  // Where a get_property's path leads: a slot and what is left of the path.
  struct Found {
    Slot* slot = nullptr;
    std::vector<std::string> rest;
    bool known = false;   // the property is declared, though perhaps unset
    bool broken = false;  // something on the way was reported already
  };
  Found find_property(const Node& call, const Node& argument, const Site& site, bool report);

  // Coerces what was evaluated elsewhere to a type; `place` is where the outcome is used.
  Evaluation fit(Evaluation value, const Node& place, const Schema& schema, const Site& site,
                 bool secret);

 private:
  // values.cpp
  Evaluation scalar(const Node& node, const Schema& schema, const DataInfo& info, const Site& site,
                    bool secret);
  Evaluation list(const Node& node, const DataInfo& info, const Site& site, bool secret);
  Evaluation map(const Node& node, const DataInfo& info, const Site& site, bool secret);
  Evaluation range(const Node& node);
  Evaluation data(const Node& node, const DataInfo& info, const Site& site, bool secret);
  void field(const Node& node, const PropertyDefinition& definition, const Site& site, bool secret,
             Evaluation& whole, ExpressionMap& fields);
  void wrong_type(const Node& node, const DataInfo& info, const std::string& expected);
  Value keep_secret(Value value, const Site& site);
  [[nodiscard]] Value reveal(const Value& value) const;

  // functions.cpp
  Evaluation call(const FunctionCall& function, const Node& node, const Site& site);
  Evaluation get_input(const FunctionCall& function, const Node& node);
  Evaluation get_property(const FunctionCall& function, const Node& node, const Site& site);
  Evaluation get_attribute(const FunctionCall& function, const Node& node, const Site& site);
  Evaluation concat(const FunctionCall& function, const Site& site);
  Evaluation join(const FunctionCall& function, const Node& node, const Site& site);
  Evaluation token(const FunctionCall& function, const Node& node, const Site& site);
  Evaluation get_artifact(const FunctionCall& function, const Node& node, const Site& site);
  Evaluation part(const Node& node, const Site& site);
  Evaluation navigate(Evaluation value, const std::vector<std::string>& path, const Node& place);
  std::optional<std::vector<std::string>> path_of(const Node& argument, std::size_t least,
                                                  const FunctionCall& function);
  NodeModel* node_named(const std::string& word, const Node& place, const Site& site, bool report);
  // The relationship that uses a relationship template of that name.
  [[nodiscard]] RelationshipModel* relationship_named(const std::string& name) const;
  Evaluation bad(const Node& node, const FunctionCall& function, const std::string& wanted);

  Resolution& resolution_;
  std::size_t depth_ = 0;    // of properties that ask for properties
  std::size_t nesting_ = 0;  // of data types in data types: defaults may call for themselves
};

// constraints.cpp: reports property.constraint at `place`; the value itself is not printed when
// `hide`.
void check_constraints(Resolution& resolution, const Value& value, const DataInfo& info,
                       const Node& place, bool hide);

// secrets.cpp: before anything is evaluated, marks inputs and properties whose text ends in a
// secret property, so that their own values become references too.
void mark_secret_sources(Resolution& resolution, Evaluator& evaluator);

// Values that clients sent, as nodes at the place of what they are for.
[[nodiscard]] const Node* node_from(Resolution& resolution, const Value& value, const Node& place);

// All literals below are one literal; anything else stays an expression.
[[nodiscard]] Expression folded(ExpressionList items);
[[nodiscard]] Expression folded(ExpressionMap items);

}  // namespace tutti::tosca::resolution
