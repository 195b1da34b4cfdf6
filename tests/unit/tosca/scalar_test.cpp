#include "tosca/source/scalar.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace tutti::tosca {
namespace {

TEST(Scalar, Booleans) {
  for (const auto* word : {"true", "True", "TRUE", "yes", "Yes", "on", "ON"}) {
    EXPECT_EQ(boolean_from(word), true) << word;
  }
  for (const auto* word : {"false", "no", "No", "off"})
    EXPECT_EQ(boolean_from(word), false) << word;
  for (const auto* word : {"", "y", "n", "1", "yEs", "truex"}) {
    EXPECT_FALSE(boolean_from(word)) << word;
  }
}

TEST(Scalar, Integers) {
  EXPECT_EQ(integer_from("-1"), -1);
  EXPECT_EQ(integer_from("+7"), 7);
  EXPECT_EQ(integer_from("0x1F"), 31);
  EXPECT_EQ(integer_from("0o17"), 15);
  EXPECT_EQ(integer_from("0123"), 123);
  EXPECT_EQ(integer_from("9223372036854775807"), INT64_MAX);
  for (const auto* text :
       {"", "9223372036854775808", "1.0", "1e3", "--1", "+-1", "0x", "0x-1", "1 "}) {
    EXPECT_FALSE(integer_from(text)) << text;
  }
}

TEST(Scalar, Floats) {
  EXPECT_EQ(floating_from("1.5"), 1.5);
  EXPECT_EQ(floating_from("-.5"), -0.5);
  EXPECT_EQ(floating_from("1e3"), 1000.0);
  EXPECT_EQ(floating_from("3"), 3.0);
  EXPECT_TRUE(std::isinf(*floating_from("-.inf")));
  EXPECT_TRUE(std::isnan(*floating_from(".nan")));
  for (const auto* text : {"", ".", "1.2.3", "inf", "nan", "1e", "1_0", "-.nan"}) {
    EXPECT_FALSE(floating_from(text)) << text;
  }
}

TEST(Scalar, CoreSchema) {
  EXPECT_EQ(core_type("~"), CoreType::null);
  EXPECT_EQ(core_type("true"), CoreType::boolean);
  EXPECT_EQ(core_type("yes"), CoreType::string);
  EXPECT_EQ(core_type("12"), CoreType::integer);
  EXPECT_EQ(core_type("12.5"), CoreType::floating);
  EXPECT_EQ(core_type("12:30"), CoreType::string);
  EXPECT_EQ(core_type("2001-12-14"), CoreType::string);
}

}  // namespace
}  // namespace tutti::tosca
