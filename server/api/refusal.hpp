// Why a request is not served, as a value on its way to becoming INDIGO's error body. Used by the
// decoders and routes of the API; holds nothing secret.
#pragma once

#include "providers/base/result.hpp"
#include "server/http/message.hpp"
#include "tosca/source/diagnostic.hpp"

#include <boost/system/result.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace tutti::api {

struct Refusal {
  Refusal() = default;
  Refusal(unsigned code, std::string text, tosca::Diagnostics found = {})
      : status(code), message(std::move(text)), diagnostics(std::move(found)) {}

  unsigned status = 400;
  std::string message;
  tosca::Diagnostics diagnostics;
};

template <class T>
using Accepted = boost::system::result<T, Refusal>;

[[noreturn]] inline void throw_exception_from_error(const Refusal& refusal,
                                                    const boost::source_location&) {
  throw std::logic_error(refusal.message);
}

// 400 with a message that tells the first error and how many there are.
[[nodiscard]] Refusal refuse(std::string_view what, tosca::Diagnostics diagnostics);

// A problem of the request itself (not of the template in it): "request:line:column".
[[nodiscard]] tosca::Diagnostic request_problem(std::string rule, std::string message,
                                                std::uint32_t line = 1, std::uint32_t column = 1);

// {"code":404,"title":"Not Found","message":"..."}, with "diagnostics" where there are any
// (indigo.md 1.0 and beyond it).
[[nodiscard]] http::Response error_response(const Refusal& refusal);
[[nodiscard]] http::Response error_response(unsigned status, std::string_view message);
// What the engine, or the store beneath it, could not do. Only the refusals that the engine names
// are the client's doing; whatever else went wrong, whichever its class, is ours: 503 or 500.
[[nodiscard]] http::Response error_response(const Error& error);

// [{file,line,column,severity,rule,message,hint}, ...]
[[nodiscard]] std::string diagnostics_json(const tosca::Diagnostics& diagnostics);

}  // namespace tutti::api
