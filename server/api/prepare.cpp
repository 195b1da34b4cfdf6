#include "server/api/prepare.hpp"

#include <iterator>

namespace tutti::api {
namespace {

constexpr const char* kFile = "template";  // what diagnostics call a posted template

void append(tosca::Diagnostics& to, const tosca::Diagnostics& more) {
  to.insert(to.end(), more.begin(), more.end());
}

// What the request asks for and does not get: said, so that nobody waits for it.
tosca::Diagnostics unkept_promises(const DeploymentRequest& request) {
  tosca::Diagnostics warnings;
  const auto warn = [&warnings](bool given, const std::string& text) {
    if (!given) return;
    warnings.push_back(request_problem("request.ignored", text));
    warnings.back().severity = tosca::Severity::warning;
  };
  warn(!request.callback.empty(), "callback: is kept and shown, and not called yet");
  warn(request.timeout_mins.has_value(), "timeoutMins: is not enforced yet");
  warn(request.provider_timeout_mins.has_value(), "providerTimeoutMins: is not enforced yet");
  return warnings;
}

void warn_of_standins(Prepared& prepared) {
  for (const plan::Step& step : prepared.plan.steps) {
    const auto* playbook = std::get_if<plan::Playbook>(&step.action);
    if (playbook == nullptr || playbook->playbook.find("mesos") == std::string::npos) continue;
    prepared.warnings.push_back({tosca::Severity::warning,
                                 "site.stand-ins",
                                 prepared.command.topology->nodes.at(step.node).span,
                                 "node '" + step.node +
                                     "': Mesos, Marathon and Chronos are stand-ins on this site "
                                     "(mesos_stack: standin): they imitate its outside, and no "
                                     "task will run",
                                 {}});
    return;
  }
}

}  // namespace

Refusal refuse_deployment(const Prepared& prepared) {
  tosca::Diagnostics all = prepared.errors;
  append(all, prepared.warnings);
  return refuse("The template cannot be deployed here", std::move(all));
}

Accepted<Prepared> prepare(DeploymentRequest request, const Settings& settings) {
  tosca::ResolveRequest question;
  question.file = kFile;
  question.text = request.template_text;
  question.inputs = request.parameters;
  question.imports = settings.imports;
  tosca::ResolveResult resolved = tosca::resolve(question);
  if (!resolved.topology) {
    return refuse("The template was refused", std::move(resolved.diagnostics));
  }
  Prepared prepared;
  auto topology = std::make_shared<const tosca::Topology>(std::move(*resolved.topology));
  plan::PlanResult planned = plan::make_plan(topology.get(), plan::Observation{}, settings.site);
  prepared.errors = std::move(planned.diagnostics);
  prepared.warnings = unkept_promises(request);
  append(prepared.warnings, resolved.diagnostics);
  if (!planned.plan) return refuse_deployment(prepared);
  prepared.plan = std::move(*planned.plan);
  prepared.command.topology = std::move(topology);
  append(prepared.warnings, prepared.plan.warnings);
  if (settings.mesos_standins) warn_of_standins(prepared);
  prepared.command.request_json = encode_request_record(request, prepared.warnings);
  prepared.command.template_text = std::move(request.template_text);
  prepared.command.secrets = std::move(resolved.secrets);
  for (auto& [location, imported] : resolved.imports) {
    prepared.command.imports.emplace(location, std::move(imported.text));
  }
  return prepared;
}

engine::Resolver make_recovery_resolver() {
  return [](const std::string& template_text, const std::string& request_json,
            const std::map<std::string, std::string>& imports)
             -> Result<std::shared_ptr<const tosca::Topology>> {
    tosca::ResolveRequest question;
    question.file = kFile;
    question.text = template_text;
    TUTTI_TRY(question.inputs, parameters_of_record(request_json));
    // Whatever was accepted at POST is accepted again, repeated keys included.
    question.imports =
        [&imports](const std::string& location) -> std::optional<tosca::ImportedText> {
      const auto found = imports.find(location);
      if (found == imports.end()) return std::nullopt;
      return tosca::ImportedText{location, found->second, true};
    };
    tosca::ResolveResult resolved = tosca::resolve(question);
    if (!resolved.topology) {
      const Refusal why = refuse("the kept template no longer resolves", resolved.diagnostics);
      return Error(ErrorClass::invalid, "resolve", why.message);
    }
    return std::make_shared<const tosca::Topology>(std::move(*resolved.topology));
  };
}

}  // namespace tutti::api
