// The plan for people: JSON for programs, Mermaid for eyes. The same plan gives the same text.
#include "providers/base/json_writer.hpp"
#include "server/plan/plan.hpp"

#include <algorithm>

namespace tutti::plan {

namespace {

std::string_view kind_of(const Operation& action) {
  if (const auto* call = std::get_if<ResourceCall>(&action)) {
    return call->action == ResourceCall::Action::create ? "create" : "destroy";
  }
  return std::holds_alternative<Playbook>(action) ? "playbook" : "none";
}

void write_spec(JsonWriter& json, const ResourceSpec& spec) {
  if (const auto* instance = std::get_if<InstanceSpec>(&spec)) {
    json.key("machine").begin_object();
    json.member("hostname", instance->hostname);
    json.key("num_cpus").integer(instance->num_cpus);
    json.key("mem_size_bytes").integer(instance->mem_size_bytes);
    json.key("disk_size_bytes").integer(instance->disk_size_bytes);
    json.key("address_index").integer(instance->address_index);
    json.key("public_address").boolean(instance->public_address);
    json.end_object();
  } else if (const auto* address = std::get_if<VirtualAddressSpec>(&spec)) {
    if (address->ip_address) json.member("ip_address", *address->ip_address);
  }
}

void write_action(JsonWriter& json, const Operation& action) {
  json.member("kind", kind_of(action));
  if (const auto* call = std::get_if<ResourceCall>(&action)) {
    json.member("resource", call->resource.value);
    json.member("resource_kind", to_string(call->kind));
    if (call->spec) write_spec(json, *call->spec);
  } else if (const auto* playbook = std::get_if<Playbook>(&action)) {
    json.member("playbook", playbook->playbook);
    json.key("inputs").begin_array();
    for (const auto& [name, input] : playbook->inputs) json.string(name);
    json.end_array();
    json.key("budget_seconds").integer(playbook->budget.count());
  }
}

void write_instance(JsonWriter& json, const PlannedInstance& instance) {
  json.begin_object();
  json.member("name", instance.key.text());
  json.member("node", instance.key.node);
  json.key("ordinal").integer(instance.key.ordinal);
  json.key("incarnation").integer(instance.incarnation);
  json.member("type", instance.type);
  if (!instance.hostname.empty()) json.member("hostname", instance.hostname);
  if (instance.host) json.member("host", instance.host->text());
  if (instance.resource) json.member("resource", instance.resource->value);
  json.key("required_by").begin_array();
  for (const std::string& node : instance.required_by) json.string(node);
  json.end_array();
  json.end_object();
}

void write_step(JsonWriter& json, const Plan& plan, const Step& step) {
  json.begin_object();
  json.member("id", step.id.value);
  json.member("node", step.node);
  json.member("operation", step.operation);
  write_action(json, step.action);
  json.key("instances").begin_array();
  for (const InstanceKey& key : step.instances) json.string(key.text());
  json.end_array();
  json.member("after", to_string(step.after));
  json.key("requires").begin_array();
  for (const std::size_t index : step.requires_steps) json.string(plan.steps[index].id.value);
  json.end_array();
  json.end_object();
}

// Mermaid reads markup in labels: quotes and what could begin an entity or a tag are replaced.
std::string label(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '"':
        safe += "#quot;";
        break;
      case '#':
        safe += "#35;";
        break;
      case '<':
        safe += "#lt;";
        break;
      case '>':
        safe += "#gt;";
        break;
      case '\n':
        safe += ' ';
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string title(const Step& step) {
  if (step.instances.empty()) return step.node;
  if (step.instances.size() == 1) return step.instances.front().text();
  return step.node + " x" + std::to_string(step.instances.size());
}

}  // namespace

std::string to_json(const Plan& plan) {
  JsonWriter json;
  json.begin_object();
  json.key("instances").begin_array();
  for (const PlannedInstance& instance : plan.instances) write_instance(json, instance);
  json.end_array();
  json.key("steps").begin_array();
  for (const Step& step : plan.steps) write_step(json, plan, step);
  json.end_array();
  json.key("warnings").begin_array();
  for (const tosca::Diagnostic& warning : plan.warnings) json.string(format(warning));
  json.end_array();
  json.end_object();
  return json.take();
}

std::string to_mermaid(const Plan& plan) {
  std::string text = "flowchart LR\n";
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    const bool resource = std::holds_alternative<ResourceCall>(step.action);
    text += "  s" + std::to_string(i) + (resource ? "([\"" : "[\"") + label(title(step)) + "<br/>" +
            label(step.operation) + (resource ? "\"])\n" : "\"]\n");
  }
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    for (const std::size_t earlier : plan.steps[i].requires_steps) {
      text += "  s" + std::to_string(earlier) + " --> s" + std::to_string(i) + "\n";
    }
  }
  return text;
}

}  // namespace tutti::plan
