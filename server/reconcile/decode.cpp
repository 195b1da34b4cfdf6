#include "server/reconcile/codec.hpp"
#include "server/reconcile/reconcile.hpp"

#include <set>

namespace tutti::reconcile {

namespace {

// Reads the members of one object; the first problem is kept, later reads give defaults.
class Reader {
 public:
  Reader(const Json& json, std::string place, std::string& problem)
      : json_(json), place_(std::move(place)), problem_(problem) {
    if (!json.is_object()) fail("is not an object");
  }

  [[nodiscard]] const Json* find(const char* name) {
    known_.insert(name);
    if (!json_.is_object()) return nullptr;
    const auto found = json_.find(name);
    return found == json_.end() ? nullptr : &*found;
  }

  [[nodiscard]] const Json& need(const char* name) {
    static const Json kNothing;
    const Json* found = find(name);
    if (found == nullptr) fail(std::string("lacks ") + name);
    return found == nullptr ? kNothing : *found;
  }

  [[nodiscard]] std::string text(const char* name) { return text_in(need(name), name); }
  [[nodiscard]] std::string optional_text(const char* name) {
    const Json* found = find(name);
    return found == nullptr ? std::string() : text_in(*found, name);
  }

  template <class T>
  [[nodiscard]] T number(const char* name) {
    return number_in<T>(need(name), name);
  }
  template <class T>
  [[nodiscard]] T optional_number(const char* name) {
    const Json* found = find(name);
    return found == nullptr ? T{} : number_in<T>(*found, name);
  }

  [[nodiscard]] bool flag(const char* name) {
    const Json& json = need(name);
    if (json.is_boolean()) return json.get<bool>();
    fail(std::string(name) + " is not a boolean");
    return false;
  }

  [[nodiscard]] WallTime time(const char* name) {
    return WallTime(std::chrono::milliseconds(number<std::int64_t>(name)));
  }
  [[nodiscard]] std::optional<WallTime> optional_time(const char* name) {
    if (find(name) == nullptr) return std::nullopt;
    return time(name);
  }

  // An enumeration's value by its name.
  template <class From>
  [[nodiscard]] auto named(const char* name, From from) {
    const auto value = from(text(name));
    if (!value) fail(std::string(name) + " is not known");
    return value ? *value : std::remove_cvref_t<decltype(*value)>{};
  }

  [[nodiscard]] const Json& list(const char* name) {
    static const Json kEmpty = Json::array();
    const Json& json = need(name);
    if (json.is_array()) return json;
    fail(std::string(name) + " is not a list");
    return kEmpty;
  }

  void fail(const std::string& what) {
    if (problem_.empty()) problem_ = place_ + " " + what;
  }

  // Members that nobody asked for are a newer binary's: they must not be lost by writing back.
  void finish() {
    if (!json_.is_object()) return;
    for (const auto& [name, value] : json_.items()) {
      if (!known_.contains(name)) fail("has an unknown member " + name);
    }
  }

 private:
  [[nodiscard]] std::string text_in(const Json& json, const char* name) {
    if (json.is_string()) return json.get<std::string>();
    fail(std::string(name) + " is not a string");
    return {};
  }

  template <class T>
  [[nodiscard]] T number_in(const Json& json, const char* name) {
    if (json.is_number_integer()) return json.get<T>();
    fail(std::string(name) + " is not a whole number");
    return {};
  }

