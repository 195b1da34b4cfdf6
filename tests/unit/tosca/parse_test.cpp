#include "tosca/source/parse.hpp"

#include <gmock/gmock.h>

namespace tutti::tosca {
namespace {

struct Parsed {
  Diagnostics diagnostics;
  Document document;
};

Parsed parsed(const std::string& text, const ParseOptions& options = {}) {
  Diagnostics diagnostics;
  Document document = parse("f", text, options, diagnostics);
  return {std::move(diagnostics), std::move(document)};
}

std::string only_problem(const Parsed& p) {
  if (p.diagnostics.size() != 1) return "there are " + std::to_string(p.diagnostics.size());
  const Diagnostic& d = p.diagnostics.front();
  return d.rule + "@" + std::to_string(d.span.line) + ":" + std::to_string(d.span.column);
}

TEST(Parse, KeepsScalarsAsWritten) {
  const auto p = parsed("version: 16.10\nquoted: \"16.10\"\nword: yes\ntext: !!str 1\n");
  ASSERT_THAT(p.diagnostics, testing::IsEmpty());
  const Node& root = *p.document.root();
  EXPECT_EQ(root.find("version")->text, "16.10");
  EXPECT_TRUE(root.find("version")->plain);
  EXPECT_EQ(root.find("quoted")->text, "16.10");
  EXPECT_FALSE(root.find("quoted")->plain);
  EXPECT_EQ(root.find("word")->text, "yes");
  EXPECT_FALSE(root.find("text")->plain);
  EXPECT_EQ(root.find("nothing"), nullptr);
}

TEST(Parse, KnowsPlaces) {
  const auto p = parsed("a:\n  b: [ 1, two ]\n  c:\n");
  const Node& inner = *p.document.root()->find("a");
  EXPECT_EQ(inner.begin.line, 2U);
  EXPECT_EQ(inner.begin.column, 3U);
  const Node& two = *inner.find("b")->items[1];
  EXPECT_EQ(two.begin.line, 2U);
  EXPECT_EQ(two.begin.column, 11U);
  EXPECT_EQ(two.end.column, 14U);
  // A value that was left out stands behind its key, not at the next token.
  EXPECT_TRUE(inner.find("c")->is_null());
  EXPECT_EQ(inner.find("c")->begin.line, 3U);
}

TEST(Parse, FlowSequencesMayHoldPairs) {
  const auto p = parsed("concat: [ 'http://', get_attribute: [ n, address, 0 ], ':5050' ]\n");
  ASSERT_THAT(p.diagnostics, testing::IsEmpty());
  const Node& list = *p.document.root()->find("concat");
  ASSERT_EQ(list.items.size(), 3U);
  ASSERT_TRUE(list.items[1]->is_mapping());
  EXPECT_EQ(list.items[1]->find("get_attribute")->items.size(), 3U);
}

TEST(Parse, RepeatedKeysAreErrors) {
  const auto p = parsed("a:\n  x: 1\n  y: 2\n  x: 3\n");
  EXPECT_EQ(only_problem(p), "yaml.duplicate-key@4:3");
  EXPECT_TRUE(has_errors(p.diagnostics));
}

TEST(Parse, RepeatedKeysOfLenientDocumentsWarnAndTheLastWins) {
  ParseOptions lenient;
  lenient.lenient = true;
  const auto p = parsed("x: 1\nx: 2\nx: 3\n", lenient);
  EXPECT_FALSE(has_errors(p.diagnostics));
  EXPECT_EQ(p.diagnostics.size(), 2U);
  EXPECT_EQ(p.document.root()->find("x")->text, "3");
  EXPECT_EQ(p.document.root()->entries.size(), 1U);
}

TEST(Parse, MergeKeysYieldToOwnOnes) {
  const auto p = parsed(
      "base: &b { x: 1, y: 2 }\nother: &o { y: 3, z: 4 }\n"
      "one:\n  <<: *b\n  x: 9\nmany:\n  <<: [ *o, *b ]\nquoted: { '<<': 1 }\n");
  ASSERT_THAT(p.diagnostics, testing::IsEmpty());
  const Node& root = *p.document.root();
  EXPECT_EQ(root.find("one")->find("x")->text, "9");
  EXPECT_EQ(root.find("one")->find("y")->text, "2");
  EXPECT_EQ(root.find("many")->find("y")->text, "3");
  EXPECT_EQ(root.find("many")->find("x")->text, "1");
  EXPECT_EQ(root.find("quoted")->find("<<")->text, "1");
}

TEST(Parse, MergeNeedsMappings) {
  EXPECT_EQ(only_problem(parsed("a:\n  <<: text\n")), "yaml.merge@2:7");
}

TEST(Parse, KeysAreScalars) {
  EXPECT_EQ(only_problem(parsed("? [ a ]\n: b\n")), "yaml.key@1:3");
}

TEST(Parse, SyntaxErrorsHaveTheirPlace) {
  EXPECT_EQ(only_problem(parsed("a: [ 1, 2\nb: 3\n")).substr(0, 12), "yaml.syntax@");
  EXPECT_EQ(only_problem(parsed("a:\n\tb: 1\n")).substr(0, 13), "yaml.syntax@2");
  EXPECT_EQ(only_problem(parsed("a: *nobody\n")), "yaml.syntax@1:4");
}

TEST(Parse, EncodingIsUtf8) {
  EXPECT_EQ(only_problem(parsed("a: b\nc: \xff\n")), "yaml.encoding@2:4");
  EXPECT_EQ(only_problem(parsed(std::string("a: \x01\n"))), "yaml.encoding@1:4");
  EXPECT_EQ(only_problem(parsed("a: \xc0\xaf\n")), "yaml.encoding@1:4");
  EXPECT_EQ(only_problem(parsed("a: \xed\xa0\x80\n")), "yaml.encoding@1:4");
  EXPECT_THAT(parsed("\xef\xbb\xbf"
                     "a: \xc3\xa4\n")
                  .diagnostics,
              testing::IsEmpty());
}

TEST(Parse, OneDocumentOnly) {
  EXPECT_EQ(only_problem(parsed("a: 1\n---\nb: 2\n")).substr(0, 14), "yaml.documents");
  EXPECT_THAT(parsed("---\na: 1\n...\n").diagnostics, testing::IsEmpty());
}

TEST(Parse, EmptyTextHasNoRoot) {
  const auto p = parsed("");
  EXPECT_THAT(p.diagnostics, testing::IsEmpty());
  EXPECT_EQ(p.document.root(), nullptr);
}

TEST(Parse, SizeIsLimited) {
  EXPECT_EQ(only_problem(parsed(std::string((4U << 20) + 1, ' '))), "yaml.size@1:1");
}

TEST(Parse, DepthIsLimited) {
  const std::string fits(100, '[');
  EXPECT_THAT(parsed(fits + std::string(100, ']')).diagnostics, testing::IsEmpty());
  const std::string deep(101, '[');
  EXPECT_EQ(only_problem(parsed(deep + std::string(101, ']'))), "yaml.depth@1:101");
  EXPECT_EQ(only_problem(parsed(std::string(100'000, '['))).substr(0, 13), "yaml.depth@1:");
}

TEST(Parse, NodesAreLimited) {
  ParseOptions few;
  few.limits.nodes = 5;
  EXPECT_THAT(parsed("[ 1, 2, 3, 4 ]", few).diagnostics, testing::IsEmpty());
  EXPECT_EQ(only_problem(parsed("[ 1, 2, 3, 4, 5 ]", few)), "yaml.nodes@1:15");
}

TEST(Parse, AliasesCountAsWhatTheyExpandTo) {
  std::string bomb = "a0: &a0 [ x, x, x, x, x, x, x, x, x, x ]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string name = "a" + std::to_string(i);
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += name + ": &" + name + " [ " + last;
    for (int j = 1; j < 10; ++j) bomb += ", " + last;
    bomb += " ]\n";
  }
  EXPECT_EQ(only_problem(parsed(bomb)).substr(0, 11), "yaml.alias@");
}

TEST(Parse, NothingContainsItself) {
  EXPECT_EQ(only_problem(parsed("a: &a [ 1, *a ]\n")), "yaml.alias@1:12");
  EXPECT_EQ(only_problem(parsed("a: &a\n  b: { c: *a }\n")), "yaml.alias@2:11");
}

TEST(Parse, AnAnchorMayBeGivenAgain) {
  const auto p = parsed("a: &x 1\nb: *x\nc: &x 2\nd: *x\n");
  ASSERT_THAT(p.diagnostics, testing::IsEmpty());
  EXPECT_EQ(p.document.root()->find("b")->text, "1");
  EXPECT_EQ(p.document.root()->find("d")->text, "2");
}

TEST(Diagnostic, IsOneLine) {
  Diagnostic d{Severity::error, "a.rule", {"file", 3, 4, 3, 9}, "it is wrong", "mend it"};
  EXPECT_EQ(format(d), "file:3:4: error: it is wrong [a.rule] (hint: mend it)");
  d.severity = Severity::warning;
  d.hint.clear();
  d.span.line = 0;
  EXPECT_EQ(format(d), "file: warning: it is wrong [a.rule]");
}

}  // namespace
}  // namespace tutti::tosca
