// What the user gives beside the template: inputs from the command line and from a file.
#pragma once

#include "server/cli/options.hpp"
#include "tosca/resolve/resolve.hpp"

#include <map>
#include <optional>
#include <string>

namespace tutti::cli {

struct Request {
  std::string template_text;
  std::map<std::string, tosca::Value> inputs;
  std::string json;  // the body of a POST
};

// Reads the template and merges --input-file with --input (which wins). Prints what is wrong and
// returns nothing when a file cannot be read or the input file is not a map.
[[nodiscard]] std::optional<Request> read_request(const Options& options);

}  // namespace tutti::cli
