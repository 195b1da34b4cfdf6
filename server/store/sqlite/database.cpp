#include "server/store/sqlite/database.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tutti::store::sqlite {
namespace {

ErrorClass class_of(int code) {
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return ErrorClass::capacity;
    case SQLITE_CONSTRAINT:
      return ErrorClass::conflict;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorClass::transient;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return ErrorClass::invalid;
    default:
      return ErrorClass::unknown;
  }
}

// SQLite gives its -wal and -shm files the permissions of the database's own file.
Result<void> make_private_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    const std::string why = std::strerror(errno);
    return Error(ErrorClass::invalid, "database_open",
                 "the database file " + path + " cannot be opened for writing: " + why +
                     "; check that its folder exists and belongs to this user");
  }
  ::fchmod(file, 0600);
  ::close(file);
  return {};
}

}  // namespace

Error to_error(sqlite3* connection, int code, const std::string& doing) {
  const char* name = sqlite3_errstr(code);
  const char* text = connection != nullptr ? sqlite3_errmsg(connection) : name;
  return Error(class_of(code), "sqlite_" + std::to_string(code), std::string("database: ") + text)
      .with(doing);
}

Statement::Statement(sqlite3* connection, sqlite3_stmt* statement)
    : connection_(connection), statement_(statement) {}

Statement& Statement::bind(int parameter, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), parameter, text.data() != nullptr ? text.data() : "",
                      text.size(), nullptr, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_blob(int parameter, std::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), parameter, bytes.data() != nullptr ? bytes.data() : "",
                      bytes.size(), nullptr);
  return *this;
}

Statement& Statement::bind(int parameter, std::int64_t number) {
  sqlite3_bind_int64(statement_.get(), parameter, number);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  Error error = to_error(connection_, code, "running a statement");
  reset();
  return error;
}

Result<void> Statement::run() {
  TUTTI_TRY([[maybe_unused]] const bool row, step());
  reset();
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (bytes == nullptr || size <= 0) return {};
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

Result<Database> Database::open(const std::string& path, Mode mode) {
  if (mode == Mode::write) {
    if (auto made = make_private_file(path); !made) return std::move(made).error();
  }
  sqlite3* connection = nullptr;
  const int flags =
      SQLITE_OPEN_NOMUTEX | (mode == Mode::write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags, nullptr);
  Database database(connection);
  if (code != SQLITE_OK) return to_error(connection, code, "opening " + path);
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, 5000);
  return database;
}

Result<void> Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return to_error(connection_.get(), code, "running a statement");
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return to_error(connection_.get(), code, "preparing a statement");
  return Statement(connection_.get(), statement);
}

Result<std::int64_t> Database::integer(std::string_view sql) {
  TUTTI_TRY(Statement statement, prepare(sql));
  TUTTI_TRY(const bool row, statement.step());
  return row ? statement.integer(0) : std::int64_t{0};
}

}  // namespace tutti::store::sqlite
