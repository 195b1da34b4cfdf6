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
      "      interfaces:\n        Standard:\n          create: { inputs: { value: mine } }\n"
      "          start: scripts/start.sh\n");
  ASSERT_THAT(result, Resolves());
  const auto& operations = result.topology->nodes.at("n").operations;
  ASSERT_EQ(operations.size(), 2U);
  EXPECT_EQ(operations[0].implementation, "tosca/mine.yml");
  EXPECT_EQ(*operations[0].inputs.at("value").literal(), Value("mine"));
  // A playbook that a posted template names does not exist for Tutti, whatever its name.
  EXPECT_EQ(operations[1].implementation, "missing:scripts/start.sh");
  EXPECT_EQ(operations[1].span.line, 10U);
}

// They would become variables of the playbook by any name, ansible_connection among them.
TEST(Operations, InputsThatTheTypeDoesNotAskForAreErrors) {
  EXPECT_THAT(with("      interfaces: { Standard: { create: { inputs: { valeu: mine } } } }\n"),
              ReportsAt("operation.input", "7:53"));
  EXPECT_THAT(with("      interfaces: { Standard: { inputs: { ansible_connection: local } } }\n"),
              ReportsAt("operation.input", "7:43"));
  // A type that the template brings itself is the template's word too.
  Resolving options;
  options.files["types.yaml"] = {"types.yaml", kTypes, false};
  const std::string derived =
      "node_types:\n"
      "  mine:\n"
      "    derived_from: my.Soft\n"
      "    interfaces: { Standard: { inputs: { ansible_connection: { type: string, default: local "
      "} "
      "} } }\n";
  EXPECT_THAT(resolve_text(document("  node_templates:\n    n: { type: mine }\n",
                                    "imports: [ types.yaml ]\n" + derived),
                           options),
              ReportsAt("operation.input", "6:41"));
  // With a playbook of its own nothing runs, and nothing needs to be refused here.
  EXPECT_THAT(
      with("      interfaces: { Standard: { create: { implementation: x.yml, inputs: { y: 1 "
           "} } } }\n"),
      Resolves());
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
