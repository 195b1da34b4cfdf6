#include "providers/support/backoff.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace tutti {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, DoublesUpToItsCap) {
  const BackoffPolicy policy{milliseconds(100), milliseconds(1000)};
  EXPECT_EQ(backoff_delay(policy, 1, 0), milliseconds(50));
  EXPECT_EQ(backoff_delay(policy, 2, 0), milliseconds(100));
  EXPECT_EQ(backoff_delay(policy, 4, 0), milliseconds(400));
  EXPECT_EQ(backoff_delay(policy, 5, 0), milliseconds(500));
  EXPECT_EQ(backoff_delay(policy, std::numeric_limits<unsigned>::max(), 0), milliseconds(500));
}

TEST(Backoff, JitterStaysBetweenHalfAndWhole) {
  const BackoffPolicy policy{milliseconds(100), milliseconds(1000)};
  for (std::uint64_t random = 0; random < 5000; ++random) {
    const auto delay = backoff_delay(policy, 3, random * 0x9E3779B97F4A7C15U);
    EXPECT_GE(delay, milliseconds(200));
    EXPECT_LE(delay, milliseconds(400));
  }
  EXPECT_EQ(backoff_delay(policy, 3, 200), milliseconds(400));
}

TEST(Backoff, BearsExtremes) {
  const BackoffPolicy nothing{milliseconds(0), milliseconds(0)};
  EXPECT_EQ(backoff_delay(nothing, 9, 77), milliseconds(0));
  const BackoffPolicy beyond{milliseconds(5000), milliseconds(10)};
  EXPECT_LE(backoff_delay(beyond, 1, 77), milliseconds(10));
}

}  // namespace
}  // namespace tutti
