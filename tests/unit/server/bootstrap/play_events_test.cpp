#include "server/bootstrap/play_events.hpp"

#include "providers/support/redactor.hpp"

#include <gmock/gmock.h>

namespace tutti::bootstrap {
namespace {

using testing::Contains;
using testing::HasSubstr;

struct Told {
  std::vector<std::string> lines;
  std::string task;
  PlayEvents events{[this](const Progress& progress) {
    lines.push_back(progress.line);
    task = progress.task;
  }};
};

Run run_on(std::initializer_list<std::string> names) {
  Run run;
  int ordinal = 0;
  for (const std::string& name : names) {
    Host host;
    host.name = name;
    host.key.node = "web";
    host.key.ordinal = ordinal++;
    run.targets.push_back(host);
  }
  return run;
}

TEST(PlayEventsTest, EachHostHasItsOwnResult) {
  Told told;
  told.events.event_line(R"({"event":"task","task":"install"})");
  told.events.event_line(R"({"event":"ok","host":"a","task":"install","changed":true})");
  told.events.event_line(
      R"({"event":"failed","host":"b","task":"install","ignored":false,"message":"no space"})");
  told.events.event_line(
      R"({"event":"unreachable","host":"c","task":"install","message":"timed out"})");
  told.events.event_line(R"({"event":"recap","hosts":{"a":{"ok":1,"changed":1,"failures":0,
      "unreachable":0},"b":{"failures":1},"c":{"unreachable":1}}})");
  EXPECT_EQ(told.task, "install");
  EXPECT_THAT(told.lines, Contains("b: FAILED: no space"));
  ASSERT_TRUE(told.events.has_recap());
  const Outcome outcome = told.events.outcome(run_on({"a", "b", "c", "d"}));
  EXPECT_EQ(outcome.changed, 1);
  EXPECT_TRUE(outcome.hosts[0].ok);
  EXPECT_FALSE(outcome.hosts[1].ok);
  EXPECT_EQ(outcome.hosts[1].failed_task, "install");
  EXPECT_EQ(outcome.hosts[1].message, "no space");
  EXPECT_TRUE(outcome.hosts[2].unreachable);
  EXPECT_FALSE(outcome.hosts[3].ok);
  EXPECT_THAT(outcome.hosts[3].message, HasSubstr("before it came to this host"));
}

TEST(PlayEventsTest, AModuleMaySayThatRepeatingDoesNotHelp) {
  Told told;
  told.events.event_line(
      R"({"event":"failed","host":"a","task":"t","message":"no","ignored":true,"hopeless":true})");
  told.events.event_line(
      R"({"event":"failed","host":"b","task":"t","message":"no","hopeless":true})");
  told.events.event_line(R"({"event":"recap","hosts":{"a":{"failures":1},"b":{"failures":1}}})");
  const Outcome outcome = told.events.outcome(run_on({"a", "b"}));
  EXPECT_FALSE(outcome.hosts[0].hopeless) << "it was ignored";
  EXPECT_TRUE(outcome.hosts[1].hopeless);
}

TEST(PlayEventsTest, ThePlayHandsOutAttributes) {
  redactor().add("swordfish");
  Told told;
  told.events.event_line(R"({"event":"recap","hosts":{"a":{"ok":1},"b":{"ok":1}},"given":
      {"a":{"version":"3.8","key":"swordfish","number":5},"b":7,"stranger":{"x":"y"}}})");
  const Outcome outcome = told.events.outcome(run_on({"a", "b"}));
  EXPECT_EQ(outcome.hosts[0].attributes.at("version"), "3.8");
  EXPECT_THAT(outcome.hosts[0].attributes.at("key"), Not(HasSubstr("swordfish")));
  EXPECT_FALSE(outcome.hosts[0].attributes.contains("number")) << "texts alone";
  EXPECT_TRUE(outcome.hosts[1].attributes.empty());
  redactor().remove("swordfish");
}

TEST(PlayEventsTest, AFailureThatWasRescuedIsNone) {
  Told told;
  told.events.event_line(R"({"event":"failed","host":"a","task":"t","message":"first"})");
  told.events.event_line(R"({"event":"recap","hosts":{"a":{"failures":0,"rescued":1}}})");
  EXPECT_TRUE(told.events.outcome(run_on({"a"})).hosts[0].ok);
}

TEST(PlayEventsTest, WhatIsNoEventChangesNothing) {
  Told told;
  for (const char* bad : {"", "x", "[]", "{}", "{\"event\":5}", "{\"event\":\"recap\",\"hosts\":3}",
                          "{\"event\":\"failed\",\"host\":[]}"}) {
    told.events.event_line(bad);
  }
  EXPECT_FALSE(told.events.has_recap());
}

TEST(PlayEventsTest, SecretsDoNotPass) {
  redactor().add("swordfish");
  Told told;
  told.events.output_line("the password is swordfish");
  told.events.event_line(
      R"({"event":"failed","host":"a","task":"t","message":"swordfish was refused"})");
  told.events.event_line(R"({"event":"recap","hosts":{"a":{"failures":1}}})");
  for (const std::string& line : told.lines) EXPECT_THAT(line, Not(HasSubstr("swordfish")));
  EXPECT_THAT(told.events.last_output(), Not(HasSubstr("swordfish")));
  EXPECT_THAT(told.events.outcome(run_on({"a"})).hosts[0].message, Not(HasSubstr("swordfish")));
  redactor().remove("swordfish");
}

TEST(PlayEventsTest, NoPartOfASecretIsLeftWhereALineIsCut) {
  redactor().add("swordfish");
  Told told;
  const std::string filling(PlayEvents::kLongestLine - 4, 'x');
  told.events.output_line(filling + "swordfish");
  EXPECT_THAT(told.lines.back(), Not(HasSubstr("swor")));
  EXPECT_LE(told.lines.back().size(), PlayEvents::kLongestLine);
  const std::string message(1996, 'x');
  told.events.event_line(R"({"event":"failed","host":"a","task":"t","message":")" + message +
                         "swordfish" + message + message + R"("})");
  told.events.event_line(R"({"event":"recap","hosts":{"a":{"failures":1}}})");
  const std::string kept = told.events.outcome(run_on({"a"})).hosts[0].message;
  EXPECT_THAT(kept, Not(HasSubstr("swor")));
  EXPECT_LT(kept.size(), 4100U);
  redactor().remove("swordfish");
}

TEST(PlayEventsTest, AFloodIsCutAndSaysSo) {
  Told told;
  const std::string line(8000, 'x');
  for (int i = 0; i < 2000; ++i) told.events.output_line(line);
  EXPECT_LT(told.lines.size(), 600U);
  EXPECT_THAT(told.lines.back(), HasSubstr("not kept"));
}

TEST(LineSplitterTest, CutsLinesAndLimitsThem) {
  std::vector<std::string> lines;
  const auto keep = [&](std::string_view line) { lines.emplace_back(line); };
  LineSplitter splitter(5);
  splitter.feed("ab\ncd", keep);
  splitter.feed("e\n1234567\nrest", keep);
  splitter.finish(keep);
  EXPECT_EQ(lines, (std::vector<std::string>{"ab", "cde", "12345", "rest"}));
}

}  // namespace
}  // namespace tutti::bootstrap
