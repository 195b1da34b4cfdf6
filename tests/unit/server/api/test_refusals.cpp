// Bad input: each a clear 4xx in INDIGO's shape, with its place and rule, and nothing created.
#include "service.hpp"
#include "tests/unit/server/view/golden.hpp"

#include <gmock/gmock.h>

namespace tutti::api::test {
namespace {

using testing::HasSubstr;

class Refusals : public testing::Test {
 protected:
  json refused(const http::Response& response, unsigned status) {
    EXPECT_EQ(response.status, status) << response.body;
    const json body = json::parse(response.body);
    EXPECT_EQ(body.at("code"), status);
    EXPECT_EQ(body.at("title"), std::string(http::reason_phrase(status)));
    EXPECT_FALSE(body.at("message").get<std::string>().empty());
    return body;
  }
  json post(const json& body, unsigned status = 400) {
    return refused(service_.call("POST", "/deployments", body.dump()), status);
  }
  // The first diagnostic of a template that is refused.
  json post_template(const std::string& text) {
    const json body = post({{"template", text}});
    EXPECT_TRUE(body.contains("diagnostics"));
    return body.value("diagnostics", json::array({json::object()})).at(0);
  }
  void TearDown() override {
    EXPECT_EQ(service_.get("/deployments").at("page").at("totalElements"), 0);
  }

