// What GETs are answered from: snapshots rendered when state changed, shared with every HTTP
// thread. Never reads a clock or a cloud; cold texts (template, log) are cold_texts.hpp's.
// Every URL in a rendered text is the marker kBase, replaced by the request's base URL (splice()).
#pragma once

#include "server/plan/evaluate.hpp"
#include "server/reconcile/state.hpp"
#include "server/view/request_facts.hpp"
#include "tosca/topology/topology.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tutti::view {

// What the engine tells after each commit (the same facts as engine::Published, in view's words).
struct Facts {
  std::shared_ptr<const reconcile::DeploymentState> state;
  std::shared_ptr<const tosca::Topology> topology;  // may be null
  // See request_facts.hpp. Read by publish() and then let go of, since it may hold secrets; null:
  // none, or the one that was told before.
  std::shared_ptr<const std::string> request_json;
  std::map<reconcile::StepId, std::string> running_tasks;
};

// The cloud that deployments go to, as clients are told (indigo.md 1.4).
struct SiteInfo {
  std::string name;      // of the configured account: cloudProviderName, cpComputeServiceId
  std::string provider;  // "docker": deploymentType and iaasType in capitals
  std::string endpoint;  // cpEndpoint
};

struct RenderedResource {
  InstanceId id;
  std::string node;
  std::string type;
  std::vector<std::string> ancestry;  // for ?type= of derived types
  std::string state;
  WallTime created_at{};
  WallTime updated_at{};
  std::string json;  // indigo.md 1.5
};

// One deployment, rendered. Immutable.
struct Snapshot {
  DeploymentId id;
  reconcile::DeploymentStatus status{};
  std::string json;       // the Deployment resource, indigo.md 1.4, with links
  bool reveals = false;   // an output is declared to show a secret: see View::reveal()
  std::string extrainfo;  // JSON array, indigo.md 1.2
  std::vector<RenderedResource> resources;  // by node and ordinal
  // What it was rendered from.
  Facts facts;
  std::shared_ptr<const RequestFacts> request;
};

// What listings filter and sort by; costs no rendering.
struct Card {
  DeploymentId id;
  WallTime created_at{};
  WallTime updated_at{};
  reconcile::DeploymentStatus status{};
  std::string created_by;  // "subject@issuer", as ?createdBy= names it
  std::string user_group;
};

// Whose deployments are that nobody signed for: createdBy is {issuer: "", subject: "anonymous"}.
inline constexpr std::string_view kAnonymous = "anonymous@";

inline constexpr char kBase = '\x01';  // JSON text never holds it otherwise

// `text` with every kBase replaced.
[[nodiscard]] std::string splice(std::string_view text, std::string_view base);

class View {
 public:
  explicit View(SiteInfo site);
  ~View();
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  // From the control thread. Cheap: rendering waits for the next read, however often a deployment
  // is published until then, and what was rendered stays for as long as the state does: running
  // tasks are told by progress() alone.
  void publish(const DeploymentId& deployment, Facts facts);
  void forget(const DeploymentId& deployment);

  // From any thread. Null for unknown ids.
  [[nodiscard]] std::shared_ptr<const Snapshot> find(std::string_view id) const;
  // Snapshot::json once more, with those outputs in plain text that are declared to reveal a
  // secret. Rendered for one answer; never kept.
  [[nodiscard]] std::string reveal(const Snapshot& snapshot,
                                   const plan::SecretSource& secrets) const;
  // For people who wait (`status --follow`): progress.hpp. Nothing for unknown ids.
  [[nodiscard]] std::optional<std::string> progress(std::string_view id, WallTime now) const;
  // Newest first, by (created_at, id).
  [[nodiscard]] std::vector<Card> cards() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tutti::view
