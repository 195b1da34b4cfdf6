#include "tosca/grammar/version.hpp"

#include <array>

namespace tutti::tosca::grammar {

namespace {

struct VersionName {
  std::string_view name;
  std::string_view url;
  Version version;
};

constexpr std::string_view kUrl = "http://docs.oasis-open.org/tosca/ns/simple/yaml/";

constexpr std::array kVersions{
    VersionName{"tosca_simple_yaml_1_0", "1.0", Version::simple_1_0},
    VersionName{"tosca_simple_yaml_1_0_0", "1.0.0", Version::simple_1_0},
    VersionName{"tosca_simple_yaml_1_1", "1.1", Version::simple_1_1},
    VersionName{"tosca_simple_yaml_1_2", "1.2", Version::simple_1_2},
    VersionName{"tosca_simple_yaml_1_3", "1.3", Version::simple_1_3},
};

}  // namespace

std::optional<Version> version_from(std::string_view name) {
  for (const VersionName& known : kVersions) {
    if (name == known.name) return known.version;
    if (name.starts_with(kUrl) && name.substr(kUrl.size()) == known.url) return known.version;
  }
  return std::nullopt;
}

const std::vector<std::string_view>& version_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const VersionName& known : kVersions) all.push_back(known.name);
    return all;
  }();
  return names;
}

std::string_view to_string(Version version) {
  for (const VersionName& known : kVersions) {
    if (known.version == version) return known.name;
  }
  return "";
}

}  // namespace tutti::tosca::grammar