  engine::test::Outside outside_;
  Service service_{outside_};
};

TEST_F(Refusals, UnknownPathsAndIds) {
  refused(service_.call("GET", "/nowhere"), 404);
  refused(service_.call("GET", "/deployments/x/nowhere"), 404);
  refused(service_.call("GET", "/deployments/../info"), 404);
  for (const char* part : {"", "/template", "/log", "/extrainfo", "/progress", "/resources",
                           "/resources/filter?type=x", "/resources/r"}) {
    const auto response = service_.call("GET", std::string("/deployments/no-such-id") + part);
    EXPECT_EQ(refused(response, 404).at("message"), "The deployment no-such-id doesn't exist");
  }
  refused(service_.call("DELETE", "/deployments/no-such-id"), 404);
  refused(service_.call("PUT", "/deployments/no-such-id", "{}"), 404);
  refused(service_.call("PATCH", "/deployments/no-such-id", "{}"), 404);
  expect_golden("error_not_found", service_.call("GET", "/deployments/a%22b%0a").body);
}

TEST_F(Refusals, BrokenEscapesInAQueryAreNamed) {
  for (const char* method : {"GET", "POST"}) {
    const auto response = service_.call(method, "/deployments?size=3&userGroup=%zz");
    EXPECT_THAT(refused(response, 400).at("message").get<std::string>(), HasSubstr("userGroup"));
  }
}

TEST_F(Refusals, WrongMethods) {
  const auto response = service_.call("DELETE", "/deployments");
  refused(response, 405);
  EXPECT_EQ(response.headers.at(0).first, "Allow");
  EXPECT_EQ(response.headers.at(0).second, "GET, HEAD, POST, OPTIONS");
  refused(service_.call("POST", "/info", "{}"), 405);
  refused(service_.call("BREW", "/deployments"), 405);
  refused(service_.call("POST", "/deployments/x/resources/filter", "{}"), 405);
}

TEST_F(Refusals, WrongContentType) {
  for (const char* type : {"text/yaml", "application/x-www-form-urlencoded", "application/jsonx"}) {
    refused(service_.call("POST", "/deployments", "x", {{"Content-Type", type}}), 415);
  }
  for (const char* type :
       {"application/json;charset=UTF-8", "Application/JSON ; q=1", "application/vnd.tutti+json"}) {
    refused(service_.call("POST", "/deployments", "{}", {{"Content-Type", type}}), 400);
  }
}

TEST_F(Refusals, InvalidJsonHasItsPlace) {
  const json body =
      refused(service_.call("POST", "/deployments", "{\"template\": \"x\",\n  oops}"), 400);
  EXPECT_EQ(body.at("diagnostics").at(0).at("rule"), "request.json");
  EXPECT_EQ(body.at("diagnostics").at(0).at("line"), 2);
  expect_golden("error_invalid_json", body.dump());
  for (const char* text :
       {"", "[1", "nul", "{\"a\":1}}", "\xff\xfe", "{\"a\":\"\xc3\x28\"}", "'x'"}) {
    refused(service_.call("POST", "/deployments", text), 400);
  }
  refused(service_.call("POST", "/deployments", std::string(100'000, '[')), 400);
}

TEST_F(Refusals, NumbersThatNothingCanHold) {
  const std::string body = R"({"template": "x", "parameters": {"n": -1e999}})";
  const json answer = refused(service_.call("POST", "/deployments", body), 400);
  EXPECT_EQ(answer.at("diagnostics").at(0).at("rule"), "request.json");
  EXPECT_THAT(answer.at("message").get<std::string>(), HasSubstr("'-1e999'"));
  refused(service_.call("POST", "/deployments", std::string(5000, '9')), 400);
  // Also where the text is only read after it was mended.
  refused(service_.call("POST", "/deployments", "{\"t\": \"\n\", \"n\": 1e999}"), 400);
}

TEST_F(Refusals, EveryWrongFieldIsNamed) {
  const json body = post({{"parameters", {1}},
                          {"callback", "ftp://x"},
                          {"timeoutMins", 0},
                          {"providerTimeoutMins", "many"},
                          {"maxProvidersRetry", -1},
                          {"keepLastAttempt", "perhaps"},
                          {"userGroup", 7}});
  expect_golden("error_fields", body.dump());
  EXPECT_EQ(body.at("diagnostics").size(), 8U);
  post({{"template", "x"}, {"timeoutMins", 5}, {"providerTimeoutMins", 6}});
  post({{"template", 5}});
  post(json::array());
  post(json(nullptr));
}

TEST_F(Refusals, Templates) {
  EXPECT_EQ(post_template("a: [1, 2\nb: }").at("file"), "template");
  const json unknown = post_template(
      "tosca_definitions_version: tosca_simple_yaml_1_0\ntopology_template:\n  node_templates:\n"
      "    web:\n      type: tosca.nodes.Comptue\n");
  EXPECT_EQ(unknown.at("line"), 5);
  EXPECT_THAT(unknown.at("rule").get<std::string>(), HasSubstr("type"));
  EXPECT_THAT(unknown.at("hint").get<std::string>(), HasSubstr("tosca.nodes.Compute"));
  post({{"template", kMachines}, {"parameters", {{"count", "several"}}}});
  post({{"template", kMachines}, {"parameters", {{"unknown_input", 1}}}});
  post({{"template", std::string(5'000'000, 'x')}}, 413);
}

TEST_F(Refusals, ListingParameters) {
  refused(service_.call("GET", "/deployments?createdBy=nobody"), 400);
  refused(service_.call("GET", "/deployments?sort=colour"), 400);
  EXPECT_EQ(service_.call("GET", "/deployments?createdBy=me&page=x&size=-1").status, 200U);
}

TEST_F(Refusals, LongIdempotencyKeys) {
  refused(service_.call("POST", "/deployments", json{{"template", kMachines}}.dump(),
                        {{"Idempotency-Key", std::string(300, 'k')}}),
          400);
}

// What is not built yet says so, after everything else was checked.
class NotYet : public testing::Test {
 protected:
  unsigned status(const std::string& method, const std::string& path, const json& body) {
    return service_.call(method, path, body.dump()).status;
  }
  engine::test::Outside outside_;
  Service service_{outside_};
};

TEST_F(NotYet, UpdateResetAndActions) {
  const std::string uuid = service_.create(kMachines);
  const std::string path = "/deployments/" + uuid;
  const json update{{"template", kMachines}};
  EXPECT_EQ(status("PUT", path, update), 409U);  // it is being created
  EXPECT_EQ(status("PATCH", path, {{"status", "DELETE_FAILED"}}), 409U);
  EXPECT_EQ(status("PATCH", path, {{"status", "CREATE_COMPLETE"}}), 400U);
  EXPECT_EQ(status("PATCH", path, {{"status", 7}}), 400U);
  const std::string resource =
      path + "/resources/" +
      service_.get(path + "/resources").at("content").at(0).at("uuid").get<std::string>();
  EXPECT_EQ(status("POST", resource + "/actions", {{"type", "stop"}}), 409U);
  ASSERT_TRUE(service_.until(uuid, "CREATE_COMPLETE"));
  EXPECT_EQ(status("PUT", path, update), 501U);
  EXPECT_EQ(status("POST", resource + "/actions", {{"type", "stop"}}), 501U);
  EXPECT_EQ(status("POST", resource + "/actions", {{"type", "start"}}), 409U);  // it is started
  EXPECT_EQ(status("POST", resource + "/actions", {{"type", "jump"}}), 400U);
  EXPECT_EQ(status("POST", path + "/resources/other/actions", {{"type", "stop"}}), 400U);
  EXPECT_EQ(service_.call("GET", "/schedules").status, 501U);
  EXPECT_EQ(status("POST", "/schedules/", json::object()), 501U);
}

}  // namespace
}  // namespace tutti::api::test
