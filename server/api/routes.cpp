#include "server/api/routes.hpp"

#include <array>

namespace tutti::api {
namespace {

constexpr std::array kRoutes{
    Route{"GET", "", Action::root},
    Route{"GET", "info", Action::info},
    Route{"GET", "configuration", Action::configuration},
    Route{"GET", "deployments", Action::list_deployments},
    Route{"POST", "deployments", Action::create_deployment, true},
    Route{"GET", "deployments/*", Action::show_deployment},
    Route{"PUT", "deployments/*", Action::update_deployment, true},
    Route{"PATCH", "deployments/*", Action::reset_deployment, true},
    Route{"DELETE", "deployments/*", Action::delete_deployment},
    Route{"GET", "deployments/*/template", Action::show_template},
    Route{"GET", "deployments/*/log", Action::show_log},
    Route{"GET", "deployments/*/extrainfo", Action::show_extrainfo},
    Route{"GET", "deployments/*/progress", Action::show_progress},
    Route{"GET", "deployments/*/resources", Action::list_resources},
    Route{"GET", "deployments/*/resources/filter", Action::filter_resources},
    Route{"GET", "deployments/*/resources/*", Action::show_resource},
    Route{"POST", "deployments/*/resources/*/actions", Action::act_on_resource, true},
    Route{"GET", "schedules", Action::schedules},
    Route{"POST", "schedules", Action::schedules},
    Route{"GET", "schedules/*", Action::schedules},
    Route{"GET", "schedules/*/events", Action::schedules},
    Route{"GET", "schedules/*/template", Action::schedules},
};

bool matches(std::string_view pattern, const std::vector<std::string>& segments,
             std::vector<std::string_view>& wildcards) {
  wildcards.clear();
  std::size_t index = 0;
  while (!pattern.empty()) {
    if (index == segments.size()) return false;
    const std::size_t end = std::min(pattern.find('/'), pattern.size());
    const std::string_view word = pattern.substr(0, end);
    if (word == "*") {
      wildcards.push_back(segments[index]);
    } else if (word != segments[index]) {
      return false;
    }
    ++index;
    pattern.remove_prefix(std::min(end + 1, pattern.size()));
  }
  return index == segments.size();
}

void allow(std::string& list, std::string_view method) {
  list.append(list.empty() ? "" : ", ").append(method);
  if (method == "GET") list.append(", HEAD");
}

}  // namespace

Match match_route(std::string_view method, const http::Target& target) {
  if (method == "HEAD") method = "GET";
  Match match;
  std::string_view literal;  // the pattern found first; a "*" never adds to a literal's methods
  for (const Route& route : kRoutes) {
    std::vector<std::string_view> wildcards;
    if (!literal.empty() && route.pattern != literal) continue;
    if (!matches(route.pattern, target.segments, wildcards)) continue;
    if (route.method == method) {
      match.route = &route;
      match.wildcards = std::move(wildcards);
      return match;
    }
    if (match.allow.empty()) literal = route.pattern;
    allow(match.allow, route.method);
  }
  if (!match.allow.empty()) match.allow += ", OPTIONS";
  return match;
}

}  // namespace tutti::api
