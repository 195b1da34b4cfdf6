// The tables of the SQLite store and the steps from one version to the next (PRAGMA user_version).
// A migration once released never changes; a new one is appended.
#pragma once

#include "server/store/sqlite/database.hpp"

#include <string>

namespace tutti::store::sqlite {

// Brings the database to this binary's version inside one transaction. Refused (invalid): a file of
// another program, a version newer than this binary's.
[[nodiscard]] Result<void> migrate(Database& database, const std::string& path);

// WAL, synchronous=FULL and what else a writing connection wants.
[[nodiscard]] Result<void> configure_writer(Database& database);

}  // namespace tutti::store::sqlite
