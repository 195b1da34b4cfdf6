#include "server/view/progress.hpp"

#include "providers/base/json_writer.hpp"

#include <algorithm>
#include <chrono>

namespace tutti::view {
namespace {

using plan::InstanceState;
using reconcile::NodeInstance;
using reconcile::StepRecord;
using Status = StepRecord::Status;

// The parts of a derived step id, "node/interface.operation@0.1,1.1"; nodes of bare resources hold
// slashes themselves.
struct StepName {
  std::string node;
  std::string operation;
};

StepName split(const reconcile::StepId& id) {
  const std::string text = id.value.substr(0, id.value.find('@'));
  const std::size_t slash = text.rfind('/');
  if (slash == std::string::npos) return {text, text};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

std::string_view name_of(Status status) {
  switch (status) {
    case Status::waiting:
      return "waiting";
    case Status::running:
      return "running";
    case Status::retrying:
      return "retrying";
    case Status::blocked:
      return "blocked";
    case Status::aborting:
      return "aborting";
    case Status::done:
      return "done";
    case Status::failed:
      return "failed";
  }
  return "";
}

bool is_under_way(Status status) {
  return status == Status::running || status == Status::retrying || status == Status::blocked ||
         status == Status::aborting;
}

// All that belongs to one node template.
struct Node {
  std::vector<const NodeInstance*> instances;
  std::vector<std::pair<const reconcile::StepId*, const StepRecord*>> steps;
};

std::map<std::string, Node> group(const Facts& facts) {
  std::map<std::string, Node> nodes;
  for (const auto& [key, instance] : facts.state->instances) {
    nodes[key.node].instances.push_back(&instance);
  }
  for (const auto& [id, record] : facts.state->steps) {
    nodes[split(id).node].steps.emplace_back(&id, &record);
  }
  return nodes;
}

std::size_t count_in(const Node& node, InstanceState state) {
  return static_cast<std::size_t>(
      std::count_if(node.instances.begin(), node.instances.end(),
                    [state](const NodeInstance* instance) { return instance->state == state; }));
}

// "started"; "creating 1/3" where one of three is where the others shall come; "error 1/3".
std::string summary(const Node& node) {
  const std::size_t total = node.instances.size();
  const auto with_count = [total](InstanceState state, std::size_t count) {
    std::string text(plan::to_string(state));
    if (count != total) text += " " + std::to_string(count) + "/" + std::to_string(total);
    return text;
  };
  if (const auto errors = count_in(node, InstanceState::error); errors != 0) {
    return with_count(InstanceState::error, errors);
  }
  // The hindmost of those that have begun: instances that wait for their turn say less.
  InstanceState least = InstanceState::error;
  for (const NodeInstance* instance : node.instances) {
    if (instance->state != InstanceState::initial) least = std::min(least, instance->state);
  }
  if (least == InstanceState::error) least = InstanceState::initial;
  if (count_in(node, least) == total) return std::string(plan::to_string(least));
  return with_count(least, count_in(node, InstanceState::started));
}

// A bare resource (a network) has no instances: its steps say how far it is.
std::string step_summary(const Node& node) {
  for (const Status status : {Status::failed, Status::blocked, Status::retrying, Status::aborting,
                              Status::running, Status::waiting}) {
    for (const auto& [id, record] : node.steps) {
      if (record->status == status) return std::string(name_of(status));
    }
  }
  return "done";
}

void write_elapsed(JsonWriter& writer, const Node& node, WallTime now) {
  std::optional<WallTime> begin;
  WallTime end{};
  for (const auto& [id, record] : node.steps) {
    if (!record->started_at) continue;
    begin = begin ? std::min(*begin, *record->started_at) : *record->started_at;
    end = std::max(end, record->finished_at.value_or(now));
    if (is_under_way(record->status)) end = std::max(end, now);
  }
  if (!begin) return;
  const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(end - *begin);
  writer.key("elapsedSeconds").integer(std::max<std::int64_t>(0, elapsed.count()));
}

std::string describe(const reconcile::StepId& id, const StepRecord& record) {
  std::string text = split(id).operation;
  if (record.status != Status::running) text += " (" + std::string(name_of(record.status)) + ")";
  if (record.attempt > 1) text += ", attempt " + std::to_string(record.attempt);
  return text;
}

void write_current_step(JsonWriter& writer, const Facts& facts, const Node& node) {
  for (const auto& [id, record] : node.steps) {
    if (!is_under_way(record->status)) continue;
    writer.member("step", describe(*id, *record));
    const auto task = facts.running_tasks.find(*id);
    if (task != facts.running_tasks.end()) writer.member("task", task->second);
    return;
  }
}

void write_instances(JsonWriter& writer, const Node& node) {
  writer.key("instances").begin_array();
  for (const NodeInstance* instance : node.instances) {
    writer.begin_object();
    writer.member("uuid", instance->id.value);
    writer.key("ordinal").integer(instance->key.ordinal);
    writer.key("incarnation").integer(instance->incarnation);
    writer.member("hostname", instance->hostname);
    writer.member("state", plan::to_string(instance->state));
    writer.member("since", format_rfc3339(instance->updated_at));
    if (!instance->reason.empty()) writer.member("reason", instance->reason);
    writer.end_object();
  }
  writer.end_array();
}

void write_nodes(JsonWriter& writer, const Facts& facts, WallTime now) {
  writer.key("nodes").begin_array();
  for (const auto& [name, node] : group(facts)) {
    writer.begin_object().member("name", name);
    if (!node.instances.empty()) writer.member("type", node.instances.front()->type);
    writer.member("state", node.instances.empty() ? step_summary(node) : summary(node));
    write_current_step(writer, facts, node);
    write_elapsed(writer, node, now);
    write_instances(writer, node);
    writer.end_object();
  }
  writer.end_array();
}

void write_steps(JsonWriter& writer, const Facts& facts) {
  std::map<Status, std::int64_t> counts;
  for (const auto& [id, record] : facts.state->steps) ++counts[record.status];
  writer.key("steps").begin_object();
  writer.key("total").integer(static_cast<std::int64_t>(facts.state->steps.size()));
  for (const Status status : {Status::waiting, Status::running, Status::retrying, Status::blocked,
                              Status::aborting, Status::done, Status::failed}) {
    writer.key(name_of(status)).integer(counts[status]);
  }
  writer.end_object();
}

void write_failures(JsonWriter& writer, const Facts& facts) {
  writer.key("failures").begin_array();
  for (const auto& [id, record] : facts.state->steps) {
    if (!record.failure || record.status == Status::done) continue;
    const StepName name = split(id);
    writer.begin_object().member("step", id.value).member("node", name.node);
    writer.member("operation", name.operation).member("status", name_of(record.status));
    writer.key("attempt").integer(record.attempt);
    writer.member("class", to_string(record.failure->cls)).member("code", record.failure->code);
    writer.member("message", record.failure->message);
    if (record.retry_at) writer.member("retryAt", format_rfc3339(*record.retry_at));
    writer.end_object();
  }
  writer.end_array();
}

}  // namespace

std::string render_progress(const Facts& facts, const RequestFacts& request, WallTime now) {
  const auto& state = *facts.state;
  JsonWriter writer;
  writer.begin_object();
  writer.member("uuid", state.id.value).member("status", reconcile::to_string(state.status));
  if (!state.status_reason.empty()) writer.member("statusReason", state.status_reason);
  if (state.blocked_on) writer.member("blockedOn", *state.blocked_on);
  writer.key("generation").integer(state.generation);
  writer.member("goal", state.goal == reconcile::Goal::present ? "present" : "absent");
  writer.member("createdAt", format_rfc3339(state.created_at));
  writer.member("updatedAt", format_rfc3339(state.updated_at));
  write_steps(writer, facts);
  write_nodes(writer, facts, now);
  write_failures(writer, facts);
  writer.key("warnings").begin_array();
  for (const auto& warning : request.warnings) writer.string(warning);
  writer.end_array().end_object();
  return writer.take();
}

}  // namespace tutti::view
