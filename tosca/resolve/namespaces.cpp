// First phase: the template and everything it imports become units, and every unit learns which
// names it can see. Imports come from the caller's resolver alone.
#include "tosca/profiles/import_map.hpp"
#include "tosca/resolve/unit.hpp"
#include "tosca/source/parse.hpp"

#include <algorithm>

namespace tutti::tosca::resolution {

namespace {

constexpr std::size_t kMostImports = 100;

void report(Diagnostics& diagnostics, std::string rule, const Node& at, std::string message,
            std::string hint = {}) {
  diagnostics.push_back(
      {Severity::error, std::move(rule), at.span(), std::move(message), std::move(hint)});
}

}  // namespace

Units::Units(const ResolveRequest& request, ResolveResult& result)
    : request_(request), result_(result) {
  Unit* main = load(request.file, request.file, request.text, false);
  if (main == nullptr) return;
  main->main = true;
  main_ = main;
  // Grows while it is walked: imports of imports follow.
  for (std::size_t i = 0; i < owned_.size(); ++i) load_imports(*owned_[i]);
  for (const auto& unit : owned_) declare_types(*unit, result_.diagnostics);
  for (const auto& unit : owned_) build_scope(*unit, result_.diagnostics);
  for (const auto& unit : owned_) link_types(*unit, result_.diagnostics);
  for (const auto& unit : owned_) finish_types(*unit, result_.diagnostics);
}

Unit* Units::load(const std::string& name, const std::string& location, std::string_view text,
                  bool lenient) {
  ParseOptions options;
  options.lenient = lenient;
  Document document = parse(name, text, options, result_.diagnostics);
  if (document.root() == nullptr && has_errors(result_.diagnostics)) return nullptr;
  auto unit = std::make_unique<Unit>(std::move(document));
  unit->location = location;
  unit->service = grammar::read_service_template(unit->document, result_.diagnostics);
  if (!unit->service) return nullptr;
  unit->normative = &normative_unit();
  by_file_.emplace(&unit->document.name(), unit.get());
  by_location_.emplace(location, unit.get());
  owned_.push_back(std::move(unit));
  return owned_.back().get();
}

void Units::load_imports(Unit& unit) {
  for (const grammar::Import& import : unit.service->imports) {
    if (const Unit* imported = import_unit(unit, import)) {
      unit.imports.push_back({imported, import.prefix, import.node});
    }
  }
}

std::optional<std::string> Units::location_of(const Unit& from, const grammar::Import& import) {
  const std::string file(import.file->text);
  if (import.repository == nullptr) return join_location(from.location, file);
  for (const grammar::Repository& repository : from.service->repositories) {
    if (repository.name != import.repository->text || repository.url == nullptr) continue;
    std::string base(repository.url->text);
    if (!base.ends_with('/')) base += '/';
    return join_location(base, file);
  }
  report(result_.diagnostics, "import.repository", *import.repository,
         "there is no repository \"" + std::string(import.repository->text) + "\"",
         "declare it under \"repositories\"");
  return std::nullopt;
}

const Unit* Units::import_unit(const Unit& from, const grammar::Import& import) {
  const auto location = location_of(from, import);
  if (!location) return nullptr;
  if (const auto known = by_location_.find(*location); known != by_location_.end()) {
    return known->second;
  }
  if (by_location_.size() > kMostImports) {
    report(result_.diagnostics, "import.limit", *import.node,
           "the template imports more than " + std::to_string(kMostImports) + " documents");
    return nullptr;
  }
  std::string found_at = *location;
  auto text = request_.imports ? request_.imports(found_at) : std::nullopt;
  if (!text && found_at != import.file->text && import.repository == nullptr) {
    found_at = std::string(import.file->text);
    text = request_.imports ? request_.imports(found_at) : std::nullopt;
  }
  if (!text) {
    report(result_.diagnostics, "import.unresolved", *import.file,
           "the import \"" + *location + "\" cannot be resolved",
           "nothing is fetched over the network: map its URL to a file in the import map");
    by_location_.emplace(*location, nullptr);
    return nullptr;
  }
  result_.imports.emplace(found_at, *text);
  if (const Unit* embedded = embedded_unit(text->text)) {
    by_location_.emplace(*location, embedded);
    by_file_.emplace(&embedded->document.name(), embedded);
    return embedded;
  }
  const Unit* loaded = load(text->name, found_at, text->text, text->lenient);
  by_location_.emplace(*location, loaded);
  if (loaded == nullptr) {
    report(result_.diagnostics, "import.invalid", *import.node,
           "the import \"" + *location + "\" is no valid TOSCA document");
  }
  return loaded;
}

std::vector<const Unit*> Units::all() const {
  std::vector<const Unit*> units;
  for (const auto& unit : owned_) units.push_back(unit.get());
  return units;
}

const Unit& Units::unit_of(const Node& node) const {
  if (const auto found = by_file_.find(node.file); found != by_file_.end()) return *found->second;
  const Unit& normative = normative_unit();
  if (node.file == &normative.document.name()) return normative;
  return *main_;
}

const Type* Units::find(TypeKind kind, const Node& reference) const {
  return unit_of(reference).find(kind, reference.text);
}

const Type* Units::type_of(TypeKind kind, const Node& reference, Diagnostics& diagnostics) const {
  const Unit& unit = unit_of(reference);
  const Type* type = unit.find(kind, reference.text);
  if (type == nullptr) report_unknown_type(kind, reference, unit.scope, diagnostics);
  return type;
}

}  // namespace tutti::tosca::resolution
