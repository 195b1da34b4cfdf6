// Who runs: the supervisor's identity, written down before a run starts, and the proof by /proc
// that nothing of a run is left. Used by the bootstrapper and the supervisor.
#pragma once

#include "providers/base/ids.hpp"
#include "providers/base/result.hpp"
#include "providers/support/child_process.hpp"

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tutti::bootstrap {

struct ProcessStat {
  ProcessIdentity identity;
  pid_t parent = 0;
  pid_t group = 0;
};
// Every process but zombies.
[[nodiscard]] std::vector<ProcessStat> list_processes();

struct RunRecord {
  RunId run;
  ProcessIdentity supervisor;
  std::string folder;  // of the run, on tmpfs
};

// Every process of a run has this in its environment: NAME=<run id>.
inline constexpr const char* kRunVariable = "TUTTI_RUN";

// Durable when it returns.
[[nodiscard]] Result<void> write_record(const std::string& state_dir, const RunRecord& record);
[[nodiscard]] std::optional<RunRecord> read_record(const std::string& state_dir, const RunId& run);
void remove_record(const std::string& state_dir, const RunId& run);

// Processes that belong to the run: the recorded supervisor, its group while it leads it, whatever
// has the run's mark in its environment or names the run's folder (SSH connections that persist
// rewrite their environment).
[[nodiscard]] std::vector<pid_t> processes_of(const RunId& run,
                                              const std::optional<RunRecord>& record);

}  // namespace tutti::bootstrap
