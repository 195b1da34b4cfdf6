// What can go wrong outside TOSCA, as a value. Every layer that touches the world (clouds, store,
// bootstrap, engine) returns Result<T>; language problems are tosca::Diagnostics instead, and
// exceptions mean a broken invariant. No Asio here.
#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tutti {

// What the caller can do about it: transient, throttled and unknown are tried again with backoff;
// quota and capacity block until they clear; the others need a person.
enum class ErrorClass {
  transient,
  throttled,
  quota,
  capacity,
  authentication,
  not_found,
  conflict,
  invalid,
  unknown,
};

[[nodiscard]] std::string_view to_string(ErrorClass cls);
// Unknown names give ErrorClass::unknown, so that old journals can be read by newer binaries.
[[nodiscard]] ErrorClass error_class_from(std::string_view name);

// `code` is the origin's own short code ("Quota_Exceeded", "404", "ssh_unreachable"); `message` is
// a sentence for people and never holds a secret; `context` is added on the way up, innermost
// first.
struct Error {
  Error() = default;  // boost::system::result asks for it; never a real error
  Error(ErrorClass error_class, std::string error_code, std::string text,
        boost::source_location location = BOOST_CURRENT_LOCATION)
      : cls(error_class), code(std::move(error_code)), message(std::move(text)), where(location) {}

  // Adds a note of what was being done, e.g. "creating network n1 on site local".
  [[nodiscard]] Error with(std::string note) && {
    context.push_back(std::move(note));
    return std::move(*this);
  }
  // "message (code) while note1, note2", for status reasons and logs.
  [[nodiscard]] std::string describe() const;

  ErrorClass cls = ErrorClass::unknown;
  std::string code;
  std::string message;
  std::vector<std::string> context;
  boost::source_location where;
};

// Called by result::value() on an error: reaching it is a broken invariant of the caller.
[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location&) {
  throw std::logic_error(error.describe());
}

template <class T>
using Result = boost::system::result<T, Error>;

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace tutti

// Stays on in production: a broken invariant must not go on to delete machines.
#define TUTTI_ASSERT(expression) \
  ((expression) ? void(0) : ::tutti::assertion_failed(#expression, __FILE__, __LINE__))

#define TUTTI_JOIN_(a, b) a##b
#define TUTTI_JOIN(a, b) TUTTI_JOIN_(a, b)
// TUTTI_TRY(auto x, f()): x = value of f(), or return its error. In coroutines use TUTTI_CO_TRY,
// whose expression may contain co_await (name its arguments first: GCC 12).
#define TUTTI_TRY_(tmp, decl, ...)         \
  auto&& tmp = (__VA_ARGS__);              \
  if (!tmp) return std::move(tmp).error(); \
  decl = std::move(tmp).value()
#define TUTTI_TRY(decl, ...) TUTTI_TRY_(TUTTI_JOIN(tutti_try_, __COUNTER__), decl, __VA_ARGS__)
#define TUTTI_CO_TRY_(tmp, decl, ...)         \
  auto&& tmp = (__VA_ARGS__);                 \
  if (!tmp) co_return std::move(tmp).error(); \
  decl = std::move(tmp).value()
#define TUTTI_CO_TRY(decl, ...) \
  TUTTI_CO_TRY_(TUTTI_JOIN(tutti_try_, __COUNTER__), decl, __VA_ARGS__)
