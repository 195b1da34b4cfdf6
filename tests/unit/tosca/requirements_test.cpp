#include "tests/unit/tosca/resolve_support.hpp"

namespace tutti::tosca {
namespace {

const char* const kTypes =
    "node_types:\n"
    "  my.Soft:\n"
    "    derived_from: SoftwareComponent\n"
    "    capabilities: { data: Endpoint }\n"
    "    requirements:\n"
    "      - peer: { capability: Endpoint, occurrences: [ 0, 2 ] }\n";

// The first node template stands at line 10.
ResolveResult nodes(const std::string& templates) {
  return resolve_text(document("  node_templates:\n" + templates, kTypes));
}

const Relationship* relationship(const ResolveResult& result, const std::string& node,
                                 const std::string& requirement) {
  if (!result.topology) return nullptr;
  for (const Relationship& made : result.topology->nodes.at(node).relationships) {
    if (made.requirement == requirement) return &made;
  }
  return nullptr;
}

TEST(Requirements, ByName) {
  const auto result = nodes(
      "    c: { type: Compute }\n"
      "    a: { type: my.Soft, requirements: [ { host: c } ] }\n"
      "    b: { type: my.Soft, requirements: [ { host: { node: c } }, { peer: a }, { dependency: a "
      "} ] }\n");
  ASSERT_THAT(result, Resolves());
  const Relationship* host = relationship(result, "a", "host");
  ASSERT_NE(host, nullptr);
  EXPECT_TRUE(host->hosted_on);
  EXPECT_EQ(host->relationship_type, "tosca.relationships.HostedOn");
  EXPECT_EQ(host->target, "c");
  EXPECT_EQ(host->capability, "host");
  // Nothing says which relationship `peer` is: the capability does.
  EXPECT_EQ(relationship(result, "b", "peer")->relationship_type, "tosca.relationships.ConnectsTo");
  EXPECT_EQ(relationship(result, "b", "dependency")->relationship_type,
            "tosca.relationships.DependsOn");
}

TEST(Requirements, ByTypeAndByCapability) {
  const auto by_type = nodes(
      "    c: { type: Compute }\n    a: { type: my.Soft, requirements: [ { host: { node: Compute } "
      "} ] }\n");
  ASSERT_NE(relationship(by_type, "a", "host"), nullptr) << all_problems(by_type);
  const auto by_capability = nodes(
      "    c: { type: Compute }\n    a: { type: my.Soft, requirements: [ { host: { capability: "
      "Container } } ] }\n");
  ASSERT_NE(relationship(by_capability, "a", "host"), nullptr) << all_problems(by_capability);
  EXPECT_EQ(relationship(by_capability, "a", "host")->target, "c");
}

TEST(Requirements, MissingOnesAreFoundOrAreErrors) {
  const auto found = nodes("    c: { type: Compute }\n    a: { type: my.Soft }\n");
  ASSERT_NE(relationship(found, "a", "host"), nullptr) << all_problems(found);
  EXPECT_THAT(nodes("    a: { type: my.Soft }\n"), ReportsAt("requirement.missing", "10:5"));
  const auto several =
      nodes("    c: { type: Compute }\n    d: { type: Compute }\n    a: { type: my.Soft }\n");
  EXPECT_THAT(several, ReportsAt("requirement.ambiguous", "12:5"));
  EXPECT_EQ(relationship(several, "a", "host")->target, "c");
}

TEST(Requirements, WrongOnesAreRefusedAtTheirPlace) {
  EXPECT_THAT(nodes("    a:\n      type: my.Soft\n      requirements:\n        - hots: a\n"),
              ReportsAt("requirement.unknown", "13:11"));
  EXPECT_THAT(nodes("    a:\n      type: my.Soft\n      requirements:\n        - host: nobody\n"),
              ReportsAt("requirement.target", "13:17"));
  EXPECT_THAT(nodes("    r: { type: Root }\n    a:\n      type: my.Soft\n      requirements:\n     "
                    "   - host: r\n"),
              ReportsAt("requirement.capability", "14:17"));
  EXPECT_THAT(nodes("    c: { type: Compute }\n    a:\n      type: my.Soft\n      requirements:\n"
                    "        - host: { node: c, relationship: my.None }\n"),
              ReportsAt("type.unknown", "14:42"));
  EXPECT_THAT(nodes("    c: { type: Compute }\n    a:\n      type: my.Soft\n      requirements:\n"
                    "        - host: c\n        - host: c\n"),
              ReportsAt("requirement.occurrences", "15:11"));
}

TEST(Requirements, RelationshipsHaveProperties) {
  const std::string volume =
      "    s: { type: tosca.nodes.BlockStorage, properties: { size: 1 GB } }\n    c:\n      type: "
      "Compute\n      requirements:\n";
  const auto good =
      nodes(volume +
            "        - local_storage:\n            node: s\n"
            "            relationship: { type: AttachesTo, properties: { location: /data } }\n");
  ASSERT_NE(relationship(good, "c", "local_storage"), nullptr) << all_problems(good);
  EXPECT_EQ(*relationship(good, "c", "local_storage")->properties.at("location").literal(),
            Value("/data"));
  EXPECT_THAT(nodes(volume + "        - local_storage: s\n"),
              ReportsAt("property.missing", "14:11"));
  EXPECT_THAT(
      nodes(volume + "        - local_storage: { node: s, relationship: { type: AttachesTo, "
                     "properties: { location: /d, wrong: 1 } } }\n"),
      ReportsAt("property.unknown", "14:99"));
}

TEST(Requirements, RelationshipTemplatesAreReused) {
  const auto result = resolve_text(document(
      "  relationship_templates:\n    at_data: { type: AttachesTo, properties: { location: /data } "
      "}\n"
      "  node_templates:\n    s: { type: tosca.nodes.BlockStorage }\n    c:\n      type: Compute\n"
      "      requirements: [ { local_storage: { node: s, relationship: at_data } } ]\n"));
  ASSERT_THAT(result, Resolves());
  EXPECT_EQ(*relationship(result, "c", "local_storage")->properties.at("location").literal(),
            Value("/data"));
}

TEST(Requirements, CyclesAreErrors) {
  const auto result = nodes(
      "    c: { type: Compute }\n"
      "    a: { type: my.Soft, requirements: [ { host: c }, { peer: b } ] }\n"
      "    b:\n      type: my.Soft\n      requirements:\n        - host: c\n        - peer: a\n");
  EXPECT_THAT(result, ReportsAt("requirement.cycle", "11:56"));
  EXPECT_THAT(all_problems(result),
              testing::HasSubstr("Found node depencency loop in TOSCA topology: a -> b -> a"));
  EXPECT_THAT(nodes("    a: { type: Root, requirements: [ { dependency: a } ] }\n"),
              ReportsAt("requirement.cycle", "10:40"));
}

TEST(Scaling, CountBecomesInstances) {
  const auto count = [](const std::string& text) {
    const auto result =
        nodes("    c:\n      type: Compute\n      capabilities: { scalable: { properties: " + text +
              " } }\n");
    EXPECT_THAT(result, Resolves()) << text;
    return result.topology ? result.topology->nodes.at("c") : NodeTemplate{};
  };
  EXPECT_EQ(count("{ count: 3 }").count, 3);
  EXPECT_TRUE(count("{ count: 3 }").scaled);
  EXPECT_EQ(count("{ count: 0 }").count, 0);
  EXPECT_EQ(count("{ count: -2 }").count, 0);
  EXPECT_EQ(count("{ count: '2' }").count, 2);
  EXPECT_EQ(count("{ default_instances: 4 }").count, 4);
  EXPECT_EQ(count("{ min_instances: 2 }").count, 1);
  EXPECT_FALSE(count("{ min_instances: 2 }").scaled);
  EXPECT_THAT(nodes("    c:\n      type: Compute\n      capabilities: { scalable: { properties: { "
                    "count: 1001 } } }\n"),
              ReportsAt("scalable.count", "12:56"));
}

TEST(Policies, HaveTargets) {
  const auto text = [](const std::string& target) {
    return document(
        "  node_templates:\n    c: { type: Compute }\n    d: { type: Compute }\n"
        "  groups:\n    g: { type: tosca.groups.Root, members: [ c, d ] }\n"
        "  policies:\n    - p: { type: tosca.policies.Placement, targets: [ " +
        target + " ] }\n");
  };
  const auto result = resolve_text(text("g"));
  ASSERT_THAT(result, Resolves());
  EXPECT_EQ(result.topology->policies.at(0).targets, (std::vector<std::string>{"c", "d"}));
  EXPECT_THAT(resolve_text(text("e")), ReportsAt("policy.target", "9:55"));
}

TEST(Templates, MayBeCopied) {
  const auto result = nodes(
      "    a: { copy: b, capabilities: { host: { properties: { num_cpus: 4 } } } }\n    b: { copy: "
      "c }\n"
      "    c: { type: Compute, capabilities: { host: { properties: { num_cpus: 2 } } } }\n");
  ASSERT_THAT(result, Resolves());
  const auto cpus = [&](const std::string& name) {
    return *result.topology->nodes.at(name)
                .capabilities.at("host")
                .properties.at("num_cpus")
                .literal();
  };
  EXPECT_EQ(cpus("a"), Value(4));
  EXPECT_EQ(cpus("b"), Value(2));
  EXPECT_THAT(nodes("    a: { copy: b }\n    b: { copy: a }\n"), ReportsAt("node.copy", "10:16"));
}

}  // namespace
}  // namespace tutti::tosca
