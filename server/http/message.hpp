// One request as the handler gets it and one response as it gives it back. The session does the
// framing: handlers never set Content-Length, Connection, Date or Transfer-Encoding.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/message.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tutti::http {

using Header = boost::beast::http::request_header<>;

struct Request {
  Header header;
  std::string body;
  boost::asio::ip::address peer;
  boost::asio::ip::tcp::endpoint local;  // where the client connected to

  [[nodiscard]] std::string_view method() const { return view(header.method_string()); }
  [[nodiscard]] std::string_view target() const { return view(header.target()); }
  // The first field of this name (any case), or empty.
  [[nodiscard]] std::string_view field(std::string_view name) const {
    const auto found = header.find(boost::beast::string_view(name.data(), name.size()));
    return found == header.end() ? std::string_view() : view(found->value());
  }

 private:
  static std::string_view view(boost::beast::string_view text) {
    return {text.data(), text.size()};
  }
};

enum class Media { none, json, text };

struct Response {
  Response() = default;
  Response(unsigned code, Media type, std::string content)
      : status(code), media(type), body(std::move(content)) {}
  Response&& with(std::string name, std::string value) && {
    headers.emplace_back(std::move(name), std::move(value));
    return std::move(*this);
  }

  unsigned status = 200;
  Media media = Media::none;
  std::vector<std::pair<std::string, std::string>> headers;  // e.g. Allow, Retry-After
  std::string body;
};

// "Not Found" for 404; "Unknown" for codes that HTTP does not name.
[[nodiscard]] std::string_view reason_phrase(unsigned status);

}  // namespace tutti::http
