// The documents that take part in one resolution, and what each can see of the others' types. A
// Unit is immutable once loaded; units of embedded types are shared by all resolutions.
#pragma once

#include "tosca/grammar/service_template.hpp"
#include "tosca/resolve/resolve.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tutti::tosca::resolution {

struct Unit;
using grammar::TypeKind;

// Built-in value types; `none` for data types that are made of properties.
enum class Primitive {
  none,
  string,
  integer,
  floating,
  boolean,
  timestamp,
  version,
  range,
  list,
  map,
  size,
  time,
  frequency,
  bitrate,
  any,
};
[[nodiscard]] Primitive primitive_from(std::string_view name);
[[nodiscard]] std::string_view to_string(Primitive primitive);

// A type with its place in the hierarchy.
struct Type {
  const grammar::TypeDefinition* definition = nullptr;
  const Unit* unit = nullptr;
  const Type* parent = nullptr;
  std::vector<std::string> ancestry;  // itself first
  Primitive base = Primitive::none;   // of data types that derive from a built-in one
  // What it inherits from is unknown: uses of it are not judged further.
  bool broken = false;

  [[nodiscard]] const std::string& name() const { return definition->name; }
  [[nodiscard]] bool is_a(std::string_view type_name) const;
};

// Visible names of one document. Names of its own win over imported ones, and those over the
// normative ones, which are also known without their prefix ("Compute", "tosca:Compute").
using Scope = std::array<std::unordered_map<std::string, const Type*>, grammar::kTypeKinds>;

struct Unit {
  explicit Unit(Document source) : document(std::move(source)) {}

  struct Import {
    const Unit* unit;
    std::string prefix;
    const Node* node;
  };

  Document document;
  std::string location;  // imports are joined to its folder
  bool main = false;     // the template itself, which a stranger wrote
  bool embedded = false;
  std::optional<grammar::ServiceTemplate> service;
  std::vector<Import> imports;
  const Unit* normative = nullptr;
  std::vector<std::unique_ptr<Type>> types;
  Scope own;
  Scope scope;

  [[nodiscard]] const Type* find(TypeKind kind, std::string_view name) const;
};

// All units of one resolution.
class Units {
 public:
  // The main document is parsed already; loads everything that it imports, links all types.
  Units(const ResolveRequest& request, ResolveResult& result);

  // Null when the main document could not be read.
  [[nodiscard]] const Unit* main() const { return main_; }
  // Documents of this resolution alone, without embedded ones.
  [[nodiscard]] std::vector<const Unit*> all() const;
  // The document that a node stands in.
  [[nodiscard]] const Unit& unit_of(const Node& node) const;
  // Looks up the type that a scalar node names, in the scope of the node's document; reports
  // type.unknown with a hint. Null when there is none.
  const Type* type_of(TypeKind kind, const Node& reference, Diagnostics& diagnostics) const;
  [[nodiscard]] const Type* find(TypeKind kind, const Node& reference) const;

 private:
  Unit* load(const std::string& name, const std::string& location, std::string_view text,
             bool lenient);
  void load_imports(Unit& unit);
  const Unit* import_unit(const Unit& from, const grammar::Import& import);
  std::optional<std::string> location_of(const Unit& from, const grammar::Import& import);

  const ResolveRequest& request_;
  ResolveResult& result_;
  std::vector<std::unique_ptr<Unit>> owned_;
  std::unordered_map<std::string, const Unit*> by_location_;
  std::unordered_map<const std::string*, const Unit*> by_file_;
  const Unit* main_ = nullptr;
};

// hierarchy.cpp: fills unit.own with unlinked types, then unit.scope from imports, then links
// parents. Reports type.unknown, type.loop, type.duplicate and type.native.
void declare_types(Unit& unit, Diagnostics& diagnostics);
void build_scope(Unit& unit, Diagnostics& diagnostics);
void link_types(Unit& unit, Diagnostics& diagnostics);
void finish_types(Unit& unit, Diagnostics& diagnostics);
void report_unknown_type(TypeKind kind, const Node& reference, const Scope& scope,
                         Diagnostics& diagnostics);

// embedded.cpp: the normative types, and the unit of an embedded text. Made at first
// use, then shared; null when the text is not embedded.
[[nodiscard]] const Unit& normative_unit();
[[nodiscard]] const Unit* embedded_unit(std::string_view text);

}  // namespace tutti::tosca::resolution
