#include "tosca/grammar/service_template.hpp"

#include "tosca/source/suggest.hpp"

namespace tutti::tosca::grammar {

namespace {

const Keys& document_keys() {
  static const Keys keys{"tosca_definitions_version",
                         "tosca_default_namespace",
                         "namespace",
                         "metadata",
                         "template_name",
                         "template_author",
                         "template_version",
                         "description",
                         "dsl_definitions",
                         "repositories",
                         "imports",
                         "artifact_types",
                         "data_types",
                         "capability_types",
                         "interface_types",
                         "relationship_types",
                         "node_types",
                         "group_types",
                         "policy_types",
                         "topology_template"};
  return keys;
}

std::optional<Version> read_version(Reader& reader, const Node& root) {
  const Node* name = root.find("tosca_definitions_version");
  if (name == nullptr || !name->is_scalar() || name->is_null()) {
    reader.error("grammar.missing-key", name == nullptr ? root : *name,
                 "the document needs tosca_definitions_version",
                 "begin it with \"tosca_definitions_version: tosca_simple_yaml_1_3\"");
    return std::nullopt;
  }
  const auto version = version_from(name->text);
  if (!version) {
    std::string hint = did_you_mean(name->text, version_names());
    if (hint.empty()) hint = "tosca_simple_yaml_1_0 to tosca_simple_yaml_1_3 are known";
    reader.error("grammar.version-unknown", *name,
                 "the TOSCA version \"" + std::string(name->text) + "\" is not known", hint);
  }
  return version;
}

void read_imports(const Fields& fields, ServiceTemplate& made) {
  const Node* imports = fields.any("imports");
  if (imports == nullptr) return;
  if (!imports->is_sequence()) {
    fields.reader().error("grammar.shape", *imports, "\"imports\" must be a list");
    return;
  }
  for (const Node* item : imports->items) {
    if (auto found = read_import(fields.reader(), *item)) made.imports.push_back(*found);
  }
}

void check_texts(const Fields& fields) {
  for (const auto* key : {"template_name", "template_author", "template_version"}) {
    (void)fields.scalar(key);
  }
  (void)fields.mapping("dsl_definitions");
  fields.check_metadata();
}

}  // namespace

std::optional<ServiceTemplate> read_service_template(const Document& document,
                                                     Diagnostics& diagnostics) {
  Reader first(diagnostics, Version::simple_1_3);
  const Node* root = document.root();
  if (root == nullptr) {
    diagnostics.push_back({Severity::error,
                           "grammar.empty",
                           {document.name(), 1, 1, 1, 1},
                           "the document is empty",
                           ""});
    return std::nullopt;
  }
  if (!root->is_mapping()) {
    first.error("grammar.shape", *root, "a TOSCA document must be a mapping of keys to values");
    return std::nullopt;
  }
  const auto version = read_version(first, *root);
  if (!version) return std::nullopt;

  ServiceTemplate made;
  made.version = *version;
  Reader reader(diagnostics, *version);
  const Fields fields(reader, *root, "the document", document_keys());
  check_texts(fields);
  made.description = fields.text("description");
  for (const Entry& entry : fields.named("repositories")) {
    made.repositories.push_back(read_repository(reader, entry));
  }
  read_imports(fields, made);
  for (std::size_t i = 0; i < kTypeKinds; ++i) {
    const auto kind = static_cast<TypeKind>(i);
    for (const Entry& entry : fields.named(section_of(kind))) {
      made.types[i].push_back(read_type(reader, kind, entry));
    }
  }
  if (const Node* topology = fields.mapping("topology_template")) {
    made.topology = read_topology_template(reader, *topology);
  }
  return made;
}

}  // namespace tutti::tosca::grammar
