// Bytes of a connection through the request policy, the body's framing, targets and base URLs. What
// is accepted must have one reading: the properties that the rest of the server builds on.
#include "server/http/base_url.hpp"
#include "server/http/request_policy.hpp"
#include "server/http/target.hpp"

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace tutti::http;  // NOLINT: the whole program is about it

void require(bool holds) {
  if (!holds) std::abort();
}

void check_target(std::string_view text) {
  const auto target = parse_target(text);
  if (!target) return;
  for (const auto& segment : target->segments) {
    require(!segment.empty() && segment != "." && segment != "..");
    require(segment.find('\0') == std::string::npos);
    const auto again = parse_target("/" + percent_encode(segment));
    require(again && again->segments.size() == 1 && again->segments.front() == segment);
  }
}

void check_base(const Request& request) {
  const std::string base = base_url(request);
  require(base.starts_with("http://") || base.starts_with("https://"));
  // It is put into JSON text as it is.
  require(std::all_of(base.begin(), base.end(),
                      [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; }));
}

void check_accepted(const Parser& parser, const Limits& limits) {
  const auto& header = parser.get();
  require(static_cast<std::size_t>(std::distance(header.begin(), header.end())) <=
          limits.header_fields);
  require(header.count("Transfer-Encoding") + header.count("Content-Length") <= 1);
  require(header.version() == 10 || header.count("Host") == 1);
}

// The next request after this one, or nothing when the connection would be closed.
std::string_view serve(std::string_view bytes) {
  const Limits limits;
  std::size_t scanned = 0;
  const HeadScan scan = scan_head(bytes, scanned, limits);
  if (scan.rejection || scan.length == 0) return {};
  require(scan.length <= bytes.size());
  Parser parser;
  if (parse_head(bytes.substr(0, scan.length), parser, limits)) return {};
  check_accepted(parser, limits);
  Request request;
  request.header = std::move(parser.get().base());
  check_target(request.target());
  check_base(request);
  parser.body_limit(4096);
  parser.eager(true);
  std::string_view rest = bytes.substr(scan.length);
  while (!parser.is_done()) {
    if (rest.empty()) return {};
    boost::system::error_code error;
    const std::size_t used = parser.put(boost::asio::buffer(rest.data(), rest.size()), error);
    if (error) return {};
    require(used <= rest.size());
    require(used != 0 || parser.is_done());
    rest.remove_prefix(used);
  }
  require(parser.get().body().size() <= 4096);
  return rest;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) rest = serve(rest);
  return 0;
}
