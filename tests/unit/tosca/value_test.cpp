#include "tosca/topology/value.hpp"

#include "tosca/topology/topology.hpp"

#include <gtest/gtest.h>

namespace tutti::tosca {
namespace {

TEST(SizeBytes, ReadsUnitsInAnyCase) {
  EXPECT_EQ(size_bytes("2 GB"), 2'000'000'000);
  EXPECT_EQ(size_bytes("512MiB"), 512LL << 20);
  EXPECT_EQ(size_bytes("1.5 kib"), 1536);
  EXPECT_EQ(size_bytes("1024"), 1024);
  EXPECT_EQ(size_bytes(std::int64_t{7}), 7);
  EXPECT_EQ(size_bytes("8388607 TiB"), 8388607LL << 40);
}

TEST(SizeBytes, RefusesWhatIsNoSize) {
  for (const auto* text : {"", "GB", "-1 GB", "2 XB", "2 G B", "9000000 TiB", "nan", "inf GB"}) {
    EXPECT_EQ(size_bytes(text), -1) << text;
  }
  EXPECT_EQ(size_bytes(Value()), -1);
  EXPECT_EQ(size_bytes(std::int64_t{-1}), -1);
  EXPECT_EQ(size_bytes(List{}), -1);
}

TEST(Value, ComparesByKindAndContent) {
  EXPECT_EQ(Value(List{1, "a"}), Value(List{1, "a"}));
  EXPECT_FALSE(Value(1) == Value("1"));
  EXPECT_FALSE(Value(1) == Value(1.0));
  EXPECT_EQ(Value(Map{{"k", SecretRef{"s"}}}), Value(Map{{"k", SecretRef{"s"}}}));
}

TEST(NodeTemplate, IsWhatItsAncestorsAre) {
  NodeTemplate node;
  node.ancestry = {"a.B", "a.A"};
  EXPECT_TRUE(node.is_a("a.A"));
  EXPECT_FALSE(node.is_a("a.C"));
}

}  // namespace
}  // namespace tutti::tosca
