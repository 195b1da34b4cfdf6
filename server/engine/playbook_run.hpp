// Makes a bootstrap run out of a plan's step: hosts, groups, variables; and an event out of what
// came of it. Pure functions over plain data.
#pragma once

#include "server/bootstrap/bootstrap.hpp"
#include "server/engine/documents.hpp"
#include "server/engine/engine.hpp"

#include <string>

namespace tutti::engine {

// Purposes of derived SSH keys.
inline constexpr const char* kLoginKey = "login";
[[nodiscard]] std::string host_key_purpose(const ResourceId& resource, int incarnation);

// Inputs that a secret took part in go to secret_vars. not_found while an attribute is unknown;
// invalid where an input cannot be evaluated or an instance has no machine.
[[nodiscard]] Result<bootstrap::Run> make_run(const reconcile::DeploymentState& state,
                                              const tosca::Topology& topology,
                                              const plan::Step& step, const RunId& run,
                                              const OpenSecrets& secrets, const Options& options);

// All hosts well: StepSucceeded. Else StepFailed: transient when hosts were merely unreachable,
// invalid when a task failed that is not worth repeating, unknown when another failed; the message
// names host and task.
[[nodiscard]] reconcile::EventBody outcome_event(const reconcile::StartStep& start,
                                                 const bootstrap::Outcome& outcome);

}  // namespace tutti::engine
