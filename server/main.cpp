#include "server/bootstrap/supervisor.hpp"
#include "server/cli/commands.hpp"
#include "server/cli/options.hpp"
#include "server/serve.hpp"

#include <cstring>
#include <exception>
#include <iostream>

namespace {

int run(const tutti::cli::Options& options) {
  using tutti::cli::Command;
  switch (options.command) {
    case Command::serve:
      return tutti::serve(options.config_file);
    case Command::validate:
      return tutti::cli::validate(options);
    case Command::plan:
      return tutti::cli::plan(options);
    case Command::deploy:
      return tutti::cli::deploy(options);
    case Command::list:
      return tutti::cli::list(options);
    case Command::status:
      return tutti::cli::status(options);
    case Command::log:
      return tutti::cli::log(options);
    case Command::remove:
      return tutti::cli::remove(options);
  }
  return tutti::cli::kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  // A bootstrap run's supervisor is this binary too; it must stay single-threaded and small.
  if (argc > 1 && std::strcmp(argv[1], tutti::bootstrap::kSuperviseWord) == 0) {
    return tutti::bootstrap::supervise_main(argc, argv);
  }
  const tutti::cli::Parsed parsed = tutti::cli::parse(argc, argv);
  if (!parsed.options) return parsed.exit_code;
  try {
    return run(*parsed.options);
  } catch (const std::exception& error) {
    std::cerr << "tutti: internal error: " << error.what() << '\n';
    return tutti::cli::kUnreachable;
  }
}
