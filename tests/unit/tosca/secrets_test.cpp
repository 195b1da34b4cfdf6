// Secrets: where they are marked, and that their text is nowhere but in the list of secrets.
#include "tests/unit/tosca/resolve_support.hpp"

namespace tutti::tosca {
namespace {

const char* const kTypes =
    "imports: [ tutti ]\n"
    "node_types:\n"
    "  my.T:\n"
    "    derived_from: Root\n"
    "    properties:\n"
    "      marked: { type: string, required: false, metadata: { secret: true }, constraints: [ { "
    "min_length: 4 } ] }\n"
    "      typed: { type: tutti.datatypes.Secret, required: false }\n"
    "      open: { type: string, required: false }\n"
    "      number: { type: integer, required: false, metadata: { secret: true } }\n"
    "      credential: { type: Credential, required: false }\n";

ResolveResult node(const std::string& properties, const std::string& inputs = "",
                   const Resolving& options = {}, const std::string& more = "") {
  return resolve_text(
      document(inputs + "  node_templates:\n    n:\n      type: my.T\n      properties: " +
                   properties + "\n" + more,
               kTypes),
      options);
}

const Expression& property(const ResolveResult& result, const std::string& name) {
  return result.topology->nodes.at("n").properties.at(name);
}

TEST(Secrets, LiteralsBecomeReferences) {
  const auto result = node("{ marked: canary, typed: canary2, number: 42, open: shown }");
  ASSERT_THAT(result, Resolves());
  EXPECT_EQ(*property(result, "marked").literal(), Value(SecretRef{"property/n/marked"}));
  EXPECT_EQ(*property(result, "typed").literal(), Value(SecretRef{"property/n/typed"}));
  EXPECT_EQ(*property(result, "open").literal(), Value("shown"));
  EXPECT_EQ(result.secrets.at(SecretRef{"property/n/marked"}), "canary");
  EXPECT_EQ(result.secrets.at(SecretRef{"property/n/number"}), "42");
}

TEST(Secrets, MembersOfCredentialsAreMarked) {
  const auto result = node("{ credential: { token: canary, user: u } }");
  ASSERT_THAT(result, Resolves());
  const Map& credential = *property(result, "credential").literal()->as_map();
  EXPECT_EQ(credential.at("token"), Value(SecretRef{"property/n/credential/token"}));
  EXPECT_EQ(credential.at("user"), Value("u"));
}

TEST(Secrets, TaintFlowsBackThroughPropertiesToInputs) {
  Resolving options;
  options.inputs["i"] = Value("canary");
  const auto result =
      node("{ typed: { concat: [ x, get_property: [ SELF, open ] ] }, open: { get_input: i } }",
           "  inputs:\n    i: { type: string }\n", options);
  ASSERT_THAT(result, Resolves());
  EXPECT_TRUE(result.topology->inputs.at("i").secret);
  EXPECT_EQ(*property(result, "open").literal(), Value(SecretRef{"input/i"}));
  const auto* concat = std::get_if<Concat>(&property(result, "typed").data);
  ASSERT_NE(concat, nullptr);
  EXPECT_TRUE(property(result, "typed").secret);
  EXPECT_EQ(*concat->parts.at(1).literal(), Value(SecretRef{"input/i"}));
}

TEST(Secrets, DefaultsOfSecretInputsAreHidden) {
  const auto result =
      node("{ marked: { get_input: i } }", "  inputs:\n    i: { type: string, default: canary }\n");
  ASSERT_THAT(result, Resolves());
  EXPECT_EQ(*result.topology->inputs.at("i").default_value, Value(SecretRef{"input/i"}));
  EXPECT_EQ(result.secrets.at(SecretRef{"input/i"}), "canary");
}

TEST(Secrets, ProblemsDoNotPrintThem) {
  Resolving options;
  options.inputs["i"] = Value("cat");
  for (const auto& result :
       {node("{ marked: cat }"), node("{ number: cat }"),
        node("{ marked: { get_input: i } }", "  inputs:\n    i: { type: string }\n", options),
        node("{ number: { get_input: i } }", "  inputs:\n    i: { type: string }\n", options),
        node("{ typed: { get_input: i } }",
             "  inputs:\n    i: { type: tutti.datatypes.Secret, constraints: [ { min_length: 9 } ] "
             "}\n",
             options)}) {
    EXPECT_FALSE(result.topology);
    EXPECT_THAT(all_problems(result), testing::Not(testing::HasSubstr("cat")));
    EXPECT_TRUE(result.secrets.empty());
  }
}

TEST(Secrets, ConstraintsAreCheckedWhileTheTextIsKnown) {
  Resolving options;
  options.inputs["i"] = Value("cat");
  EXPECT_THAT(node("{ marked: { get_input: i } }", "  inputs:\n    i: { type: string }\n", options),
              ReportsAt("property.constraint", "18:29"));
}

TEST(Secrets, OutputsRevealOnlyWhenDeclared) {
  const std::string outputs =
      "  outputs:\n    open: { value: { get_property: [ n, typed ] } }\n"
      "    told: { type: tutti.datatypes.Secret, value: { get_property: [ n, typed ] } }\n";
  const auto result = node("{ typed: canary }", "", {}, outputs);
  ASSERT_THAT(result, Resolves());
  EXPECT_FALSE(result.topology->outputs.at("open").reveals_secret);
  EXPECT_TRUE(result.topology->outputs.at("told").reveals_secret);
  EXPECT_EQ(*result.topology->outputs.at("open").value.literal(),
            Value(SecretRef{"property/n/typed"}));
  EXPECT_EQ(*result.topology->outputs.at("told").value.literal(),
            Value(SecretRef{"property/n/typed"}));
}

TEST(Secrets, EmptyTextHidesNothing) {
  const auto result = node("{ typed: \"\" }");
  ASSERT_THAT(result, Resolves());
  EXPECT_EQ(*property(result, "typed").literal(), Value(""));
  EXPECT_TRUE(result.secrets.empty());
}

}  // namespace
}  // namespace tutti::tosca
