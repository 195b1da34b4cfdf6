#include "server/store/sqlite/schema.hpp"

#include <array>
#include <string_view>

namespace tutti::store::sqlite {
namespace {

constexpr std::int64_t kApplicationId = 0x54555454;  // "TUTT"

constexpr std::string_view kTables = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta(key, value) VALUES('fencing', '0');
CREATE TABLE state(deployment TEXT NOT NULL UNIQUE, json TEXT NOT NULL);
CREATE TABLE journal(seq INTEGER PRIMARY KEY, deployment TEXT NOT NULL, at INTEGER NOT NULL,
                     kind TEXT NOT NULL, json TEXT NOT NULL);
CREATE INDEX journal_by_deployment ON journal(deployment, seq);
CREATE TABLE document(deployment TEXT NOT NULL, name TEXT NOT NULL, bytes BLOB NOT NULL,
                      UNIQUE(deployment, name));
CREATE TABLE log(seq INTEGER PRIMARY KEY, deployment TEXT NOT NULL, at INTEGER NOT NULL,
                 step TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX log_by_deployment ON log(deployment, seq);
CREATE TABLE idempotency(key TEXT PRIMARY KEY, digest TEXT NOT NULL, deployment TEXT NOT NULL,
                         at INTEGER NOT NULL) WITHOUT ROWID;
)sql";

// Pruning asks for what is old.
constexpr std::string_view kTimeIndexes = R"sql(
CREATE INDEX journal_by_time ON journal(at);
CREATE INDEX log_by_time ON log(at);
CREATE INDEX idempotency_by_time ON idempotency(at);
)sql";

constexpr std::array kMigrations{kTables, kTimeIndexes};

Result<void> check_origin(Database& database, const std::string& path, std::int64_t version) {
  TUTTI_TRY(const std::int64_t application, database.integer("PRAGMA application_id"));
  TUTTI_TRY(const std::int64_t objects, database.integer("SELECT count(*) FROM sqlite_schema"));
  if (objects > 0 && application != kApplicationId) {
    return Error(ErrorClass::invalid, "database_foreign",
                 path + " is a database of another program; choose another file");
  }
  const auto known = static_cast<std::int64_t>(kMigrations.size());
  if (version > known) {
    return Error(ErrorClass::invalid, "database_newer",
                 path + " was written by a newer Tutti (format " + std::to_string(version) +
                     ", this binary knows " + std::to_string(known) + "); use that binary");
  }
  return {};
}

}  // namespace

Result<void> migrate(Database& database, const std::string& path) {
  TUTTI_TRY(const std::int64_t version, database.integer("PRAGMA user_version"));
  if (auto origin = check_origin(database, path, version); !origin) return origin;
  if (version == static_cast<std::int64_t>(kMigrations.size())) return {};
  std::string sql = "BEGIN IMMEDIATE;";
  for (std::size_t i = static_cast<std::size_t>(version); i < kMigrations.size(); ++i) {
    sql += kMigrations[i];
  }
  sql += "PRAGMA application_id=" + std::to_string(kApplicationId) + ";";
  sql += "PRAGMA user_version=" + std::to_string(kMigrations.size()) + ";COMMIT;";
  if (auto done = database.execute(sql); !done) {
    // Leaves the transaction that may be open; the error that matters is the first one.
    (void)database.execute("ROLLBACK");
    return std::move(done).error().with("bringing " + path + " to this binary's format");
  }
  return {};
}

Result<void> configure_writer(Database& database) {
  // secure_delete=FAST: what is forgotten is overwritten where that costs no extra I/O.
  return database.execute(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
      "PRAGMA wal_autocheckpoint=4000; PRAGMA secure_delete=FAST;");
}

}  // namespace tutti::store::sqlite
