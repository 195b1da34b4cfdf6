// Which path means what: one table, matched segment by segment. Pure.
#pragma once

#include "server/http/target.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tutti::api {

enum class Action {
  root,
  info,
  configuration,
  list_deployments,
  create_deployment,
  show_deployment,
  update_deployment,
  reset_deployment,
  delete_deployment,
  show_template,
  show_log,
  show_extrainfo,
  show_progress,
  list_resources,
  filter_resources,
  show_resource,
  act_on_resource,
  schedules,
};

struct Route {
  std::string_view method;
  std::string_view pattern;  // "*" stands for one segment
  Action action;
  bool takes_json = false;  // its body is read and must be JSON
};

struct Match {
  const Route* route = nullptr;  // null: no such path, or `allow` says which methods it has
  std::vector<std::string_view> wildcards;  // into the target's segments
  std::string allow;                        // "GET, HEAD, OPTIONS"; empty: no such path
};

// HEAD finds what GET would.
[[nodiscard]] Match match_route(std::string_view method, const http::Target& target);

}  // namespace tutti::api
