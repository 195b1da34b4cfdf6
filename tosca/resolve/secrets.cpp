// Taint, backwards: what flows into a secret property is secret at its source, so that its text is
// nowhere in the topology. Runs before evaluation, on the written functions alone.
#include "tosca/resolve/evaluate.hpp"

namespace tutti::tosca::resolution {

namespace {

class Tainter {
 public:
  Tainter(Resolution& resolution, Evaluator& evaluator)
      : resolution_(resolution), evaluator_(evaluator) {}

  void slot(Slot& slot) {
    if (slot.definition != nullptr) {
      const DataInfo info = data_info(resolution_, *slot.definition);
      slot.secret = slot.secret || slot.definition->secret || info.secret;
    }
    if (slot.source == nullptr) return;
    if (slot.secret) {
      waiting_.push_back(&slot);
      drain();
    } else if (slot.definition != nullptr) {
      below(*slot.source, *slot.definition, slot.site);
      drain();
    }
  }

 private:
  // Secret members of data types, like a credential's token.
  void below(const Node& node, const Schema& schema, const Site& site) {
    if (function_of(node)) return;
    const DataInfo info = data_info(resolution_, schema);
    if (info.secret) {
      mark(node, site);
    } else if (node.is_sequence() && info.entry) {
      for (const Node* item : node.items) below(*item, *info.entry, site);
    } else if (node.is_mapping() && info.primitive == Primitive::map && info.entry) {
      for (const Entry& entry : node.entries) below(*entry.value, *info.entry, site);
    } else if (node.is_mapping() && info.primitive == Primitive::none && info.type != nullptr) {
      const Members& members = resolution_.members(*info.type);
      for (const Entry& entry : node.entries) {
        const auto property = members.properties.find(entry.key->text);
        if (property == members.properties.end()) continue;
        if (property->second.secret) {
          mark(*entry.value, site);
        } else {
          below(*entry.value, property->second, site);
        }
      }
    }
  }

  void mark(const Node& node, const Site& site) {
    if (const auto function = function_of(node)) {
      const Node& argument = *function->argument;
      if (function->name == "get_input") {
        mark_input(argument);
        return;
      }
      if (function->name == "get_property" && argument.is_sequence() && argument.items.size() > 1) {
        mark_property(node, argument, site);
        return;
      }
    }
    for (const Node* item : node.items) mark(*item, site);
    for (const Entry& entry : node.entries) mark(*entry.value, site);
  }

  void mark_input(const Node& argument) {
    const Node* name =
        argument.is_sequence() && !argument.items.empty() ? argument.items[0] : &argument;
    const auto input = resolution_.inputs.find(name->text);
    if (input != resolution_.inputs.end()) input->second.secret = true;
  }

  void mark_property(const Node& call, const Node& argument, const Site& site) {
    for (const Node* item : argument.items) {
      if (!item->is_scalar()) return;
    }
    const Evaluator::Found found = evaluator_.find_property(call, argument, site, false);
    if (found.slot == nullptr || found.slot->secret) return;
    found.slot->secret = true;
    if (found.slot->source != nullptr) waiting_.push_back(found.slot);
  }

  // Chains of properties may be long: they are a queue, not a recursion.
  void drain() {
    while (!waiting_.empty()) {
      const Slot* next = waiting_.back();
      waiting_.pop_back();
      mark(*next->source, next->site);
    }
  }

  Resolution& resolution_;
  Evaluator& evaluator_;
  std::vector<const Slot*> waiting_;
};

}  // namespace

void mark_secret_sources(Resolution& resolution, Evaluator& evaluator) {
  for (auto& [name, input] : resolution.inputs) {
    const DataInfo info = data_info(resolution, *input.definition);
    input.secret = input.secret || input.definition->secret || info.secret;
  }
  Tainter tainter(resolution, evaluator);
  for (const auto& node : resolution.nodes) {
    for (auto& [name, slot] : node->properties) tainter.slot(slot);
    for (auto& [name, capability] : node->capabilities) {
      for (auto& [property, slot] : capability.properties) tainter.slot(slot);
    }
    for (RelationshipModel& link : node->relationships) {
      for (auto& [property, slot] : link.properties) tainter.slot(slot);
    }
  }
}

}  // namespace tutti::tosca::resolution
