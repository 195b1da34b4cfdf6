#include "tosca/grammar/artifact.hpp"

namespace tutti::tosca::grammar {

ArtifactDefinition read_artifact(Reader& reader, const Entry& entry) {
  ArtifactDefinition artifact;
  artifact.name = std::string(entry.key->text);
  artifact.node = entry.value;
  if (entry.value->is_scalar()) {
    artifact.file = entry.value;
    return artifact;
  }
  static const Keys keys{"type",
                         "file",
                         "repository",
                         "description",
                         "deploy_path",
                         {"version", Version::simple_1_3},
                         {"artifact_version", Version::simple_1_3},
                         {"checksum", Version::simple_1_3},
                         {"checksum_algorithm", Version::simple_1_3},
                         {"properties", Version::simple_1_3},
                         {"metadata", Version::simple_1_3}};
  const Fields fields(reader, *entry.value, "an artifact", keys);
  artifact.type = fields.scalar("type");
  artifact.file = fields.any("file");
  return artifact;
}

}  // namespace tutti::tosca::grammar
