// What is kept with a deployment beside its state: template, request, imports, secrets. All sealed,
// each to its deployment and name. Used by the engine; the view opens the template by the same
// rule.
#pragma once

#include "providers/support/secrets.hpp"
#include "server/bootstrap/bootstrap.hpp"
#include "server/engine/engine.hpp"
#include "server/store/store.hpp"

#include <map>
#include <string>
#include <vector>

namespace tutti::engine {

inline constexpr const char* kTemplateDocument = "template";
inline constexpr const char* kRequestDocument = "request";
inline constexpr const char* kImportsDocument = "imports";
inline constexpr const char* kClusterDocument = "secrets";
inline constexpr const char* kSecretPrefix = "secret:";

[[nodiscard]] std::vector<store::DocumentRow> pack_documents(
    const DeploymentId& deployment, const CreateCommand& command,
    const bootstrap::ClusterSecrets& cluster, const Sealer& sealer);

// What recovery needs to resolve the topology again.
struct KeptRequest {
  std::string template_text;
  std::string request_json;
  std::map<std::string, std::string> imports;
};
[[nodiscard]] Result<KeptRequest> unpack_request(const DeploymentId& deployment,
                                                 const std::vector<store::DocumentRow>& rows,
                                                 const Sealer& sealer);

// What a bootstrap run needs, in plain text; wiped when it goes.
struct OpenSecrets {
  OpenSecrets() = default;
  OpenSecrets(OpenSecrets&&) = default;
  OpenSecrets& operator=(OpenSecrets&&) = default;
  ~OpenSecrets();

  bootstrap::ClusterSecrets cluster;
  std::map<tosca::SecretRef, std::string> texts;
};
[[nodiscard]] Result<OpenSecrets> unpack_secrets(const DeploymentId& deployment,
                                                 const std::vector<store::DocumentRow>& rows,
                                                 const Sealer& sealer);

}  // namespace tutti::engine
