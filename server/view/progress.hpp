// Progress of a deployment for people who wait, beyond INDIGO's contract: one entry per node
// template with its instances, the step that is under way and what went wrong. Pure; internal to
// server/view. The shape stands in proto/openapi.yaml (Progress).
#pragma once

#include "server/view/request_facts.hpp"
#include "server/view/view.hpp"

#include <string>

namespace tutti::view {

[[nodiscard]] std::string render_progress(const Facts& facts, const RequestFacts& request,
                                          WallTime now);

}  // namespace tutti::view
