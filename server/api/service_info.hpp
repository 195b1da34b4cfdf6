// What the service says of itself: GET /info and GET /configuration (indigo.md 1.2). Rendered once.
#pragma once

#include <map>
#include <string>

namespace tutti::api {

[[nodiscard]] std::string render_info();
// A flat map of strings: a nested value breaks one of the clients.
[[nodiscard]] std::string render_configuration(const std::map<std::string, std::string>& given);

}  // namespace tutti::api
