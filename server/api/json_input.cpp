#include "server/api/json_input.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace tutti::api {
namespace {

using nlohmann::json;

struct TooDeep {};

json parse(std::string_view text) {
  const json::parser_callback_t bound = [](int depth, json::parse_event_t event, json&) {
    const bool opens =
        event == json::parse_event_t::array_start || event == json::parse_event_t::object_start;
    if (opens && depth >= static_cast<int>(kMaxJsonDepth)) throw TooDeep{};
    return true;
  };
  return json::parse(text, bound);
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_escape(std::string_view rest) {
  if (rest.size() < 2) return true;  // the end of the text: nothing to mend
  if (rest[1] != 'u') return std::string_view("\"\\/bfnrt").find(rest[1]) != std::string_view::npos;
  return rest.size() >= 6 && std::all_of(rest.begin() + 2, rest.begin() + 6, is_hex);
}

// What is not allowed within strings is escaped; all else stays as it is.
std::string mend_strings(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 16);
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!in_string || c == '"') {
      if (c == '"') in_string = !in_string;
      out += c;
    } else if (c == '\\') {
      if (!is_escape(text.substr(i))) {
        out += "\\\\";
        continue;
      }
      out += c;
      if (i + 1 < text.size()) out += text[++i];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
      out += escape.data();
    } else {
      out += c;
    }
  }
  return out;
}

Refusal syntax_error(std::string_view text, const json::parse_error& error) {
  const std::string_view before = text.substr(0, std::min(error.byte, text.size()));
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n');
  const std::size_t column =
      line_start == std::string_view::npos ? before.size() : before.size() - line_start - 1;
  tosca::Diagnostics found{request_problem(
      "request.json", "the body is not valid JSON", static_cast<std::uint32_t>(lines + 1),
      static_cast<std::uint32_t>(std::max<std::size_t>(column, 1)))};
  return refuse("The request was refused", std::move(found));
}

// A number like 1e999. The exception's text is "... number overflow parsing '1e999'".
Refusal number_too_large(const json::out_of_range& error) {
  constexpr std::size_t kShown = 40;
  const std::string_view what = error.what();
  const std::size_t begin = std::min(what.find('\''), what.size());
  std::string number(what.substr(begin, kShown));
  if (begin + kShown < what.size()) number += "...";
  tosca::Diagnostics found{
      request_problem("request.json", "the number " + number + " is too large to be kept")};
  return refuse("The request was refused", std::move(found));
}

}  // namespace

Accepted<json> read_json(std::string_view text) {
  try {
    try {
      return parse(text);
    } catch (const json::parse_error& strict) {
      try {
        return parse(mend_strings(text));
      } catch (const json::parse_error&) {
        return syntax_error(text, strict);
      }
    }
  } catch (const TooDeep&) {
    tosca::Diagnostics found{request_problem(
        "request.depth", "the JSON is nested deeper than " + std::to_string(kMaxJsonDepth))};
    return refuse("The request was refused", std::move(found));
  } catch (const json::out_of_range& error) {
    return number_too_large(error);
  }
}

}  // namespace tutti::api
