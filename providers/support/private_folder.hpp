// A folder that its owner alone can look into: for databases, keys and the files of runs.
#pragma once

#include "providers/base/result.hpp"

#include <string>

namespace tutti {

// Makes the folder (mode 0700) and its parents. One that is there already is taken as it is, when
// it belongs to this user and nobody else may enter it; else, also for a link, `invalid` with what
// to do.
[[nodiscard]] Result<void> make_private_folder(const std::string& path);

}  // namespace tutti
