#include "tosca/source/diagnostic.hpp"

#include <algorithm>

namespace tutti::tosca {

bool has_errors(const Diagnostics& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::error; });
}

std::string format(const Diagnostic& diagnostic) {
  std::string text = diagnostic.span.file;
  if (diagnostic.span.line > 0) {
    text +=
        ':' + std::to_string(diagnostic.span.line) + ':' + std::to_string(diagnostic.span.column);
  }
  text += diagnostic.severity == Severity::error ? ": error: " : ": warning: ";
  text += diagnostic.message + " [" + diagnostic.rule + ']';
  if (!diagnostic.hint.empty()) text += " (hint: " + diagnostic.hint + ')';
  return text;
}

}  // namespace tutti::tosca
