// Which import means which text: INDIGO's and Tutti's types are known without any network, and
// operators add URLs or paths of their own. The map reads no files and opens no sockets; the caller
// of add() has read the text already. Used by config to make the daemon's ImportResolver.
#pragma once

#include "tosca/resolve/resolve.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tutti::tosca {

class ImportMap {
 public:
  // `location` is the URL or path exactly as templates write it; an operator's entry wins over the
  // embedded ones. `text.lenient` allows repeated keys.
  void add(std::string location, ImportedText text);
  [[nodiscard]] std::optional<ImportedText> find(const std::string& location) const;
  // A resolver over a copy of this map.
  [[nodiscard]] ImportResolver resolver() const;

 private:
  std::map<std::string, ImportedText> added_;
};

// Joins an import as written to the document that it stands in: absolute paths and URLs stay,
// others are relative to the base's folder; "." and ".." are worked off.
[[nodiscard]] std::string join_location(std::string_view base, std::string_view file);

}  // namespace tutti::tosca
