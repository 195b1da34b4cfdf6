#include "server/engine/playbook_run.hpp"

#include "server/plan/evaluate.hpp"

#include <charconv>

namespace tutti::engine {
namespace {

using reconcile::DeploymentState;
using reconcile::InstanceKey;
using reconcile::NodeInstance;

std::string attribute(const std::map<std::string, std::string>& attributes, const char* name) {
  const auto found = attributes.find(name);
  return found == attributes.end() ? std::string() : found->second;
}

// The machine that an instance is or runs on.
const NodeInstance* machine_of(const DeploymentState& state, const InstanceKey& key) {
  const InstanceKey* current = &key;
  for (std::size_t hops = 0; hops <= state.instances.size(); ++hops) {
    const auto instance = state.instances.find(*current);
    if (instance == state.instances.end()) return nullptr;
    if (!instance->second.host) return instance->second.resource ? &instance->second : nullptr;
    current = &*instance->second.host;
  }
  return nullptr;
}

// nullopt: not a machine with an address (yet).
std::optional<bootstrap::Host> host_of(const DeploymentState& state, const NodeInstance& machine,
                                       const OpenSecrets& secrets) {
  if (!machine.resource) return std::nullopt;
  const auto record = state.resources.find(*machine.resource);
  if (record == state.resources.end() || record->second.kind != ResourceKind::instance) {
    return std::nullopt;
  }
  const auto& attributes = record->second.attributes;
  const std::string inner = attribute(attributes, "private_address");
  const std::string outer = attribute(attributes, "public_address");
  bootstrap::Host host;
  host.name = machine.key.text();
  host.address = outer.empty() ? inner : outer;
  if (host.address.empty()) return std::nullopt;
  const std::string port = attribute(attributes, "ssh_port");
  std::from_chars(port.data(), port.data() + port.size(), host.port);
  const std::string purpose = host_key_purpose(record->second.id, record->second.incarnation);
  host.host_public_key = bootstrap::derive_ssh_key(secrets.cluster, purpose).public_key;
  host.key = machine.key;
  host.vars["tutti_instance_name"] = host.name;
  host.vars["tutti_ordinal"] = machine.key.ordinal;
  host.vars["tutti_hostname"] = machine.hostname;
  host.vars["tutti_private_address"] = inner;
  host.vars["private_address"] = inner;  // what the roles know the address of other hosts by
  return host;
}

plan::AttributeSource attributes_of(const DeploymentState& state) {
  return [&state](const std::string& node,
                  const std::string& name) -> std::optional<std::vector<tosca::Value>> {
    std::vector<tosca::Value> values;
    for (const auto& [key, instance] : state.instances) {
      if (key.node != node) continue;
      const auto found = instance.attributes.find(name);
      if (found == instance.attributes.end()) return std::nullopt;
      values.push_back(found->second);
    }
    if (values.empty()) return std::nullopt;
    return values;
  };
}

Result<void> add_inputs(bootstrap::Run& run, const plan::Playbook& playbook,
                        const DeploymentState& state, const tosca::Topology& topology,
                        const OpenSecrets& secrets) {
  const plan::AttributeSource attributes = attributes_of(state);
  const plan::SecretSource texts =
      [&secrets](const tosca::SecretRef& reference) -> std::optional<std::string> {
    const auto found = secrets.texts.find(reference);
    return found == secrets.texts.end() ? std::nullopt : std::optional(found->second);
  };
  for (const auto& [name, expression] : playbook.inputs) {
    auto evaluated = plan::evaluate(expression, topology, attributes, texts);
    if (!evaluated) return std::move(evaluated).error().with("evaluating input " + name);
    (evaluated->secret ? run.secret_vars : run.vars)[name] = std::move(evaluated->value);
  }
  return {};
}

}  // namespace

std::string host_key_purpose(const ResourceId& resource, int incarnation) {
  return "host/" + resource.value + "@" + std::to_string(incarnation);
}

Result<bootstrap::Run> make_run(const DeploymentState& state, const tosca::Topology& topology,
                                const plan::Step& step, const RunId& run_id,
                                const OpenSecrets& secrets, const Options& options) {
  const auto& playbook = std::get<plan::Playbook>(step.action);
  bootstrap::Run run;
  run.id = run_id;
  run.deployment = state.id;
  run.step = step.id.value;
  run.playbook = playbook.playbook;
  run.budget = playbook.budget;
  run.login_user = options.login_user;
  run.login_private_key = bootstrap::derive_ssh_key(secrets.cluster, kLoginKey).private_key;
  run.vars = options.common_vars;
  for (const auto& [name, text] : bootstrap::role_secrets(secrets.cluster)) {
    run.secret_vars[name] = text;
  }
  if (auto added = add_inputs(run, playbook, state, topology, secrets); !added) {
    return std::move(added).error().with("preparing step " + step.id.value);
  }
  for (const InstanceKey& key : step.instances) {
    const NodeInstance* machine = machine_of(state, key);
    auto host = machine != nullptr ? host_of(state, *machine, secrets) : std::nullopt;
    if (!host) {
      return Error(ErrorClass::invalid, "no_machine",
                   "instance " + key.text() + " is on no machine with an address");
    }
    host->key = key;
    run.targets.push_back(std::move(*host));
  }
  for (const auto& [key, instance] : state.instances) {
    if (instance.host) continue;
    if (auto host = host_of(state, instance, secrets)) run.groups[key.node].push_back(*host);
  }
  return run;
}

reconcile::EventBody outcome_event(const reconcile::StartStep& start,
                                   const bootstrap::Outcome& outcome) {
  std::vector<reconcile::InstanceOutcome> instances;
  const bootstrap::HostResult* broken = nullptr;
  const bootstrap::HostResult* silent = nullptr;
  bool hopeless = false;
  for (const bootstrap::HostResult& host : outcome.hosts) {
    reconcile::InstanceOutcome instance;
    instance.key = host.key;
    instance.ok = host.ok;
    for (const auto& [name, text] : host.attributes) instance.attributes.emplace(name, text);
    hopeless = hopeless || host.hopeless;
    if (!host.ok) {
      instance.message = host.failed_task.empty()
                             ? host.message
                             : "task '" + host.failed_task + "': " + host.message;
      const bootstrap::HostResult*& first = host.unreachable ? silent : broken;
      if (first == nullptr || (host.hopeless && !first->hopeless)) first = &host;
    }
    instances.push_back(std::move(instance));
  }
  if (broken == nullptr && silent == nullptr) {
    reconcile::StepSucceeded event;
    event.step = start.step;
    event.attempt = start.attempt;
    event.instances = std::move(instances);
    return event;
  }
  const bootstrap::HostResult& first = broken != nullptr ? *broken : *silent;
  reconcile::StepFailed event;
  event.step = start.step;
  event.attempt = start.attempt;
  event.failure.cls = hopeless            ? ErrorClass::invalid
                      : broken != nullptr ? ErrorClass::unknown
                                          : ErrorClass::transient;
  event.failure.code = broken != nullptr ? "task_failed" : "unreachable";
  event.failure.message = first.key.text() + ": task '" + first.failed_task + "': " + first.message;
  event.instances = std::move(instances);
  return event;
}

}  // namespace tutti::engine
