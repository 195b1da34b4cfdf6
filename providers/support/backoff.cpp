#include "providers/support/backoff.hpp"

#include <algorithm>

namespace tutti {

std::chrono::milliseconds backoff_delay(const BackoffPolicy& policy, unsigned attempt,
                                        std::uint64_t random) {
  auto whole = std::min(policy.initial, policy.cap);
  for (unsigned i = 1; i < attempt && whole < policy.cap; ++i) {
    whole = whole > policy.cap / 2 ? policy.cap : whole * 2;
  }
  const auto half = whole / 2;
  const auto spread = static_cast<std::uint64_t>((whole - half).count()) + 1;
  return half + std::chrono::milliseconds{static_cast<std::int64_t>(random % spread)};
}

}  // namespace tutti
