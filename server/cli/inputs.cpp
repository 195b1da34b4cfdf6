#include "server/cli/inputs.hpp"

#include "tosca/source/parse.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <iostream>
#include <sstream>

namespace tutti::cli {
namespace {

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in) {
    std::cerr << "tutti: " << path << " cannot be read\n";
    return std::nullopt;
  }
  return text.str();
}

// Scalars stay texts: the resolver coerces them to the inputs' declared types.
tosca::Value to_value(const tosca::Node& node) {
  if (node.is_mapping()) {
    tosca::Map map;
    for (const auto& entry : node.entries) map.emplace(entry.key->text, to_value(*entry.value));
    return map;
  }
  if (node.is_sequence()) {
    tosca::List list;
    for (const tosca::Node* item : node.items) list.push_back(to_value(*item));
    return list;
  }
  if (node.is_null()) return {};
  return std::string(node.text);
}

nlohmann::json to_json(const tosca::Value& value) {
  if (const auto* text = value.as_string()) return *text;
  if (const auto* list = value.as_list()) {
    auto array = nlohmann::json::array();
    for (const auto& item : *list) array.push_back(to_json(item));
    return array;
  }
  if (const auto* map = value.as_map()) {
    auto object = nlohmann::json::object();
    for (const auto& [name, item] : *map) object[name] = to_json(item);
    return object;
  }
  return nullptr;
}

bool merge_input_file(const std::string& path, std::map<std::string, tosca::Value>& inputs) {
  const auto text = read_file(path);
  if (!text) return false;
  tosca::Diagnostics diagnostics;
  const tosca::Document document = tosca::parse(path, *text, {}, diagnostics);
  const tosca::Node* root = document.root();
  if (root != nullptr && !root->is_null() && !root->is_mapping()) {
    diagnostics.push_back({tosca::Severity::error, "input.file", root->span(),
                           "expected a map of input names to values", ""});
  }
  for (const auto& diagnostic : diagnostics) std::cerr << tosca::format(diagnostic) << '\n';
  if (tosca::has_errors(diagnostics)) return false;
  if (root == nullptr || root->is_null()) return true;
  for (const auto& entry : root->entries) {
    inputs.insert_or_assign(std::string(entry.key->text), to_value(*entry.value));
  }
  return true;
}

}  // namespace

std::optional<Request> read_request(const Options& options) {
  const auto text = read_file(options.template_file);
  if (!text) return std::nullopt;
  Request request;
  request.template_text = *text;
  if (!options.input_file.empty() && !merge_input_file(options.input_file, request.inputs)) {
    return std::nullopt;
  }
  for (const auto& [name, value] : options.inputs) request.inputs.insert_or_assign(name, value);

  auto parameters = nlohmann::json::object();
  for (const auto& [name, value] : request.inputs) parameters[name] = to_json(value);
  const nlohmann::json body = {{"template", request.template_text}, {"parameters", parameters}};
  request.json = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return request;
}

}  // namespace tutti::cli
