// Values by their declared type: coercions that are tolerated, and what is refused.
#include "tests/unit/tosca/resolve_support.hpp"

namespace tutti::tosca {
namespace {

// One property `p` with this schema, assigned at line 15, column 12.
ResolveResult assigned(const std::string& schema, const std::string& value) {
  return resolve_text(document(
      "  node_templates:\n    n:\n      type: my.T\n      properties:\n        p: " + value + "\n",
      "data_types:\n"
      "  my.Address: { properties: { street: { type: string }, "
      "number: { type: integer, default: 1 } } }\n"
      "  my.Port: { derived_from: integer, constraints: [ in_range: [ 1, 9 ] ] }\n"
      "node_types:\n  my.T:\n    derived_from: Root\n    properties:\n      p: " +
          schema + "\n"));
}

Value value_of(const std::string& schema, const std::string& text) {
  const auto result = assigned(schema, text);
  EXPECT_THAT(result, Resolves()) << schema << " <- " << text;
  if (!result.topology) return {};
  const auto& properties = result.topology->nodes.at("n").properties;
  const auto found = properties.find("p");
  return found == properties.end() || found->second.literal() == nullptr ? Value()
                                                                         : *found->second.literal();
}

TEST(Properties, ScalarsKeepOrChangeTheirForm) {
  EXPECT_EQ(value_of("{ type: string }", "16.10"), Value("16.10"));
  EXPECT_EQ(value_of("{ type: string }", "yes"), Value("yes"));
  EXPECT_EQ(value_of("{ type: string }", "0123"), Value("0123"));
  EXPECT_EQ(value_of("{ type: version }", "18.10"), Value("18.10"));
  EXPECT_EQ(value_of("{ type: integer }", "'2'"), Value(2));
  EXPECT_EQ(value_of("{ type: integer }", "\"-1\""), Value(-1));
  EXPECT_EQ(value_of("{ type: float }", "3"), Value(3.0));
  EXPECT_EQ(value_of("{ type: boolean }", "yes"), Value(true));
  EXPECT_EQ(value_of("{ type: boolean }", "\"false\""), Value(false));
  EXPECT_EQ(value_of("{ type: scalar-unit.size }", "2GiB"), Value("2 GiB"));
  EXPECT_EQ(value_of("{ type: scalar-unit.size }", "'0 gb'"), Value("0 GB"));
  EXPECT_EQ(value_of("{ type: scalar-unit.time }", "1.5 h"), Value("1.5 h"));
  EXPECT_EQ(value_of("{ type: scalar-unit.frequency }", "2.4 GHz"), Value("2.4 GHz"));
  EXPECT_EQ(value_of("{ type: scalar-unit.bitrate }", "10 Mbps"), Value("10 Mbps"));
  EXPECT_EQ(value_of("{ type: timestamp }", "2001-12-14t21:59:43.10-05:00"),
            Value("2001-12-14t21:59:43.10-05:00"));
  EXPECT_EQ(value_of("{ type: range }", "[ 1, UNBOUNDED ]"), Value(List{1, "UNBOUNDED"}));
}

TEST(Properties, WrongScalarsAreRefusedAtTheirPlace) {
  const std::pair<const char*, const char*> wrong[] = {
      {"integer", "two"},
      {"integer", "2.0"},
      {"integer", "99999999999999999999"},
      {"float", "x"},
      {"boolean", "1"},
      {"version", "one"},
      {"version", "1.2.3.!"},
      {"timestamp", "tomorrow"},
      {"timestamp", "2001-12"},
      {"scalar-unit.size", "2"},
      {"scalar-unit.size", "2 XB"},
      {"scalar-unit.time", "2 GB"},
      {"range", "[ 2, 1 ]"},
      {"range", "3"},
      {"string", "[ a ]"},
      {"list", "a"},
      {"map", "[ a ]"},
      {"my.Address", "text"},
      {"my.Port", "x"},
  };
  for (const auto& [type, text] : wrong) {
    EXPECT_THAT(assigned("{ type: " + std::string(type) + " }", text),
                ReportsAt("property.type", "15:12"))
        << type << " <- " << text;
  }
}

TEST(Properties, ListsAndMapsAreCheckedByEntry) {
  EXPECT_EQ(value_of("{ type: list, entry_schema: integer }", "[ '1', 2 ]"), Value(List{1, 2}));
  EXPECT_EQ(value_of("{ type: map, entry_schema: { type: string } }", "{ a: 1 }"),
            Value(Map{{"a", "1"}}));
  EXPECT_THAT(assigned("{ type: list, entry_schema: integer }", "[ 1, x ]"),
              ReportsAt("property.type", "15:17"));
  EXPECT_THAT(assigned("{ type: map, entry_schema: integer }", "{ a: x }"),
              ReportsAt("property.type", "15:17"));
}

TEST(Properties, DataTypesHaveProperties) {
  EXPECT_EQ(value_of("{ type: my.Address }", "{ street: a }"),
            Value(Map{{"number", 1}, {"street", "a"}}));
  EXPECT_THAT(assigned("{ type: my.Address }", "{ number: 2 }"),
              ReportsAt("property.missing", "15:12"));
  const auto result = assigned("{ type: my.Address }", "{ stret: a }");
  EXPECT_THAT(result, ReportsAt("property.unknown", "15:14"));
  EXPECT_THAT(assigned("{ type: list, entry_schema: my.Address }", "[ { street: a, number: x } ]"),
              ReportsAt("property.type", "15:35"));
}

TEST(Properties, ConstraintsOfDataTypesHold) {
  EXPECT_EQ(value_of("{ type: my.Port }", "9"), Value(9));
  EXPECT_THAT(assigned("{ type: my.Port }", "10"), ReportsAt("property.constraint", "15:12"));
}

struct Case {
  const char* type;
  const char* constraint;
  const char* good;
  const char* bad;
};

class Constraints : public testing::TestWithParam<Case> {};

TEST_P(Constraints, Hold) {
  const Case& c = GetParam();
  const std::string schema =
      "{ type: " + std::string(c.type) + ", constraints: [ { " + c.constraint + " } ] }";
  EXPECT_THAT(assigned(schema, c.good), Resolves());
  EXPECT_THAT(assigned(schema, c.bad), ReportsAt("property.constraint", "15:12"));
}

INSTANTIATE_TEST_SUITE_P(
    All, Constraints,
    testing::Values(Case{"integer", "equal: 2", "2", "3"}, Case{"string", "equal: a", "a", "b"},
                    Case{"integer", "greater_than: 2", "3", "2"},
                    Case{"float", "greater_or_equal: 0.5", "0.5", "0.4"},
                    Case{"version", "less_than: 1.10", "1.9", "1.10"},
                    Case{"timestamp", "less_or_equal: 2001-01-01", "2000-12-31", "2001-01-02"},
                    Case{"scalar-unit.size", "greater_or_equal: 1 GB", "1024 MiB", "999 MB"},
                    Case{"scalar-unit.time", "less_than: 1 h", "59 m", "61 m"},
                    Case{"integer", "in_range: [ 1, 4 ]", "4", "5"},
                    Case{"integer", "in_range: [ 1, UNBOUNDED ]", "400", "0"},
                    Case{"range", "in_range: [ 1, 10 ]", "[ 1, 10 ]", "[ 1, 11 ]"},
                    Case{"integer", "valid_values: [ 1, 2 ]", "2", "3"},
                    Case{"string", "valid_values: [ 1, b ]", "1", "c"},
                    Case{"string", "length: 2", "\"\xc3\xa4\xc3\xb6\"", "abc"},
                    Case{"list", "min_length: 2", "[ a, b ]", "[ a ]"},
                    Case{"map", "max_length: 1", "{ a: b }", "{ a: b, c: d }"},
                    Case{"list", "equal: [ a, b ]", "[ a, b ]", "[ b, a ]"},
                    Case{"string", "pattern: '[a-z]+[0-9]'", "abc1", "ABC1"}));

TEST(Properties, PatternsOfStrangersAreBounded) {
  const std::string evil = "{ type: string, constraints: [ { pattern: '(a+)+$' } ] }";
  EXPECT_THAT(assigned(evil, std::string(4000, 'a') + "!"),
              ReportsAt("property.constraint", "15:12"));
  EXPECT_THAT(assigned("{ type: string, constraints: [ { pattern: '((a?){900}){900}' } ] }", "a"),
              ReportsAt("property.pattern", "15:12"));
  EXPECT_THAT(assigned("{ type: string, constraints: [ { pattern: '(' } ] }", "a"),
              ReportsAt("property.pattern", "9:52"));
}

TEST(Properties, UnknownAndMissingOnesAreErrors) {
  const auto result = assigned("{ type: string }", "x\n        q: y");
  EXPECT_THAT(result, ReportsAt("property.unknown", "16:9"));
  EXPECT_THAT(
      resolve_text(document(
          "  node_templates:\n    n: { type: my.T, properties: }\n",
          "node_types:\n  my.T: { derived_from: Root, properties: { p: { type: string } } }\n")),
      ReportsAt("property.missing", "6:5"));
}

ResolveResult host_with(const std::string& property) {
  return resolve_text(
      document("  node_templates:\n    n:\n      type: Compute\n      capabilities:\n"
               "        host: { properties: { " +
               property + ": 2 } }\n"));
}

TEST(Properties, UndeclaredOnesOfCapabilitiesAreAWarningAndKept) {
  const auto result = host_with("num_gpus_wanted");
  ASSERT_THAT(result, Resolves());
  EXPECT_THAT(result, ReportsAt("capability.property", "7:31"));
  const auto& host = result.topology->nodes.at("n").capabilities.at("host");
  EXPECT_EQ(*host.properties.at("num_gpus_wanted").literal(), Value(2));
}

TEST(Properties, MisspeltOnesOfCapabilitiesAreErrors) {
  EXPECT_THAT(host_with("num_cpu"), ReportsAt("property.unknown", "7:31"));
  EXPECT_THAT(host_with("mem_szie"), ReportsAt("property.unknown", "7:31"));
}

TEST(Properties, UnknownCapabilitiesAreErrors) {
  EXPECT_THAT(
      resolve_text(document("  node_templates:\n    n:\n      type: Compute\n      capabilities:\n"
                            "        hots: { properties: {} }\n")),
      ReportsAt("capability.unknown", "7:9"));
}

TEST(Inputs, AreCheckedAndCoerced) {
  const std::string text = document(
      "  inputs:\n    n: { type: integer, constraints: [ { less_than: 5 } ] }\n"
      "  outputs:\n    o: { value: { get_input: n } }\n");
  Resolving options;
  options.inputs["n"] = Value("4");
  const auto good = resolve_text(text, options);
  ASSERT_THAT(good, Resolves());
  EXPECT_EQ(*good.topology->outputs.at("o").value.literal(), Value(4));
  options.inputs["n"] = Value("five");
  EXPECT_THAT(resolve_text(text, options), ReportsAt("property.type", "4"));
  options.inputs["n"] = Value(5);
  EXPECT_THAT(resolve_text(text, options), ReportsAt("property.constraint", "4"));
  options.inputs = {{"m", Value(1)}, {"n", Value(1)}};
  EXPECT_THAT(resolve_text(text, options), ReportsAt("input.unknown", "3"));
  options.inputs.clear();
  EXPECT_THAT(resolve_text(text, options), ReportsAt("input.missing", "4:8"));
}

TEST(Inputs, AreNotNeededToValidate) {
  Resolving options;
  options.require_inputs = false;
  const auto result =
      resolve_text(document("  inputs:\n    n: { type: integer }\n"
                            "  node_templates:\n    c:\n      type: Compute\n      capabilities:\n"
                            "        host: { properties: { num_cpus: { get_input: n } } }\n"
                            "        scalable: { properties: { count: { get_input: n } } }\n"
                            "  outputs:\n    o: { value: { concat: [ a, get_input: n ] } }\n"),
                   options);
  EXPECT_THAT(result, Resolves());
}

TEST(Inputs, FunctionsInClientsValuesAreData) {
  Resolving options;
  options.inputs["m"] = Value(Map{{"get_input", "m"}});
  const auto result =
      resolve_text(document("  inputs:\n    m: { type: map, entry_schema: string }\n"
                            "  outputs:\n    o: { value: { get_input: m } }\n"),
                   options);
  ASSERT_THAT(result, Resolves());
  EXPECT_EQ(*result.topology->outputs.at("o").value.literal(), Value(Map{{"get_input", "m"}}));
}

}  // namespace
}  // namespace tutti::tosca
