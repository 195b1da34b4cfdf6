// The transition function of a deployment: pure, deterministic, the same in the daemon, in recovery
// and in the simulator. It decides; the engine commits and performs.
#pragma once

#include "server/plan/plan.hpp"
#include "server/reconcile/state.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace tutti::reconcile {

struct RetryPolicy {
  std::chrono::milliseconds first_delay{1000};
  std::chrono::milliseconds longest_delay{60000};
  int resource_attempts = 8;                         // per step, for transient and throttled
  std::chrono::milliseconds blocked_recheck{15000};  // quota and capacity: until they clear
  std::chrono::milliseconds observe_interval{1000};  // while a delete waits for the cloud
};

// What a transition may know besides the state; all of it outlives the call.
struct Context {
  const tosca::Topology* topology = nullptr;  // the desired one of this generation
  const plan::Site* site = nullptr;
  RetryPolicy retry;
};

// The plan of the current generation with counters of unmet requirements: derived from the state,
// never kept. An event costs its out-degree, not the plan's size.
struct Cursor {
  plan::Plan plan;
  std::vector<std::uint32_t> unmet;                  // per step
  std::vector<std::vector<std::size_t>> dependents;  // per step
  std::map<StepId, std::size_t> index;
  std::string infeasible;  // why there is no plan, where the topology cannot be planned
};
[[nodiscard]] Cursor make_cursor(const DeploymentState& state, const Context& context);

struct Decision {
  std::vector<Effect> effects;
  // The state is another one now. Where it is not, there is nothing to commit: the effects, if any,
  // follow from the state that is kept already.
  bool changed = false;
};

// Moves the state by one event and says what to do. Total: events that no longer apply (an outcome
// of an attempt that was superseded) change nothing. Ids that the transition needs (InstanceId,
// RunId) are drawn from the state's random numbers. Create makes its cursor itself.
[[nodiscard]] Decision apply(DeploymentState& state, Cursor& cursor, const Event& event,
                             const Context& context);

// State row <-> JSON text ("version" first). Unknown members are an error of class invalid.
[[nodiscard]] std::string encode(const DeploymentState& state);
[[nodiscard]] Result<DeploymentState> decode(std::string_view json);
// Journal rows of effects and events, for the outbox and for people.
[[nodiscard]] std::string encode(const Effect& effect);
[[nodiscard]] std::string encode(const Event& event);

}  // namespace tutti::reconcile
