// The path and query of a request target, percent-decoded. Pure; used by routes and by base URLs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tutti::http {

struct Target {
  std::vector<std::string> segments;  // "/a/b/" gives {a, b}: a trailing slash means nothing
  std::vector<std::pair<std::string, std::string>> query;  // in order; a bare name has value ""
  // The first parameter with an escape that says nothing, as it was written; then `query` ends
  // before it.
  std::optional<std::string> broken_parameter;

  // The first value of this name, or nothing.
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
};

// Absolute-form targets lose their authority. Nothing for bad escapes, NUL, "." and ".." segments,
// and empty segments within the path.
[[nodiscard]] std::optional<Target> parse_target(std::string_view target);

// Everything but unreserved characters (RFC 3986, 2.3) escaped.
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace tutti::http
