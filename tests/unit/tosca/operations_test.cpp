#include "tests/unit/tosca/resolve_support.hpp"

namespace tutti::tosca {
namespace {

const char* const kTypes =
    "tosca_definitions_version: tosca_simple_yaml_1_3\n"
    "node_types:\n"
    "  my.Soft:\n"
    "    derived_from: tosca.nodes.Root\n"
    "    properties: { p: { type: string, default: from_type } }\n"
    "    interfaces:\n"
    "      Standard:\n"
    "        inputs: { common: 1 }\n"
    "        operations:\n"
    "          create:\n"
    "            implementation: { primary: tosca/mine.yml, timeout: 60 }\n"
    "            inputs:\n"
    "              value: { get_property: [ SELF, p ] }\n"
    "              addresses: { type: list, entry_schema: string, default: { get_attribute: [ "
    "SELF, state ] } }\n"
    "          stop: { description: nothing is done }\n";

ResolveResult with(const std::string& interfaces) {
  Resolving options;
  options.files["types.yaml"] = {"types.yaml", kTypes, false};
  return resolve_text(document("  node_templates:\n    n:\n      type: my.Soft\n" + interfaces,
                               "imports: [ types.yaml ]\n"),
                      options);
}

TEST(Operations, OfTypesKeepTheirPlaybook) {
  const auto result = with("");
  ASSERT_THAT(result, Resolves());
  const auto& operations = result.topology->nodes.at("n").operations;
  ASSERT_EQ(operations.size(), 1U);
  EXPECT_EQ(operations[0].interface_name, "Standard");
  EXPECT_EQ(operations[0].name, "create");
  EXPECT_EQ(operations[0].implementation, "tosca/mine.yml");
  EXPECT_EQ(operations[0].timeout_seconds, 60);
  EXPECT_EQ(*operations[0].inputs.at("value").literal(), Value("from_type"));
  EXPECT_EQ(*operations[0].inputs.at("common").literal(), Value(1));
  EXPECT_TRUE(operations[0].inputs.at("addresses").wants_list);
}

TEST(Operations, OfTemplatesReplaceInputsAndImplementations) {
  const auto result = with(
      "      interfaces:\n        Standard:\n          create: { inputs: { value: mine, more: [ 1 "
      "] } }\n"
      "          start: scripts/start.sh\n");
  ASSERT_THAT(result, Resolves());
  const auto& operations = result.topology->nodes.at("n").operations;
  ASSERT_EQ(operations.size(), 2U);
  EXPECT_EQ(operations[0].implementation, "tosca/mine.yml");
  EXPECT_EQ(*operations[0].inputs.at("value").literal(), Value("mine"));
  EXPECT_EQ(*operations[0].inputs.at("more").literal(), Value(List{1}));
  // A playbook that a posted template names does not exist for Tutti, whatever its name.
  EXPECT_EQ(operations[1].implementation, "missing:scripts/start.sh");
  EXPECT_EQ(operations[1].span.line, 10U);
}

TEST(Operations, UnknownOnesAreErrors) {
  EXPECT_THAT(with("      interfaces: { Standard: { craete: x.yml } }\n"),
              ReportsAt("operation.unknown", "7:33"));
  EXPECT_THAT(with("      interfaces: { Standrad: { create: x.yml } }\n"),
              ReportsAt("interface.unknown", "7:21"));
  EXPECT_THAT(with("      interfaces: { Standard: { operations: { create: x.yml }, crate: y } }\n"),
              ReportsAt("grammar.unknown-key", "7:64"));
}

TEST(Operations, OfRelationshipsSeeBothEnds) {
  const auto result = resolve_text(
      document("  node_templates:\n"
               "    s: { type: tosca.nodes.BlockStorage, properties: { volume_id: v1 } }\n"
               "    c:\n"
               "      type: Compute\n"
               "      requirements:\n"
               "        - local_storage:\n"
               "            node: s\n"
               "            relationship:\n"
               "              type: AttachesTo\n"
               "              properties: { location: /data }\n"
               "              interfaces:\n"
               "                Configure:\n"
               "                  pre_configure_source:\n"
               "                    implementation: mount.yml\n"
               "                    inputs:\n"
               "                      where: { get_property: [ SELF, location ] }\n"
               "                      volume: { get_property: [ TARGET, volume_id ] }\n"
               "                      address: { get_attribute: [ SOURCE, private_address ] }\n"));
  ASSERT_THAT(result, Resolves());
  const auto& operations = result.topology->nodes.at("c").relationships.at(0).operations;
  ASSERT_EQ(operations.size(), 1U);
  EXPECT_EQ(operations[0].implementation, "missing:mount.yml");
  EXPECT_EQ(*operations[0].inputs.at("where").literal(), Value("/data"));
  EXPECT_EQ(*operations[0].inputs.at("volume").literal(), Value("v1"));
  EXPECT_EQ(std::get<GetAttribute>(operations[0].inputs.at("address").data).node, "c");
}

}  // namespace
}  // namespace tutti::tosca
