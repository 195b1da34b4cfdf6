#include "providers/support/log.hpp"

#include "providers/support/redactor.hpp"
#include "tests/unit/providers/coroutine.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sstream>
#include <thread>
#include <unistd.h>

namespace tutti {
namespace {

class LogTest : public testing::Test {
 protected:
  LogTest() : fd_(::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    set_log_descriptor(fd_);
  }
  ~LogTest() override {
    set_log_descriptor(-1);
    set_log_form(LogForm::plain);
    set_log_level(LogLevel::info);
    ::close(fd_);
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::istringstream in(test::read_file(file_));
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
  }

  test::TempFolder folder_;
  std::string file_ = folder_.file("log");
  int fd_;
};

TEST_F(LogTest, PlainRecordsAreOneLineEach) {
  log(LogLevel::warning, "odd\nmessage", {{"step", "a\r\nb"}});
  log(LogLevel::debug, "below the level");
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_NE(lines()[0].find(" warning odd message step=a  b"), std::string::npos);
}

TEST_F(LogTest, JsonRecordsParseAndHideSecretsThatNeedEscapes) {
  set_log_form(LogForm::json);
  const std::string secret = "quo\"te\\d\nsecret";
  redactor().add(secret);
  log(LogLevel::error, "password is " + secret + "!", {{"value", secret}});
  redactor().remove(secret);
  ASSERT_EQ(lines().size(), 1U);
  const auto record = nlohmann::json::parse(lines()[0]);
  EXPECT_EQ(record["level"], "error");
  EXPECT_EQ(record["message"], "password is [secret]!");
  EXPECT_EQ(record["value"], "[secret]");
}

TEST_F(LogTest, ThreadsDoNotMixTheirLines) {
  set_log_form(LogForm::json);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 100; ++i) log(LogLevel::info, std::string(300, 'x'));
    });
  }
  for (auto& thread : threads) thread.join();
  const auto all = lines();
  EXPECT_EQ(all.size(), 400U);
  for (const auto& line : all) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
}

}  // namespace
}  // namespace tutti
