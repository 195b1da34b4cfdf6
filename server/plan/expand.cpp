// How many instances each node template has, and which ordinals they carry.
#include "server/plan/draft.hpp"

#include <algorithm>

namespace tutti::plan {

namespace {

const tosca::NodeTemplate* direct_host(const Draft& draft, const tosca::NodeTemplate& node) {
  for (const tosca::Relationship& relationship : node.relationships) {
    if (!relationship.hosted_on) continue;
    const auto found = draft.desired.nodes.find(relationship.target);
    if (found != draft.desired.nodes.end()) return &found->second;
  }
  return nullptr;
}

using Roots = std::map<const tosca::NodeTemplate*, const tosca::NodeTemplate*>;

// The end of the chain of hosts; null when the chain bites its tail. Each node is walked over once,
// however long the chains are.
const tosca::NodeTemplate* last_host(const Draft& draft, const tosca::NodeTemplate& node,
                                     Roots& roots) {
  std::vector<const tosca::NodeTemplate*> path;
  const tosca::NodeTemplate* root = nullptr;
  for (const tosca::NodeTemplate* current = &node; current != nullptr;) {
    // Standing in for "on a circle" until the end of the chain is known.
    const auto [known, fresh] = roots.emplace(current, nullptr);
    if (!fresh) {
      root = known->second;
      break;
    }
    path.push_back(current);
    const tosca::NodeTemplate* next = direct_host(draft, *current);
    if (next == nullptr) root = current;
    current = next;
  }
  for (const tosca::NodeTemplate* passed : path) roots[passed] = root;
  return root;
}

// Keeps the lowest ordinals in use and fills up with the lowest free ones.
std::vector<int> choose_ordinals(const Draft& draft, const std::string& node, std::int64_t count) {
  std::vector<int> ordinals;
  for (const auto& [key, instance] : draft.observed_instances) {
    if (key.node == node && std::ssize(ordinals) < count) ordinals.push_back(key.ordinal);
  }
  for (int candidate = 0; std::ssize(ordinals) < count; ++candidate) {
    if (!draft.observed_instances.contains({node, candidate})) ordinals.push_back(candidate);
  }
  std::sort(ordinals.begin(), ordinals.end());
  return ordinals;
}

std::int64_t wanted_count(Draft& draft, const tosca::NodeTemplate& node, std::int64_t so_far) {
  if (node.is_a(kVirtualAddress)) return 1;
  const std::int64_t count = std::max<std::int64_t>(node.count, 0);
  if (count <= kMaxInstances - so_far) return count;
  draft.error("plan.too-many-instances", node.span,
              "node '" + node.name + "' wants " + std::to_string(count) +
                  " instances, and one deployment has at most " + std::to_string(kMaxInstances),
              "lower the count of its capability scalable");
  return 0;
}

// The name becomes that of hosts and groups, which Ansible reads as patterns and templates.
void check_name(Draft& draft, const tosca::NodeTemplate& node) {
  constexpr std::size_t kLongest = 128;
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  const bool usable =
      !node.name.empty() && node.name.size() <= kLongest &&
      kLetters.find(node.name.front()) != std::string_view::npos &&
      node.name.find_first_not_of(std::string(kLetters) + ".-") == std::string::npos;
  if (usable) return;
  draft.error(
      "plan.node-name", node.span,
      "node '" + node.name.substr(0, kLongest) + "' cannot be deployed under this name",
      "use letters, digits, '_', '-' and '.', at most " + std::to_string(kLongest) + " of them");
}

}  // namespace

void expand_instances(Draft& draft) {
  std::map<const tosca::NodeTemplate*, std::vector<int>> of_roots;
  Roots roots;
  std::int64_t total = 0;
  std::size_t total_of_all = 0;
  for (auto& [name, node] : draft.nodes) {
    check_name(draft, *node.definition);
    node.host = direct_host(draft, *node.definition);
    const tosca::NodeTemplate* root = last_host(draft, *node.definition, roots);
    if (root == nullptr) {
      draft.error("plan.cycle", node.definition->span, "node '" + name + "' is hosted on itself",
                  "a chain of hosts ends at a Compute");
      continue;
    }
    if (!of_roots.contains(root)) {
      const std::int64_t count = wanted_count(draft, *root, total);
      total += count;
      of_roots[root] = choose_ordinals(draft, root->name, count);
    }
    total_of_all += of_roots[root].size();
    if (total_of_all > kMaxNodeInstances) {
      draft.error(
          "plan.too-many-instances", node.definition->span,
          "the nodes have more than " + std::to_string(kMaxNodeInstances) + " instances in all",
          "use fewer nodes, or lower the counts");
      return;
    }
    node.ordinals = of_roots[root];
    if (root->is_a(kCompute)) node.root = root;
  }
}

void describe_instances(Draft& draft) {
  std::map<std::string, std::set<std::string>> required_by;
  for (const auto& [name, node] : draft.nodes) {
    for (const tosca::Relationship& relationship : node.definition->relationships) {
      required_by[relationship.target].insert(name);
    }
  }
  for (const auto& [name, node] : draft.nodes) {
    const tosca::NodeTemplate& definition = *node.definition;
    for (const int ordinal : node.ordinals) {
      PlannedInstance instance;
      instance.key = {name, ordinal};
      instance.incarnation = draft.incarnation(instance.key);
      instance.type = definition.type;
      if (node.root != nullptr) instance.hostname = draft.hostnames[{node.root->name, ordinal}];
      if (node.host != nullptr) instance.host = InstanceKey{node.host->name, ordinal};
      if (node.root == node.definition) instance.resource = instance_resource(instance.key);
      if (definition.is_a(kVirtualAddress)) instance.resource = virtual_address_resource(name);
      instance.required_by.assign(required_by[name].begin(), required_by[name].end());
      draft.plan.instances.push_back(std::move(instance));
    }
  }
}

}  // namespace tutti::plan
