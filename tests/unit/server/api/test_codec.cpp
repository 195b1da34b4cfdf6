// Reading what clients send: JSON, the deployment request, its record, routes.
#include "server/api/deployment_request.hpp"
#include "server/api/json_input.hpp"
#include "server/api/routes.hpp"
#include "server/view/request_facts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tutti::api {
namespace {

using nlohmann::json;
using testing::ElementsAre;

TEST(Json, StrictTextIsReadAsItIs) {
  EXPECT_EQ(read_json(R"({"a":"x\ty\\d\u0041"})")->at("a"), "x\ty\\dA");
}

TEST(Json, HandMadeBodiesAreTolerated) {
  // A client escapes quotes and line ends of its YAML, and nothing else.
  EXPECT_EQ(read_json("{\"template\":\"a: \\d+\\n\tb: \\\"q\\\"\"}")->at("template"),
            "a: \\d+\n\tb: \"q\"");
  EXPECT_EQ(read_json("{\"t\":\"a\r\nb\\u12\"}")->at("t"), "a\r\nb\\u12");
  EXPECT_FALSE(read_json("{\"t\":\"a\n"));
  EXPECT_FALSE(read_json("{\n\t\"t\" \\: 1}"));
}

TEST(Json, DepthIsLimited) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(read_json(nested(kMaxJsonDepth)));
  const auto refused = read_json(nested(kMaxJsonDepth + 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().diagnostics.at(0).rule, "request.depth");
}

TEST(Request, RecordGivesTheParametersBack) {
  const json body{{"template", "t"},
                  {"parameters",
                   {{"s", "text"},
                    {"i", 7},
                    {"d", 0.5},
                    {"b", true},
                    {"n", nullptr},
                    {"l", {1, "2"}},
                    {"m", {{"k", "v"}}},
                    {"big", 18446744073709551615ULL}}},
                  {"callback", "HTTPS://x/"},
                  {"keepLastAttemp", "True"},
                  {"userGroup", "g"},
                  {"timeoutMins", 5}};
  const auto request = decode_deployment_request(body);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_TRUE(request->keep_last_attempt);
  EXPECT_EQ(request->timeout_mins, 5);
  tosca::Diagnostic warning;
  warning.severity = tosca::Severity::warning;
  warning.span.file = "template";
  warning.message = "odd";
  const std::string record = encode_request_record(*request, {warning});
  EXPECT_EQ(*parameters_of_record(record), request->parameters);
  const auto facts = view::read_request_facts(record);
  EXPECT_EQ(facts.callback, "HTTPS://x/");
  EXPECT_EQ(facts.user_group, "g");
  EXPECT_EQ(facts.subject, "");
  EXPECT_THAT(facts.warnings, ElementsAre(tosca::format(warning)));
}

TEST(Request, FormsMayLeaveFieldsEmptyAndWriteWholeNumbersAsFractions) {
  const json body{{"template", "t"},         {"callback", ""},          {"timeoutMins", 7.0},
                  {"keepLastAttempt", ""},   {"maxProvidersRetry", ""}, {"userGroup", nullptr},
                  {"keepLastAttemp", "TRUE"}};
  const auto request = decode_deployment_request(body);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->timeout_mins, 7);
  EXPECT_TRUE(request->keep_last_attempt);
  for (const json& wrong : {json(7.5), json(0.0), json(1e300), json("7.5"), json(true)}) {
    EXPECT_FALSE(decode_deployment_request({{"template", "t"}, {"timeoutMins", wrong}})) << wrong;
  }
}

TEST(Request, BrokenRecordsAreErrors) {
  for (const char* record : {"", "[]", "{}", "{\"parameters\":3}"}) {
    EXPECT_FALSE(parameters_of_record(record)) << record;
    EXPECT_EQ(view::read_request_facts(record).callback, "");
  }
}

// A database that cannot be read is of class "invalid" for whoever looks after it, and nothing that
// the client could have done otherwise.
TEST(ErrorResponse, OnlyRefusalsThatTheEngineNamesAreTheClients) {
  const auto status = [](ErrorClass cls, const char* code) {
    return error_response(Error(cls, code, "why")).status;
  };
  EXPECT_EQ(status(ErrorClass::not_found, "deployment_unknown"), 404U);
  EXPECT_EQ(status(ErrorClass::conflict, "delete_in_progress"), 409U);
  EXPECT_EQ(status(ErrorClass::conflict, "idempotency_key_in_use"), 409U);
  EXPECT_EQ(status(ErrorClass::invalid, "idempotency_key_reused"), 422U);
  EXPECT_EQ(status(ErrorClass::quota, "too_many_deployments"), 503U);
  EXPECT_EQ(status(ErrorClass::transient, "stopping"), 503U);
  EXPECT_EQ(status(ErrorClass::invalid, "unseal"), 500U);
  EXPECT_EQ(status(ErrorClass::invalid, "sqlite_11"), 500U);
  EXPECT_EQ(status(ErrorClass::conflict, "lease_lost"), 500U);
}

Match find(std::string_view method, const std::string& path) {
  static http::Target target;  // matches point into it
  target = *http::parse_target(path);
  return match_route(method, target);
}

TEST(Routes, LiteralsWinOverWildcards) {
  EXPECT_EQ(find("GET", "/deployments/a/resources/filter").route->action, Action::filter_resources);
  const Match match = find("GET", "/deployments/a/resources/b/");
  EXPECT_EQ(match.route->action, Action::show_resource);
  EXPECT_THAT(match.wildcards, ElementsAre("a", "b"));
  EXPECT_EQ(find("HEAD", "/").route->action, Action::root);
}

TEST(Routes, AllowListsWhatThePathHas) {
  EXPECT_EQ(find("POST", "/deployments/a").allow, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
  EXPECT_EQ(find("GET", "/deployments/a/resources/b/actions").allow, "POST, OPTIONS");
  EXPECT_EQ(find("GET", "/deployments/a/b").allow, "");
  EXPECT_EQ(find("get", "/info").route, nullptr);
}

}  // namespace
}  // namespace tutti::api
