#include "providers/docker/address_pool.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstddef>

namespace tutti::docker {
namespace {

constexpr unsigned kSubnetPrefix = 24;
constexpr std::uint32_t kSubnetSize = 256;

std::uint32_t mask_of(unsigned prefix) {
  return prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix);
}

template <class Number>
std::optional<Number> parse_number(std::string_view text, int base) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string_view take(std::string_view& text, std::string_view separators) {
  const std::size_t begin = text.find_first_not_of(separators);
  if (begin == std::string_view::npos) {
    text = {};
    return {};
  }
  const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

}  // namespace

std::uint32_t Ipv4Range::last() const {
  return first | ~mask_of(prefix);
}

bool Ipv4Range::overlaps(const Ipv4Range& other) const {
  return first <= other.last() && other.first <= last();
}

std::string Ipv4Range::text() const {
  return format_ipv4(first) + "/" + std::to_string(prefix);
}

std::string format_ipv4(std::uint32_t address) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    text += std::to_string((address >> shift) & 255U);
    if (shift > 0) text += '.';
  }
  return text;
}

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

std::optional<Ipv4Range> parse_range(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = parse_ipv4(text.substr(0, slash));
  const auto prefix = parse_number<unsigned>(text.substr(slash + 1), 10);
  if (!address || !prefix || *prefix > 32) return std::nullopt;
  return Ipv4Range{*address & mask_of(*prefix), *prefix};
}

std::vector<Ipv4Range> parse_routes(std::string_view text) {
  std::vector<Ipv4Range> routes;
  while (!text.empty()) {
    std::string_view line = take(text, "\n");
    std::array<std::string_view, 8> fields;  // Iface Destination Gateway Flags ... Mask is the 8th
    for (std::string_view& field : fields) field = take(line, " \t");
    // Both are the bytes of the network's order, printed as a number of this machine.
    const auto destination = parse_number<std::uint32_t>(fields[1], 16);
    const auto mask = parse_number<std::uint32_t>(fields[7], 16);
    if (!destination || !mask || *mask == 0) continue;
    const std::uint32_t ones = ntohl(*mask);
    const auto prefix = static_cast<unsigned>(__builtin_popcount(ones));
    routes.push_back(Ipv4Range{ntohl(*destination) & ones, prefix});
  }
  return routes;
}

std::vector<Ipv4Range> free_subnets(const Ipv4Range& pool, const std::vector<Ipv4Range>& used,
                                    std::string_view seed) {
  std::vector<Ipv4Range> found;
  if (pool.prefix > kSubnetPrefix) return found;
  const std::uint64_t count = std::uint64_t{1} << (kSubnetPrefix - pool.prefix);
  constexpr std::uint64_t kMostTried = 4096;   // of a wide pool not all are worth a look
  std::uint64_t start = 1469598103934665603U;  // FNV-1a
  for (const char c : seed) start = (start ^ static_cast<unsigned char>(c)) * 1099511628211U;
  for (std::uint64_t i = 0; i < std::min(count, kMostTried); ++i) {
    const auto number = static_cast<std::uint32_t>((start + i) % count);
    const Ipv4Range candidate{pool.first + number * kSubnetSize, kSubnetPrefix};
    const auto touches = [&candidate](const Ipv4Range& other) { return candidate.overlaps(other); };
    if (std::none_of(used.begin(), used.end(), touches)) found.push_back(candidate);
  }
  return found;
}

}  // namespace tutti::docker
