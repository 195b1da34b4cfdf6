// Under which URL the client reached us, for absolute links: what a front proxy forwards wins over
// Host. What it says is checked, so that a header can neither break JSON text nor a link.
#pragma once

#include "server/http/message.hpp"

#include <string>

namespace tutti::http {

// "http://127.0.0.1:8080" or "https://portal.example/orchestrator": no trailing slash, and made of
// characters alone that JSON text carries unescaped. Malformed forwarded headers are ignored.
[[nodiscard]] std::string base_url(const Request& request);

}  // namespace tutti::http
