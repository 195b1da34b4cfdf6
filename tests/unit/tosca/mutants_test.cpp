// From valid documents wrong ones are made, one change each: every one must be refused at its line.
#include "tests/unit/tosca/resolve_support.hpp"

#include <sstream>

namespace tutti::tosca {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string document_of(const std::string& name) {
  return read_file(TUTTI_SOURCE_DIR "/" + name);
}

ResolveResult without_inputs(const std::string& text) {
  Resolving options;
  options.require_inputs = false;
  return resolve_text(text, options);
}

bool error_near(const ResolveResult& result, std::size_t line) {
  for (const Diagnostic& d : result.diagnostics) {
    if (d.severity == Severity::error && d.span.line + 1 >= line && d.span.line <= line + 1) {
      return true;
    }
  }
  return false;
}

// Keys of the grammar: misspelt, each must be refused where it stands.
bool is_grammar_key(const std::string& key) {
  static const std::vector<std::string> keys{
      "type",    "properties",  "requirements",   "capabilities", "interfaces",
      "inputs",  "outputs",     "node_templates", "value",        "constraints",
      "default", "description", "policies",       "targets",      "imports"};
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

class Mutants : public testing::TestWithParam<const char*> {};

TEST_P(Mutants, MisspeltKeysAreRefusedAtTheirLine) {
  const auto lines = lines_of(document_of(GetParam()));
  int made = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto first = lines[i].find_first_not_of(" -");
    const auto colon = lines[i].find(':', first == std::string::npos ? 0 : first);
    if (first == std::string::npos || colon == std::string::npos || lines[i][first] == '#')
      continue;
    const std::string key = lines[i].substr(first, colon - first);
    if (!is_grammar_key(key)) continue;
    auto mutant = lines;
    mutant[i].insert(first + 1, "q");
    const auto result = without_inputs(joined(mutant));
    EXPECT_TRUE(error_near(result, i + 1)) << "line " << i + 1 << ": " << mutant[i] << "\n"
                                           << all_problems(result);
    ++made;
  }
  EXPECT_GT(made, 10);
}

TEST_P(Mutants, UnknownTypesAreRefusedAtTheirLine) {
  const auto lines = lines_of(document_of(GetParam()));
  int made = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto at = lines[i].find("type: t");
    if (at == std::string::npos) continue;
    auto mutant = lines;
    mutant[i].insert(at + 8, "xx");
    const auto result = without_inputs(joined(mutant));
    EXPECT_TRUE(error_near(result, i + 1)) << "line " << i + 1 << ": " << mutant[i] << "\n"
                                           << all_problems(result);
    ++made;
  }
  EXPECT_GT(made, 1);
}

TEST_P(Mutants, NamesOfNodesAndInputsAreChecked) {
  const auto lines = lines_of(document_of(GetParam()));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    for (const std::string call :
         {"get_input: ", "get_attribute: [ ", "host: ", "get_property: [ "}) {
      const auto at = lines[i].find(call);
      if (at == std::string::npos || at + call.size() >= lines[i].size()) continue;
      auto mutant = lines;
      mutant[i].insert(at + call.size(), "zz");
      const auto result = without_inputs(joined(mutant));
      EXPECT_TRUE(error_near(result, i + 1)) << "line " << i + 1 << ": " << mutant[i] << "\n"
                                             << all_problems(result);
    }
  }
}

// Whatever is cut off or damaged, nothing crashes and every error has its place.
TEST_P(Mutants, DamageIsNeverACrash) {
  const std::string text = document_of(GetParam());
  std::uint32_t state = 12345;
  const auto random = [&] { return state = state * 1664525 + 1013904223; };
  for (int round = 0; round < 300; ++round) {
    std::string damaged = text;
    const int changes = 1 + static_cast<int>(random() >> 30U);
    for (int i = 0; i < changes; ++i) {
      const std::size_t at = (random() >> 4U) % damaged.size();
      switch ((random() >> 8U) % 4) {
        case 0:
          damaged[at] = "{}[]:,-&*#?|>'\"\n \tx0"[(random() >> 8U) % 20];
          break;
        case 1:
          damaged.erase(at, 1 + (random() >> 8U) % 20);
          break;
        case 2:
          damaged.insert(at, damaged.substr((random() >> 4U) % damaged.size(), 30));
          break;
        default:
          damaged.resize(std::max<std::size_t>(at, 1));
          break;
      }
    }
    const auto result = without_inputs(damaged);
    EXPECT_NE(result.topology.has_value(), has_errors(result.diagnostics));
    for (const Diagnostic& d : result.diagnostics) EXPECT_GT(d.span.line, 0U) << format(d);
  }
}

INSTANTIATE_TEST_SUITE_P(Documents, Mutants,
                         testing::Values("templates/mesos-cluster.yaml", "templates/zookeeper.yaml",
                                         "tests/golden/tosca/indigo/mesos_cluster.yaml",
                                         "tests/golden/tosca/indigo/spark_mesos_cluster.yaml"),
                         [](const auto& param_info) {
                           std::string name = param_info.param;
                           for (char& c : name)
                             c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
                           return name;
                         });

}  // namespace
}  // namespace tutti::tosca
