// The daemon: composes the concrete parts and runs until it is told to stop.
#pragma once

#include <string>

namespace tutti {

// Returns the exit code: 0 after a graceful stop, 1 when the configuration was refused or a part
// could not start (the reason is on standard error).
[[nodiscard]] int serve(const std::string& config_file);

}  // namespace tutti
