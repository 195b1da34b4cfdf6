#include "providers/base/result.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace tutti {
namespace {

constexpr std::array<std::pair<ErrorClass, std::string_view>, 9> kNames{{
    {ErrorClass::transient, "transient"},
    {ErrorClass::throttled, "throttled"},
    {ErrorClass::quota, "quota"},
    {ErrorClass::capacity, "capacity"},
    {ErrorClass::authentication, "authentication"},
    {ErrorClass::not_found, "not_found"},
    {ErrorClass::conflict, "conflict"},
    {ErrorClass::invalid, "invalid"},
    {ErrorClass::unknown, "unknown"},
}};

}  // namespace

std::string_view to_string(ErrorClass cls) {
  for (const auto& [value, name] : kNames) {
    if (value == cls) return name;
  }
  return "unknown";
}

ErrorClass error_class_from(std::string_view name) {
  for (const auto& [value, known] : kNames) {
    if (known == name) return value;
  }
  return ErrorClass::unknown;
}

std::string Error::describe() const {
  std::string text = message;
  if (!code.empty()) text += " (" + code + ")";
  for (std::size_t i = 0; i < context.size(); ++i) {
    text += (i == 0 ? " while " : ", ") + context[i];
  }
  return text;
}

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "tutti: broken invariant: %s at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace tutti
