#include "server/cli/options.hpp"

#include <gtest/gtest.h>

namespace tutti::cli {
namespace {

Parsed parse_words(std::vector<const char*> words) {
  words.insert(words.begin(), "tutti");
  return parse(static_cast<int>(words.size()), words.data());
}

TEST(Options, DeployWithInputs) {
  const Parsed parsed = parse_words({"deploy", "a.yaml", "-i", "x=1", "-i", "y=a=b", "--server",
                                     "http://127.0.0.1:9/", "--detach"});
  ASSERT_TRUE(parsed.options);
  EXPECT_EQ(parsed.options->command, Command::deploy);
  EXPECT_EQ(parsed.options->template_file, "a.yaml");
  ASSERT_EQ(parsed.options->inputs.size(), 2U);
  EXPECT_EQ(parsed.options->inputs[1], std::make_pair(std::string("y"), std::string("a=b")));
  EXPECT_EQ(parsed.options->server, "http://127.0.0.1:9");
  EXPECT_TRUE(parsed.options->detach);
}

TEST(Options, AnImportSplitsAtItsLastEqualsSign) {
  const Parsed parsed = parse_words({"plan", "a.yaml", "--import", "https://h/t?v=1=types.yaml"});
  ASSERT_TRUE(parsed.options);
  EXPECT_EQ(parsed.options->imports[0],
            std::make_pair(std::string("https://h/t?v=1"), std::string("types.yaml")));
}

TEST(Options, UsageErrorsExitWithTwo) {
  for (const auto& words :
       std::vector<std::vector<const char*>>{{},
                                             {"frobnicate"},
                                             {"validate"},
                                             {"deploy", "a.yaml", "-i", "novalue"},
                                             {"status"},
                                             {"plan", "a.yaml", "--json", "--mermaid"},
                                             {"list", "--nonsense"}}) {
    const Parsed parsed = parse_words(words);
    EXPECT_FALSE(parsed.options);
    EXPECT_EQ(parsed.exit_code, kUsage);
  }
}

TEST(Options, HelpAndVersionExitWithZero) {
  EXPECT_EQ(parse_words({"--help"}).exit_code, kDone);
  EXPECT_EQ(parse_words({"--version"}).exit_code, kDone);
}

}  // namespace
}  // namespace tutti::cli
