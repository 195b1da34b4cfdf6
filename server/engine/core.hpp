// The engine's inside: one control thread, a queue of events for each deployment, commit before
// effect. Every member runs on the control thread.
#pragma once

#include "providers/support/slots.hpp"
#include "providers/support/task_scope.hpp"
#include "server/engine/deployment.hpp"
#include "server/engine/documents.hpp"
#include "server/engine/engine.hpp"
#include "server/engine/resource_driver.hpp"

#include <map>
#include <set>

namespace tutti::engine {

struct Parts {
  boost::asio::any_io_executor control;
  store::Store& store;
  Provider& provider;
  bootstrap::Bootstrapper& bootstrapper;
  Clock& clock;
  Offload& offload;
  const Sealer& sealer;
  Resolver resolver;
  Observer& observer;
  Options options;
};

class Core {
 public:
  explicit Core(Parts parts);

  [[nodiscard]] const boost::asio::any_io_executor& control() const { return parts_.control; }
  boost::asio::awaitable<Result<void>> start();
  boost::asio::awaitable<void> stop();
  boost::asio::awaitable<Result<DeploymentId>> create(CreateCommand command);
  boost::asio::awaitable<Result<void>> remove(DeploymentId deployment);

 private:
  friend class StepDuty;

  // commands.cpp
  boost::asio::awaitable<Result<DeploymentId>> create_once(const CreateCommand& command);
  boost::asio::awaitable<Result<std::optional<DeploymentId>>> known_key(
      const CreateCommand& command);
  boost::asio::awaitable<Result<DeploymentId>> create_new(const CreateCommand& command);

  // core.cpp: events in, commits, effects out.
  void enqueue(const DeploymentPtr& deployment, reconcile::EventBody body,
               std::shared_ptr<Waiter> waiter = nullptr);
  boost::asio::awaitable<void> pump(DeploymentPtr deployment);
  boost::asio::awaitable<bool> apply_queued(const DeploymentPtr& deployment);
  boost::asio::awaitable<Result<void>> commit(const DeploymentPtr& deployment, store::Batch batch,
                                              std::deque<PendingEvent>& events);
  void refuse_queued(Deployment& deployment, const Error& error);
  reconcile::Decision apply(Deployment& deployment, reconcile::EventBody body, store::Batch& batch);
  void committed(const DeploymentPtr& deployment,
                 std::shared_ptr<const reconcile::DeploymentState> snapshot, bool forgotten);
  void perform_all(const DeploymentPtr& deployment, const std::vector<reconcile::Effect>& effects);
  void publish(Deployment& deployment);
  [[nodiscard]] reconcile::Context context(const Deployment& deployment) const;

  // recovery.cpp
  boost::asio::awaitable<void> recover(store::StateRow row);
  void report_unreadable(const DeploymentId& id, const std::string& why,
                         std::optional<reconcile::DeploymentState> state);
  boost::asio::awaitable<Result<void>> load_texts(Deployment& deployment);
  boost::asio::awaitable<void> prune_history();

  // effects.cpp, steps.cpp
  void perform(const DeploymentPtr& deployment, const reconcile::Effect& effect);
  void start_step(const DeploymentPtr& deployment, const reconcile::StartStep& start);
  void abort_step(const DeploymentPtr& deployment, const reconcile::AbortStep& abort);
  boost::asio::awaitable<void> abort_lost_step(DeploymentPtr deployment,
                                               reconcile::AbortStep abort);
  boost::asio::awaitable<void> until_dead(RunId run, reconcile::StepId step);
  boost::asio::awaitable<void> observe(DeploymentPtr deployment);
  void arm_timer(const DeploymentPtr& deployment, WallTime at);
  boost::asio::awaitable<void> run_timer(DeploymentPtr deployment, WallTime at);
  boost::asio::awaitable<void> run_step(DeploymentPtr deployment,
                                        std::shared_ptr<RunningStep> running, plan::Step step,
                                        std::unique_ptr<class StepDuty> duty);
  boost::asio::awaitable<reconcile::EventBody> create_resource(const DeploymentPtr& deployment,
                                                               RunningStep& running,
                                                               const plan::Step& step);
  boost::asio::awaitable<reconcile::EventBody> destroy_resource(const DeploymentPtr& deployment,
                                                                RunningStep& running,
                                                                const plan::Step& step);
  boost::asio::awaitable<reconcile::EventBody> run_playbook(const DeploymentPtr& deployment,
                                                            RunningStep& running,
                                                            const plan::Step& step);
  boost::asio::awaitable<Result<void>> add_keys(InstanceSpec& instance,
                                                const DeploymentId& deployment,
                                                const plan::ResourceCall& call);
  boost::asio::awaitable<Result<bootstrap::Run>> prepare_run(const Deployment& deployment,
                                                             const RunId& run,
                                                             const plan::Step& step);
  void step_ended(const DeploymentPtr& deployment, RunningStep& running, reconcile::EventBody body);

  // log.cpp
  void add_log(const DeploymentPtr& deployment, const reconcile::StepId& step, std::string text);
  boost::asio::awaitable<void> flush_log(DeploymentPtr deployment);
  void on_progress(const DeploymentPtr& deployment, const RunningStep& running,
                   const bootstrap::Progress& progress);

  Parts parts_;
  store::Lease lease_;
  std::map<DeploymentId, DeploymentPtr> deployments_;
  std::set<std::string> keys_in_use_;  // Idempotency-Keys of creates under way
  std::size_t creating_ = 0;
  bool stopping_ = false;
  Slots create_slots_;
  TaskScope commits_;  // pumps and log flushes
  TaskScope effects_;  // what they set off
};

}  // namespace tutti::engine
