// The versions of the TOSCA Simple Profile that Tutti reads, and how documents name them.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace tutti::tosca::grammar {

enum class Version { simple_1_0, simple_1_1, simple_1_2, simple_1_3 };

// By the short name (tosca_simple_yaml_1_0) or the namespace URL that 1.0 allows.
[[nodiscard]] std::optional<Version> version_from(std::string_view name);
[[nodiscard]] const std::vector<std::string_view>& version_names();
[[nodiscard]] std::string_view to_string(Version version);

}  // namespace tutti::tosca::grammar
