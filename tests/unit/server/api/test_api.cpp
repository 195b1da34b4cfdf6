// What clients do, from POST to 404, through the real engine.
#include "service.hpp"

#include <gmock/gmock.h>

namespace tutti::api::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

std::string header(const http::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

class Api : public testing::Test {
 protected:
  engine::test::Outside outside_;
  Service service_{outside_};
};

TEST_F(Api, Root) {
  const auto response = service_.call("GET", "/", "", {{"Accept", "application/json"}});
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.media, http::Media::text);
  EXPECT_EQ(response.body, "INDIGO-Orchestrator");
}

TEST_F(Api, InfoNamesAContractThatClientsCompare) {
  const json info = service_.get("/info");
  EXPECT_THAT(info.at("build").at("version").get<std::string>(),
              MatchesRegex("2\\.8\\.0-tutti-[0-9.]+"));
  EXPECT_EQ(info.at("projectVersion"), info.at("build").at("version"));
}

TEST_F(Api, InfoHasEveryFieldOfBothShapes) {
  const json info = service_.get("/info");
  for (const char* field :
       {"/build/version", "/build/artifact", "/build/name", "/build/group", "/build/time",
        "/git/branch", "/git/commit/id", "/git/commit/time", "/projectVersion", "/projectRevision",
        "/projectTimestamp", "/serverHostname"}) {
    const json::json_pointer place(field);
    ASSERT_TRUE(info.contains(place)) << field;
    EXPECT_TRUE(info.at(place).is_string() && !info.at(place).get<std::string>().empty()) << field;
  }
  EXPECT_THAT(info.at("build").at("time").get<std::string>(), MatchesRegex("....-..-..T..:..:..Z"));
}

TEST_F(Api, ConfigurationIsAFlatMapOfStrings) {
  const json configuration = service_.get("/configuration/");
  for (const char* name : {"cpr_url", "slam_url", "cmdb_url", "im_url", "monitoring_url"}) {
    EXPECT_TRUE(configuration.at(name).is_string()) << name;
  }
}

TEST_F(Api, PostAnswersWithTheDeploymentInProgress) {
  const auto response = service_.call("POST", "/deployments/",
                                      json{{"template", kMachines}, {"userGroup", "g"}}.dump());
  ASSERT_EQ(response.status, 201U) << response.body;
  const json made = json::parse(response.body);
  const std::string url = "http://portal.example/deployments/" + made.at("uuid").get<std::string>();
  EXPECT_EQ(header(response, "Location"), url);
  EXPECT_EQ(made.at("links").at(0).at("href"), url);
  EXPECT_EQ(made.at("status"), "CREATE_IN_PROGRESS");
  EXPECT_EQ(made.at("task"), "DEPLOYER");
  EXPECT_EQ(made.at("outputs"), json::object());
  EXPECT_EQ(made.at("userGroup"), "g");
  EXPECT_THAT(made.at("updateTime").get<std::string>(), MatchesRegex("....-..-..T..:..\\+0000"));
  EXPECT_FALSE(made.contains("statusReason"));
}

TEST_F(Api, FromPostToCompleteToGone) {
  const std::string uuid = service_.create(kMachines);
  const std::string path = "/deployments/" + uuid;
  ASSERT_TRUE(service_.until(uuid, "CREATE_COMPLETE"));
  const json complete = service_.get(path);
  EXPECT_EQ(complete.at("outputs").at("addresses").size(), 2U);
  EXPECT_EQ(complete.at("task"), "NONE");
  EXPECT_EQ(complete.at("cloudProviderEndpoint").at("deploymentType"), "SIMULATED");
  const json resources = service_.get(path + "/resources/");
  EXPECT_EQ(resources.at("page").at("totalElements"), 2);
  for (const auto& resource : resources.at("content")) {
    EXPECT_EQ(resource.at("state"), "STARTED");
    EXPECT_EQ(resource.at("creationTime"), complete.at("creationTime"));
    EXPECT_TRUE(resource.at("metadata").contains("VirtualMachineInfo"));
    const std::string one = path + "/resources/" + resource.at("uuid").get<std::string>();
    EXPECT_EQ(service_.get(one), resource);
  }
  EXPECT_EQ(service_.get(path + "/extrainfo").size(), 2U);
  EXPECT_EQ(service_.get(path + "/progress").at("nodes").size(), 2U);  // web, and its network
  EXPECT_EQ(service_.call("DELETE", path + "?force=True", "[]").status, 204U);
  ASSERT_TRUE(service_.until(uuid, "404"));
  EXPECT_EQ(service_.get("/deployments").at("content"), json::array());
  EXPECT_TRUE(outside_.audit().live.empty());
}

