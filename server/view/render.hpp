// Renders what INDIGO's clients read: the Deployment, its resources, its virtual machines. Pure
// functions of the facts; internal to server/view. Follows indigo.md 1.2, 1.4 and 1.5.
#pragma once

#include "server/view/request_facts.hpp"
#include "server/view/view.hpp"

#include <string>
#include <vector>

namespace tutti::view {

// `secrets`, where given, opens the outputs that are declared to reveal one; others stay hidden.
[[nodiscard]] std::string render_deployment(const Facts& facts, const RequestFacts& request,
                                            const SiteInfo& site,
                                            const plan::SecretSource* secrets);
// Whether `secrets` would make a difference.
[[nodiscard]] bool has_revealed_outputs(const Facts& facts);
[[nodiscard]] std::vector<RenderedResource> render_resources(const Facts& facts,
                                                             const SiteInfo& site);
// IM's description of one Compute instance ({"vmProperties": [...]}), or empty for what is no
// machine or is not in the cloud yet.
[[nodiscard]] std::string render_virtual_machine(const Facts& facts,
                                                 const reconcile::NodeInstance& instance,
                                                 const SiteInfo& site);
// The array of all of them.
[[nodiscard]] std::string render_extrainfo(const Facts& facts, const SiteInfo& site);

}  // namespace tutti::view
