#include "server/api/refusal.hpp"

#include "providers/base/json_writer.hpp"

#include <algorithm>
#include <array>

namespace tutti::api {

Refusal refuse(std::string_view what, tosca::Diagnostics diagnostics) {
  const auto is_error = [](const tosca::Diagnostic& diagnostic) {
    return diagnostic.severity == tosca::Severity::error;
  };
  const auto first = std::find_if(diagnostics.begin(), diagnostics.end(), is_error);
  std::string message(what);
  if (first != diagnostics.end()) {
    const auto count = std::count_if(first, diagnostics.end(), is_error);
    message += ": " + tosca::format(*first);
    if (count > 1) message += " (and " + std::to_string(count - 1) + " more)";
  }
  return {400, std::move(message), std::move(diagnostics)};
}

tosca::Diagnostic request_problem(std::string rule, std::string message, std::uint32_t line,
                                  std::uint32_t column) {
  tosca::Diagnostic problem;
  problem.rule = std::move(rule);
  problem.span = {"request", line, column, line, column};
  problem.message = std::move(message);
  return problem;
}

std::string diagnostics_json(const tosca::Diagnostics& diagnostics) {
  JsonWriter writer;
  writer.begin_array();
  for (const auto& diagnostic : diagnostics) {
    writer.begin_object();
    writer.member("file", diagnostic.span.file);
    writer.key("line").integer(diagnostic.span.line);
    writer.key("column").integer(diagnostic.span.column);
    const bool error = diagnostic.severity == tosca::Severity::error;
    writer.member("severity", error ? "error" : "warning");
    writer.member("rule", diagnostic.rule).member("message", diagnostic.message);
    if (!diagnostic.hint.empty()) writer.member("hint", diagnostic.hint);
    writer.end_object();
  }
  writer.end_array();
  return writer.take();
}

http::Response error_response(const Refusal& refusal) {
  JsonWriter writer;
  writer.begin_object();
  writer.key("code").integer(refusal.status);
  writer.member("title", http::reason_phrase(refusal.status));
  writer.member("message", refusal.message);
  if (!refusal.diagnostics.empty()) {
    writer.key("diagnostics").raw(diagnostics_json(refusal.diagnostics));
  }
  writer.end_object();
  http::Response response(refusal.status, http::Media::json, writer.take());
  if (refusal.status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

http::Response error_response(unsigned status, std::string_view message) {
  const Refusal refusal(status, std::string(message));
  return error_response(refusal);
}

http::Response error_response(const Error& error) {
  struct Named {
    std::string_view code;  // as the engine calls it
    unsigned status;
  };
  constexpr std::array kRefusals{
      Named{"deployment_unknown", 404},
      Named{"delete_in_progress", 409},
      Named{"idempotency_key_in_use", 409},
      Named{"idempotency_key_reused", 422},
  };
  for (const Named& refusal : kRefusals) {
    if (refusal.code == error.code) return error_response(refusal.status, error.message);
  }
  switch (error.cls) {
    case ErrorClass::transient:
    case ErrorClass::throttled:
    case ErrorClass::quota:
    case ErrorClass::capacity:
      return error_response(503, error.message);
    case ErrorClass::not_found:
    case ErrorClass::conflict:
    case ErrorClass::invalid:
    case ErrorClass::authentication:
    case ErrorClass::unknown:
      break;
  }
  return error_response(500, error.describe());
}

}  // namespace tutti::api
