#include "server/plan/expressions.hpp"

namespace tutti::plan {

namespace {

class ReferenceCollector {
 public:
  std::vector<const tosca::GetAttribute*> found;

  void operator()(const tosca::Value&) {}
  void operator()(const tosca::GetAttribute& reference) { found.push_back(&reference); }
  void operator()(const tosca::ExpressionList& list) {
    for (const tosca::Expression& item : list) std::visit(*this, item.data);
  }
  void operator()(const tosca::ExpressionMap& map) {
    for (const auto& [key, item] : map) std::visit(*this, item.data);
  }
  void operator()(const tosca::Concat& concat) { (*this)(concat.parts); }
  void operator()(const tosca::Join& join) { (*this)(join.parts); }
  void operator()(const tosca::Token& token) { (*this)(token.text); }
};

}  // namespace

std::optional<tosca::Value> literal_of(const tosca::Expression& expression) {
  if (const tosca::Value* value = expression.literal()) return *value;
  if (const auto* list = std::get_if<tosca::ExpressionList>(&expression.data)) {
    tosca::List values;
    for (const tosca::Expression& item : *list) {
      auto value = literal_of(item);
      if (!value) return std::nullopt;
      values.push_back(std::move(*value));
    }
    return tosca::Value(std::move(values));
  }
  if (const auto* map = std::get_if<tosca::ExpressionMap>(&expression.data)) {
    tosca::Map values;
    for (const auto& [key, item] : *map) {
      auto value = literal_of(item);
      if (!value) return std::nullopt;
      values.emplace(key, std::move(*value));
    }
    return tosca::Value(std::move(values));
  }
  return std::nullopt;
}

std::vector<const tosca::GetAttribute*> references_in(const tosca::Expression& expression) {
  ReferenceCollector collector;
  std::visit(collector, expression.data);
  return std::move(collector.found);
}

}  // namespace tutti::plan
