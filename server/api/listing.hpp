// Lists of deployments and of resources: what is asked for, chosen, sorted and cut into a page.
// Pure over the view's cards and snapshots.
#pragma once

#include "server/api/page.hpp"
#include "server/view/view.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tutti::api {

// Whether it is of this type, or of one that derives from it.
[[nodiscard]] bool is_of_type(const view::RenderedResource& resource, std::string_view type);

// The page of deployments that `target`'s query asks for, as JSON. `lavish`: the client cannot
// follow pages, so that without a size it gets a large one. `base` is the request's base URL.
[[nodiscard]] Accepted<std::string> list_deployments(const view::View& view,
                                                     const http::Target& target, bool lavish,
                                                     const std::string& base);

// ?type= matches the type itself and what derives from it; all matches are one page then.
[[nodiscard]] Accepted<std::string> list_resources(const view::Snapshot& snapshot,
                                                   const http::Target& target, bool lavish,
                                                   const std::string& base);

// The bare array of /resources/filter?type=.
[[nodiscard]] Accepted<std::string> filter_resources(const view::Snapshot& snapshot,
                                                     const http::Target& target,
                                                     const std::string& base);

}  // namespace tutti::api
