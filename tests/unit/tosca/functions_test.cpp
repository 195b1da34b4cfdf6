#include "tests/unit/tosca/resolve_support.hpp"

namespace tutti::tosca {
namespace {

const char* const kTypes =
    "capability_types:\n"
    "  my.Cap: { derived_from: Node, properties: { size: { type: integer, default: 7 } } }\n"
    "node_types:\n"
    "  my.Soft:\n"
    "    derived_from: SoftwareComponent\n"
    "    properties:\n"
    "      text: { type: string, required: false }\n"
    "      other: { type: string, required: false }\n"
    "      list: { type: list, entry_schema: string, required: false }\n"
    "      map: { type: map, entry_schema: string, required: false }\n"
    "    attributes: { port: { type: integer } }\n"
    "    capabilities: { cap: my.Cap }\n"
    "    requirements:\n"
    "      - peer: { capability: my.Cap, relationship: DependsOn, occurrences: [ 0, 1 ] }\n";

// Nodes: a (soft, hosted on c), b (soft, peer of a), c (Compute); the output `o` stands at line 31.
ResolveResult output(const std::string& value, const std::string& more_of_a = "") {
  return resolve_text(
      document("  inputs:\n"
               "    word: { type: string, default: hello }\n"
               "    nested: { type: map, entry_schema: string, default: { k: v } }\n"
               "  node_templates:\n"
               "    c: { type: Compute }\n"
               "    a:\n"
               "      type: my.Soft\n"
               "      properties: { text: from_a, list: [ x, y ], map: { k: v } " +
                   more_of_a +
                   " }\n"
                   "      requirements: [ { host: c } ]\n"
                   "    b:\n"
                   "      type: my.Soft\n"
                   "      properties: { text: { get_property: [ SELF, peer, size ] } }\n"
                   "      requirements: [ { host: c }, { peer: a } ]\n"
                   "  outputs:\n"
                   "    o: { value: " +
                   value + " }\n",
               kTypes));
}

Value folded_output(const std::string& value) {
  const auto result = output(value);
  EXPECT_THAT(result, Resolves()) << value;
  if (!result.topology) return {};
  const Value* literal = result.topology->outputs.at("o").value.literal();
  EXPECT_NE(literal, nullptr) << value;
  return literal == nullptr ? Value() : *literal;
}

const GetAttribute* attribute_output(const ResolveResult& result) {
  return result.topology ? std::get_if<GetAttribute>(&result.topology->outputs.at("o").value.data)
                         : nullptr;
}

TEST(Functions, GetInput) {
  EXPECT_EQ(folded_output("{ get_input: word }"), Value("hello"));
  EXPECT_EQ(folded_output("{ get_input: [ nested, k ] }"), Value("v"));
  EXPECT_THAT(output("{ get_input: wrod }"), ReportsAt("input.unknown", "31:30"));
  EXPECT_THAT(output("{ get_input: [ word, x ] }"), ReportsAt("function.path", "31:17"));
}

TEST(Functions, GetProperty) {
  EXPECT_EQ(folded_output("{ get_property: [ a, text ] }"), Value("from_a"));
  EXPECT_EQ(folded_output("{ get_property: [ a, list, 1 ] }"), Value("y"));
  EXPECT_EQ(folded_output("{ get_property: [ a, map, k ] }"), Value("v"));
  EXPECT_EQ(folded_output("{ get_property: [ a, cap, size ] }"), Value(7));
  EXPECT_EQ(folded_output("{ get_property: [ b, peer, size ] }"), Value(7));
  EXPECT_EQ(folded_output("{ get_property: [ b, peer, map, k ] }"), Value("v"));
  // Declared and unset is nothing; in a text property a number becomes text.
  EXPECT_EQ(folded_output("{ get_property: [ a, other ] }"), Value());
  EXPECT_EQ(folded_output("{ get_property: [ b, text ] }"), Value("7"));
}

TEST(Functions, GetPropertyRefusesWhatIsNotThere) {
  EXPECT_THAT(output("{ get_property: [ nobody, text ] }"), ReportsAt("function.node", "31:35"));
  EXPECT_THAT(output("{ get_property: [ a, txt ] }"), ReportsAt("function.property", "31:17"));
  EXPECT_THAT(output("{ get_property: [ a, list, 2 ] }"), ReportsAt("function.path", "31:17"));
  EXPECT_THAT(output("{ get_property: [ SELF, text ] }"), ReportsAt("function.node", "31:35"));
  EXPECT_THAT(output("{ get_property: a }"), ReportsAt("function.arguments", "31:33"));
}

TEST(Functions, AValueCannotNeedItself) {
  EXPECT_THAT(output("x", ", other: { get_property: [ SELF, other ] }"),
              ReportsAt("function.loop", "24"));
}

TEST(Functions, GetAttributeStays) {
  const auto result = output("{ get_attribute: [ c, private_address, 0 ] }");
  ASSERT_THAT(result, Resolves());
  const GetAttribute* attribute = attribute_output(result);
  ASSERT_NE(attribute, nullptr);
  EXPECT_EQ(attribute->node, "c");
  EXPECT_EQ(attribute->path, (std::vector<std::string>{"private_address", "0"}));
  // A property that is no attribute is reflected.
  EXPECT_EQ(folded_output("{ get_attribute: [ a, text ] }"), Value("from_a"));
  EXPECT_THAT(output("{ get_attribute: [ a, prot ] }"), ReportsAt("function.attribute", "31:17"));
}

TEST(Functions, GetAttributeOfCapabilitiesAndThroughRequirements) {
  const auto own = output("{ get_attribute: [ c, endpoint, ip_address ] }");
  ASSERT_NE(attribute_output(own), nullptr) << all_problems(own);
  EXPECT_EQ(attribute_output(own)->path, (std::vector<std::string>{"endpoint", "ip_address"}));
  const auto through = output("{ get_attribute: [ b, peer, port ] }");
  ASSERT_NE(attribute_output(through), nullptr) << all_problems(through);
  EXPECT_EQ(attribute_output(through)->node, "a");
}

TEST(Functions, HostIsTheNearestThatHasIt) {
  const auto result =
      output("x", ", other: { concat: [ get_attribute: [ HOST, private_address ], ':1' ] }");
  ASSERT_THAT(result, Resolves());
  const auto* concat =
      std::get_if<Concat>(&result.topology->nodes.at("a").properties.at("other").data);
  ASSERT_NE(concat, nullptr);
  EXPECT_EQ(std::get<GetAttribute>(concat->parts[0].data).node, "c");
}

TEST(Functions, ConcatJoinToken) {
  EXPECT_EQ(folded_output("{ concat: [ a, 16.10, get_input: word ] }"), Value("a16.10hello"));
  EXPECT_EQ(folded_output("{ join: [ [ a, b, c ], '-' ] }"), Value("a-b-c"));
  EXPECT_EQ(folded_output("{ join: [ { get_property: [ a, list ] }, ',' ] }"), Value("x,y"));
  EXPECT_EQ(folded_output("{ token: [ 'a:b:c', ':', 1 ] }"), Value("b"));
  EXPECT_EQ(folded_output("{ token: [ 'a:b', ':', 5 ] }"), Value(""));
  EXPECT_THAT(output("{ concat: text }"), ReportsAt("function.arguments", "31:27"));
  EXPECT_THAT(output("{ concat: [] }"), ReportsAt("function.arguments", "31:27"));
  EXPECT_THAT(output("{ token: [ a, b, c ] }"), ReportsAt("function.arguments", "31:26"));
}

TEST(Functions, TokenIsDataUnlessItHasThreeArguments) {
  EXPECT_EQ(folded_output("{ token: secret }"), Value(Map{{"token", "secret"}}));
  EXPECT_EQ(folded_output("{ token: [ a, b ] }"), Value(Map{{"token", List{"a", "b"}}}));
}

TEST(Functions, AnAttributeForAListWantsAList) {
  const auto result =
      output("x", ", other: z").topology
          ? resolve_text(document("  node_templates:\n    c: { type: Compute }\n    a:\n"
                                  "      type: my.Soft\n      properties:\n"
                                  "        list: { get_attribute: [ c, private_address ] }\n"
                                  "      requirements: [ { host: c } ]\n",
                                  kTypes))
          : ResolveResult{};
  ASSERT_THAT(result, Resolves());
  EXPECT_TRUE(result.topology->nodes.at("a").properties.at("list").wants_list);
}

TEST(Functions, LongChainsEndInAnErrorNotInTheStack) {
  std::string nodes = "  node_templates:\n    c: { type: Compute }\n";
  for (int i = 0; i < 3000; ++i) {
    nodes += "    n" + std::to_string(i) +
             ":\n      type: my.Soft\n      requirements: [ { host: c } ]\n" +
             "      properties: { text: { get_property: [ n" + std::to_string((i + 1) % 3000) +
             ", text ] } }\n";
  }
  const auto result = resolve_text(document(nodes, kTypes));
  EXPECT_FALSE(result.topology);
  EXPECT_TRUE(has_errors(result.diagnostics));
}

}  // namespace
}  // namespace tutti::tosca
