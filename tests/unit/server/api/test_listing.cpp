// Pages, links, sorting and filters, over a view that was filled by hand.
#include "server/api/listing.hpp"
#include "tests/unit/server/view/golden.hpp"
#include "tests/unit/server/view/sample.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tutti::api {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kUrl = "http://h";

class Listing : public testing::Test {
 protected:
  // Deployments "id-0" (oldest) to "id-24"; every third is complete; group by number modulo two.
  Listing() {
    for (int i = 0; i < 25; ++i) {
      reconcile::DeploymentState state;
      state.id = DeploymentId("id-" + std::string(i < 10 ? "0" : "") + std::to_string(i));
      state.created_at = view::kCreated + std::chrono::minutes(i);
      state.updated_at = view::kCreated + std::chrono::minutes(i % 7);
      if (i % 3 == 0) state.status = reconcile::DeploymentStatus::create_complete;
      view::Facts facts;
      facts.state = std::make_shared<const reconcile::DeploymentState>(state);
      facts.request_json = std::make_shared<const std::string>(
          std::string(R"({"userGroup":")") + (i % 2 == 0 ? "even" : "odd") +
          (i == 7 ? R"(","createdBy":{"subject":"s","issuer":"https://i/"}})" : "\"}"));
      view_.publish(state.id, facts);
    }
  }
  json list(const std::string& query, bool lavish = false) {
    const auto target = http::parse_target("/deployments" + query);
    auto page = list_deployments(view_, *target, lavish, kUrl);
    EXPECT_TRUE(page) << page.error().message;
    return json::parse(*page);
  }
  static std::vector<std::string> ids(const json& page) {
    std::vector<std::string> found;
    for (const auto& item : page.at("content")) found.push_back(item.at("uuid"));
    return found;
  }
  static std::string link(const json& page, const std::string& rel) {
    for (const auto& item : page.at("links")) {
      if (item.at("rel") == rel) return item.at("href");
    }
    return "";
  }

  view::View view_{view::sample_site()};
};

TEST_F(Listing, TenNewestFirst) {
  const json page = list("");
  EXPECT_EQ(page.at("page"),
            json({{"size", 10}, {"totalElements", 25}, {"totalPages", 3}, {"number", 0}}));
  EXPECT_EQ(ids(page).front(), "id-24");
  EXPECT_EQ(ids(page).size(), 10U);
  expect_golden("page_links", json{{"links", page.at("links")}, {"page", page.at("page")}}.dump());
}

// As orchent and orpy do: follow next while self differs from last.
TEST_F(Listing, FollowingNextSeesEverythingOnce) {
  std::string query = "?excludedStatus=DELETE_COMPLETE&size=4&createdBy=me";
  std::vector<std::string> seen;
  for (int hops = 0; hops < 20; ++hops) {
    const json page = list(query);
    for (const auto& id : ids(page)) seen.push_back(id);
    if (link(page, "self") == link(page, "last")) break;
    const std::string next = link(page, "next");
    ASSERT_TRUE(next.starts_with("http://h/deployments?"));
    query = next.substr(std::string("http://h/deployments").size());
  }
  EXPECT_EQ(seen.size(), 24U);  // all but the one that is somebody's
  EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), 24U);
}

TEST_F(Listing, LinksExistWhereTheyLead) {
  EXPECT_EQ(link(list("?size=25"), "next"), "");
  EXPECT_EQ(link(list("?size=25"), "last"), "");
  EXPECT_NE(link(list("?size=25"), "self"), "");
  const json middle = list("?page=1");
  for (const char* rel : {"first", "prev", "self", "next", "last"})
    EXPECT_NE(link(middle, rel), "");
  const json last = list("?page=2");
  EXPECT_EQ(link(last, "next"), "");
  EXPECT_EQ(link(last, "self"), link(last, "last"));
  EXPECT_EQ(ids(last).size(), 5U);
}

TEST_F(Listing, BeyondTheLastPageIsEmpty) {
  for (const char* query :
       {"?page=3", "?page=99999999999", "?page=18446744073709551615&size=2000"}) {
    const json page = list(query);
    EXPECT_THAT(ids(page), IsEmpty()) << query;
    EXPECT_EQ(link(page, "next"), "") << query;
  }
}

