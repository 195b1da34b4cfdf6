#include "tosca/resolve/resolve.hpp"

#include "tosca/profiles/embedded.hpp"
#include "tosca/resolve/phases.hpp"

#include <algorithm>
#include <tuple>

namespace tutti::tosca {

namespace {

bool is_embedded(const std::string& file) {
  return profiles::embedded(file) != nullptr;
}

// Document order, the template before its imports; once each; no advice about what we ship.
void arrange(const std::string& main_file, Diagnostics& diagnostics) {
  const auto key = [&](const Diagnostic& d) {
    return std::make_tuple(d.span.file != main_file, std::cref(d.span.file), d.span.line,
                           d.span.column);
  };
  std::stable_sort(diagnostics.begin(), diagnostics.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return key(a) < key(b); });
  const auto same = [](const Diagnostic& a, const Diagnostic& b) {
    return a.rule == b.rule && a.message == b.message && a.span.file == b.span.file &&
           a.span.line == b.span.line && a.span.column == b.span.column;
  };
  diagnostics.erase(std::unique(diagnostics.begin(), diagnostics.end(), same), diagnostics.end());
  std::erase_if(diagnostics, [](const Diagnostic& d) {
    return d.severity == Severity::warning && is_embedded(d.span.file);
  });
}

void run_phases(const ResolveRequest& request, ResolveResult& result) {
  const resolution::Units units(request, result);
  if (units.main() == nullptr) return;
  resolution::Resolution state(request, result, units);
  resolution::Evaluator evaluator(state);
  resolution::build_inputs(state);
  resolution::build_nodes(state);
  resolution::build_relationships(state);
  resolution::check_cycles(state);
  resolution::mark_secret_sources(state, evaluator);
  resolution::check_definitions(state, evaluator);
  Topology topology = resolution::build_topology(state, evaluator);
  if (!has_errors(result.diagnostics)) result.topology = std::move(topology);
}

}  // namespace

ResolveResult resolve(const ResolveRequest& request) {
  ResolveResult result;
  run_phases(request, result);
  arrange(request.file, result.diagnostics);
  if (!result.topology) result.secrets.clear();
  return result;
}

}  // namespace tutti::tosca
