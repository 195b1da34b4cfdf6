#include "tests/unit/tosca/resolve_support.hpp"

namespace tutti::tosca {
namespace {

const std::string kVersion = "tosca_definitions_version: tosca_simple_yaml_1_3\n";

std::string types(const std::string& name, const std::string& before = "") {
  return kVersion + before + "node_types:\n  " + name + ": { derived_from: tosca.nodes.Root }\n";
}

std::string uses(const std::string& type) {
  return "  node_templates:\n    n: { type: " + type + " }\n";
}

ImportedText text(const std::string& name, const std::string& content) {
  return {name, content, false};
}

TEST(Imports, InEveryNotation) {
  Resolving options;
  options.files["a.yaml"] = text("a.yaml", types("my.A"));
  options.files["https://host/repo/b.yaml"] = text("b", types("my.B"));
  for (const auto* import : {"a.yaml", "{ file: a.yaml }", "{ any: a.yaml }",
                             "{ any: { file: a.yaml } }", "./x/../a.yaml"}) {
    const auto result = resolve_text(
        document(uses("my.A"), "imports:\n  - " + std::string(import) + "\n"), options);
    EXPECT_THAT(result, Resolves()) << import;
    EXPECT_EQ(result.imports.count("a.yaml"), 1U);
  }
  EXPECT_THAT(resolve_text(document(uses("my.B"),
                                    "repositories:\n  r: https://host/repo\nimports:\n"
                                    "  - { file: b.yaml, repository: r }\n"),
                           options),
              Resolves());
}

TEST(Imports, UnresolvedOnesHaveTheirPlace) {
  const auto result = resolve_text(document("  {}\n", "imports:\n  - x: https://host/none.yaml\n"));
  EXPECT_THAT(result, ReportsAt("import.unresolved", "3:8"));
  EXPECT_THAT(resolve_text(document("  {}\n", "imports:\n  - { file: a, repository: none }\n")),
              ReportsAt("import.repository", "3:28"));
}

TEST(Imports, PrefixesKeepNamesApart) {
  Resolving options;
  options.files["a.yaml"] = text("a.yaml", types("my.A"));
  options.files["b.yaml"] = text("b.yaml", types("my.A"));
  const std::string both = "imports:\n  - a.yaml\n  - { file: b.yaml, namespace_prefix: p }\n";
  EXPECT_THAT(resolve_text(document(uses("p:my.A"), both), options), Resolves());
  EXPECT_THAT(resolve_text(document(uses("my.A"), both), options), Resolves());
  EXPECT_THAT(resolve_text(document(uses("q:my.A"), both), options),
              ReportsAt("type.unknown", "7:16"));
}

TEST(Imports, OneNameTwiceIsAmbiguous) {
  Resolving options;
  options.files["a.yaml"] = text("a.yaml", types("my.A"));
  options.files["b.yaml"] = text("b.yaml", types("my.A"));
  EXPECT_THAT(resolve_text(document(uses("my.A"), "imports:\n  - a.yaml\n  - b.yaml\n"), options),
              ReportsAt("type.ambiguous", "4:5"));
}

TEST(Imports, DiamondsAndCyclesAreLegal) {
  Resolving options;
  options.files["base.yaml"] = text("base.yaml", types("my.Base"));
  options.files["l.yaml"] = text("l.yaml", types("my.L", "imports: [ base.yaml, r.yaml ]\n"));
  options.files["r.yaml"] = text("r.yaml", types("my.R", "imports: [ base.yaml, l.yaml ]\n"));
  EXPECT_THAT(resolve_text(document(uses("my.Base"), "imports: [ l.yaml, r.yaml ]\n"), options),
              Resolves());
}

TEST(Imports, AreRelativeToTheImportingFile) {
  Resolving options;
  options.files["dir/a.yaml"] = text("dir/a.yaml", types("my.A", "imports: [ ../b.yaml ]\n"));
  options.files["b.yaml"] = text("b.yaml", types("my.B"));
  EXPECT_THAT(resolve_text(document(uses("my.B"), "imports: [ dir/a.yaml ]\n"), options),
              Resolves());
}

TEST(Imports, ProblemsInThemNameTheirFile) {
  Resolving options;
  options.files["a.yaml"] =
      text("a.yaml", kVersion + "node_types:\n  my.A: { derived_from: none }\n");
  const auto result = resolve_text(document("  {}\n", "imports: [ a.yaml ]\n"), options);
  ASSERT_FALSE(result.diagnostics.empty());
  EXPECT_EQ(result.diagnostics.back().span.file, "a.yaml");
  EXPECT_THAT(result, ReportsAt("type.unknown", "3:25"));
}

TEST(Imports, LenientTextsMayRepeatKeys) {
  Resolving options;
  const std::string twice = kVersion +
                            "node_types:\n  my.A: { derived_from: tosca.nodes.Root }\n"
                            "  my.A: { derived_from: tosca.nodes.Compute }\n";
  options.files["a.yaml"] = {"a.yaml", twice, true};
  const auto result = resolve_text(document(uses("my.A"), "imports: [ a.yaml ]\n"), options);
  ASSERT_THAT(result, Resolves());
  EXPECT_TRUE(result.topology->nodes.at("n").is_a("tosca.nodes.Compute"));
  EXPECT_THAT(result, ReportsAt("yaml.duplicate-key", "4:3"));
  options.files["a.yaml"].lenient = false;
  EXPECT_FALSE(resolve_text(document(uses("my.A"), "imports: [ a.yaml ]\n"), options).topology);
}

TEST(Imports, IndigosUrlsAreKnownByAnyBranch) {
  const ImportMap map;
  for (const auto* url :
       {"https://raw.githubusercontent.com/indigo-dc/tosca-types/master/custom_types.yaml",
        "https://raw.githubusercontent.com/indigo-dc/tosca-types/v4.0.0/custom_types.yaml",
        "https://raw.githubusercontent.com/indigo-dc/tosca-types/a/b/custom_types.yaml"}) {
    ASSERT_TRUE(map.find(url)) << url;
    EXPECT_EQ(map.find(url)->name, "indigo/custom_types.yaml");
  }
  EXPECT_FALSE(
      map.find("https://raw.githubusercontent.com/indigo-dc/tosca-types/custom_types.yaml"));
  EXPECT_FALSE(
      map.find("https://raw.githubusercontent.com/other/tosca-types/master/custom_types.yaml"));
  EXPECT_FALSE(map.find("https://evil/indigo-dc/tosca-types/master/custom_types.yaml"));
}

TEST(Imports, OperatorsEntriesWin) {
  ImportMap map;
  map.add("tutti", {"own.yaml", "x", false});
  EXPECT_EQ(map.find("tutti")->name, "own.yaml");
}

TEST(JoinLocation, FollowsTheBase) {
  EXPECT_EQ(join_location("template", "a.yaml"), "a.yaml");
  EXPECT_EQ(join_location("dir/t.yaml", "a.yaml"), "dir/a.yaml");
  EXPECT_EQ(join_location("dir/t.yaml", "../a.yaml"), "a.yaml");
  EXPECT_EQ(join_location("t.yaml", "../../a.yaml"), "../../a.yaml");
  EXPECT_EQ(join_location("/a/b", "../../../c"), "/c");
  EXPECT_EQ(join_location("https://h/x/y.yaml", "z.yaml"), "https://h/x/z.yaml");
  EXPECT_EQ(join_location("https://h/x/y.yaml", "../../../z.yaml"), "https://h/z.yaml");
  EXPECT_EQ(join_location("dir/t", "https://h/a/./b"), "https://h/a/b");
  EXPECT_EQ(join_location("dir/t", "/abs"), "/abs");
}

}  // namespace
}  // namespace tutti::tosca
