#include "server/http/target.hpp"

#include <array>

namespace tutti::http {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// In queries "+" is a blank, as HTML forms and most clients write it.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank) {
  if (text.find_first_of(plus_is_blank ? "%+" : "%") == std::string_view::npos) {
    return std::string(text);
  }
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_blank) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

bool add_segments(std::string_view path, Target& target) {
  if (path.ends_with('/')) path.remove_suffix(1);
  target.segments.reserve(4);
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::size_t end = std::min(path.find('/'), path.size());
    auto segment = percent_decode(path.substr(0, end), false);
    if (!segment || segment->empty() || *segment == "." || *segment == "..") return false;
    target.segments.push_back(std::move(*segment));
    path.remove_prefix(end);
  }
  return true;
}

void add_query(std::string_view query, Target& target) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = equals == std::string_view::npos ? std::optional<std::string>("")
                                                  : percent_decode(pair.substr(equals + 1), true);
    if (!name || !value) {
      target.broken_parameter = pair.substr(0, equals);
      return;
    }
    target.query.emplace_back(std::move(*name), std::move(*value));
  }
}

}  // namespace

std::optional<std::string_view> Target::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::optional<Target> parse_target(std::string_view text) {
  if (!text.starts_with('/')) {
    const std::size_t authority = text.find("://");
    if (authority == std::string_view::npos) return std::nullopt;
    text.remove_prefix(std::min(text.find_first_of("/?", authority + 3), text.size()));
  }
  const std::size_t question = text.find('?');
  Target target;
  if (!add_segments(text.substr(0, question), target)) return std::nullopt;
  if (question != std::string_view::npos) add_query(text.substr(question + 1), target);
  return target;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kMarks = "-._~";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (alphanumeric || kMarks.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
  return out;
}

}  // namespace tutti::http
