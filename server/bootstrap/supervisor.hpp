// The small process between the daemon and ansible-playbook. It leads the run's process group,
// holds the read end of a pipe to the daemon, and takes every process of the run down when the
// daemon goes, however it goes, or when the run ends. The daemon's own binary serves as it ("tutti
// __supervise").
#pragma once

namespace tutti::bootstrap {

// argv: PROGRAM __supervise LIFELINE-DESCRIPTOR COMMAND ARGUMENTS...
// Waits for one byte on the lifeline before it starts the command: until then the daemon may still
// be writing down who runs. Returns the command's exit code, or 128 + its signal. Must be called
// before anything else in main(), in a process with one thread.
int supervise_main(int argc, char** argv);

inline constexpr const char* kSuperviseWord = "__supervise";

}  // namespace tutti::bootstrap
