#include "server/http/message.hpp"

#include <boost/beast/http/status.hpp>

namespace tutti::http {

std::string_view reason_phrase(unsigned status) {
  const auto text =
      boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  return text.empty() ? "Unknown" : std::string_view(text.data(), text.size());
}

}  // namespace tutti::http
