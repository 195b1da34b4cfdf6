// A thin RAII shape over SQLite's C API: one connection, prepared statements, errors as values.
// Used by the SQLite store alone; knows nothing of what is kept. A connection belongs to one thread
// at a time.
#pragma once

#include "providers/base/result.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tutti::store::sqlite {

// A prepared statement that is kept and run again. Parameters count from 1, columns from 0.
class Statement {
 public:
  Statement(sqlite3* connection, sqlite3_stmt* statement);

  // The text must live until the statement is reset.
  Statement& bind(int parameter, std::string_view text);
  Statement& bind_blob(int parameter, std::string_view bytes);
  Statement& bind(int parameter, std::int64_t number);

  // True: a row is there to be read. False: done (and reset).
  [[nodiscard]] Result<bool> step();
  // For statements that give no rows.
  [[nodiscard]] Result<void> run();
  void reset();

  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  sqlite3* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  enum class Mode { write, read };

  // A writer creates the file when absent (0600). Errors name the path and the remedy.
  [[nodiscard]] static Result<Database> open(const std::string& path, Mode mode);

  [[nodiscard]] Result<void> execute(const std::string& sql);
  [[nodiscard]] Result<Statement> prepare(std::string_view sql);
  // The single integer that a query or PRAGMA gives.
  [[nodiscard]] Result<std::int64_t> integer(std::string_view sql);

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close(connection); }
  };
  explicit Database(sqlite3* connection) : connection_(connection) {}

  std::unique_ptr<sqlite3, Close> connection_;
};

// Maps SQLite's result codes: FULL is capacity, BUSY and LOCKED transient, CORRUPT and NOTADB
// invalid, the rest unknown. The message is SQLite's own.
[[nodiscard]] Error to_error(sqlite3* connection, int code, const std::string& doing);

}  // namespace tutti::store::sqlite
