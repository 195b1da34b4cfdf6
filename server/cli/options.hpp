// The command line as data. Parsing prints help and usage errors itself; what it returns is valid.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tutti::cli {

// What shells and scripts are told.
inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;      // the input was refused
inline constexpr int kUsage = 2;        // the command line was wrong
inline constexpr int kUnreachable = 3;  // the server cannot be reached or refuses
inline constexpr int kFailed = 4;       // the deployment failed
inline constexpr int kRunning = 5;      // still running: time-out, or Ctrl-C detached

enum class Command { serve, validate, plan, deploy, list, status, log, remove };

struct Options {
  Command command = Command::list;
  std::string server = "http://127.0.0.1:8080";
  std::string config_file;                                  // serve
  std::string template_file;                                // validate, plan, deploy
  std::string deployment;                                   // status, log, remove
  std::vector<std::pair<std::string, std::string>> inputs;  // --input name=value
  std::string input_file;
  std::vector<std::pair<std::string, std::string>> imports;  // --import URL=FILE
  std::string idempotency_key;
  std::string id_file;  // deploy writes the new deployment's id here at once
  bool json = false;
  bool mermaid = false;  // plan
  bool detach = false;   // deploy, delete
  bool follow = false;   // status
  std::chrono::seconds timeout{3600};
};

// Options, or the exit code with which the program shall end (0 after --help and --version).
struct Parsed {
  std::optional<Options> options;
  int exit_code = kUsage;
};
[[nodiscard]] Parsed parse(int argc, const char* const* argv);

}  // namespace tutti::cli
