// Second phase: types find their parents. A type whose parent is unknown is reported once and
// marked broken, so that nothing is concluded from what it lacks.
#include "tosca/resolve/unit.hpp"
#include "tosca/source/suggest.hpp"

#include <algorithm>

namespace tutti::tosca::resolution {

namespace {

constexpr std::size_t kDeepestHierarchy = 50;

void report(Diagnostics& diagnostics, std::string rule, const Node& at, std::string message,
            std::string hint = {}) {
  diagnostics.push_back(
      {Severity::error, std::move(rule), at.span(), std::move(message), std::move(hint)});
}

// Prefixes that a normative type's short name leaves out, by kind (TOSCA Simple 1.3, section 5.1).
std::vector<std::string_view> short_prefixes(TypeKind kind) {
  switch (kind) {
    case TypeKind::artifact:
      return {"tosca.artifacts."};
    case TypeKind::data:
      return {"tosca.datatypes.", "tosca.datatypes.network."};
    case TypeKind::capability:
      return {"tosca.capabilities.", "tosca.capabilities.network."};
    case TypeKind::interface:
      return {"tosca.interfaces.", "tosca.interfaces.node.lifecycle.",
              "tosca.interfaces.relationship."};
    case TypeKind::relationship:
      return {"tosca.relationships.", "tosca.relationships.network."};
    case TypeKind::node:
      return {"tosca.nodes.", "tosca.nodes.network.", "tosca.nodes.Storage."};
    case TypeKind::group:
      return {"tosca.groups."};
    case TypeKind::policy:
      return {"tosca.policies."};
  }
  return {};
}

void add_normative(Unit& unit) {
  for (std::size_t i = 0; i < grammar::kTypeKinds; ++i) {
    for (const auto& [name, type] : unit.normative->own[i]) {
      unit.scope[i].try_emplace(name, type);
      for (const std::string_view prefix : short_prefixes(static_cast<TypeKind>(i))) {
        if (!name.starts_with(prefix)) continue;
        const std::string brief = name.substr(prefix.size());
        unit.scope[i].try_emplace(brief, type);
        unit.scope[i].try_emplace("tosca:" + brief, type);
      }
    }
  }
}

class Importer {
 public:
  Importer(Unit& unit, Diagnostics& diagnostics) : unit_(unit), diagnostics_(diagnostics) {}

  // Imports may form diamonds and cycles: a document is entered once per prefix.
  void add(const Unit::Import& import, const std::string& prefix, const Node& place) {
    const std::string inner = import.prefix.empty() ? prefix : prefix + import.prefix + ":";
    const auto seen = std::find_if(seen_.begin(), seen_.end(), [&](const auto& entry) {
      return entry.first == import.unit && entry.second == inner;
    });
    if (seen != seen_.end() || import.unit == &unit_ || seen_.size() >= kMostVisits) return;
    seen_.emplace_back(import.unit, inner);
    for (std::size_t i = 0; i < grammar::kTypeKinds; ++i) {
      for (const auto& [name, type] : import.unit->own[i]) declare(i, inner + name, *type, place);
    }
    for (const Unit::Import& next : import.unit->imports) add(next, inner, place);
  }

 private:
  static constexpr std::size_t kMostVisits = 1000;

  void declare(std::size_t kind, const std::string& name, const Type& type, const Node& place) {
    const auto [known, fresh] = unit_.scope[kind].try_emplace(name, &type);
    if (fresh || known->second == &type || known->second->unit == &unit_) return;
    report(diagnostics_, "type.ambiguous", place,
           "two imports define the " +
               std::string(grammar::to_string(static_cast<TypeKind>(kind))) + " " + name,
           "import one of them with a namespace_prefix");
  }

