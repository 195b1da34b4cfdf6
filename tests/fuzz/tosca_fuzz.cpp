// Any text as a service template, with INDIGO's and Tutti's types at hand: resolution ends, in a
// topology or in errors with their place. Seeds: templates/ and tests/golden/tosca/indigo.
#include "tosca/profiles/import_map.hpp"
#include "tosca/resolve/resolve.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const tutti::tosca::ImportResolver imports = tutti::tosca::ImportMap().resolver();
  tutti::tosca::ResolveRequest request;
  request.file = "template";
  request.text.assign(data, data + size);
  request.imports = imports;
  request.require_inputs = false;
  const auto result = tutti::tosca::resolve(request);
  if (result.topology.has_value() == tutti::tosca::has_errors(result.diagnostics)) std::abort();
  for (const auto& diagnostic : result.diagnostics) {
    if (diagnostic.span.line == 0) std::abort();
  }
  return 0;
}
