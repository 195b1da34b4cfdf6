// How long to wait before trying again: doubling, capped, with jitter. Pure: the random number is
// an argument, so that the reconciler and the simulator can keep theirs in their state.
#pragma once

#include <chrono>
#include <cstdint>

namespace tutti {

struct BackoffPolicy {
  std::chrono::milliseconds initial{500};
  std::chrono::milliseconds cap{30000};
};

// `attempt` counts the failures so far, from 1. The result lies between half and the whole of
// min(cap, initial * 2^(attempt-1)), by `random`, all of whose 64 bits count.
[[nodiscard]] std::chrono::milliseconds backoff_delay(const BackoffPolicy& policy, unsigned attempt,
                                                      std::uint64_t random);

}  // namespace tutti
