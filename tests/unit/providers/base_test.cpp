#include "providers/base/json_writer.hpp"
#include "providers/base/wall_time.hpp"
#include "providers/model.hpp"

#include <gtest/gtest.h>

#include <set>

namespace tutti {
namespace {

TEST(JsonWriter, SeparatesAndNests) {
  JsonWriter json;
  json.begin_object().member("a", "x").key("b").begin_array();
  json.integer(1).integer(-2).boolean(true).null().begin_object().end_object().end_array();
  json.key("c").raw("[7]").key("d").begin_array().end_array().end_object();
  EXPECT_EQ(json.text(), R"({"a":"x","b":[1,-2,true,null,{}],"c":[7],"d":[]})");
}

TEST(JsonWriter, EscapesWhatJsonForbids) {
  JsonWriter json;
  json.string("q\" b\\ n\n t\t z\x01 \x7F");
  EXPECT_EQ(json.text(), "\"q\\\" b\\\\ n\\n t\\u0009 z\\u0001 \\u007f\"");
}

TEST(JsonWriter, KeepsUtf8AndReplacesOtherBytes) {
  JsonWriter json;
  json.begin_array().string("é€😀").string("\xC0\xAF|\xED\xA0\x80|\xF5|\xE2\x82").end_array();
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(json.text(), "[\"é€😀\",\"" + bad + bad + "|" + bad + bad + bad + "|" + bad + "|" + bad +
                             bad + "\"]");
}

TEST(WallTime, WritesIndigosForm) {
  const auto time = parse_rfc3339("2016-05-30T07:10:59.123Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(format_indigo(*time), "2016-05-30T07:10+0000");
  EXPECT_EQ(format_rfc3339(*time), "2016-05-30T07:10:59.123Z");
}

TEST(WallTime, RefusesEverythingButItsOwnForm) {
  for (const char* text :
       {"", "2016-05-30T07:10:59Z", "2016-02-30T07:10:59.123Z", "2016-05-30T24:10:59.123Z",
        "2016-05-30 07:10:59.123Z", "2016-05-30T07:10:59.123Z ", "2O16-05-30T07:10:59.123Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(CreateToken, IsStableShortAndSensitiveToEveryPart) {
  const auto token = [](const char* owner, const char* deployment, const char* resource, int n) {
    return make_create_token(OwnerId(owner), DeploymentId(deployment), ResourceId(resource), n)
        .value;
  };
  const std::string token_of_a = token("o", "d", "instance/a", 0);
  // printf '1:o1:d10:instance/a1:0' | sha256sum | head -c 40 | xxd -r -p | base32
  EXPECT_EQ(token_of_a, "t-u2p36erhl74e7ngds26elzstgrfpntkq");
  EXPECT_EQ(token_of_a.size(), 34U);
  const std::set<std::string> all{
      token_of_a, token("o", "d", "instance/a", 1), token("o", "d", "instance/b", 0),
      token("o", "di", "nstance/a", 0), token("od", "", "instance/a", 0)};
  EXPECT_EQ(all.size(), 5U);
}

TEST(ResourceKind, NamesRoundTrip) {
  for (int i = 0; i <= static_cast<int>(ResourceKind::key); ++i) {
    const auto kind = static_cast<ResourceKind>(i);
    EXPECT_EQ(resource_kind_from(to_string(kind)), kind);
  }
  EXPECT_FALSE(resource_kind_from("cloud"));
}

Result<int> half(int n) {
  if (n % 2 != 0) return Error(ErrorClass::invalid, "odd", "not even");
  return n / 2;
}
Result<int> quarter(int n) {
  TUTTI_TRY(const int h, half(n));
  return half(h);
}

TEST(Result, TryPassesValuesAndErrors) {
  EXPECT_EQ(*quarter(8), 2);
  ASSERT_FALSE(quarter(6));
  EXPECT_EQ(std::move(quarter(6)).error().with("halving").with("twice").describe(),
            "not even (odd) while halving, twice");
  EXPECT_THROW(static_cast<void>(quarter(6).value()), std::logic_error);
}

}  // namespace
}  // namespace tutti