TEST_F(Listing, OddNumbersFallBack) {
  for (const char* query : {"?page=-1&size=x", "?page=&size=0", "?size=-5", "?page=1.5"}) {
    EXPECT_EQ(list(query).at("page").at("size"), 10) << query;
    EXPECT_EQ(list(query).at("page").at("number"), 0) << query;
  }
  EXPECT_EQ(list("?size=9999").at("page").at("size"), 2000);
}

TEST_F(Listing, ClientsThatCannotPageGetALargeOne) {
  EXPECT_EQ(ids(list("", true)).size(), 25U);
  EXPECT_EQ(ids(list("?size=3", true)).size(), 3U);
}

TEST_F(Listing, Sorts) {
  EXPECT_EQ(ids(list("?sort=createdAt,asc")).front(), "id-00");
  EXPECT_EQ(ids(list("?sort=createdAt")).front(), "id-00");
  EXPECT_EQ(ids(list("?sort=uuid,desc&size=1")).front(), "id-24");
  const auto sorted = ids(list("?sort=status&sort=createdAt,desc&size=25"));
  EXPECT_EQ(sorted.front(), "id-24");  // CREATE_COMPLETE before CREATE_IN_PROGRESS
  EXPECT_EQ(sorted.at(8), "id-00");
  EXPECT_EQ(sorted.at(9), "id-23");
}

TEST_F(Listing, Filters) {
  EXPECT_EQ(list("?excludedStatus=CREATE_COMPLETE,UNHEARD_OF").at("page").at("totalElements"), 16);
  EXPECT_EQ(list("?userGroup=odd").at("page").at("totalElements"), 12);
  EXPECT_EQ(list("?userGroup=odd&excludedStatus=CREATE_COMPLETE").at("page").at("totalElements"),
            8);
  EXPECT_EQ(list("?excludedStatus=CREATE_COMPLETE&excludedStatus=CREATE_IN_PROGRESS")
                .at("page")
                .at("totalElements"),
            0);
  EXPECT_EQ(list("?createdBy=anonymous@").at("page").at("totalElements"), 24);  // as it is shown
  EXPECT_THAT(ids(list("?createdBy=s@https://i/")), ElementsAre("id-07"));
  EXPECT_THAT(ids(list("?createdBy=s%40https%3A%2F%2Fi%2F")), ElementsAre("id-07"));
}

class Resources : public testing::Test {
 protected:
  Resources() {
    view_.publish(view::kDeployment, view::sample_facts());
    snapshot_ = view_.find(view::kDeployment.value);
  }
  json list(const std::string& query) {
    const auto target = http::parse_target("/x" + query);
    return json::parse(*list_resources(*snapshot_, *target, false, kUrl));
  }
  view::View view_{view::sample_site()};
  std::shared_ptr<const view::Snapshot> snapshot_;
};

TEST_F(Resources, PagesLikeDeployments) {
  EXPECT_EQ(list("").at("page").at("totalElements"), 4);
  EXPECT_EQ(list("?size=3&page=1").at("content").size(), 1U);
  EXPECT_EQ(list("?sort=state,desc").at("content").at(0).at("state"), "STARTED");
}

TEST_F(Resources, TypesMatchWhatDerivesFromThem) {
  EXPECT_EQ(list("?type=tosca.nodes.Compute").at("content").size(), 2U);
  EXPECT_EQ(list("?type=tosca.nodes.indigo.Compute").at("content").size(), 2U);
  const json all = list("?type=tosca.nodes.Root&size=1&page=3");
  EXPECT_EQ(all.at("content").size(), 4U);  // all matches in one page that echoes the size
  EXPECT_EQ(all.at("page"),
            json({{"size", 1}, {"totalElements", 4}, {"totalPages", 1}, {"number", 0}}));
  // Some clients follow "next" for as long as there is one.
  ASSERT_EQ(all.at("links").size(), 1U);
  EXPECT_EQ(all.at("links").at(0).at("rel"), "self");
  EXPECT_EQ(list("?type=other").at("content").size(), 0U);
}

TEST_F(Resources, FilterIsABareArray) {
  const auto found = filter_resources(
      *snapshot_, *http::parse_target("/x?type=tosca.nodes.SoftwareComponent"), kUrl);
  EXPECT_EQ(json::parse(*found).size(), 2U);
  EXPECT_FALSE(filter_resources(*snapshot_, *http::parse_target("/x"), kUrl));
  EXPECT_FALSE(filter_resources(*snapshot_, *http::parse_target("/x?type="), kUrl));
}

}  // namespace
}  // namespace tutti::api
