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

TEST(Suggest, KnowsSlips) {
  for (const auto* slip : {"num_cpu", "num_cpuss", "nmu_cpus", "num_cpuz"}) {
    EXPECT_TRUE(is_slip(slip, {"mem_size", "num_cpus"})) << slip;
  }
  EXPECT_FALSE(is_slip("num_gpus_", {"num_cpus"}));
  EXPECT_FALSE(is_slip("cap", {"cat"}));
  EXPECT_FALSE(is_slip("num_cpus", {"num_cpus"}));
}

}  // namespace
}  // namespace tutti::tosca
