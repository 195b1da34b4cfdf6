#include "providers/docker/seed_archive.hpp"

#include "providers/base/result.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>

namespace tutti::docker {
namespace {

constexpr std::size_t kBlock = 512;

using Header = std::array<char, kBlock>;

void put(Header& header, std::size_t offset, std::string_view text) {
  std::copy(text.begin(), text.end(), header.begin() + static_cast<std::ptrdiff_t>(offset));
}

// `width` octal digits; the byte behind them stays zero.
void put_octal(Header& header, std::size_t offset, std::size_t width, std::size_t number) {
  for (std::size_t i = width; i-- > 0; number /= 8) {
    header[offset + i] = static_cast<char>('0' + number % 8);
  }
}

Header make_header(std::string_view name, std::size_t size) {
  Header header{};
  put(header, 0, name);
  put_octal(header, 100, 7, 0600);
  put_octal(header, 108, 7, 0);  // root
  put_octal(header, 116, 7, 0);
  put_octal(header, 124, 11, size);
  put_octal(header, 136, 11, 0);  // no time: the same seed is the same archive
  put(header, 148, "        ");   // the checksum counts as spaces
  header[156] = '0';              // a regular file
  put(header, 257, std::string_view("ustar\00000", 8));
  const auto add = [](std::size_t sum, char c) { return sum + static_cast<unsigned char>(c); };
  put_octal(header, 148, 6, std::accumulate(header.begin(), header.end(), std::size_t{0}, add));
  header[154] = '\0';
  return header;
}

}  // namespace

void SeedArchive::add(std::string_view name, std::string_view content) {
  TUTTI_ASSERT(!name.empty() && name.size() < 100);
  const Header header = make_header(name, content.size());
  bytes_.append(header.data(), header.size());
  bytes_ += content;
  bytes_.resize((bytes_.size() + kBlock - 1) / kBlock * kBlock, '\0');
}

std::string SeedArchive::finish() && {
  bytes_.append(2 * kBlock, '\0');
  return std::move(bytes_);
}

}  // namespace tutti::docker
