#include "server/api/deployment_request.hpp"

#include "server/api/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace tutti::api {
namespace {

using nlohmann::json;
using tosca::Value;

Value to_value(const json& from) {
  switch (from.type()) {
    case json::value_t::boolean:
      return from.get<bool>();
    case json::value_t::number_integer:
      return from.get<std::int64_t>();
    case json::value_t::number_unsigned: {
      const auto number = from.get<std::uint64_t>();
      if (number > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
        return static_cast<double>(number);
      }
      return static_cast<std::int64_t>(number);
    }
    case json::value_t::number_float:
      return from.get<double>();
    case json::value_t::string:
      return from.get<std::string>();
    case json::value_t::array: {
      tosca::List list;
      for (const auto& item : from) list.push_back(to_value(item));
      return list;
    }
    case json::value_t::object: {
      tosca::Map map;
      for (const auto& [name, item] : from.items()) map.emplace(name, to_value(item));
      return map;
    }
    default:
      return {};
  }
}

json to_json(const Value& from) {
  if (const auto* flag = from.as_boolean()) return *flag;
  if (const auto* number = from.as_integer()) return *number;
  if (const auto* real = std::get_if<double>(&from.data)) return *real;
  if (const auto* text = from.as_string()) return *text;
  if (const auto* list = from.as_list()) {
    json out = json::array();
    for (const auto& item : *list) out.push_back(to_json(item));
    return out;
  }
  if (const auto* map = from.as_map()) {
    json out = json::object();
    for (const auto& [name, item] : *map) out[name] = to_json(item);
    return out;
  }
  return nullptr;
}

// Reads members one by one and collects what is wrong with them.
class Decoder {
 public:
  explicit Decoder(const json& body) : body_(body) {}

  // Null counts as absent: clients send nulls for what was left empty.
  const json* member(const char* name) const {
    const auto found = body_.find(name);
    return found == body_.end() || found->is_null() ? nullptr : &*found;
  }

  std::string text(const char* name) {
    const json* found = member(name);
    if (found == nullptr) return {};
    if (!found->is_string()) {
      wrong(name, "must be a string");
      return {};
    }
    return found->get<std::string>();
  }

  // Numbers, whole ones with a fraction of zero, and numbers in quotes.
  std::optional<std::int64_t> positive(const char* name) {
    const json* found = member(name);
    if (found == nullptr) return std::nullopt;
    std::int64_t number = 0;
    if (found->is_number_integer()) {
      const Value value = to_value(*found);
      if (value.as_integer() != nullptr) number = *value.as_integer();
    } else if (found->is_number_float()) {
      const auto real = found->get<double>();
      if (real >= 1 && real <= kMost && real == std::floor(real)) {
        number = static_cast<std::int64_t>(real);
      }
    } else if (found->is_string()) {
      const auto& text = found->get_ref<const std::string&>();
      if (text.empty()) return std::nullopt;  // a form field that was left empty
      const auto end = text.data() + text.size();
      if (std::from_chars(text.data(), end, number).ptr != end) number = 0;
    }
    if (number < 1 || number > kMost) {
      wrong(name, "must be an integer of at least 1");
      return std::nullopt;
    }
    return number;
  }

  bool boolean(const char* name) {
    const json* found = member(name);
    if (found == nullptr) return false;
    if (found->is_boolean()) return found->get<bool>();
    const std::string text = found->is_string() ? lower_case(found->get<std::string>()) : "?";
    if (text.empty()) return false;  // a form field that was left empty
    if (text != "true" && text != "false") wrong(name, "must be true or false");
    return text == "true";
  }

  void wrong(const std::string& name, const std::string& what) {
    problems_.push_back(request_problem("request.field", name + ": " + what));
  }
  void missing(const std::string& name) {
    problems_.push_back(request_problem("request.missing", name + ": is missing"));
  }
  tosca::Diagnostics take_problems() { return std::move(problems_); }

 private:
  static constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();

  const json& body_;
  tosca::Diagnostics problems_;
};

void decode_parameters(Decoder& decoder, DeploymentRequest& request) {
  const json* parameters = decoder.member("parameters");
  if (parameters == nullptr) return;
  if (!parameters->is_object()) {
    decoder.wrong("parameters", "must be an object");
    return;
  }
  for (const auto& [name, value] : parameters->items()) {
    request.parameters.emplace(name, to_value(value));
  }
}

bool is_callback(const std::string& url) {
  const std::string start = lower_case(url.substr(0, 6));
  return start.starts_with("http:") || start == "https:";
}

}  // namespace

Accepted<DeploymentRequest> decode_deployment_request(const json& body) {
  DeploymentRequest request;
  if (!body.is_object()) {
    tosca::Diagnostics found{request_problem("request.type", "the body must be a JSON object")};
    return refuse("The request was refused", std::move(found));
  }
  Decoder decoder(body);
  if (decoder.member("template") == nullptr) {
    decoder.missing("template");
  }
  request.template_text = decoder.text("template");
  if (request.template_text.size() > kMaxTemplateBytes) {
    return Refusal(413,
                   "The template is larger than " + std::to_string(kMaxTemplateBytes) + " bytes");
  }
  decode_parameters(decoder, request);
  request.callback = decoder.text("callback");
  if (!request.callback.empty() && !is_callback(request.callback)) {
    decoder.wrong("callback", "must be an http or https URL");
  }
  request.timeout_mins = decoder.positive("timeoutMins");
  request.provider_timeout_mins = decoder.positive("providerTimeoutMins");
  if (request.timeout_mins && request.provider_timeout_mins &&
      *request.provider_timeout_mins > *request.timeout_mins) {
    decoder.wrong("providerTimeoutMins", "must not be larger than timeoutMins");
  }
  request.max_providers_retry = decoder.positive("maxProvidersRetry");
  // One client writes it without its last letter.
  request.keep_last_attempt =
      decoder.boolean("keepLastAttempt") || decoder.boolean("keepLastAttemp");
  request.user_group = decoder.text("userGroup");
  auto problems = decoder.take_problems();
  if (!problems.empty()) return refuse("The request was refused", std::move(problems));
  return request;
}

std::string encode_request_record(const DeploymentRequest& request,
                                  const tosca::Diagnostics& warnings) {
  json record{{"version", 1}, {"parameters", json::object()}};
  for (const auto& [name, value] : request.parameters) {
    record["parameters"][name] = to_json(value);
  }
  if (!request.callback.empty()) record["callback"] = request.callback;
  if (request.timeout_mins) record["timeoutMins"] = *request.timeout_mins;
  if (request.provider_timeout_mins) {
    record["providerTimeoutMins"] = *request.provider_timeout_mins;
  }
  if (request.max_providers_retry) record["maxProvidersRetry"] = *request.max_providers_retry;
  record["keepLastAttempt"] = request.keep_last_attempt;
  if (!request.user_group.empty()) record["userGroup"] = request.user_group;
  for (const auto& warning : warnings) record["warnings"].push_back(tosca::format(warning));
  // Bytes that are not UTF-8 come from nowhere but the template's warnings.
  return record.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::map<std::string, Value>> parameters_of_record(std::string_view record_json) {
  const json record = json::parse(record_json, nullptr, false);
  if (!record.is_object() || !record.contains("parameters") ||
      !record.at("parameters").is_object()) {
    return Error(ErrorClass::invalid, "request_record", "the kept request cannot be read");
  }
  std::map<std::string, Value> parameters;
  for (const auto& [name, value] : record.at("parameters").items()) {
    parameters.emplace(name, to_value(value));
  }
  return parameters;
}

}  // namespace tutti::api
