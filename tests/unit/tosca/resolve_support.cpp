#include "tests/unit/tosca/resolve_support.hpp"

#include <fstream>
#include <sstream>

namespace tutti::tosca {

ResolveResult resolve_text(const std::string& text, const Resolving& options) {
  ImportMap map;
  for (const auto& [location, file] : options.files) map.add(location, file);
  ResolveRequest request;
  request.file = "template";
  request.text = text;
  request.inputs = options.inputs;
  request.imports = map.resolver();
  request.require_inputs = options.require_inputs;
  return resolve(request);
}

std::string document(const std::string& topology, const std::string& before) {
  return "tosca_definitions_version: tosca_simple_yaml_1_3\n" + before + "topology_template:\n" +
         topology;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string all_problems(const ResolveResult& result) {
  std::string text;
  for (const Diagnostic& diagnostic : result.diagnostics) text += format(diagnostic) + "\n";
  return text;
}

void PrintTo(const ResolveResult& result, std::ostream* out) {
  *out << (result.topology ? "a topology" : "no topology") << " and " << result.diagnostics.size()
       << " diagnostics";
}

bool has_problem(const Diagnostics& diagnostics, const std::string& rule,
                 const std::string& place) {
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.rule != rule) continue;
    const std::string line = std::to_string(diagnostic.span.line);
    if (place == line || place == line + ":" + std::to_string(diagnostic.span.column)) return true;
  }
  return false;
}

}  // namespace tutti::tosca
