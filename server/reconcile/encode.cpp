#include "server/reconcile/codec.hpp"
#include "server/reconcile/reconcile.hpp"

namespace tutti::reconcile {

namespace {

void put_time(Json& json, const char* name, const std::optional<WallTime>& time) {
  if (time) json[name] = milliseconds_of(*time);
}

void put_text(Json& json, const char* name, const std::string& text) {
  if (!text.empty()) json[name] = text;
}

Json texts_of(const std::map<std::string, std::string>& texts) {
  Json json = Json::object();
  for (const auto& [name, text] : texts) json[name] = text;
  return json;
}

Json values_of(const std::map<std::string, tosca::Value>& values) {
  Json json = Json::object();
  for (const auto& [name, value] : values) json[name] = to_json(value);
  return json;
}

Json encode_instance(const NodeInstance& instance) {
  Json json;
  json["id"] = instance.id.value;
  json["node"] = instance.key.node;
  json["ordinal"] = instance.key.ordinal;
  json["incarnation"] = instance.incarnation;
  json["type"] = instance.type;
  put_text(json, "hostname", instance.hostname);
  if (instance.host) {
    json["host"] = Json{{"node", instance.host->node}, {"ordinal", instance.host->ordinal}};
  }
  if (instance.resource) json["resource"] = instance.resource->value;
  if (!instance.required_by.empty()) json["required_by"] = instance.required_by;
  json["state"] = plan::to_string(instance.state);
  put_text(json, "reason", instance.reason);
  json["created_at"] = milliseconds_of(instance.created_at);
  json["updated_at"] = milliseconds_of(instance.updated_at);
  if (!instance.attributes.empty()) json["attributes"] = values_of(instance.attributes);
  return json;
}

Json encode_resource(const ResourceRecord& resource) {
  Json json;
  json["id"] = resource.id.value;
  json["kind"] = to_string(resource.kind);
  json["incarnation"] = resource.incarnation;
  json["status"] = to_string(resource.status);
  put_text(json, "native_id", resource.native_id.value);
  if (!resource.attributes.empty()) json["attributes"] = texts_of(resource.attributes);
  put_time(json, "may_appear_until", resource.may_appear_until);
  return json;
}

Json encode_failure(const Failure& failure) {
  return Json{
      {"class", to_string(failure.cls)}, {"code", failure.code}, {"message", failure.message}};
}

Json encode_step(const StepId& id, const StepRecord& step) {
  Json json;
  json["id"] = id.value;
  json["status"] = to_string(step.status);
  if (step.attempt != 0) json["attempt"] = step.attempt;
  if (step.failures != 0) json["failures"] = step.failures;
  put_text(json, "run", step.run.value);
  put_time(json, "started_at", step.started_at);
  put_time(json, "finished_at", step.finished_at);
  put_time(json, "retry_at", step.retry_at);
  if (step.failure) json["failure"] = encode_failure(*step.failure);
  return json;
}

Json encode_cleanup(const Cleanup& cleanup) {
  Json json;
  json["looking"] = cleanup.looking;
  put_time(json, "look_at", cleanup.look_at);
  json["rounds"] = cleanup.rounds;
  json["failures"] = cleanup.failures;
  return json;
}

Json encode_outcomes(const std::vector<InstanceOutcome>& outcomes) {
  Json json = Json::array();
  for (const InstanceOutcome& outcome : outcomes) {
    Json item{{"instance", outcome.key.text()}, {"ok", outcome.ok}};
    put_text(item, "message", outcome.message);
    if (!outcome.attributes.empty()) item["attributes"] = values_of(outcome.attributes);
    json.push_back(std::move(item));
  }
  return json;
}

struct EffectEncoder {
  Json operator()(const StartStep& start) const {
    return {{"effect", "start_step"},
            {"step", start.step.value},
            {"attempt", start.attempt},
            {"run", start.run.value},
            {"recovered", start.recovered}};
  }
  Json operator()(const AbortStep& abort) const {
    return {{"effect", "abort_step"}, {"step", abort.step.value}, {"attempt", abort.attempt}};
  }
  Json operator()(const Observe&) const { return {{"effect", "observe"}}; }
  Json operator()(const ArmTimer& timer) const {
    return {{"effect", "arm_timer"}, {"at", milliseconds_of(timer.at)}};
  }
  Json operator()(const Forget&) const { return {{"effect", "forget"}}; }
};

struct EventEncoder {
  Json operator()(const Create&) const { return {{"event", "create"}}; }
  Json operator()(const Delete&) const { return {{"event", "delete"}}; }
  Json operator()(const Tick&) const { return {{"event", "tick"}}; }
  Json operator()(const Recovered&) const { return {{"event", "recovered"}}; }
  Json operator()(const StepSucceeded& event) const {
    Json json{{"event", "step_succeeded"}, {"step", event.step.value}, {"attempt", event.attempt}};
    json["instances"] = encode_outcomes(event.instances);
    put_text(json, "native_id", event.native_id.value);
    if (!event.resource_attributes.empty()) {
      json["resource_attributes"] = texts_of(event.resource_attributes);
    }
    return json;
  }
  Json operator()(const StepFailed& event) const {
    Json json{{"event", "step_failed"}, {"step", event.step.value}, {"attempt", event.attempt}};
    json["failure"] = encode_failure(event.failure);
    json["instances"] = encode_outcomes(event.instances);
    json["aborted"] = event.aborted;
    json["create_may_appear"] = event.create_may_appear;
    return json;
  }
  Json operator()(const Observed& event) const {
    Json resources = Json::array();
    for (const Resource& resource : event.resources) {
      resources.push_back({{"kind", to_string(resource.kind)},
                           {"native_id", resource.native_id.value},
                           {"token", resource.ownership.token.value},
                           {"state", to_string(resource.state)}});
    }
    return {{"event", "observed"}, {"resources", std::move(resources)}};
  }
  Json operator()(const ObserveFailed& event) const {
    return {{"event", "observe_failed"}, {"failure", encode_failure(event.failure)}};
  }
};

}  // namespace

std::string encode(const DeploymentState& state) {
  Json json;
  json["version"] = DeploymentState::kVersion;
  json["id"] = state.id.value;
  json["generation"] = state.generation;
  json["goal"] = to_string(state.goal);
  json["status"] = to_string(state.status);
  put_text(json, "status_reason", state.status_reason);
  if (state.blocked_on) json["blocked_on"] = *state.blocked_on;
  json["deleting_after_abort"] = state.deleting_after_abort;
  json["created_at"] = milliseconds_of(state.created_at);
  json["updated_at"] = milliseconds_of(state.updated_at);
  json["random_state"] = state.random_state;
  json["cleanup"] = encode_cleanup(state.cleanup);
  json["instances"] = Json::array();
  for (const auto& [key, instance] : state.instances) {
    json["instances"].push_back(encode_instance(instance));
  }
  json["resources"] = Json::array();
  for (const auto& [id, resource] : state.resources) {
    json["resources"].push_back(encode_resource(resource));
  }
  json["steps"] = Json::array();
  for (const auto& [id, step] : state.steps) json["steps"].push_back(encode_step(id, step));
  return dump(json);
}

std::string encode(const Effect& effect) {
  return dump(std::visit(EffectEncoder{}, effect));
}

std::string encode(const Event& event) {
  Json json = std::visit(EventEncoder{}, event.body);
  json["at"] = milliseconds_of(event.at);
  return dump(json);
}

}  // namespace tutti::reconcile
