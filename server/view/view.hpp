// What GETs are answered from: snapshots rendered when state changed, shared with every HTTP
// thread. Cold texts (template, log) are read from the store by read-only calls.
// Every URL in a rendered text is the marker kBase, replaced by the request's base URL.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/reconcile/state.hpp"
#include "tosca/topology/topology.hpp"

namespace tutti::view {

// What the engine tells after each commit (the same facts as engine::Published, in view's words).
struct Facts {
  std::shared_ptr<const reconcile::DeploymentState> state;
  std::shared_ptr<const tosca::Topology> topology;
  std::shared_ptr<const std::string> request_json;
  std::map<reconcile::StepId, std::string> running_tasks;
};

struct RenderedResource {
  InstanceId id;
  std::string type;
  std::vector<std::string> ancestry;  // for ?type= of derived types
  std::string json;                   // indigo.md 1.5
};

// One deployment, rendered. Immutable.
struct Snapshot {
  DeploymentId id;
  WallTime created_at{};
  WallTime updated_at{};
  reconcile::DeploymentStatus status{};
  std::string created_by;  // "subject@issuer", empty when anonymous
  std::string user_group;
  std::string json;      // the Deployment resource, indigo.md 1.4, with links
  std::string progress;  // JSON for `status --follow`: nodes, states, elapsed, running tasks
  std::string extrainfo; // JSON array, indigo.md 1.2
  std::vector<RenderedResource> resources;  // in the default order
};

inline constexpr std::string_view kBase = "\x01";  // never part of JSON text otherwise

class View {
 public:
  View();
  ~View();
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  // From the control thread. Publishing is coalesced: rendering happens on the next read or in the
  // background at most once per change.
  void publish(const DeploymentId& deployment, Facts facts);
  void forget(const DeploymentId& deployment);

  // From any thread.
  [[nodiscard]] std::shared_ptr<const Snapshot> find(std::string_view id) const;
  [[nodiscard]] std::vector<std::shared_ptr<const Snapshot>> all() const;  // newest first
  [[nodiscard]] std::size_t size() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tutti::view
