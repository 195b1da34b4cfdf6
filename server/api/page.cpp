#include "server/api/page.hpp"

#include "providers/base/json_writer.hpp"

#include <algorithm>
#include <charconv>

namespace tutti::api {
namespace {

std::size_t read_number(const http::Target& target, std::string_view name, std::size_t otherwise) {
  const auto text = target.parameter(name);
  if (!text) return otherwise;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error == std::errc::result_out_of_range) return kMaxPageSize;
  if (error != std::errc() || end != text->data() + text->size()) return otherwise;
  return number;
}

// "createdAt,desc", "status", "status,id,asc"
bool add_sort(std::string_view text, const std::vector<std::string_view>& fields,
              std::vector<SortKey>& sort) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma != 0) words.push_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  bool descending = false;
  if (!words.empty() && (words.back() == "asc" || words.back() == "desc" || words.back() == "ASC" ||
                         words.back() == "DESC")) {
    descending = words.back() == "desc" || words.back() == "DESC";
    words.pop_back();
  }
  for (const auto word : words) {
    if (std::find(fields.begin(), fields.end(), word) == fields.end()) return false;
    sort.push_back({std::string(word), descending});
  }
  return true;
}

std::string page_url(const std::string& url, const PageRequest& page, std::size_t number) {
  std::string text = url + "?" + page.other_query + "page=" + std::to_string(number) +
                     "&size=" + std::to_string(page.size);
  for (const auto& key : page.sort) {
    text += "&sort=" + key.field + (key.descending ? ",desc" : ",asc");
  }
  return text;
}

}  // namespace

std::size_t PageRequest::first(std::size_t total) const {
  return number > total / size ? total : std::min(number * size, total);
}

std::size_t PageRequest::last(std::size_t total) const {
  return std::min(first(total) + size, total);
}

std::size_t PageRequest::pages_of(std::size_t total) const {
  return (total + size - 1) / size;
}

Accepted<PageRequest> read_page(const http::Target& target, std::size_t default_size,
                                const std::vector<std::string_view>& fields) {
  PageRequest page;
  page.number = read_number(target, "page", 0);
  page.size = std::min(read_number(target, "size", default_size), kMaxPageSize);
  if (page.size == 0) page.size = default_size;
  for (const auto& [name, value] : target.query) {
    if (name == "sort") {
      if (!add_sort(value, fields, page.sort)) {
        return Refusal(400, "sort: '" + value + "' names a field that nothing is sorted by");
      }
    } else if (name != "page" && name != "size") {
      page.other_query += http::percent_encode(name) + "=" + http::percent_encode(value) + "&";
    }
  }
  return page;
}

std::string render_page(const std::string& url, const PageRequest& page, std::size_t pages,
                        std::size_t total, const std::vector<std::string>& items) {
  JsonWriter writer;
  writer.begin_object().key("links").begin_array();
  const auto link = [&](std::string_view rel, std::size_t number) {
    writer.begin_object().member("rel", rel);
    writer.member("href", page_url(url, page, number)).end_object();
  };
  const bool several = pages > 1;
  if (several) link("first", 0);
  if (several && page.number > 0) link("prev", std::min(page.number, pages) - 1);
  link("self", page.number);
  if (several && page.number + 1 < pages) link("next", page.number + 1);
  if (several) link("last", pages - 1);
  writer.end_array().key("content").begin_array();
  for (const auto& item : items) writer.raw(item);
  writer.end_array().key("page").begin_object();
  writer.key("size").integer(static_cast<std::int64_t>(page.size));
  writer.key("totalElements").integer(static_cast<std::int64_t>(total));
  writer.key("totalPages").integer(static_cast<std::int64_t>(pages));
  writer.key("number").integer(static_cast<std::int64_t>(page.number));
  writer.end_object().end_object();
  return writer.take();
}

}  // namespace tutti::api
