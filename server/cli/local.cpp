#include "server/cli/commands.hpp"
#include "server/cli/inputs.hpp"
#include "server/plan/plan.hpp"
#include "tosca/profiles/import_map.hpp"
#include "tosca/resolve/resolve.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <iostream>
#include <sstream>
#include <unistd.h>

namespace tutti::cli {
namespace {

void print(const tosca::Diagnostics& diagnostics, bool as_json) {
  if (!as_json) {
    for (const auto& diagnostic : diagnostics) std::cerr << tosca::format(diagnostic) << '\n';
    return;
  }
  auto array = nlohmann::json::array();
  for (const auto& d : diagnostics) {
    array.push_back({{"severity", d.severity == tosca::Severity::error ? "error" : "warning"},
                     {"rule", d.rule},
                     {"file", d.span.file},
                     {"line", d.span.line},
                     {"column", d.span.column},
                     {"message", d.message},
                     {"hint", d.hint}});
  }
  std::cout << array.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

std::optional<tosca::ImportMap> import_map(const Options& options) {
  tosca::ImportMap map;
  for (const auto& [location, file] : options.imports) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    if (in) text << in.rdbuf();
    if (!in) {
      std::cerr << "tutti: " << file << " cannot be read\n";
      return std::nullopt;
    }
    map.add(location, tosca::ImportedText{file, text.str(), false});
  }
  return map;
}

std::optional<tosca::ResolveResult> resolve(const Options& options, bool require_inputs) {
  const auto request = read_request(options);
  const auto imports = import_map(options);
  if (!request || !imports) return std::nullopt;
  tosca::ResolveRequest resolve_request;
  resolve_request.file = options.template_file;
  resolve_request.text = request->template_text;
  resolve_request.inputs = request->inputs;
  resolve_request.imports = imports->resolver();
  resolve_request.require_inputs = require_inputs;
  return tosca::resolve(resolve_request);
}

// The sandbox's site: what `plan` shows without a server is what the embedded provider would do.
plan::Site sandbox() {
  plan::Site site;
  site.name = SiteName("local");
  site.provider = "docker";
  site.capabilities.virtual_address = true;
  site.capabilities.fixed_addresses = true;
  site.capabilities.stop = true;
  site.capabilities.max_cpus = sysconf(_SC_NPROCESSORS_ONLN);
  return site;
}

std::string text_of(const plan::Plan& plan) {
  std::ostringstream out;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const plan::Step& step = plan.steps[i];
    out << i + 1 << ". " << step.id;
    for (std::size_t k = 0; k < step.requires_steps.size(); ++k) {
      out << (k == 0 ? "  after " : ", ") << step.requires_steps[k] + 1;
    }
    out << '\n';
  }
  return out.str();
}

}  // namespace

int validate(const Options& options) {
  const bool with_inputs = !options.inputs.empty() || !options.input_file.empty();
  const auto result = resolve(options, with_inputs);
  if (!result) return kRefused;
  print(result->diagnostics, options.json);
  if (!result->topology) return kRefused;
  if (!options.json) {
    std::cout << options.template_file << ": valid, " << result->topology->nodes.size()
              << " node templates, " << result->topology->inputs.size() << " inputs\n";
  }
  return kDone;
}

int plan(const Options& options) {
  // Without inputs the shape of the plan is still worth seeing.
  const bool with_inputs = !options.inputs.empty() || !options.input_file.empty();
  const auto result = resolve(options, with_inputs);
  if (!result) return kRefused;
  print(result->diagnostics, false);
  if (!result->topology) return kRefused;
  const plan::PlanResult planned = plan::make_plan(&*result->topology, {}, sandbox());
  print(planned.diagnostics, false);
  if (planned.plan) print(planned.plan->warnings, false);
  if (!planned.plan) return kRefused;
  if (!planned.feasible()) {
    std::cerr << "tutti: the plan can be shown, but not deployed: see the errors above\n";
  }
  if (options.json) {
    std::cout << plan::to_json(*planned.plan) << '\n';
  } else if (options.mermaid) {
    std::cout << plan::to_mermaid(*planned.plan);
  } else {
    std::cout << text_of(*planned.plan);
  }
  return kDone;
}

}  // namespace tutti::cli
