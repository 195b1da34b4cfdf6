// Units of the embedded types are parsed and linked once per process, at first use. They are
// immutable from then on, so that resolutions on several threads share them.
#include "tosca/profiles/embedded.hpp"

#include "tosca/resolve/unit.hpp"
#include "tosca/source/parse.hpp"

#include <map>
#include <memory>
#include <stdexcept>

namespace tutti::tosca::resolution {

namespace {

// What is embedded was tested before it was shipped: an error in it is a broken invariant.
std::unique_ptr<Unit> make_unit(const profiles::EmbeddedText& source) {
  Diagnostics diagnostics;
  auto unit = std::make_unique<Unit>(
      parse(std::string(source.name), source.text, ParseOptions{}, diagnostics));
  unit->location = unit->document.name();
  unit->embedded = true;
  unit->service = grammar::read_service_template(unit->document, diagnostics);
  if (unit->service) {
    if (!source.normative) unit->normative = &normative_unit();
    declare_types(*unit, diagnostics);
    build_scope(*unit, diagnostics);
    link_types(*unit, diagnostics);
    finish_types(*unit, diagnostics);
  }
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity == Severity::error) throw std::logic_error(format(diagnostic));
  }
  if (source.normative) {
    // Its own names also go without their prefix, within it and for those who use it.
    unit->normative = unit.get();
    build_scope(*unit, diagnostics);
    unit->normative = nullptr;
  }
  return unit;
}

}  // namespace

const Unit& normative_unit() {
  static const std::unique_ptr<Unit> unit = [] {
    const profiles::EmbeddedText* source = profiles::embedded("tosca/simple.yaml");
    if (source == nullptr) throw std::logic_error("the normative types are not embedded");
    return make_unit(*source);
  }();
  return *unit;
}

const Unit* embedded_unit(std::string_view text) {
  static const std::map<std::string_view, std::unique_ptr<Unit>> units = [] {
    std::map<std::string_view, std::unique_ptr<Unit>> all;
    for (const profiles::EmbeddedText& source : profiles::embedded_texts()) {
      if (!source.normative) all.emplace(source.text, make_unit(source));
    }
    return all;
  }();
  const auto found = units.find(text);
  return found == units.end() ? nullptr : found->second.get();
}

}  // namespace tutti::tosca::resolution
