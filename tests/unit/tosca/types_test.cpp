// The hierarchy of types and what is inherited.
#include "tests/unit/tosca/resolve_support.hpp"

namespace tutti::tosca {
namespace {

TEST(Types, NormativeOnesHaveThreeNames) {
  for (const auto* name : {"tosca.nodes.Compute", "tosca:Compute", "Compute"}) {
    const auto result =
        resolve_text(document("  node_templates:\n    n: { type: '" + std::string(name) + "' }\n"));
    ASSERT_THAT(result, Resolves()) << name;
    EXPECT_EQ(result.topology->nodes.at("n").type, "tosca.nodes.Compute");
  }
}

TEST(Types, UnknownParentsAreErrors) {
  for (const auto* section :
       {"node_types", "capability_types", "relationship_types", "policy_types", "artifact_types",
        "interface_types", "data_types", "group_types"}) {
    EXPECT_THAT(resolve_text(document(
                    "  {}\n", std::string(section) + ":\n  my.T: { derived_from: my.None }\n")),
                ReportsAt("type.unknown", "3:25"))
        << section;
  }
}

TEST(Types, NothingDerivesFromItself) {
  EXPECT_THAT(
      resolve_text(document("  {}\n",
                            "node_types:\n  my.A: { derived_from: my.B }\n"
                            "  my.B: { derived_from: my.C }\n  my.C: { derived_from: my.A }\n")),
      ReportsAt("type.loop", "3:25"));
  EXPECT_THAT(resolve_text(document("  {}\n", "data_types:\n  my.A: { derived_from: my.A }\n")),
              ReportsAt("type.loop", "3:25"));
}

TEST(Types, NativeOnesCannotGetProperties) {
  EXPECT_THAT(resolve_text(document("  {}\n",
                                    "data_types:\n  my.T:\n    derived_from: integer\n"
                                    "    properties: { a: { type: string } }\n")),
              ReportsAt("type.native", "3:3"));
  EXPECT_THAT(resolve_text(document("  {}\n", "data_types:\n  string: {}\n")),
              ReportsAt("type.native", "3:3"));
}

TEST(Types, ReferencesInUnusedTypesAreChecked) {
  EXPECT_THAT(resolve_text(document("  {}\n",
                                    "node_types:\n  my.T:\n    derived_from: Root\n"
                                    "    properties: { a: { type: my.None } }\n")),
              ReportsAt("type.unknown", "5:30"));
  EXPECT_THAT(resolve_text(document("  {}\n",
                                    "node_types:\n  my.T:\n    derived_from: Root\n"
                                    "    capabilities: { c: my.Cap }\n")),
              ReportsAt("type.unknown", "5:24"));
  EXPECT_THAT(resolve_text(document("  {}\n",
                                    "node_types:\n  my.T:\n    derived_from: Root\n"
                                    "    properties: { a: {} }\n")),
              ReportsAt("grammar.missing-key", "5:22"));
}

TEST(Types, DefaultsSatisfyTheirDefinition) {
  EXPECT_THAT(
      resolve_text(document("  {}\n",
                            "node_types:\n  my.T:\n    derived_from: Root\n    properties:\n"
                            "      a: { type: integer, default: many }\n")),
      ReportsAt("property.type", "6:36"));
  EXPECT_THAT(resolve_text(document(
                  "  {}\n",
                  "node_types:\n  my.T:\n    derived_from: Root\n    properties:\n"
                  "      a: { type: integer, default: 5, constraints: [ less_than: 5 ] }\n")),
              ReportsAt("property.constraint", "6:36"));
}

const char* const kFamily =
    "node_types:\n"
    "  my.Parent:\n"
    "    derived_from: tosca.nodes.Root\n"
    "    properties:\n"
    "      kept: { type: string, default: parent }\n"
    "      refined: { type: integer, required: false, constraints: [ { greater_than: 1 } ] }\n"
    "    capabilities:\n"
    "      feature2: { type: Node }\n"
    "  my.Child:\n"
    "    derived_from: my.Parent\n"
    "    properties:\n"
    "      refined: { type: integer, default: 4, constraints: [ { less_than: 9 } ] }\n"
    "      own: { type: string }\n";

TEST(Types, MembersAreInherited) {
  const auto result = resolve_text(
      document("  node_templates:\n    n: { type: my.Child, properties: { own: x } }\n", kFamily));
  ASSERT_THAT(result, Resolves());
  const NodeTemplate& node = result.topology->nodes.at("n");
  EXPECT_EQ(node.ancestry, (std::vector<std::string>{"my.Child", "my.Parent", "tosca.nodes.Root"}));
  EXPECT_EQ(*node.properties.at("kept").literal(), Value("parent"));
  EXPECT_EQ(*node.properties.at("refined").literal(), Value(4));
  EXPECT_EQ(node.capabilities.count("feature"), 1U);
  EXPECT_EQ(node.capabilities.count("feature2"), 1U);
}

TEST(Types, ConstraintsAddUp) {
  const auto with = [](const std::string& number) {
    return resolve_text(
        document("  node_templates:\n    n:\n      type: my.Child\n      properties:\n"
                 "        own: x\n        refined: " +
                     number + "\n",
                 kFamily));
  };
  EXPECT_THAT(with("5"), Resolves());
  EXPECT_THAT(with("1"), ReportsAt("property.constraint", "21:18"));
  EXPECT_THAT(with("9"), ReportsAt("property.constraint", "21:18"));
}

TEST(Types, ANormativeNameMayBeDefinedAgain) {
  const auto result = resolve_text(
      document("  node_templates:\n    n: { type: tosca.nodes.Root, properties: { a: x } }\n",
               "node_types:\n  tosca.nodes.Root: { derived_from: tosca.nodes.Root, properties: { "
               "a: { type: string } } }\n"));
  EXPECT_THAT(result, Resolves());
}

}  // namespace
}  // namespace tutti::tosca
