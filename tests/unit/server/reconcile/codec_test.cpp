#include "tests/unit/server/reconcile/daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace tutti::reconcile {
namespace {

using namespace tutti::test;
using testing::HasSubstr;

DeploymentState busy_state() {
  Daemon daemon(flagship());
  daemon.apply(Create{});
  daemon.succeed("network/private");
  daemon.fail("master_server", ErrorClass::quota, true);
  NodeInstance& instance = daemon.state.instances.begin()->second;
  instance.reason = "broken\n\"quoted\"";
  instance.attributes["none"] = tosca::Value();
  instance.attributes["flag"] = tosca::Value(true);
  instance.attributes["whole"] = tosca::Value(std::int64_t{-9007199254740993});
  instance.attributes["half"] = tosca::Value(0.5);
  instance.attributes["two"] = tosca::Value(2.0);
  instance.attributes["infinite"] = tosca::Value(HUGE_VAL);
  instance.attributes["secret"] = tosca::Value(tosca::SecretRef{"input/password"});
  instance.attributes["list"] = tosca::Value(tosca::List{tosca::Value(1), tosca::Value("x")});
  instance.attributes["map"] = tosca::Value(
      tosca::Map{{"$secret", tosca::Value("not one")}, {"a", tosca::Value(tosca::Map{})}});
  return daemon.state;
}

TEST(StateCodec, ReadsBackWhatItWrote) {
  const DeploymentState state = busy_state();
  const std::string text = encode(state);
  EXPECT_TRUE(text.starts_with(R"({"version":1,"id":")"));
  const auto decoded = decode(text);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().describe();
  EXPECT_EQ(encode(*decoded), text);
  EXPECT_EQ(decoded->instances.begin()->second.attributes,
            state.instances.begin()->second.attributes);
  EXPECT_EQ(decoded->random_state, state.random_state);
}

TEST(StateCodec, RefusesWhatItDoesNotKnow) {
  const std::string text = encode(busy_state());
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    const auto decoded = decode(changed);
    EXPECT_FALSE(decoded.has_value()) << to;
    return decoded ? std::string() : decoded.error().message;
  };
  EXPECT_THAT(refused("\"version\":1", "\"version\":2"), HasSubstr("version"));
  EXPECT_THAT(refused("\"goal\"", "\"newer\":1,\"goal\""), HasSubstr("unknown member newer"));
  EXPECT_THAT(refused("\"goal\":\"present\"", "\"goal\":\"elsewhere\""), HasSubstr("goal"));
  EXPECT_THAT(refused("\"generation\":1", "\"generation\":\"1\""), HasSubstr("generation"));
  EXPECT_THAT(refused("{\"$secret\":\"input/password\"}", "{\"$other\":\"x\"}"),
              HasSubstr("attribute secret"));
  for (const char* broken : {"", "{", "[]", "null", "{\"version\":1}", "7"}) {
    const auto decoded = decode(broken);
    ASSERT_FALSE(decoded.has_value()) << broken;
    EXPECT_EQ(decoded.error().cls, ErrorClass::invalid);
  }
}

TEST(StateCodec, CutTextsNeverCrash) {
  const std::string text = encode(busy_state());
  for (std::size_t length = 0; length < text.size(); length += 7) {
    EXPECT_FALSE(decode(text.substr(0, length)).has_value());
  }
}

TEST(StateCodec, ForeignBytesAreReplacedNotRefused) {
  DeploymentState state = busy_state();
  state.status_reason = "cloud said \xff\xfe";
  const std::string text = encode(state);
  const auto decoded = decode(text);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(encode(*decoded), text);
}

TEST(Journal, SaysWhatHappened) {
  EXPECT_EQ(encode(Effect(StartStep{StepId("a/b@0.1"), 2, RunId("r"), true})),
            R"({"effect":"start_step","step":"a/b@0.1","attempt":2,"run":"r","recovered":true})");
  StepFailed failed;
  failed.step = StepId("a/b@0.1");
  failed.attempt = 1;
  failed.failure = {ErrorClass::quota, "Q", "too much"};
  failed.instances = {{{"a", 0}, false, "no", {}}};
  EXPECT_EQ(encode(Event{WallTime(std::chrono::milliseconds(5)), failed}),
            R"({"event":"step_failed","step":"a/b@0.1","attempt":1,)"
            R"("failure":{"class":"quota","code":"Q","message":"too much"},)"
            R"("instances":[{"instance":"a-0","ok":false,"message":"no"}],)"
            R"("aborted":false,"create_may_appear":false,"at":5})");
}

}  // namespace
}  // namespace tutti::reconcile
