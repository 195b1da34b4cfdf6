// What a watched deployment's status means to whoever waits for it.
#include "server/cli/watch.hpp"

#include <gtest/gtest.h>

namespace tutti::cli {
namespace {

TEST(Watch, EndsWhereNothingMoreWillHappen) {
  EXPECT_EQ(ending_of("CREATE_IN_PROGRESS", false), Ending::not_yet);
  EXPECT_EQ(ending_of("CREATE_COMPLETE", false), Ending::done);
  EXPECT_EQ(ending_of("UPDATE_FAILED", false), Ending::failed);
  EXPECT_EQ(ending_of("DELETE_FAILED", true), Ending::failed);
  EXPECT_EQ(ending_of("UNKNOWN", false), Ending::failed);
}

TEST(Watch, ADeleteGoesOnBeneathAnUnknownStatus) {
  EXPECT_EQ(ending_of("UNKNOWN", true), Ending::not_yet);
  EXPECT_EQ(ending_of("DELETE_IN_PROGRESS", true), Ending::not_yet);
}

}  // namespace
}  // namespace tutti::cli
