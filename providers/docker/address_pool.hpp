// Which /24 a new network may take. Pure: what is used already (routes, Docker's networks) is an
// argument.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tutti::docker {

struct Ipv4Range {
  std::uint32_t first = 0;  // host byte order
  unsigned prefix = 32;

  [[nodiscard]] std::uint32_t last() const;
  [[nodiscard]] bool overlaps(const Ipv4Range& other) const;
  [[nodiscard]] std::string text() const;  // "10.213.7.0/24"
  bool operator==(const Ipv4Range&) const = default;
};

[[nodiscard]] std::string format_ipv4(std::uint32_t address);
[[nodiscard]] std::optional<std::uint32_t> parse_ipv4(std::string_view text);
// The bits behind the prefix are cleared.
[[nodiscard]] std::optional<Ipv4Range> parse_range(std::string_view text);

// The text of /proc/net/route, without the default route. Lines that are not routes are left out.
[[nodiscard]] std::vector<Ipv4Range> parse_routes(std::string_view text);

// The /24s of the pool that touch nothing used, from a place chosen by `seed` onwards, so that two
// daemons that look at the same moment seldom want the same one.
[[nodiscard]] std::vector<Ipv4Range> free_subnets(const Ipv4Range& pool,
                                                  const std::vector<Ipv4Range>& used,
                                                  std::string_view seed);

// How the addresses of a /24 are dealt out: .1 is the gateway, instances begin at .10, .250-.254
// are kept from the engine for virtual addresses.
inline constexpr std::uint32_t kGatewayOffset = 1;
inline constexpr std::uint32_t kFirstInstanceOffset = 10;
inline constexpr std::uint32_t kFirstVirtualOffset = 250;
inline constexpr std::uint32_t kVirtualCount = 5;

}  // namespace tutti::docker
