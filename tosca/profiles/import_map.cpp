#include "tosca/profiles/import_map.hpp"

#include "tosca/profiles/embedded.hpp"

#include <utility>
#include <vector>

namespace tutti::tosca {

namespace {

// Every branch and tag of INDIGO's repository is answered by the same text. Others define the same
// names differently, so nothing but this repository is.
constexpr std::string_view kIndigoBase = "https://raw.githubusercontent.com/indigo-dc/tosca-types/";
constexpr std::string_view kIndigoFile = "/custom_types.yaml";
constexpr std::string_view kIndigoTypes = "indigo/custom_types.yaml";

constexpr std::string_view kTuttiImport = "tutti";
constexpr std::string_view kTuttiTypes = "tutti/types.yaml";

std::optional<std::string_view> profile_of(std::string_view location) {
  if (location == kTuttiImport || location == kTuttiTypes) return kTuttiTypes;
  const bool named_branch = location.size() > kIndigoBase.size() + kIndigoFile.size() &&
                            location.starts_with(kIndigoBase) && location.ends_with(kIndigoFile);
  return named_branch ? std::optional(kIndigoTypes) : std::nullopt;
}

bool is_absolute(std::string_view file) {
  return file.starts_with('/') || file.find("://") != std::string_view::npos;
}

}  // namespace

void ImportMap::add(std::string location, ImportedText text) {
  added_.insert_or_assign(std::move(location), std::move(text));
}

std::optional<ImportedText> ImportMap::find(const std::string& location) const {
  if (const auto own = added_.find(location); own != added_.end()) return own->second;
  const auto profile = profile_of(location);
  if (!profile) return std::nullopt;
  const profiles::EmbeddedText* text = profiles::embedded(*profile);
  if (text == nullptr) return std::nullopt;
  ImportedText found;
  found.name = std::string(text->name);
  found.text = std::string(text->text);
  return found;
}

ImportResolver ImportMap::resolver() const {
  return [map = *this](const std::string& location) { return map.find(location); };
}

std::string join_location(std::string_view base, std::string_view file) {
  std::string root;
  std::string path(file);
  if (!is_absolute(file)) {
    const auto slash = base.rfind('/');
    path = slash == std::string_view::npos ? path : std::string(base.substr(0, slash + 1)) + path;
  }
  if (const auto scheme = path.find("://"); scheme != std::string::npos) {
    const auto host_end = path.find('/', scheme + 3);
    if (host_end == std::string::npos) return path;
    root = path.substr(0, host_end);
    path.erase(0, host_end);
  }
  const bool rooted = path.starts_with('/');
  std::vector<std::string_view> parts;
  std::string_view rest = path;
  while (!rest.empty()) {
    const auto slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (part != ".." || !rooted) {
      parts.push_back(part);
    }
  }
  std::string joined = root + (rooted ? "/" : "");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) joined += '/';
    joined += parts[i];
  }
  return joined;
}

}  // namespace tutti::tosca
