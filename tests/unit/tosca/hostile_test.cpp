// What a stranger may post: everything ends in diagnostics with a place.
#include "tests/unit/tosca/resolve_support.hpp"

namespace tutti::tosca {
namespace {

void refused(const std::string& text, const std::string& rule) {
  const auto result = resolve_text(text);
  EXPECT_FALSE(result.topology);
  ASSERT_FALSE(result.diagnostics.empty());
  bool found = false;
  for (const Diagnostic& d : result.diagnostics) {
    found = found || d.rule == rule;
    EXPECT_GT(d.span.line, 0U) << format(d);
    EXPECT_EQ(d.span.file, "template");
  }
  EXPECT_TRUE(found) << rule << "\n" << all_problems(result).substr(0, 2000);
}

std::string repeated(const std::string& piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

TEST(Hostile, TenMegabytes) {
  refused(document("  description: " + std::string(10'000'000, 'x')), "yaml.size");
}

TEST(Hostile, DeepNesting) {
  refused(document("  description: " + repeated("{ a: ", 5000) + repeated("}", 5000)),
          "yaml.depth");
  refused(document("  inputs:\n" +
                   [] {
                     std::string text;
                     for (std::size_t i = 0; i < 2000; ++i)
                       text += std::string(4 + i, ' ') + "a:\n";
                     return text;
                   }()),
          "yaml.depth");
}

TEST(Hostile, AliasBomb) {
  std::string bomb = "dsl_definitions:\n  l0: &l0 [ x, x, x, x, x, x, x, x ]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string last = "*l" + std::to_string(i - 1);
    bomb += "  l" + std::to_string(i) + ": &l" + std::to_string(i) + " [ " + last +
            repeated(", " + last, 7) + " ]\n";
  }
  refused(document("  {}\n", bomb), "yaml.alias");
}

TEST(Hostile, NotYamlAtAll) {
  refused("{% for x in y %}\nkey: {{ value }}\n", "yaml.syntax");
  refused(std::string("\0\0\0", 3), "yaml.encoding");
}

TEST(Hostile, ManyTypesInARow) {
  std::string types = "node_types:\n  t0: { derived_from: Root }\n";
  for (int i = 1; i < 3000; ++i) {
    types += "  t" + std::to_string(i) + ": { derived_from: t" + std::to_string(i - 1) + " }\n";
  }
  refused(document("  {}\n", types), "type.depth");
}

TEST(Hostile, ManyRequirementsInARow) {
  std::string nodes = "  node_templates:\n    n0: { type: Root }\n";
  for (int i = 1; i < 5000; ++i) {
    nodes += "    n" + std::to_string(i) + ": { type: Root, requirements: [ { dependency: n" +
             std::to_string(i - 1) + " } ] }\n";
  }
  EXPECT_THAT(resolve_text(document(nodes)), Resolves());
}

TEST(Hostile, ADataTypeThatHoldsItself) {
  const char* const types =
      "data_types:\n  my.T: { properties: { next: { type: my.T, required: false } } }\n";
  EXPECT_THAT(resolve_text(document(
                  "  inputs:\n    a: { type: my.T, default: { next: { next: {} } } }\n", types)),
              Resolves());
  // Defaults that call for themselves would never end.
  refused(document("  inputs:\n    a: { type: my.T, default: {} }\n",
                   "data_types:\n  my.T: { properties: { next: { type: my.T, default: {} } } }\n"),
          "property.depth");
}

TEST(Hostile, TextsAreTruncatedInNoPlace) {
  const std::string long_name(20'000, 'n');
  const auto result =
      resolve_text(document("  node_templates:\n    a: { type: " + long_name + " }\n"));
  EXPECT_THAT(result, ReportsAt("type.unknown", "4:16"));
}

}  // namespace
}  // namespace tutti::tosca