TEST_F(Api, TemplateIsWhatWasPosted) {
  const std::string uuid = service_.create(kMachines);
  const auto response = service_.call("GET", "/deployments/" + uuid + "/template/", "",
                                      {{"Accept", "application/json"}});
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.body, kMachines);
}

TEST_F(Api, LogIsText) {
  const std::string uuid = service_.create(kMachines);
  ASSERT_TRUE(service_.until(uuid, "CREATE_COMPLETE"));
  const auto response = service_.call("GET", "/deployments/" + uuid + "/log");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.media, http::Media::text);
}

TEST_F(Api, DryRunShowsThePlanAndCreatesNothing) {
  const auto response =
      service_.call("POST", "/deployments?dryRun=true", json{{"template", kMachines}}.dump());
  ASSERT_EQ(response.status, 200U) << response.body;
  const json shown = json::parse(response.body);
  EXPECT_EQ(shown.at("plan").at("instances").size(), 2U);
  EXPECT_FALSE(shown.at("plan").at("steps").empty());
  EXPECT_THAT(shown.at("mermaid").get<std::string>(), StartsWith("flowchart"));
  EXPECT_TRUE(shown.at("warnings").is_array());
  EXPECT_EQ(shown.at("deployable"), true);
  EXPECT_EQ(shown.at("errors"), json::array());
  EXPECT_EQ(service_.get("/deployments").at("page").at("totalElements"), 0);
}

TEST_F(Api, DryRunShowsAPlanThatCannotBeCarriedOut) {
  std::string text = kMachines;
  text.insert(text.find("      capabilities:"),
              "      interfaces: { Standard: { configure: nowhere.yml } }\n");
  const std::string body = json{{"template", text}}.dump();
  const auto response = service_.call("POST", "/deployments?dryRun=true", body);
  ASSERT_EQ(response.status, 200U) << response.body;
  const json shown = json::parse(response.body);
  EXPECT_EQ(shown.at("deployable"), false);
  EXPECT_THAT(shown.at("errors").at(0).at("message").get<std::string>(), HasSubstr("nowhere.yml"));
  EXPECT_FALSE(shown.at("plan").at("steps").empty());
  const auto refused = service_.call("POST", "/deployments", body);
  EXPECT_EQ(refused.status, 400U);
  EXPECT_EQ(json::parse(refused.body).at("diagnostics").at(0), shown.at("errors").at(0));
}

TEST_F(Api, WhatIsAskedForAndNotDoneIsToldAsAWarning) {
  const std::string uuid =
      service_.create(kMachines, {{"timeoutMins", 10}, {"callback", "https://portal.example/cb"}});
  const json warnings = service_.get("/deployments/" + uuid + "/progress").at("warnings");
  ASSERT_GE(warnings.size(), 2U) << warnings;
  EXPECT_THAT(warnings.at(0).get<std::string>(), HasSubstr("callback"));
  EXPECT_THAT(warnings.at(1).get<std::string>(), HasSubstr("timeoutMins"));
}

TEST_F(Api, CoercesWhatFormsSend) {
  const json body{{"template", kMachines},        {"parameters", {{"count", "1"}}},
                  {"keepLastAttempt", "true"},    {"timeoutMins", "240"},
                  {"providerTimeoutMins", "120"}, {"maxProvidersRetry", nullptr},
                  {"callback", nullptr},          {"unknownField", {1, 2}}};
  const auto response = service_.call("POST", "/deployments", body.dump());
  ASSERT_EQ(response.status, 201U) << response.body;
  const std::string uuid = json::parse(response.body).at("uuid");
  ASSERT_TRUE(service_.until(uuid, "CREATE_COMPLETE"));
  EXPECT_EQ(service_.get("/deployments/" + uuid + "/resources").at("page").at("totalElements"), 1);
}

TEST_F(Api, IdempotencyKeysMakeOneDeployment) {
  const Fields key{{"Idempotency-Key", "k1"}};
  const std::string body = json{{"template", kMachines}}.dump();
  const auto first = service_.call("POST", "/deployments", body, key);
  const auto again = service_.call("POST", "/deployments", body, key);
  EXPECT_EQ(first.status, 201U);
  EXPECT_EQ(again.status, 201U);
  const std::string uuid = json::parse(first.body).at("uuid");
  EXPECT_EQ(json::parse(again.body).at("uuid"), uuid);
  const std::string other = json{{"template", kMachines}, {"userGroup", "x"}}.dump();
  EXPECT_EQ(service_.call("POST", "/deployments", other, key).status, 422U);
  EXPECT_EQ(service_.get("/deployments").at("page").at("totalElements"), 1);
  EXPECT_EQ(service_.call("DELETE", "/deployments/" + uuid).status, 204U);
  ASSERT_TRUE(service_.until(uuid, "404"));
  EXPECT_EQ(service_.call("POST", "/deployments", body, key).status, 409U);
}

