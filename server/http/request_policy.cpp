#include "server/http/request_policy.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>

#include <algorithm>

namespace tutti::http {
namespace {

namespace beast_http = boost::beast::http;
using beast_http::field;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

Rejection reject(unsigned status, std::string message) {
  return {status, std::move(message)};
}

std::optional<Rejection> check_version(const Parser& parser) {
  const unsigned version = parser.get().version();
  if (version == 10 || version == 11) return std::nullopt;
  return reject(505, "Only HTTP/1.0 and HTTP/1.1 are served here");
}

std::optional<Rejection> check_host(const Parser& parser) {
  const auto& header = parser.get();
  const auto count = header.count(field::host);
  if (count == 0 && header.version() == 10) return std::nullopt;
  if (count != 1) return reject(400, "An HTTP/1.1 request needs exactly one Host header");
  if (!valid_authority(view(header[field::host]))) {
    return reject(400, "The Host header is not a host name or address");
  }
  return std::nullopt;
}

// http://authority/path, the form that proxies use: its authority must say what Host says.
std::optional<Rejection> check_absolute_form(const Parser& parser, std::string_view target) {
  constexpr std::string_view kScheme = "http://";
  const bool http = target.size() > kScheme.size() &&
                    boost::beast::iequals({target.data(), kScheme.size()}, kScheme.data());
  if (!http) return reject(400, "The request target must be a path");
  const std::string_view rest = target.substr(kScheme.size());
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  const std::string_view host = view(parser.get()[field::host]);
  const bool same =
      boost::beast::iequals({authority.data(), authority.size()}, {host.data(), host.size()});
  if (!same) return reject(400, "The request target names another host than the Host header");
  return std::nullopt;
}

std::optional<Rejection> check_target(const Parser& parser, const Limits& limits) {
  const std::string_view target = view(parser.get().target());
  if (target.size() > limits.target_bytes) return reject(414, "The request target is too long");
  const bool printable = std::all_of(target.begin(), target.end(),
                                     [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  if (!printable) return reject(400, "The request target holds a character that must be escaped");
  if (target == "*" && parser.get().method() == beast_http::verb::options) return std::nullopt;
  if (target.starts_with('/')) return std::nullopt;
  return check_absolute_form(parser, target);
}

// Exactly one way to know where the body ends, and none that peers may read differently.
std::optional<Rejection> check_framing(const Parser& parser) {
  const auto& header = parser.get();
  const auto lengths = header.count(field::content_length);
  const auto codings = header.count(field::transfer_encoding);
  const auto length = view(header[field::content_length]);
  if (lengths > 1 || !std::all_of(length.begin(), length.end(), is_digit)) {
    return reject(400, "The Content-Length is not one number");
  }
  if (codings == 0) return std::nullopt;
  if (lengths != 0) return reject(400, "Both Content-Length and Transfer-Encoding are given");
  if (header.version() == 10) return reject(400, "Transfer-Encoding is not part of HTTP/1.0");
  if (codings > 1) return reject(400, "More than one Transfer-Encoding header");
  if (!boost::beast::iequals(header[field::transfer_encoding], "chunked")) {
    return reject(501, "The only transfer coding served is chunked");
  }
  return std::nullopt;
}

std::optional<Rejection> check_expect(const Parser& parser) {
  const auto& header = parser.get();
  const auto count = header.count(field::expect);
  if (count == 0) return std::nullopt;
  if (count == 1 && boost::beast::iequals(header[field::expect], "100-continue")) {
    return std::nullopt;
  }
  return reject(417, "The only expectation served is 100-continue");
}

std::optional<Rejection> check_fields(std::string_view head, const Parser& parser,
                                      const Limits& limits) {
  // A line that begins with a blank continues the one before (obs-fold); the parser joins them.
  if (head.find("\n ") != std::string_view::npos || head.find("\n\t") != std::string_view::npos) {
    return reject(400, "A header is folded over lines");
  }
  const auto& header = parser.get();
  const auto count = static_cast<std::size_t>(std::distance(header.begin(), header.end()));
  if (count > limits.header_fields) return reject(431, "Too many header fields");
  return std::nullopt;
}

Rejection from_parser(const boost::system::error_code& error) {
  if (error == beast_http::error::header_limit) return reject(431, "The header is too large");
  if (error == beast_http::error::bad_version) {
    return reject(505, "Only HTTP/1.0 and HTTP/1.1 are served here");
  }
  return reject(400, "The request is not valid HTTP: " + error.message());
}

bool valid_port(std::string_view port) {
  return port.size() <= 5 && std::all_of(port.begin(), port.end(), is_digit);
}

}  // namespace

bool valid_authority(std::string_view text) {
  if (text.empty() || text.size() > 255 + 6) return false;
  std::size_t host_end = 0;
  if (text.front() == '[') {
    host_end = text.find(']');
    if (host_end == std::string_view::npos || host_end < 3) return false;
    const auto inside = text.substr(1, host_end - 1);
    const auto allowed = [](char c) { return is_hex(c) || c == ':' || c == '.'; };
    if (!std::all_of(inside.begin(), inside.end(), allowed)) return false;
    ++host_end;
  } else {
    host_end = std::min(text.find(':'), text.size());
    const auto name = text.substr(0, host_end);
    const auto allowed = [](char c) {
      return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
    };
    if (name.empty() || !std::all_of(name.begin(), name.end(), allowed)) return false;
  }
  if (host_end == text.size()) return true;
  return text[host_end] == ':' && valid_port(text.substr(host_end + 1));
}

HeadScan scan_head(std::string_view bytes, std::size_t& scanned, const Limits& limits) {
  HeadScan result;
  // Anything else (a TLS greeting on a plain port) would only wait for its deadline.
  if (!bytes.empty() && !is_alpha(bytes.front())) {
    result.rejection = reject(400, "The request does not begin with an HTTP method");
    return result;
  }
  while (scanned < bytes.size()) {
    const std::size_t feed = bytes.find('\n', scanned);
    if (feed == std::string_view::npos) {
      scanned = bytes.size();
      break;
    }
    if (feed == 0 || bytes[feed - 1] != '\r') {
      result.rejection = reject(400, "A header line does not end with CR LF");
      return result;
    }
    scanned = feed + 1;
    if (feed >= 3 && bytes[feed - 2] == '\n') {
      result.length = feed + 1;
      break;
    }
  }
  const std::size_t head = result.length != 0 ? result.length : bytes.size();
  if (head > limits.header_bytes) {
    result.length = 0;
    result.rejection =
        reject(431, "The header is larger than " + std::to_string(limits.header_bytes) + " bytes");
  }
  return result;
}

std::optional<Rejection> parse_head(std::string_view head, Parser& parser, const Limits& limits) {
  boost::system::error_code error;
  parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes + 1));
  parser.body_limit(boost::none);  // the session sets it, once the route is known
  parser.eager(false);
  const std::size_t used = parser.put(boost::asio::buffer(head.data(), head.size()), error);
  if (error) return from_parser(error);
  if (used != head.size() || !parser.is_header_done()) {
    return reject(400, "The request's header is not complete");
  }
  if (auto bad = check_version(parser)) return bad;
  if (auto bad = check_fields(head, parser, limits)) return bad;
  if (auto bad = check_host(parser)) return bad;
  if (auto bad = check_target(parser, limits)) return bad;
  if (auto bad = check_framing(parser)) return bad;
  return check_expect(parser);
}

}  // namespace tutti::http
