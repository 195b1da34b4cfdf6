#include "server/plan/evaluate.hpp"

#include "tests/unit/server/plan/topologies.hpp"

#include <gtest/gtest.h>

namespace tutti::plan {
namespace {

using namespace tutti::test;
using tosca::Expression;
using tosca::Value;

class Evaluate : public testing::Test {
 protected:
  Result<Evaluated> run(const Expression& expression) {
    const AttributeSource attributes =
        [](const std::string& node, const std::string& name) -> std::optional<std::vector<Value>> {
      if (name != "private_address") return std::nullopt;
      if (node == "master_server") return std::vector<Value>{"10.0.0.1", "10.0.0.2", "10.0.0.3"};
      if (node == "single") return std::vector<Value>{"10.0.0.9"};
      if (node == "none") return std::vector<Value>{};
      return std::nullopt;
    };
    const SecretSource secrets = [](const tosca::SecretRef& secret) -> std::optional<std::string> {
      if (secret.id == "input/password") return "s3cr3t";
      return std::nullopt;
    };
    return evaluate(expression, topology, attributes, secrets);
  }
  Value value(const Expression& expression) {
    auto result = run(expression);
    EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().describe());
    return result ? result->value : Value();
  }
  ErrorClass error(const Expression& expression) {
    auto result = run(expression);
    EXPECT_FALSE(result.has_value());
    return result ? ErrorClass::unknown : result.error().cls;
  }
  static Expression concat(tosca::ExpressionList parts) {
    return Expression(tosca::Concat{std::move(parts)});
  }

  tosca::Topology topology =
      topology_of({compute("master_server", 3), compute("single"), compute("none"),
                   software("master", "master_server", {})});
};

TEST_F(Evaluate, LiteralsAreThemselves) {
  EXPECT_EQ(value(Value(7)), Value(7));
  const Expression nested(Expression::Data(tosca::ExpressionList{Value(1), Value("two")}));
  EXPECT_EQ(value(nested), Value(tosca::List{Value(1), Value("two")}));
}

TEST_F(Evaluate, ScaledNodesGiveLists) {
  EXPECT_EQ(value(attribute("master_server", {"private_address"})),
            Value(tosca::List{"10.0.0.1", "10.0.0.2", "10.0.0.3"}));
  EXPECT_EQ(value(attribute("master_server", {"private_address", "2"})), Value("10.0.0.3"));
  EXPECT_EQ(error(attribute("master_server", {"private_address", "3"})), ErrorClass::invalid);
  EXPECT_EQ(error(attribute("master_server", {"private_address", "first"})), ErrorClass::invalid);
}

TEST_F(Evaluate, UnscaledNodesGiveTheValueAndTakeAnIndex) {
  EXPECT_EQ(value(attribute("single", {"private_address"})), Value("10.0.0.9"));
  EXPECT_EQ(value(attribute("single", {"private_address", "0"})), Value("10.0.0.9"));
  EXPECT_EQ(error(attribute("single", {"private_address", "1"})), ErrorClass::invalid);
  Expression listed = attribute("single", {"private_address"});
  listed.wants_list = true;
  EXPECT_EQ(value(listed), Value(tosca::List{"10.0.0.9"}));
}

TEST_F(Evaluate, ValuesThatAreListsTakeTheIndexThemselves) {
  const AttributeSource lists = [](const std::string&, const std::string&) {
    return std::optional(std::vector<Value>{Value(tosca::List{"a", "b"})});
  };
  const auto result = evaluate(attribute("single", {"names", "1"}), topology, lists, {});
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->value, Value("b"));
}

TEST_F(Evaluate, UnknownAttributesAreNotFound) {
  EXPECT_EQ(error(attribute("single", {"public_address"})), ErrorClass::not_found);
  EXPECT_EQ(error(attribute("none", {"private_address"})), ErrorClass::not_found);
  EXPECT_EQ(error(attribute("nobody", {"private_address"})), ErrorClass::not_found);
  EXPECT_EQ(error(attribute("single", {})), ErrorClass::invalid);
}

TEST_F(Evaluate, ATierOfNoneIsAnEmptyList) {
  topology.nodes.emplace("agents", compute("agents", 0));
  EXPECT_EQ(value(attribute("agents", {"private_address"})), Value(tosca::List{}));
  EXPECT_EQ(error(attribute("agents", {"private_address", "0"})), ErrorClass::invalid);
}

TEST_F(Evaluate, DeclaredDefaultsStandIn) {
  topology.nodes.at("single").attributes["role"] = Value("leader");
  EXPECT_EQ(value(attribute("single", {"role"})), Value("leader"));
  topology.nodes.at("single").attributes["loop"] = attribute("single", {"loop"});
  EXPECT_EQ(error(attribute("single", {"loop"})), ErrorClass::invalid);
}

TEST_F(Evaluate, FunctionsMakeText) {
  EXPECT_EQ(value(concat({Value("http://"), attribute("single", {"private_address", "0"}),
                          Value(":"), Value(5050)})),
            Value("http://10.0.0.9:5050"));
  EXPECT_EQ(value(concat({Value(true), Value(1.5)})), Value("true1.5"));
  EXPECT_EQ(error(concat({attribute("master_server", {"private_address"})})), ErrorClass::invalid);
  EXPECT_EQ(value(Expression(tosca::Join{{attribute("master_server", {"private_address"})}, ","})),
            Value("10.0.0.1,10.0.0.2,10.0.0.3"));
  EXPECT_EQ(value(Expression(tosca::Join{{Value("a"), Value("b")}, "-"})), Value("a-b"));
  EXPECT_EQ(value(Expression(tosca::Token{{Value("a.b:c")}, ".:", 1})), Value("b"));
  EXPECT_EQ(value(Expression(tosca::Token{{Value("a.b:c")}, ".:", 2})), Value("c"));
  EXPECT_EQ(error(Expression(tosca::Token{{Value("a.b:c")}, ".:", 3})), ErrorClass::invalid);
  EXPECT_EQ(error(Expression(tosca::Token{{Value("a")}, ".", -1})), ErrorClass::invalid);
}

TEST_F(Evaluate, SecretsTaintWhatTheyEnter) {
  const Value reference(tosca::SecretRef{"input/password"});
  const auto plain = run(concat({Value("admin:"), Value("x")}));
  EXPECT_FALSE(plain->secret);
  const auto tainted = run(concat({Value("admin:"), reference}));
  EXPECT_TRUE(tainted->secret);
  EXPECT_EQ(tainted->value, Value("admin:s3cr3t"));
  EXPECT_TRUE(run(Value(tosca::List{Value(1), reference}))->secret);
  Expression marked = Value("x");
  marked.secret = true;
  EXPECT_TRUE(run(marked)->secret);
  EXPECT_EQ(error(Value(tosca::SecretRef{"input/other"})), ErrorClass::not_found);
}

}  // namespace
}  // namespace tutti::plan
