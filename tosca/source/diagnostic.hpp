// Where something stands in a document, and what is wrong with it. The language layer reports every
// problem it finds as a Diagnostic and never throws for bad input.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tutti::tosca {

// A half-open region of one document. Lines and columns count from 1; columns count bytes.
// `file` is the name that the user knows the document by (a path, or the URL it was imported by).
struct SourceSpan {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t end_line = 0;
  std::uint32_t end_column = 0;
};

enum class Severity { error, warning };

// `rule` is a stable short name ("yaml.duplicate-key", "type.unknown", "input.missing"); `message`
// says what is wrong; `hint` says what to do, and may be empty. None of them holds a secret's
// value.
struct Diagnostic {
  Severity severity = Severity::error;
  std::string rule;
  SourceSpan span;
  std::string message;
  std::string hint;
};

using Diagnostics = std::vector<Diagnostic>;

[[nodiscard]] bool has_errors(const Diagnostics& diagnostics);
// "file:line:column: error: message [rule]", and " (hint: ...)" when there is one.
[[nodiscard]] std::string format(const Diagnostic& diagnostic);

}  // namespace tutti::tosca
