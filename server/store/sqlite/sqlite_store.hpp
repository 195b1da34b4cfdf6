// The daemon's store: one SQLite file (WAL, synchronous=FULL), one writer thread, readers on the
// pool with connections of their own. One process at a time: a lock file beside the database.
#pragma once

#include "providers/support/offload.hpp"
#include "server/store/store.hpp"

#include <memory>
#include <string>

namespace tutti::store {

// Opens or creates. Errors (invalid, conflict) say what is wrong with the file and what to do: a
// folder that is missing, a file of another program, a newer format, damage, another daemon on it.
// The store must go before the executors of those who await its answers, and before `offload`.
[[nodiscard]] Result<std::unique_ptr<Store>> open_sqlite(const std::string& path, Offload& offload);

}  // namespace tutti::store
