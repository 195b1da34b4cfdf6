// Types that come with a template or an operator's import are judged even where nothing uses them:
// what they refer to must exist, and defaults must satisfy their own definitions.
#include "tosca/resolve/phases.hpp"

namespace tutti::tosca::resolution {

namespace {

// Secrets of defaults that are only checked here, not used: they are forgotten afterwards.
constexpr const char* kDefaultSecret = "definition-default";

class Checker {
 public:
  Checker(Resolution& resolution, Evaluator& evaluator)
      : resolution_(resolution), evaluator_(evaluator) {}

  void type(const Type& type) {
    const grammar::TypeDefinition& definition = *type.definition;
    for (const auto& property : definition.properties) {
      this->property(property, inherited_properties(type));
    }
    for (const auto& attribute : definition.attributes) schema(attribute);
    for (const auto& capability : definition.capabilities) {
      if (capability.type != nullptr) reference(TypeKind::capability, *capability.type);
      for (const auto& property : capability.properties) schema(property);
      for (const Node* source : capability.valid_source_types) reference(TypeKind::node, *source);
    }
    for (const auto& requirement : definition.requirements) this->requirement(requirement);
    for (const auto& artifact : definition.artifacts) {
      if (artifact.type != nullptr) reference(TypeKind::artifact, *artifact.type);
    }
    if (definition.entry) schema(*definition.entry);
    if (definition.key_schema) schema(*definition.key_schema);
    if (definition.kind == TypeKind::capability) {
      for (const Node* source : definition.valid_types) reference(TypeKind::node, *source);
    }
  }

  void schema(const Schema& schema) {
    if (schema.type != nullptr && primitive_from(schema.type->text) == Primitive::none) {
      reference(TypeKind::data, *schema.type);
    }
    if (schema.entry) this->schema(*schema.entry);
    if (schema.key) this->schema(*schema.key);
  }

 private:
  void reference(TypeKind kind, const Node& name) {
    (void)resolution_.units.type_of(kind, name, resolution_.result.diagnostics);
  }

  void requirement(const grammar::RequirementDefinition& requirement) {
    if (requirement.capability != nullptr) {
      reference(TypeKind::capability, *requirement.capability);
    }
    if (requirement.node_type != nullptr) reference(TypeKind::node, *requirement.node_type);
    if (requirement.relationship_type != nullptr) {
      reference(TypeKind::relationship, *requirement.relationship_type);
    }
  }

  void property(const PropertyDefinition& property, const PropertyMap& inherited) {
    schema(property);
    const auto merged = inherited.find(property.name);
    if (property.type == nullptr && (merged == inherited.end() || merged->second.type == nullptr)) {
      resolution_.error("grammar.missing-key", *property.node,
                        "the definition of \"" + property.name + "\" needs the key \"type\"");
      return;
    }
    if (property.default_value == nullptr || function_of(*property.default_value)) return;
    Site site;
    site.literal = true;
    site.secret_id = kDefaultSecret;
    (void)evaluator_.typed(*property.default_value, merged->second, site, property.secret);
  }

  Resolution& resolution_;
  Evaluator& evaluator_;
};

}  // namespace

void check_definitions(Resolution& resolution, Evaluator& evaluator) {
  Checker checker(resolution, evaluator);
  for (const Unit* unit : resolution.units.all()) {
    for (const auto& type : unit->types) {
      if (!type->broken) checker.type(*type);
    }
  }
  for (const auto& [name, input] : resolution.inputs) checker.schema(*input.definition);
  std::erase_if(resolution.result.secrets,
                [](const auto& secret) { return secret.first.id.starts_with(kDefaultSecret); });
}

}  // namespace tutti::tosca::resolution
