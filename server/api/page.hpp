// Paging as INDIGO's clients speak it (indigo.md 1.0): page, size and sort in the query; links,
// content and page in the envelope. Pure.
#pragma once

#include "server/api/refusal.hpp"
#include "server/http/target.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tutti::api {

struct SortKey {
  std::string field;  // as the client wrote it: createdAt, status, ...
  bool descending = false;
};

struct PageRequest {
  std::size_t number = 0;
  std::size_t size = 10;
  std::vector<SortKey> sort;  // the first decides; empty: the default order
  std::string other_query;    // "a=b&" of all other parameters, encoded

  [[nodiscard]] std::size_t first(std::size_t total) const;  // index of the first item, <= total
  [[nodiscard]] std::size_t last(std::size_t total) const;   // one past the last
  [[nodiscard]] std::size_t pages_of(std::size_t total) const;
};

inline constexpr std::size_t kDefaultPageSize = 10;
inline constexpr std::size_t kMaxPageSize = 2000;

// Page numbers and sizes that are no numbers fall back to the defaults, as they always did; 400 for
// a sort field that is not among `fields`.
[[nodiscard]] Accepted<PageRequest> read_page(const http::Target& target, std::size_t default_size,
                                              const std::vector<std::string_view>& fields);

// `url` is absolute and without a query; `items` are JSON texts of the page, complete; `pages` is
// how many there are (pages_of(), where the size that was asked for decides). Clients follow "next"
// for as long as there is one, so it must never lead to what was seen.
[[nodiscard]] std::string render_page(const std::string& url, const PageRequest& page,
                                      std::size_t pages, std::size_t total,
                                      const std::vector<std::string>& items);

}  // namespace tutti::api