TEST_F(Api, SecondDeleteIsAConflict) {
  const std::string uuid = service_.create(kMachines);
  EXPECT_EQ(service_.call("DELETE", "/deployments/" + uuid).status, 204U);
  const auto again = service_.call("DELETE", "/deployments/" + uuid);
  EXPECT_TRUE(again.status == 409U || again.status == 404U) << again.status;
  ASSERT_TRUE(service_.until(uuid, "404"));
}

TEST_F(Api, SecretsStayOut) {
  const std::string uuid =
      service_.create(kMachines, {{"parameters", {{"password", "canary-5d1"}}}});
  ASSERT_TRUE(service_.until(uuid, "CREATE_COMPLETE"));
  for (const char* part : {"", "/template", "/log", "/extrainfo", "/progress", "/resources"}) {
    const auto response = service_.call("GET", "/deployments/" + uuid + part);
    EXPECT_THAT(response.body, Not(HasSubstr("canary-5d1"))) << part;
  }
  for (const auto& [deployment, state] : outside_.disk->states) {
    EXPECT_THAT(state, Not(HasSubstr("canary-5d1")));
  }
}

TEST_F(Api, DeclaredOutputsRevealTheirSecretToWhoAsksForTheDeployment) {
  const std::string text = kMachines +
                           "    login:\n      type: tutti.datatypes.Secret\n"
                           "      value: { get_input: password }\n";
  const std::string uuid = service_.create(text, {{"parameters", {{"password", "open-sesame"}}}});
  ASSERT_TRUE(service_.until(uuid, "CREATE_COMPLETE"));
  EXPECT_EQ(service_.get("/deployments/" + uuid).at("outputs").at("login"), "open-sesame");
  EXPECT_THAT(service_.call("GET", "/deployments").body, Not(HasSubstr("open-sesame")));
}

TEST_F(Api, RecoveryShowsTheSame) {
  std::string uuid;
  json before;
  {
    engine::test::Outside outside;
    {
      Service first(outside);
      uuid = first.create(kMachines, {{"userGroup", "g"}});
      ASSERT_TRUE(first.until(uuid, "CREATE_COMPLETE"));
      before = first.get("/deployments/" + uuid);
    }
    Service second(outside);
    EXPECT_EQ(second.get("/deployments/" + uuid), before);
  }
}

TEST_F(Api, TooManyPreparationsGet503) {
  engine::test::Outside outside;
  Service none(outside, 0);
  const auto response = none.call("POST", "/deployments", json{{"template", kMachines}}.dump());
  EXPECT_EQ(response.status, 503U);
  EXPECT_EQ(header(response, "Retry-After"), "1");
}

// A commit that takes long must not keep others from being prepared.
TEST_F(Api, APermitEndsWithThePreparation) {
  engine::test::Outside outside;
  Service one(outside, 1);
  const std::string body = json{{"template", kMachines}}.dump();
  unsigned beside = 0;
  one.before_create = [&]() -> boost::asio::awaitable<void> {
    auto request = Service::request("POST", "/deployments?dryRun=true", body);
    const auto response = co_await one.answer(std::move(request));
    beside = response.status;
  };
  EXPECT_EQ(one.call("POST", "/deployments", body).status, 201U);
  EXPECT_EQ(beside, 200U);
}

// What lies in the store is ours: that it cannot be read is nothing the client did.
TEST_F(Api, DamagedTextsAreErrorsOfTheServer) {
  const std::string text = kMachines +
                           "    login:\n      type: tutti.datatypes.Secret\n"
                           "      value: { get_input: password }\n";
  const std::string uuid = service_.create(text, {{"parameters", {{"password", "open-sesame"}}}});
  ASSERT_TRUE(service_.until(uuid, "CREATE_COMPLETE"));
  for (auto& [name, sealed] : outside_.disk->documents.at(DeploymentId(uuid))) sealed += "x";
  EXPECT_EQ(service_.call("GET", "/deployments/" + uuid + "/template").status, 500U);
  EXPECT_EQ(service_.call("GET", "/deployments/" + uuid).status, 500U);
}

TEST_F(Api, HeadAndOptions) {
  EXPECT_EQ(service_.call("HEAD", "/info").status, 200U);
  const auto options = service_.call("OPTIONS", "/deployments");
  EXPECT_EQ(options.status, 204U);
  EXPECT_EQ(header(options, "Allow"), "GET, HEAD, POST, OPTIONS");
}

}  // namespace
}  // namespace tutti::api::test
