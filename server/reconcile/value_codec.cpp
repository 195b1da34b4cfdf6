#include "server/reconcile/codec.hpp"

#include <cmath>

namespace tutti::reconcile {

namespace {

constexpr int kDeepest = 64;

Json map_to_json(const tosca::Map& map) {
  Json json = Json::object();
  bool escape = false;
  for (const auto& [key, value] : map) {
    escape = escape || (!key.empty() && key.front() == '$');
    json[key] = to_json(value);
  }
  return escape ? Json{{"$map", std::move(json)}} : json;
}

Json double_to_json(double number) {
  if (std::isfinite(number)) return number;
  return Json{{"$double", std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf"}};
}

std::optional<tosca::Value> value_at(const Json& json, int depth);

std::optional<tosca::Value> map_from(const Json& json, int depth) {
  tosca::Map map;
  for (const auto& [key, item] : json.items()) {
    auto value = value_at(item, depth + 1);
    if (!value) return std::nullopt;
    map.emplace(key, std::move(*value));
  }
  return tosca::Value(std::move(map));
}

std::optional<tosca::Value> object_from(const Json& json, int depth) {
  if (json.empty() || json.begin().key().substr(0, 1) != "$") return map_from(json, depth);
  const std::string& key = json.begin().key();
  const Json& item = json.begin().value();
  if (json.size() != 1) return std::nullopt;
  if (key == "$map" && item.is_object()) return map_from(item, depth);
  if (!item.is_string()) return std::nullopt;
  const auto& text = item.get_ref<const std::string&>();
  if (key == "$secret") return tosca::Value(tosca::SecretRef{text});
  if (key != "$double") return std::nullopt;
  if (text == "nan") return tosca::Value(std::nan(""));
  return tosca::Value(text == "inf" ? HUGE_VAL : -HUGE_VAL);
}

std::optional<tosca::Value> value_at(const Json& json, int depth) {
  if (depth > kDeepest) return std::nullopt;
  switch (json.type()) {
    case Json::value_t::null:
      return tosca::Value();
    case Json::value_t::boolean:
      return tosca::Value(json.get<bool>());
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return tosca::Value(json.get<std::int64_t>());
    case Json::value_t::number_float:
      return tosca::Value(json.get<double>());
    case Json::value_t::string:
      return tosca::Value(json.get<std::string>());
    case Json::value_t::object:
      return object_from(json, depth);
    case Json::value_t::array:
      break;
    default:
      return std::nullopt;
  }
  tosca::List list;
  for (const Json& item : json) {
    auto value = value_at(item, depth + 1);
    if (!value) return std::nullopt;
    list.push_back(std::move(*value));
  }
  return tosca::Value(std::move(list));
}

}  // namespace

Json to_json(const tosca::Value& value) {
  if (const auto* flag = value.as_boolean()) return *flag;
  if (const auto* number = value.as_integer()) return *number;
  if (const auto* number = std::get_if<double>(&value.data)) return double_to_json(*number);
  if (const auto* text = value.as_string()) return *text;
  if (const auto* secret = value.as_secret()) return Json{{"$secret", secret->id}};
  if (const auto* map = value.as_map()) return map_to_json(*map);
  if (const auto* list = value.as_list()) {
    Json json = Json::array();
    for (const tosca::Value& item : *list) json.push_back(to_json(item));
    return json;
  }
  return nullptr;
}

std::optional<tosca::Value> value_from(const Json& json) {
  return value_at(json, 0);
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tutti::reconcile
