// The body of POST /deployments (indigo.md 1.3) decoded and checked, and the record of it that is
// kept with the deployment. Pure; unknown fields are ignored, as clients expect.
#pragma once

#include "server/api/refusal.hpp"
#include "tosca/topology/value.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace tutti::api {

inline constexpr std::size_t kMaxTemplateBytes = 4 * 1024 * 1024;

struct DeploymentRequest {
  std::string template_text;
  std::map<std::string, tosca::Value> parameters;
  std::string callback;
  std::optional<std::int64_t> timeout_mins;
  std::optional<std::int64_t> provider_timeout_mins;
  std::optional<std::int64_t> max_providers_retry;
  bool keep_last_attempt = false;
  std::string user_group;
};

// All problems at once, each named by the path of its member; 413 for a template beyond its limit.
[[nodiscard]] Accepted<DeploymentRequest> decode_deployment_request(const nlohmann::json& body);

// The record: everything but the template, and the warnings that were given. It holds parameters
// that may be secret: the engine seals it, the view reads no parameter from it.
[[nodiscard]] std::string encode_request_record(const DeploymentRequest& request,
                                                const tosca::Diagnostics& warnings);
// The parameters again, for resolving once more at recovery. Errors: invalid.
[[nodiscard]] Result<std::map<std::string, tosca::Value>> parameters_of_record(
    std::string_view record_json);

}  // namespace tutti::api
