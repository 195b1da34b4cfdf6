// Performing steps: what StartStep asks of the cloud and of Ansible.
#include "server/engine/core.hpp"
#include "server/engine/failpoint.hpp"
#include "server/engine/playbook_run.hpp"
#include "server/engine/step_outcome.hpp"

#include <algorithm>
#include <utility>

namespace tutti::engine {
namespace net = boost::asio;
namespace {

Ownership ownership_of(const OwnerId& owner, const DeploymentId& deployment,
                       const plan::ResourceCall& call) {
  return {owner, deployment, make_create_token(owner, deployment, call.resource, call.incarnation)};
}

std::optional<WallTime> doubt_of(const reconcile::DeploymentState& state,
                                 const plan::ResourceCall& call) {
  const auto record = state.resources.find(call.resource);
  return record == state.resources.end() ? std::nullopt : record->second.may_appear_until;
}

// A daemon that died may have sent its request the moment before.
std::optional<WallTime> later(std::optional<WallTime> known, WallTime other) {
  return known ? std::max(*known, other) : other;
}

void fill(ResourceRef& reference, const reconcile::DeploymentState& state) {
  const auto record = state.resources.find(reference.resource);
  if (record != state.resources.end()) reference.native_id = record->second.native_id;
}

void fill_references(ResourceSpec& spec, const reconcile::DeploymentState& state) {
  if (auto* address = std::get_if<VirtualAddressSpec>(&spec)) fill(address->network, state);
  if (auto* instance = std::get_if<InstanceSpec>(&spec)) fill(instance->network, state);
}

reconcile::StepSucceeded created(const RunningStep& running, const plan::Step& step,
                                 const Resource& resource) {
  reconcile::StepSucceeded event = succeeded(running);
  event.native_id = resource.native_id;
  event.resource_attributes = resource.attributes;
  for (const plan::InstanceKey& key : step.instances) {
    reconcile::InstanceOutcome outcome;
    outcome.key = key;
    for (const auto& [name, value] : resource.attributes) outcome.attributes.emplace(name, value);
    event.instances.push_back(std::move(outcome));
  }
  return event;
}

}  // namespace

net::awaitable<reconcile::EventBody> Core::create_resource(const DeploymentPtr& deployment,
                                                           RunningStep& running,
                                                           const plan::Step& step) {
  const auto& call = std::get<plan::ResourceCall>(step.action);
  TUTTI_ASSERT(call.spec.has_value());
  CreateOrder order;
  order.spec = *call.spec;
  order.ownership = ownership_of(parts_.store.owner(), deployment->state.id, call);
  order.doubt_until = doubt_of(deployment->state, call);
  if (running.start.recovered) {
    const auto window = parts_.provider.capabilities().visibility_window;
    order.doubt_until = later(order.doubt_until, parts_.clock.now() + window);
  }
  fill_references(order.spec, deployment->state);
  if (auto* instance = std::get_if<InstanceSpec>(&order.spec)) {
    const auto added = co_await add_keys(*instance, deployment->state.id, call);
    if (!added) co_return failed(running, added.error());
  }
  DriverTrace trace;
  // The driver's trace must be readable also when the coroutine is cancelled under it.
  struct Copy {
    RunningStep& running;
    DriverTrace& trace;
    ~Copy() { running.may_appear = trace.may_appear; }
  };
  trace.may_appear = running.may_appear;
  Result<Resource> made = Error(ErrorClass::unknown, "", "");
  {
    const Copy copy{running, trace};
    ResourceDriver driver(parts_.provider, parts_.clock, create_slots_);
    made = co_await driver.create(order, trace);
  }
  if (auto* instance = std::get_if<InstanceSpec>(&order.spec)) wipe(instance->host_private_key);
  if (!made) co_return failed(running, made.error());
  co_return created(running, step, *made);
}

net::awaitable<reconcile::EventBody> Core::destroy_resource(const DeploymentPtr& deployment,
                                                            RunningStep& running,
                                                            const plan::Step& step) {
  const auto& call = std::get<plan::ResourceCall>(step.action);
  DestroyOrder order;
  order.kind = call.kind;
  order.ownership = ownership_of(parts_.store.owner(), deployment->state.id, call);
  order.doubt_until = doubt_of(deployment->state, call);
  ResourceDriver driver(parts_.provider, parts_.clock, create_slots_);
  const auto gone = co_await driver.destroy(order);
  failpoint(kAfterAnswer);
  if (!gone) co_return failed(running, gone.error());
  co_return succeeded(running);
}

// Unsealing and deriving keys takes milliseconds: not for the control thread.
net::awaitable<Result<void>> Core::add_keys(InstanceSpec& instance, const DeploymentId& deployment,
                                            const plan::ResourceCall& call) {
  TUTTI_CO_TRY(const auto rows, co_await parts_.store.read_documents(deployment));
  auto derive = [&]() -> Result<void> {
    TUTTI_TRY(const OpenSecrets secrets, unpack_secrets(deployment, rows, parts_.sealer));
    const std::string host = host_key_purpose(call.resource, call.incarnation);
    instance.authorized_key = bootstrap::derive_ssh_key(secrets.cluster, kLoginKey).public_key;
    instance.host_private_key = bootstrap::derive_ssh_key(secrets.cluster, host).private_key;
    return {};
  };
  co_return co_await parts_.offload.run(derive);
}

// The pool reads what was committed, which nobody changes any more. What the step requires is in
// it: its start was committed after that.
net::awaitable<Result<bootstrap::Run>> Core::prepare_run(const Deployment& deployment,
                                                         const RunId& run, const plan::Step& step) {
  const auto state = deployment.committed;
  const auto topology = deployment.topology;
  TUTTI_CO_TRY(const auto rows, co_await parts_.store.read_documents(state->id));
  auto prepare = [&]() -> Result<bootstrap::Run> {
    TUTTI_TRY(const OpenSecrets secrets, unpack_secrets(state->id, rows, parts_.sealer));
    return make_run(*state, *topology, step, run, secrets, parts_.options);
  };
  co_return co_await parts_.offload.run(prepare);
}

net::awaitable<reconcile::EventBody> Core::run_playbook(const DeploymentPtr& deployment,
                                                        RunningStep& running,
                                                        const plan::Step& step) {
  if (running.lost) {
    co_await until_dead(running.start.run, running.start.step);
    running.lost = false;
    if (running.aborting) co_return aborted(running);
  }
  const auto run = co_await prepare_run(*deployment, running.start.run, step);
  if (!run) co_return failed(running, run.error());
  add_log(deployment, running.start.step,
          "attempt " + std::to_string(running.start.attempt) +
              (running.start.recovered ? ", again after the daemon's restart" : ""));
  bootstrap::ProgressSink sink = [this, &deployment,
                                  &running](const bootstrap::Progress& progress) {
    on_progress(deployment, running, progress);
  };
  const auto outcome = co_await parts_.bootstrapper.run(*run, sink);
  failpoint(kAfterAnswer);
  if (!outcome) co_return failed(running, outcome.error());
  co_return outcome_event(running.start, *outcome);
}

}  // namespace tutti::engine
