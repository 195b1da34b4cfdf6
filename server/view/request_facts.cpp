#include "server/view/request_facts.hpp"

#include <nlohmann/json.hpp>

namespace tutti::view {
namespace {

std::string text_member(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

RequestFacts read_request_facts(std::string_view record_json) {
  RequestFacts facts;
  const auto record = nlohmann::json::parse(record_json, nullptr, false);
  if (!record.is_object()) return facts;
  facts.callback = text_member(record, "callback");
  facts.user_group = text_member(record, "userGroup");
  if (const auto owner = record.find("createdBy"); owner != record.end() && owner->is_object()) {
    facts.issuer = text_member(*owner, "issuer");
    facts.subject = text_member(*owner, "subject");
  }
  if (const auto warnings = record.find("warnings"); warnings != record.end()) {
    for (const auto& warning : *warnings) {
      if (warning.is_string()) facts.warnings.push_back(warning.get<std::string>());
    }
  }
  return facts;
}

}  // namespace tutti::view
