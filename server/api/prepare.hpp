// From a decoded request to what the engine is asked to do: resolve the template, make the plan
// once, or say everything that is wrong. Pure but slow (milliseconds to seconds): runs on the
// offload pool. Recovery resolves again through the same code.
#pragma once

#include "server/api/api.hpp"
#include "server/api/deployment_request.hpp"
#include "server/engine/engine.hpp"
#include "server/plan/plan.hpp"
#include "tosca/resolve/resolve.hpp"

#include <memory>

namespace tutti::api {

struct Prepared {
  engine::CreateCommand command;  // without idempotency key and digest
  plan::Plan plan;
  // Why this plan can be looked at and not carried out. Whoever deploys it refuses where any are.
  tosca::Diagnostics errors;
  tosca::Diagnostics warnings;  // of the request, of the template and of the plan
};

// Refused only where there is no plan at all.
[[nodiscard]] Accepted<Prepared> prepare(DeploymentRequest request, const Settings& settings);
[[nodiscard]] Refusal refuse_deployment(const Prepared& prepared);

// For engine::Engine: resolves the kept template with the kept imports and parameters.
[[nodiscard]] engine::Resolver make_recovery_resolver();

}  // namespace tutti::api
