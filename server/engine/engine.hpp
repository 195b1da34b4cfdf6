// Takes commands, commits what reconcile decides, performs its effects. Owns the one control
// thread: every member runs on it unless said otherwise. Nothing becomes visible before it is
// committed.
#pragma once

#include "providers/provider.hpp"
#include "providers/support/clock.hpp"
#include "providers/support/offload.hpp"
#include "providers/support/secrets.hpp"
#include "server/bootstrap/bootstrap.hpp"
#include "server/reconcile/reconcile.hpp"
#include "server/store/store.hpp"
#include "tosca/topology/topology.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tutti::engine {

// A POST that was found valid: the topology is resolved and its plan was made once already.
struct CreateCommand {
  std::string template_text;
  std::string
      request_json;  // parameters, callback, timeouts, owner...: sealed, given back on recovery
  std::shared_ptr<const tosca::Topology> topology;
  std::map<tosca::SecretRef, std::string> secrets;
  std::map<std::string, std::string> imports;  // location -> text
  std::string idempotency_key;                 // may be empty
  std::string request_digest;                  // of body, for the key's reuse
};

// What the view is told after each commit. Immutable; shared with readers.
struct Published {
  std::shared_ptr<const reconcile::DeploymentState> state;
  std::shared_ptr<const tosca::Topology> topology;
  std::shared_ptr<const std::string> request_json;         // null: the one that was told before
  std::map<reconcile::StepId, std::string> running_tasks;  // the current task of running bootstraps
};

// The engine's outputs, called on the control thread; they must not block.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void publish(const DeploymentId& deployment, Published published) = 0;
  virtual void forget(const DeploymentId& deployment) = 0;
};

// Recovery needs the topology again: the same resolution as at POST, from the kept texts.
using Resolver = std::function<Result<std::shared_ptr<const tosca::Topology>>(
    const std::string& template_text, const std::string& request_json,
    const std::map<std::string, std::string>& imports)>;

struct Options {
  reconcile::RetryPolicy retry;
  plan::Site site;
  std::string login_user = "tutti";
  tosca::Map common_vars;  // e.g. mesos_stack, for every playbook
  std::size_t max_deployments = 10000;
  std::size_t max_running_creates = 16;  // creates that the site is asked for at once
  std::chrono::hours history{30 * 24};   // how long a deleted deployment's journal is kept
};

// The context to which the engine seals a deployment's document of this name (store::DocumentRow).
[[nodiscard]] std::string document_context(const DeploymentId& deployment, const std::string& name);

class Engine {
 public:
  Engine(boost::asio::any_io_executor control, store::Store& store, Provider& provider,
         bootstrap::Bootstrapper& bootstrapper, Clock& clock, Offload& offload,
         const Sealer& sealer, Resolver resolver, Observer& observer, Options options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Loads every deployment, publishes it and goes on with what was under way.
  [[nodiscard]] boost::asio::awaitable<Result<void>> start();
  // Cancels effects without recording their ends: recovery will find out. Returns when all stopped,
  // also while the store refuses to be written.
  [[nodiscard]] boost::asio::awaitable<void> stop();

  // Callable from any executor; each answers after its commit is durable, or with why it cannot be
  // made (transient). A delete that was applied by then is tried on: it may still take effect.
  // The id of the new deployment, or of the one that this idempotency key made before.
  [[nodiscard]] boost::asio::awaitable<Result<DeploymentId>> create(CreateCommand command);
  // not_found; conflict while a delete is under way.
  [[nodiscard]] boost::asio::awaitable<Result<void>> remove(DeploymentId deployment);

 private:
  std::unique_ptr<class Core> core_;
};

}  // namespace tutti::engine
