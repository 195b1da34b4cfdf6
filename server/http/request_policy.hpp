// Which request headers are served at all. Pure functions over bytes, stricter than the parser
// beneath (Boost.Beast), because what two peers may read differently is a way to smuggle requests.
// Follows RFC 9112 (2.2, 3.2, 5.2, 6) and RFC 9110 (7.2). Used by the session and by the fuzzer.
#pragma once

#include "server/http/limits.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tutti::http {

using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

// After a rejection the connection is closed: where the next request begins is no longer known.
struct Rejection {
  unsigned status = 400;
  std::string message;
};

// Looks for the end of the header section in what has arrived. `scanned` is where the last call
// stopped, so that every byte is looked at once; it starts at 0.
struct HeadScan {
  std::size_t length = 0;  // of the whole head when complete, else 0
  std::optional<Rejection> rejection;
};
[[nodiscard]] HeadScan scan_head(std::string_view bytes, std::size_t& scanned,
                                 const Limits& limits);

// Parses a complete head into a fresh parser and applies every rule. On success the parser waits
// for the body (or is done).
[[nodiscard]] std::optional<Rejection> parse_head(std::string_view head, Parser& parser,
                                                  const Limits& limits);

// host[:port] as a Host field or an authority may carry it: a name, IPv4 or [IPv6].
[[nodiscard]] bool valid_authority(std::string_view text);

}  // namespace tutti::http
