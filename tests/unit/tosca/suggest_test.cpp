#include "tosca/source/suggest.hpp"

#include <gtest/gtest.h>

namespace tutti::tosca {
namespace {

TEST(Suggest, FindsTheNearest) {
  EXPECT_EQ(did_you_mean("num_cpu", {"mem_size", "num_cpus"}), "did you mean num_cpus?");
  EXPECT_EQ(did_you_mean("tpye", {"type", "file"}), "did you mean type?");
}

TEST(Suggest, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(did_you_mean("zebra", {"type", "file"}), "");
  EXPECT_EQ(did_you_mean("", {"a"}), "");
  EXPECT_EQ(did_you_mean(std::string(10'000, 'x'), {std::string_view("xxxx")}), "");
}

}  // namespace
}  // namespace tutti::tosca
