// The truth about one deployment, as kept in its state row (versioned JSON), and the events and
// effects that move it. Plain data with ordered containers; holds SecretRefs, never secrets.
#pragma once

#include "providers/base/wall_time.hpp"
#include "server/plan/plan.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace tutti::reconcile {

using plan::InstanceKey;
using plan::InstanceState;
using plan::StepId;

// INDIGO's enumeration (its REST contract); delete_complete is never shown by GET.
enum class DeploymentStatus {
  create_in_progress,
  create_complete,
  create_failed,
  update_in_progress,
  update_complete,
  update_failed,
  delete_in_progress,
  delete_complete,
  delete_failed,
  unknown,
};
[[nodiscard]] std::string_view to_string(DeploymentStatus status);  // "CREATE_IN_PROGRESS", ...
[[nodiscard]] bool is_terminal(DeploymentStatus status);

enum class Goal { present, absent };

struct NodeInstance {
  InstanceId id;
  InstanceKey key;
  int incarnation = 1;
  std::string type;
  std::string hostname;
  std::optional<InstanceKey> host;
  std::optional<ResourceId> resource;
  std::vector<std::string> required_by;
  InstanceState state = InstanceState::initial;
  std::string reason;  // why it is in error
  WallTime created_at{};
  WallTime updated_at{};
  std::map<std::string, tosca::Value> attributes;
};

struct ResourceRecord {
  enum class Status { planned, creating, active, destroying, gone };
  ResourceId id;
  ResourceKind kind = ResourceKind::instance;
  int incarnation = 1;
  Status status = Status::planned;
  NativeId native_id;
  std::map<std::string, std::string> attributes;
  // A create was sent and its end is not known: until this instant it may still become visible.
  std::optional<WallTime> may_appear_until;
};

struct Failure {
  ErrorClass cls = ErrorClass::unknown;
  std::string code;
  std::string message;
};

// Run-time side of a step of the current plan. Steps that are done and whose instances moved on
// are kept for progress and the log until the generation ends.
struct StepRecord {
  enum class Status { waiting, running, retrying, blocked, aborting, done, failed };
  Status status = Status::waiting;
  int attempt = 0;   // of the running or last one, from 1
  int failures = 0;  // those that count against the limit: waiting for quota does not
  RunId run;         // of the running attempt
  std::optional<WallTime> started_at;
  std::optional<WallTime> finished_at;
  std::optional<WallTime> retry_at;
  std::optional<Failure> failure;  // the last
};

// A delete believes what the site shows, and looks again until it shows nothing.
struct Cleanup {
  bool looking = false;             // an Observe owes its answer
  std::optional<WallTime> look_at;  // when to look again
  int rounds = 0;                   // looks in a row that showed what was destroyed already
  int failures = 0;                 // looks in a row that failed
};

struct DeploymentState {
  static constexpr int kVersion = 1;
  DeploymentId id;
  std::int64_t generation = 1;
  Goal goal = Goal::present;
  DeploymentStatus status = DeploymentStatus::create_in_progress;
  std::string status_reason;  // names node, step and cause
  std::optional<std::string> blocked_on;
  bool deleting_after_abort = false;  // effects of the old generation still owe their outcomes
  WallTime created_at{};
  WallTime updated_at{};
  std::uint64_t random_state = 1;  // all randomness comes from here
  Cleanup cleanup;
  std::map<InstanceKey, NodeInstance> instances;
  std::map<ResourceId, ResourceRecord> resources;
  std::map<StepId, StepRecord> steps;
};

// --- Events ---------------------------------------------------------------------------------

struct Create {};  // the first event of a deployment
struct Delete {};

// What came of one instance of a step. Attributes are added to the instance's.
struct InstanceOutcome {
  InstanceKey key;
  bool ok = true;
  std::string message;
  std::map<std::string, tosca::Value> attributes;
};

struct StepSucceeded {
  StepId step;
  int attempt = 0;
  std::vector<InstanceOutcome> instances;
  // Of a ResourceCall: what the cloud shows now.
  NativeId native_id;
  std::map<std::string, std::string> resource_attributes;
};

struct StepFailed {
  StepId step;
  int attempt = 0;
  Failure failure;
  std::vector<InstanceOutcome> instances;
  bool aborted = false;            // it ended because of an AbortStep
  bool create_may_appear = false;  // of a create: its request may still take effect
};

// What the site shows for this deployment (answer to an Observe effect).
struct Observed {
  std::vector<Resource> resources;
};
struct ObserveFailed {
  Failure failure;
};

struct Tick {};       // an armed timer fired
struct Recovered {};  // the daemon started; effects of running steps were lost

using EventBody = std::variant<Create, Delete, StepSucceeded, StepFailed, Observed, ObserveFailed,
                               Tick, Recovered>;
struct Event {
  WallTime at{};
  EventBody body;
};

// --- Effects --------------------------------------------------------------------------------

// Perform a step of the current plan. Exactly one StepSucceeded or StepFailed answers it.
// `recovered`: an earlier performance may have happened; find out before doing anything twice.
// A destroy succeeds when the cloud has accepted it or no longer knows the object; whether it is
// gone is for Observe to say.
struct StartStep {
  StepId step;
  int attempt = 1;
  RunId run;
  bool recovered = false;
};
// The step's outcome shall come soon, as aborted or as what it was. A step that the engine does not
// know (it was lost in a crash) is answered as aborted once no run of it is alive.
struct AbortStep {
  StepId step;
  int attempt = 1;
};
struct Observe {};  // answered by Observed or ObserveFailed
// A Tick is due at this instant; a later ArmTimer replaces an earlier one.
struct ArmTimer {
  WallTime at{};
};
// Nothing of the deployment remains: the row may go, its history stays listed.
struct Forget {};

using Effect = std::variant<StartStep, AbortStep, Observe, ArmTimer, Forget>;

}  // namespace tutti::reconcile
