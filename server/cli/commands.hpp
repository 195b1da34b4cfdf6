// The client commands. Each returns the exit code; answers go to standard output, problems to
// standard error. They talk to a daemon over its public REST API alone.
#pragma once

#include "server/cli/options.hpp"

namespace tutti::cli {

[[nodiscard]] int validate(const Options& options);  // local
[[nodiscard]] int plan(const Options& options);      // local

[[nodiscard]] int deploy(const Options& options);
[[nodiscard]] int list(const Options& options);
[[nodiscard]] int status(const Options& options);
[[nodiscard]] int log(const Options& options);
[[nodiscard]] int remove(const Options& options);

}  // namespace tutti::cli
