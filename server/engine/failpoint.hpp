// Named places where a test may stop the process dead, to prove that recovery misses nothing. Inert
// unless the environment has TUTTI_TESTING=1 and TUTTI_FAILPOINT=NAME[:COUNT].
#pragma once

#include <string_view>

namespace tutti::engine {

inline constexpr std::string_view kAfterIntentCommit = "after-intent-commit";
inline constexpr std::string_view kAfterRequestSent = "after-request-sent";
inline constexpr std::string_view kAfterAnswer = "after-answer";
inline constexpr std::string_view kBeforeOutcomeCommit = "before-outcome-commit";

// Kills the process (SIGKILL: nothing is flushed, nothing unwound) the COUNT-th time this name is
// reached.
void failpoint(std::string_view name);
// Whether the next failpoint(name) would kill.
[[nodiscard]] bool failpoint_armed(std::string_view name);

}  // namespace tutti::engine
