// Templates that others published, where they are at hand (TUTTI_CORPUS, or ../shared/corpus/tosca
// beside the repository): no crash, every error with its place, and INDIGO's users served.
#include "tests/unit/tosca/resolve_support.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tutti::tosca {
namespace {

namespace fs = std::filesystem;

fs::path corpus() {
  if (const char* given = std::getenv("TUTTI_CORPUS")) return given;
  return fs::path(TUTTI_SOURCE_DIR) / ".." / "shared" / "corpus" / "tosca";
}

ResolveResult resolve_file(const fs::path& path) {
  ResolveRequest request;
  request.file = path.string();
  request.text = read_file(path.string());
  request.require_inputs = false;
  const ImportMap map;
  request.imports = [&](const std::string& location) -> std::optional<ImportedText> {
    if (auto embedded = map.find(location)) return embedded;
    if (location.find("://") != std::string::npos || !fs::is_regular_file(location))
      return std::nullopt;
    return ImportedText{location, read_file(location), false};
  };
  return resolve(request);
}

TEST(Corpus, ResolvesWithoutACrash) {
  const fs::path root = corpus();
  std::ifstream index(root / "index.jsonl");
  if (!index) GTEST_SKIP() << "no corpus at " << root;
  int documents = 0;
  int agreed = 0;
  int indigo = 0;
  int indigo_accepted = 0;
  for (std::string line; std::getline(index, line);) {
    const auto entry = nlohmann::json::parse(line);
    const std::string file = entry["file"];
    const std::string expected = entry["expect"];
    if (file.find("/2.0/") != std::string::npos || file.ends_with(".zip") ||
        file.ends_with(".csar"))
      continue;
    const auto result = resolve_file(root / file);
    for (const Diagnostic& d : result.diagnostics)
      EXPECT_GT(d.span.line, 0U) << file << ": " << format(d);
    if (expected != "valid" && expected != "invalid") continue;
    ++documents;
    agreed += result.topology.has_value() == (expected == "valid") ? 1 : 0;
    if (!file.starts_with("indigo/")) continue;
    ++indigo;
    indigo_accepted += result.topology ? 1 : 0;
  }
  RecordProperty("documents", documents);
  RecordProperty("agreed", agreed);
  EXPECT_GE(agreed * 100, documents * 80) << agreed << " of " << documents;
  // Two of them repeat keys, one asks for inputs that it does not declare: errors of their own.
  EXPECT_GE(indigo_accepted, indigo - 3);
}

}  // namespace
}  // namespace tutti::tosca