  Unit& unit_;
  Diagnostics& diagnostics_;
  std::vector<std::pair<const Unit*, std::string>> seen_;
};

// Data types may derive from built-in ones; others from nothing but types of their kind.
void find_parent(Unit& unit, Type& type, Diagnostics& diagnostics) {
  const Node* reference = type.definition->derived_from;
  if (reference == nullptr) return;
  const TypeKind kind = type.definition->kind;
  type.parent = unit.find(kind, reference->text);
  // A document that defines a normative name again derives from the normative type of that name.
  if (type.parent == &type && unit.normative != nullptr) {
    const Type* normative = unit.normative->find(kind, reference->text);
    if (normative != nullptr) type.parent = normative;
  }
  if (type.parent != nullptr) return;
  if (kind == TypeKind::data) {
    type.base = primitive_from(reference->text);
    if (type.base != Primitive::none) {
      if (!type.definition->properties.empty()) {
        report(diagnostics, "type.native", *type.definition->key,
               type.name() + " derives from a built-in type and cannot have properties",
               "derive it from tosca.datatypes.Root");
      }
      return;
    }
  }
  type.broken = true;
  report_unknown_type(kind, *reference, unit.scope, diagnostics);
}

// Follows the parents; parents in other units are linked already, unless imports form a cycle.
void finish(Type& type, Diagnostics& diagnostics) {
  type.ancestry = {type.name()};
  const Type* parent = type.parent;
  std::vector<const Type*> chain{&type};
  while (parent != nullptr) {
    if (std::find(chain.begin(), chain.end(), parent) != chain.end()) {
      if (parent == &type) {
        report(diagnostics, "type.loop", *type.definition->derived_from,
               type.name() + " derives from itself");
      }
      type.broken = true;
      type.parent = nullptr;
      return;
    }
    if (chain.size() > kDeepestHierarchy) {
      report(diagnostics, "type.depth", *type.definition->key,
             type.name() + " has more than " + std::to_string(kDeepestHierarchy) + " ancestors");
      type.broken = true;
      type.parent = nullptr;
      return;
    }
    chain.push_back(parent);
    type.ancestry.push_back(parent->name());
    if (parent->base != Primitive::none) type.base = parent->base;
    type.broken = type.broken || parent->broken;
    parent = parent->parent;
  }
}

}  // namespace

bool Type::is_a(std::string_view type_name) const {
  return std::find(ancestry.begin(), ancestry.end(), type_name) != ancestry.end();
}

const Type* Unit::find(TypeKind kind, std::string_view name) const {
  const auto& names = scope[static_cast<std::size_t>(kind)];
  const auto found = names.find(std::string(name));
  return found == names.end() ? nullptr : found->second;
}

void report_unknown_type(TypeKind kind, const Node& reference, const Scope& scope,
                         Diagnostics& diagnostics) {
  std::vector<std::string_view> names;
  for (const auto& [name, type] : scope[static_cast<std::size_t>(kind)]) names.push_back(name);
  std::sort(names.begin(), names.end());
  std::string hint = did_you_mean(reference.text, names);
  if (hint.empty()) hint = "import the document that defines it";
  report(diagnostics, "type.unknown", reference,
         "there is no " + std::string(grammar::to_string(kind)) + " \"" +
             std::string(reference.text) + "\"",
         std::move(hint));
}

void declare_types(Unit& unit, Diagnostics& diagnostics) {
  for (const auto& kind : unit.service->types) {
    for (const grammar::TypeDefinition& definition : kind) {
      auto type = std::make_unique<Type>();
      type->definition = &definition;
      type->unit = &unit;
      const auto index = static_cast<std::size_t>(definition.kind);
      if (definition.kind == TypeKind::data && primitive_from(definition.name) != Primitive::none) {
        report(diagnostics, "type.native", *definition.key,
               "\"" + definition.name + "\" is a built-in type and cannot be defined");
      }
      unit.own[index].emplace(definition.name, type.get());
      unit.types.push_back(std::move(type));
    }
  }
}

void build_scope(Unit& unit, Diagnostics& diagnostics) {
  unit.scope = unit.own;
  Importer importer(unit, diagnostics);
  for (const Unit::Import& import : unit.imports) importer.add(import, "", *import.node);
  if (unit.normative != nullptr) add_normative(unit);
}

void link_types(Unit& unit, Diagnostics& diagnostics) {
  for (const auto& type : unit.types) find_parent(unit, *type, diagnostics);
}

void finish_types(Unit& unit, Diagnostics& diagnostics) {
  for (const auto& type : unit.types) finish(*type, diagnostics);
}

}  // namespace tutti::tosca::resolution
