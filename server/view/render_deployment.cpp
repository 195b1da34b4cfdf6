#include "providers/base/json_writer.hpp"
#include "server/view/render.hpp"
#include "server/view/values.hpp"

#include <algorithm>

namespace tutti::view {
namespace {

using reconcile::DeploymentState;
using reconcile::DeploymentStatus;
using reconcile::ResourceRecord;

bool is_complete(DeploymentStatus status) {
  return status == DeploymentStatus::create_complete || status == DeploymentStatus::update_complete;
}

bool is_failed(DeploymentStatus status) {
  return status == DeploymentStatus::create_failed || status == DeploymentStatus::update_failed ||
         status == DeploymentStatus::delete_failed;
}

// From then on the cloud holds objects that carry this deployment's id.
bool reached_the_cloud(const DeploymentState& state) {
  return std::any_of(state.resources.begin(), state.resources.end(), [](const auto& entry) {
    return entry.second.status != ResourceRecord::Status::planned;
  });
}

// Shown on errors, on a deployment that cannot be read any more, and while something outside (a
// quota) holds the deployment up.
std::string status_reason(const DeploymentState& state) {
  if (is_failed(state.status) || state.status == DeploymentStatus::unknown) {
    return state.status_reason;
  }
  return state.blocked_on ? "Waiting: " + *state.blocked_on : "";
}

std::string in_capitals(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

void write_site(JsonWriter& writer, const SiteInfo& site, bool known) {
  if (known) writer.member("cloudProviderName", site.name);
  // Never null and never absent: clients look into it without asking.
  writer.key("cloudProviderEndpoint").begin_object();
  if (known) {
    writer.member("cpEndpoint", site.endpoint);
    writer.member("cpComputeServiceId", site.name);
    writer.member("deploymentType", in_capitals(site.provider));
    writer.member("iaasType", in_capitals(site.provider));
  }
  writer.end_object();
}

void write_link(JsonWriter& writer, std::string_view rel, const std::string& path) {
  writer.begin_object().member("rel", rel);
  writer.key("href").raw("\"" + (kBase + path) + "\"").end_object();
}

}  // namespace

std::string render_deployment(const Facts& facts, const RequestFacts& request, const SiteInfo& site,
                              const plan::SecretSource* secrets) {
  const DeploymentState& state = *facts.state;
  const bool known = reached_the_cloud(state);
  JsonWriter writer;
  writer.begin_object();
  writer.member("uuid", state.id.value);
  writer.member("creationTime", format_indigo(state.created_at));
  writer.member("updateTime", format_indigo(state.updated_at));
  if (known) writer.member("physicalId", state.id.value);
  writer.member("status", reconcile::to_string(state.status));
  if (const auto reason = status_reason(state); !reason.empty()) {
    writer.member("statusReason", reason);
  }
  writer.key("outputs");
  if (is_complete(state.status) && facts.topology) {
    write_outputs(writer, facts, secrets);
  } else {
    writer.begin_object().end_object();
  }
  writer.member("task", reconcile::is_terminal(state.status) ? "NONE" : "DEPLOYER");
  if (!request.callback.empty()) writer.member("callback", request.callback);
  writer.member("userGroup", request.user_group);
  write_site(writer, site, known);
  writer.key("createdBy").begin_object();
  writer.member("issuer", request.issuer);
  writer.member("subject", request.subject.empty() ? "anonymous" : request.subject);
  writer.end_object();
  const std::string self = "/deployments/" + state.id.value;
  writer.key("links").begin_array();
  write_link(writer, "self", self);
  write_link(writer, "resources", self + "/resources");
  write_link(writer, "template", self + "/template");
  writer.end_array().end_object();
  return writer.take();
}

bool has_revealed_outputs(const Facts& facts) {
  if (!facts.topology || !is_complete(facts.state->status)) return false;
  const auto& outputs = facts.topology->outputs;
  return std::any_of(outputs.begin(), outputs.end(),
                     [](const auto& entry) { return entry.second.reveals_secret; });
}

}  // namespace tutti::view
