#include "server/engine/documents.hpp"

#include <nlohmann/json.hpp>

namespace tutti::engine {
namespace {

Result<std::string> open(const DeploymentId& deployment,
                         const std::vector<store::DocumentRow>& rows, const std::string& name,
                         const Sealer& sealer) {
  for (const store::DocumentRow& row : rows) {
    if (row.name == name) return sealer.unseal(row.bytes, document_context(deployment, name));
  }
  return Error(
      ErrorClass::invalid, "document_missing",
      "the kept document \"" + name + "\" of deployment " + deployment.value + " is missing");
}

}  // namespace

std::string document_context(const DeploymentId& deployment, const std::string& name) {
  return "deployment/" + deployment.value + "/" + name;
}

std::vector<store::DocumentRow> pack_documents(const DeploymentId& deployment,
                                               const CreateCommand& command,
                                               const bootstrap::ClusterSecrets& cluster,
                                               const Sealer& sealer) {
  std::vector<store::DocumentRow> rows;
  const auto add = [&](const std::string& name, const std::string& text) {
    rows.push_back({deployment, name, sealer.seal(text, document_context(deployment, name))});
  };
  using Json = nlohmann::json;
  add(kTemplateDocument, command.template_text);
  add(kRequestDocument, command.request_json);
  const Json imports = command.imports;
  add(kImportsDocument, imports.dump(-1, ' ', false, Json::error_handler_t::replace));
  std::string cluster_text = bootstrap::encode(cluster);
  add(kClusterDocument, cluster_text);
  wipe(cluster_text);
  for (const auto& [reference, text] : command.secrets) add(kSecretPrefix + reference.id, text);
  return rows;
}

Result<KeptRequest> unpack_request(const DeploymentId& deployment,
                                   const std::vector<store::DocumentRow>& rows,
                                   const Sealer& sealer) {
  KeptRequest kept;
  TUTTI_TRY(kept.template_text, open(deployment, rows, kTemplateDocument, sealer));
  TUTTI_TRY(kept.request_json, open(deployment, rows, kRequestDocument, sealer));
  TUTTI_TRY(const std::string imports, open(deployment, rows, kImportsDocument, sealer));
  const auto json = nlohmann::json::parse(imports, nullptr, false);
  if (!json.is_object()) {
    return Error(ErrorClass::invalid, "imports", "the kept imports cannot be read");
  }
  for (const auto& [location, text] : json.items()) {
    if (text.is_string()) kept.imports[location] = text.get<std::string>();
  }
  return kept;
}

OpenSecrets::~OpenSecrets() {
  for (auto& [reference, text] : texts) wipe(text);
  wipe(cluster.seed);
  wipe(cluster.ca_key);
}

Result<OpenSecrets> unpack_secrets(const DeploymentId& deployment,
                                   const std::vector<store::DocumentRow>& rows,
                                   const Sealer& sealer) {
  OpenSecrets open_secrets;
  TUTTI_TRY(std::string cluster, open(deployment, rows, kClusterDocument, sealer));
  auto decoded = bootstrap::decode_cluster_secrets(cluster);
  wipe(cluster);
  if (!decoded) return std::move(decoded).error();
  open_secrets.cluster = std::move(decoded).value();
  const std::string prefix = kSecretPrefix;
  for (const store::DocumentRow& row : rows) {
    if (!row.name.starts_with(prefix)) continue;
    TUTTI_TRY(std::string text, sealer.unseal(row.bytes, document_context(deployment, row.name)));
    open_secrets.texts.emplace(tosca::SecretRef{row.name.substr(prefix.size())}, std::move(text));
  }
  return open_secrets;
}

}  // namespace tutti::engine
