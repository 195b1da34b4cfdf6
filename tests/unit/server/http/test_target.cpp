// Paths, queries, and the base URL that links are built from.
#include "server/http/base_url.hpp"
#include "server/http/target.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tutti::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(Target, SplitsAndDecodes) {
  const auto target =
      parse_target("/deployments/a%20b/?page=1&createdBy=sub@https://issuer/&x&y=a+b%2F");
  ASSERT_TRUE(target);
  EXPECT_THAT(target->segments, ElementsAre("deployments", "a b"));
  EXPECT_THAT(target->query,
              ElementsAre(Pair("page", "1"), Pair("createdBy", "sub@https://issuer/"),
                          Pair("x", ""), Pair("y", "a b/")));
  EXPECT_EQ(target->parameter("page"), "1");
  EXPECT_EQ(target->parameter("size"), std::nullopt);
}

TEST(Target, TrailingSlashMeansNothing) {
  EXPECT_THAT(parse_target("/")->segments, IsEmpty());
  EXPECT_EQ(parse_target("/a/b")->segments, parse_target("/a/b/")->segments);
}

TEST(Target, AbsoluteFormLosesItsAuthority) {
  EXPECT_THAT(parse_target("http://h:1/a")->segments, ElementsAre("a"));
  EXPECT_THAT(parse_target("http://h:1")->segments, IsEmpty());
  EXPECT_EQ(parse_target("http://h?x=1")->parameter("x"), "1");
}

TEST(Target, RefusesTricks) {
  for (const char* bad :
       {"/a//b", "/a/../b", "/a/%2e%2e/b", "/./a", "/%", "/%1", "/%zz", "/%00", "//", "*"}) {
    EXPECT_FALSE(parse_target(bad)) << bad;
  }
}

TEST(Target, NamesTheFirstBrokenParameter) {
  EXPECT_EQ(parse_target("/a?x=1&y=%0&z=%zz")->broken_parameter, "y");
  EXPECT_EQ(parse_target("/a?x=1&y=%0&z=%zz")->parameter("x"), "1");
  EXPECT_EQ(parse_target("/a?%zz")->broken_parameter, "%zz");
  EXPECT_EQ(parse_target("/a?x=%20")->broken_parameter, std::nullopt);
}

TEST(Target, EncodesWhatItDecodes) {
  const std::string text = "a b/\xc3\xa9?&=+~";
  EXPECT_EQ(percent_encode(text), "a%20b%2F%C3%A9%3F%26%3D%2B~");
  EXPECT_EQ(parse_target("/" + percent_encode(text))->segments.front(), text);
}

std::string base(const std::vector<std::pair<std::string, std::string>>& fields) {
  Request request;
  for (const auto& [name, value] : fields) request.header.insert(name, value);
  request.local = {boost::asio::ip::make_address("127.0.0.1"), 8080};
  return base_url(request);
}

TEST(BaseUrl, IsWhatTheClientUsed) {
  EXPECT_EQ(base({{"Host", "127.0.0.1:8080"}}), "http://127.0.0.1:8080");
  EXPECT_EQ(base({}), "http://127.0.0.1:8080");
}

TEST(BaseUrl, FollowsTheProxy) {
  EXPECT_EQ(base({{"Host", "127.0.0.1:8080"},
                  {"X-Forwarded-Proto", "https"},
                  {"X-Forwarded-Host", "portal.example"},
                  {"X-Forwarded-Port", "443"},
                  {"X-Forwarded-Prefix", "/orchestrator/"}}),
            "https://portal.example/orchestrator");
  EXPECT_EQ(base({{"Host", "a:8080"}, {"X-Forwarded-Host", "b:81, c"}}), "http://b:81");
  EXPECT_EQ(base({{"Host", "a:8080"}, {"X-Forwarded-Port", "9000"}}), "http://a:9000");
  EXPECT_EQ(base({{"Host", "[::1]:8080"}, {"X-Forwarded-Port", "80"}}), "http://[::1]");
}

TEST(BaseUrl, IgnoresWhatWouldInject) {
  EXPECT_EQ(base({{"Host", "a"}, {"X-Forwarded-Host", "b\"/x"}}), "http://a");
  EXPECT_EQ(base({{"Host", "a"}, {"X-Forwarded-Proto", "javascript"}}), "http://a");
  EXPECT_EQ(base({{"Host", "a"}, {"X-Forwarded-Port", "80/evil"}}), "http://a");
  for (const char* bad : {"/a\"b", "/a//b", "/../x", "x", "/a b", "//evil"}) {
    EXPECT_EQ(base({{"Host", "a"}, {"X-Forwarded-Prefix", bad}}), "http://a") << bad;
  }
}

}  // namespace
}  // namespace tutti::http
