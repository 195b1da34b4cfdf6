// Each rule of the written form, at its place.
#include "tests/unit/tosca/resolve_support.hpp"

namespace tutti::tosca {
namespace {

TEST(Grammar, NeedsAKnownVersion) {
  EXPECT_THAT(resolve_text(""), ReportsAt("grammar.empty", "1:1"));
  EXPECT_THAT(resolve_text("- a\n"), ReportsAt("grammar.shape", "1:1"));
  EXPECT_THAT(resolve_text("description: x\n"), ReportsAt("grammar.missing-key", "1:1"));
  const auto result = resolve_text("tosca_definitions_version: tosca_simple_yaml_1_4\n");
  EXPECT_THAT(result, ReportsAt("grammar.version-unknown", "1:28"));
  EXPECT_FALSE(result.topology);
}

TEST(Grammar, KnowsAllVersionsAndTheirUrl) {
  for (const auto* version :
       {"tosca_simple_yaml_1_0", "tosca_simple_yaml_1_1", "tosca_simple_yaml_1_2",
        "tosca_simple_yaml_1_3", "http://docs.oasis-open.org/tosca/ns/simple/yaml/1.0"}) {
    EXPECT_THAT(resolve_text("tosca_definitions_version: " + std::string(version) + "\n"),
                Resolves())
        << version;
  }
}

TEST(Grammar, UnknownKeysAreErrorsWithAHint) {
  const auto result =
      resolve_text(document("  node_templates:\n"
                            "    a:\n"
                            "      type: Root\n"
                            "      propertis: {}\n"));
  EXPECT_THAT(result, ReportsAt("grammar.unknown-key", "6:7"));
  EXPECT_EQ(result.diagnostics.front().hint, "did you mean properties?");
}

TEST(Grammar, RequiredKeysAreMissed) {
  EXPECT_THAT(resolve_text(document("  node_templates:\n    a: { properties: {} }\n")),
              ReportsAt("grammar.missing-key", "4:8"));
  EXPECT_THAT(resolve_text(document("  outputs:\n    a: { description: x }\n")),
              ReportsAt("grammar.missing-key", "4:8"));
  EXPECT_THAT(resolve_text(document("  policies:\n    - p: { targets: [] }\n")),
              ReportsAt("grammar.missing-key", "4:10"));
}

TEST(Grammar, ShapesAreChecked) {
  EXPECT_THAT(resolve_text(document("  node_templates: [ a ]\n")),
              ReportsAt("grammar.shape", "3:19"));
  EXPECT_THAT(resolve_text(document("  node_templates:\n    a: text\n")),
              ReportsAt("grammar.shape", "4:8"));
  EXPECT_THAT(resolve_text(document("  inputs:\n    a: { type: string, required: maybe }\n")),
              ReportsAt("grammar.shape", "4:34"));
  EXPECT_THAT(resolve_text(document("  {}\n", "imports: text\n")),
              ReportsAt("grammar.shape", "2:10"));
}

TEST(Grammar, YamlElevensBooleansCount) {
  EXPECT_THAT(resolve_text(document("  inputs:\n    a: { type: string, required: no }\n")),
              Resolves());
}

TEST(Grammar, MetadataMapsAreAWarning) {
  const auto result = resolve_text(document("  {}\n", "metadata:\n  tabs: { a: b }\n"));
  EXPECT_THAT(result, Resolves());
  EXPECT_THAT(result, ReportsAt("grammar.metadata", "3:9"));
}

TEST(Grammar, KeysOfLaterVersionsAreAWarning) {
  const auto result = resolve_text(
      "tosca_definitions_version: tosca_simple_yaml_1_0\n"
      "topology_template:\n"
      "  workflows: {}\n");
  EXPECT_THAT(result, Resolves());
  EXPECT_THAT(result, ReportsAt("grammar.version", "3:3"));
}

TEST(Grammar, ConstraintsAreKnown) {
  const std::string head =
      "  inputs:\n    a:\n      type: integer\n      default: 1\n      constraints:\n";
  EXPECT_THAT(resolve_text(document(head + "        - greater_then: 1\n")),
              ReportsAt("grammar.constraint", "8:11"));
  EXPECT_THAT(resolve_text(document(head + "        - in_range: [ 1 ]\n")),
              ReportsAt("grammar.constraint", "8:21"));
  EXPECT_THAT(resolve_text(document(head + "        - valid_values: 1\n")),
              ReportsAt("grammar.constraint", "8:25"));
}

TEST(Grammar, AStrayCapabilityIsAWarning) {
  const auto result =
      resolve_text(document("  node_templates:\n    a:\n      type: Compute\n      scalable: { "
                            "properties: { count: 2 } }\n"));
  EXPECT_THAT(result, Resolves());
  EXPECT_THAT(result, ReportsAt("grammar.stray-key", "6:7"));
}

TEST(Grammar, AllProblemsAreReportedInOrder) {
  const auto result =
      resolve_text(document("  node_templates:\n"
                            "    a:\n"
                            "      type: Nothing\n"
                            "    b:\n"
                            "      type: Compute\n"
                            "      wrong: 1\n"
                            "  outputs:\n"
                            "    o: { value: { get_input: none } }\n"));
  ASSERT_EQ(result.diagnostics.size(), 3U) << all_problems(result);
  EXPECT_EQ(result.diagnostics[0].rule, "type.unknown");
  EXPECT_EQ(result.diagnostics[1].rule, "grammar.unknown-key");
  EXPECT_EQ(result.diagnostics[2].rule, "input.unknown");
}

}  // namespace
}  // namespace tutti::tosca
