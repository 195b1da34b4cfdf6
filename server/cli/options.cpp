#include "server/cli/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace tutti::cli {
namespace {

// "name=value" pairs; the value may hold further equals signs.
CLI::Validator pair_of(const std::string& form) {
  return CLI::Validator(
      [form](std::string& text) {
        const auto at = text.find('=');
        return at == std::string::npos || at == 0 ? "expected " + form : std::string();
      },
      form);
}

std::vector<std::pair<std::string, std::string>> split_pairs(const std::vector<std::string>& texts,
                                                             bool last_equals) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& text : texts) {
    const auto at = last_equals ? text.rfind('=') : text.find('=');
    pairs.emplace_back(text.substr(0, at), text.substr(at + 1));
  }
  return pairs;
}

struct Raw {
  std::vector<std::string> inputs;
  std::vector<std::string> imports;
  std::int64_t timeout_seconds = 3600;
};

void add_template_options(CLI::App& app, Options& options, Raw& raw) {
  app.add_option("FILE", options.template_file, "TOSCA service template")->required();
  app.add_option("-i,--input", raw.inputs, "Value of one input")
      ->check(pair_of("NAME=VALUE"))
      ->type_name("NAME=VALUE");
  app.add_option("--input-file", options.input_file, "YAML map of inputs")
      ->check(CLI::ExistingFile);
  app.add_option("--import", raw.imports, "Text of an import, from a file")
      ->check(pair_of("URL=FILE"))
      ->type_name("URL=FILE");
}

void add_server(CLI::App& app, Options& options) {
  app.add_option("--server", options.server, "URL of the daemon")
      ->envname("TUTTI_SERVER")
      ->capture_default_str();
}

void add_timeout(CLI::App& app, Raw& raw) {
  app.add_option("--timeout", raw.timeout_seconds, "Stop watching after so many seconds (exit 5)")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

void add_commands(CLI::App& app, Options& options, Raw& raw) {
  auto* serve = app.add_subcommand("serve", "Run the daemon");
  serve->add_option("-c,--config", options.config_file, "YAML configuration")
      ->envname("TUTTI_CONFIG");

  auto* validate = app.add_subcommand("validate", "Check a template without a server");
  add_template_options(*validate, options, raw);
  validate->add_flag("--json", options.json, "Diagnostics as JSON");

  auto* plan =
      app.add_subcommand("plan", "Show the steps a deployment would take, without a server");
  add_template_options(*plan, options, raw);
  auto* as_json = plan->add_flag("--json", options.json, "The plan as JSON");
  plan->add_flag("--mermaid", options.mermaid, "The plan as a Mermaid flowchart")
      ->excludes(as_json);

  auto* deploy = app.add_subcommand("deploy", "Deploy a template and watch it");
  add_template_options(*deploy, options, raw);
  add_server(*deploy, options);
  add_timeout(*deploy, raw);
  deploy->add_flag("--detach", options.detach, "Return once it is accepted");
  deploy->add_option("--idempotency-key", options.idempotency_key,
                     "A repeated call with this key finds the same deployment");
  deploy->add_option("--id-file", options.id_file, "Write the deployment's id to this file");

  auto* list = app.add_subcommand("list", "List deployments");
  add_server(*list, options);
  list->add_flag("--json", options.json, "As the API gives them");

  auto* status = app.add_subcommand("status", "Show a deployment");
  add_server(*status, options);
  status->add_option("ID", options.deployment, "Deployment")->required();
  status->add_flag("-f,--follow", options.follow, "Watch until it is done or failed");
  status->add_flag("--json", options.json, "As the API gives it");
  add_timeout(*status, raw);

  auto* log = app.add_subcommand("log", "Show a deployment's log");
  add_server(*log, options);
  log->add_option("ID", options.deployment, "Deployment")->required();

  auto* remove = app.add_subcommand("delete", "Delete a deployment and watch it go");
  add_server(*remove, options);
  remove->add_option("ID", options.deployment, "Deployment")->required();
  remove->add_flag("--detach", options.detach, "Return once it is accepted");
  add_timeout(*remove, raw);
}

Command command_of(const CLI::App& app) {
  static const std::map<std::string, Command> kCommands = {
      {"serve", Command::serve},   {"validate", Command::validate}, {"plan", Command::plan},
      {"deploy", Command::deploy}, {"list", Command::list},         {"status", Command::status},
      {"log", Command::log},       {"delete", Command::remove}};
  return kCommands.at(app.get_subcommands().front()->get_name());
}

}  // namespace

Parsed parse(int argc, const char* const* argv) {
  Options options;
  Raw raw;
  CLI::App app{"Tutti, a TOSCA orchestrator"};
  app.name("tutti");
  app.set_version_flag("--version", "tutti " TUTTI_VERSION);
  app.require_subcommand(1);
  add_commands(app, options, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, std::cout, std::cerr);
    return {std::nullopt, code == 0 ? kDone : kUsage};
  }
  options.command = command_of(app);
  options.inputs = split_pairs(raw.inputs, false);
  options.imports = split_pairs(raw.imports, true);
  options.timeout = std::chrono::seconds(raw.timeout_seconds);
  while (options.server.size() > 1 && options.server.back() == '/') options.server.pop_back();
  return {std::move(options), kDone};
}

}  // namespace tutti::cli
