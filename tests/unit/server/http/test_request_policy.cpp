// Every header that is refused, and why: a table of what the policy adds to the parser beneath.
#include "server/http/request_policy.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tutti::http {
namespace {

// 0: accepted.
unsigned verdict(const std::string& head) {
  const Limits limits;
  std::size_t scanned = 0;
  const HeadScan scan = scan_head(head, scanned, limits);
  if (scan.rejection) return scan.rejection->status;
  if (scan.length == 0) return 1;  // waits for more
  Parser parser;
  const auto rejection = parse_head(std::string_view(head).substr(0, scan.length), parser, limits);
  if (!rejection) return 0;
  EXPECT_FALSE(rejection->message.empty());
  return rejection->status;
}

struct Case {
  const char* name;
  std::string head;
  unsigned expected;
};

class Policy : public testing::TestWithParam<Case> {};

TEST_P(Policy, Decides) {
  EXPECT_EQ(verdict(GetParam().head), GetParam().expected);
}

std::string get(const std::string& fields) {
  return "GET / HTTP/1.1\r\n" + fields + "\r\n";
}
std::string post(const std::string& fields) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
std::string target(const std::string& text) {
  return "GET " + text + " HTTP/1.1\r\nHost: a\r\n\r\n";
}
std::string many_fields(int count) {
  std::string fields = "Host: a\r\n";
  for (int i = 1; i < count; ++i) fields += "a:\r\n";
  return get(fields);
}

const std::vector<Case> kCases{
    {"Plain", get("Host: a\r\n"), 0},
    {"HostWithPort", get("Host: a.example:8080\r\n"), 0},
    {"HostIpv6", get("Host: [::1]:8080\r\n"), 0},
    {"Http10WithoutHost", "GET / HTTP/1.0\r\n\r\n", 0},
    {"NoHost", get(""), 400},
    {"EmptyHost", get("Host:\r\n"), 400},
    {"TwoHosts", get("Host: a\r\nHost: a\r\n"), 400},
    {"HostWithPath", get("Host: a/b\r\n"), 400},
    {"HostWithUser", get("Host: u@a\r\n"), 400},
    {"HostWithQuote", get("Host: a\"b\r\n"), 400},
    {"HostWithBadPort", get("Host: a:80x\r\n"), 400},
    {"ContentLength", post("Content-Length: 4\r\n"), 0},
    {"EqualContentLengths", post("Content-Length: 4\r\nContent-Length: 4\r\n"), 400},
    {"DifferentContentLengths", post("Content-Length: 4\r\nContent-Length: 5\r\n"), 400},
    {"SignedContentLength", post("Content-Length: +4\r\n"), 400},
    {"ListedContentLength", post("Content-Length: 4, 4\r\n"), 400},
    {"HugeContentLength", post("Content-Length: 99999999999999999999999\r\n"), 400},
    {"Chunked", post("Transfer-Encoding: chunked\r\n"), 0},
    {"ChunkedInCapitals", post("Transfer-Encoding: CHUNKED\r\n"), 0},
    {"LengthThenChunked", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"ChunkedThenLength", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"), 400},
    {"IdentityAndLength", post("Transfer-Encoding: identity\r\nContent-Length: 4\r\n"), 400},
    {"Identity", post("Transfer-Encoding: identity\r\n"), 501},
    {"Xchunked", post("Transfer-Encoding: xchunked\r\n"), 501},
    {"ChunkedGzip", post("Transfer-Encoding: chunked, gzip\r\n"), 501},
    {"GzipChunked", post("Transfer-Encoding: gzip, chunked\r\n"), 501},
    {"ChunkedTwice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"ChunkedInHttp10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"SpaceBeforeColon", get("Host : a\r\n"), 400},
    {"ObsFold", get("Host: a\r\nX: b\r\n c\r\n"), 400},
    {"ObsFoldByTab", get("Host: a\r\nX: b\r\n\tc\r\n"), 400},
    {"FoldAtTheStart", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
    {"BareLineFeed", "GET / HTTP/1.1\nHost: a\n\n", 400},
    {"BareLineFeedInside", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
    {"BareCarriageReturn", get("Host: a\r\nX: b\rc\r\n"), 400},
    {"NulInHeader", get(std::string("Host: a\r\nX: a\0b\r\n", 17)), 400},
    {"ManyFields", many_fields(64), 0},
    {"TooManyFields", many_fields(65), 431},
    {"LargeHeader", get("Host: a\r\nX: " + std::string(15000, 'x') + "\r\n"), 0},
    {"TooLargeHeader", get("Host: a\r\nX: " + std::string(17000, 'x') + "\r\n"), 431},
    {"TooLargeUnfinishedHeader", "GET / HTTP/1.1\r\nX: " + std::string(17000, 'x'), 431},
    {"LongTarget", target("/" + std::string(8000, 'x')), 0},
    {"TooLongTarget", target("/" + std::string(8200, 'x')), 414},
    {"RawUrlInQuery", target("/deployments?createdBy=sub@https://issuer/"), 0},
    {"AbsoluteForm", target("http://a/deployments"), 0},
    {"AbsoluteFormOfAnother", target("http://b/deployments"), 400},
    {"AbsoluteFormWithUser", target("http://u@a/"), 400},
    {"OtherScheme", target("ftp://a/"), 400},
    {"HttpsScheme", target("https://a/"), 400},
    {"NoSlash", target("deployments"), 400},
    {"Fragment", target("/a#b"), 400},
    {"HighByteInTarget", target("/\xc3\xa9"), 400},
    {"AsteriskOfGet", target("*"), 400},
    {"AsteriskOfOptions", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"Connect", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"Continue", post("Content-Length: 4\r\nExpect: 100-continue\r\n"), 0},
    {"OtherExpectation", post("Expect: miracles\r\n"), 417},
    {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"Http09", "GET /\r\n\r\n", 400},
    {"TlsGreeting", "\x16\x03\x01\x02", 400},
    {"LeadingBlank", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"Unfinished", "GET / HTTP/1.1\r\nHost: a\r\n", 1},
};

INSTANTIATE_TEST_SUITE_P(Heads, Policy, testing::ValuesIn(kCases),
                         [](const auto& tested) { return tested.param.name; });

TEST(HeadScan, LooksAtEveryByteOnce) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
  std::size_t scanned = 0;
  for (std::size_t size = 1; size < head.size() - 4; ++size) {
    const HeadScan scan = scan_head(std::string_view(head).substr(0, size), scanned, Limits{});
    ASSERT_EQ(scan.length, 0U);
    ASSERT_FALSE(scan.rejection);
    ASSERT_LE(scanned, size);
  }
  EXPECT_EQ(scan_head(head, scanned, Limits{}).length, head.size() - 4);
}

TEST(Authority, IsAHostAndPerhapsAPort) {
  for (const char* good : {"a", "a-b.c_d", "10.0.0.1:80", "[::1]", "[fe80::1]:65535", "a:"}) {
    EXPECT_TRUE(valid_authority(good)) << good;
  }
  for (const char* bad :
       {"", ":80", "a:b", "a:123456", "[::1", "[]", "[g]", "a b", "a\\b", "[::1]x"}) {
    EXPECT_FALSE(valid_authority(bad)) << bad;
  }
}

}  // namespace
}  // namespace tutti::http
