#include "server/plan/draft.hpp"

#include <utility>

namespace tutti::plan {

Draft::Draft(const tosca::Topology& wanted, const Observation& seen, const Site& where)
    : desired(wanted), observed(seen), site(where) {
  for (const ObservedInstance& instance : seen.instances) {
    observed_instances.insert_or_assign(instance.key, instance);
  }
  for (const ObservedResource& resource : seen.resources) {
    observed_resources.insert_or_assign(resource.id, resource);
  }
  for (const auto& [name, node] : wanted.nodes) nodes[name].definition = &node;
}

std::size_t Draft::add(Step step) {
  steps.push_back(std::move(step));
  edges.emplace_back();
  return steps.size() - 1;
}

void Draft::require(std::size_t step, const std::vector<std::size_t>& earlier) {
  edges[step].insert(earlier.begin(), earlier.end());
}

void Draft::error(std::string rule, const tosca::SourceSpan& span, std::string message,
                  std::string hint) {
  errors.push_back(
      {tosca::Severity::error, std::move(rule), span, std::move(message), std::move(hint)});
}

void Draft::warn(std::string rule, const tosca::SourceSpan& span, std::string message,
                 std::string hint) {
  plan.warnings.push_back(
      {tosca::Severity::warning, std::move(rule), span, std::move(message), std::move(hint)});
}

int Draft::incarnation(const InstanceKey& key) const {
  const auto found = observed_instances.find(key);
  return found == observed_instances.end() ? 1 : found->second.incarnation;
}

bool Draft::is_active(const ResourceId& resource, int wanted_incarnation) const {
  const auto found = observed_resources.find(resource);
  return found != observed_resources.end() && found->second.active &&
         found->second.incarnation == wanted_incarnation;
}

StepId step_id(const std::string& node, const std::string& operation,
               const std::vector<ObservedInstance>& instances) {
  std::string text = node + "/" + operation + "@";
  for (std::size_t i = 0; i < instances.size(); ++i) {
    if (i > 0) text += ",";
    text +=
        std::to_string(instances[i].key.ordinal) + "." + std::to_string(instances[i].incarnation);
  }
  return StepId(std::move(text));
}

}  // namespace tutti::plan
