#include "server/http/base_url.hpp"

#include "server/http/request_policy.hpp"

#include <algorithm>

namespace tutti::http {
namespace {

// Proxies in a row append their own value behind a comma; the first is what the client used.
std::string_view first_value(std::string_view list) {
  list = list.substr(0, list.find(','));
  while (!list.empty() && (list.front() == ' ' || list.front() == '\t')) list.remove_prefix(1);
  while (!list.empty() && (list.back() == ' ' || list.back() == '\t')) list.remove_suffix(1);
  return list;
}

bool valid_prefix(std::string_view prefix) {
  if (!prefix.starts_with('/') || prefix.size() > 256) return false;
  if (prefix.find("//") != std::string_view::npos || prefix.find("..") != std::string_view::npos) {
    return false;
  }
  return std::all_of(prefix.begin(), prefix.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '-' || c == '_' || c == '.' || c == '~';
  });
}

std::string_view without_port(std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  return has_port ? authority.substr(0, colon) : authority;
}

std::string own_authority(const Request& request) {
  const std::string_view host = request.field("Host");
  if (!host.empty()) return std::string(host);
  std::string address = request.local.address().to_string();
  if (request.local.address().is_v6()) address = "[" + address + "]";
  return address + ":" + std::to_string(request.local.port());
}

}  // namespace

std::string base_url(const Request& request) {
  std::string_view scheme = first_value(request.field("X-Forwarded-Proto"));
  if (scheme != "https") scheme = "http";

  std::string authority = own_authority(request);
  const std::string_view host = first_value(request.field("X-Forwarded-Host"));
  if (valid_authority(host)) authority = host;

  const std::string_view port = first_value(request.field("X-Forwarded-Port"));
  if (!port.empty() && port.size() <= 5 &&
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    authority = without_port(authority);
    const bool usual = port == (scheme == "https" ? "443" : "80");
    if (!usual) authority.append(":").append(port);
  }

  std::string base = std::string(scheme) + "://" + authority;
  std::string_view prefix = first_value(request.field("X-Forwarded-Prefix"));
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  if (valid_prefix(prefix)) base += prefix;
  return base;
}

}  // namespace tutti::http