  const Json& json_;
  std::string place_;
  std::string& problem_;
  std::set<std::string> known_;
};

InstanceKey read_key(Reader& reader) {
  InstanceKey key;
  key.node = reader.text("node");
  key.ordinal = reader.number<int>("ordinal");
  return key;
}

NodeInstance read_instance(const Json& json, std::string& problem) {
  Reader reader(json, "an instance", problem);
  NodeInstance instance;
  instance.id = InstanceId(reader.text("id"));
  instance.key = read_key(reader);
  instance.incarnation = reader.number<int>("incarnation");
  instance.type = reader.text("type");
  instance.hostname = reader.optional_text("hostname");
  if (const Json* host = reader.find("host")) {
    Reader host_reader(*host, "a host", problem);
    instance.host = read_key(host_reader);
    host_reader.finish();
  }
  if (reader.find("resource") != nullptr) instance.resource = ResourceId(reader.text("resource"));
  if (reader.find("required_by") != nullptr) {
    for (const Json& node : reader.list("required_by")) {
      if (!node.is_string())
        reader.fail("required_by holds no string");
      else
        instance.required_by.push_back(node.get<std::string>());
    }
  }
  instance.state = reader.named("state", plan::instance_state_from);
  instance.reason = reader.optional_text("reason");
  instance.created_at = reader.time("created_at");
  instance.updated_at = reader.time("updated_at");
  if (const Json* attributes = reader.find("attributes")) {
    for (const auto& [name, item] : attributes->items()) {
      auto value = value_from(item);
      if (!value)
        reader.fail("attribute " + name + " is not a value");
      else
        instance.attributes.emplace(name, std::move(*value));
    }
  }
  reader.finish();
  return instance;
}

ResourceRecord read_resource(const Json& json, std::string& problem) {
  Reader reader(json, "a resource", problem);
  ResourceRecord resource;
  resource.id = ResourceId(reader.text("id"));
  resource.kind = reader.named("kind", resource_kind_from);
  resource.incarnation = reader.number<int>("incarnation");
  resource.status = reader.named("status", resource_status_from);
  resource.native_id = NativeId(reader.optional_text("native_id"));
  if (const Json* attributes = reader.find("attributes")) {
    for (const auto& [name, item] : attributes->items()) {
      if (!item.is_string())
        reader.fail("attribute " + name + " is not a string");
      else
        resource.attributes.emplace(name, item.get<std::string>());
    }
  }
  resource.may_appear_until = reader.optional_time("may_appear_until");
  reader.finish();
  return resource;
}

Failure read_failure(const Json& json, std::string& problem) {
  Reader reader(json, "a failure", problem);
  Failure failure;
  failure.cls = error_class_from(reader.text("class"));
  failure.code = reader.text("code");
  failure.message = reader.text("message");
  reader.finish();
  return failure;
}

std::pair<StepId, StepRecord> read_step(const Json& json, std::string& problem) {
  Reader reader(json, "a step", problem);
  StepId id(reader.text("id"));
  StepRecord step;
  step.status = reader.named("status", step_status_from);
  step.attempt = reader.optional_number<int>("attempt");
  step.failures = reader.optional_number<int>("failures");
  step.run = RunId(reader.optional_text("run"));
  step.started_at = reader.optional_time("started_at");
  step.finished_at = reader.optional_time("finished_at");
  step.retry_at = reader.optional_time("retry_at");
  if (const Json* failure = reader.find("failure")) step.failure = read_failure(*failure, problem);
  reader.finish();
  return {std::move(id), std::move(step)};
}

Cleanup read_cleanup(const Json& json, std::string& problem) {
  Reader reader(json, "cleanup", problem);
  Cleanup cleanup;
  cleanup.looking = reader.flag("looking");
  cleanup.look_at = reader.optional_time("look_at");
  cleanup.rounds = reader.number<int>("rounds");
  cleanup.failures = reader.number<int>("failures");
  reader.finish();
  return cleanup;
}

DeploymentState read_state(const Json& json, std::string& problem) {
  Reader reader(json, "the state", problem);
  DeploymentState state;
  if (reader.number<int>("version") != DeploymentState::kVersion) {
    reader.fail("has another version");
  }
  state.id = DeploymentId(reader.text("id"));
  state.generation = reader.number<std::int64_t>("generation");
  state.goal = reader.named("goal", goal_from);
  state.status = reader.named("status", deployment_status_from);
  state.status_reason = reader.optional_text("status_reason");
  if (reader.find("blocked_on") != nullptr) state.blocked_on = reader.text("blocked_on");
  state.deleting_after_abort = reader.flag("deleting_after_abort");
  state.created_at = reader.time("created_at");
  state.updated_at = reader.time("updated_at");
  state.random_state = reader.number<std::uint64_t>("random_state");
  state.cleanup = read_cleanup(reader.need("cleanup"), problem);
  for (const Json& item : reader.list("instances")) {
    NodeInstance instance = read_instance(item, problem);
    state.instances.emplace(instance.key, std::move(instance));
  }
  for (const Json& item : reader.list("resources")) {
    ResourceRecord resource = read_resource(item, problem);
    state.resources.emplace(resource.id, std::move(resource));
  }
  for (const Json& item : reader.list("steps")) state.steps.insert(read_step(item, problem));
  reader.finish();
  return state;
}

}  // namespace

Result<DeploymentState> decode(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  std::string problem;
  if (json.is_discarded()) problem = "the state is not JSON";
  DeploymentState state;
  if (problem.empty()) state = read_state(json, problem);
  if (problem.empty()) return state;
  return Error(ErrorClass::invalid, "state_row", problem);
}

}  // namespace tutti::reconcile
