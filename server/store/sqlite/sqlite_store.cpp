#include "server/store/sqlite/sqlite_store.hpp"

#include "providers/support/random.hpp"
#include "server/store/sqlite/schema.hpp"
#include "server/store/sqlite/writer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <sys/file.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tutti::store {
namespace {

using sqlite::Database;
using sqlite::Statement;
using sqlite::Tables;
using sqlite::Writer;

// Held as long as the store lives; the kernel releases it when the process dies, however it dies.
class FileLock {
 public:
  static Result<FileLock> take(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) {
      return Error(ErrorClass::invalid, "database_open",
                   "cannot create " + path + ": " + std::strerror(errno) +
                       "; check that the folder exists and belongs to this user");
    }
    FileLock lock(file);
    if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
      return Error(ErrorClass::conflict, "database_locked",
                   "another Tutti process uses this database (" + path + " is locked)");
    }
    return lock;
  }
  FileLock(FileLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock() {
    if (file_ >= 0) ::close(file_);
  }

 private:
  explicit FileLock(int file) : file_(file) {}
  int file_;
};

// Reading connections, one for each reader at a time, opened when first needed and kept.
class Readers {
 public:
  explicit Readers(std::string path) : path_(std::move(path)) {}

  template <class Read>
  auto with(Read&& read) -> decltype(read(std::declval<Database&>())) {
    auto taken = take();
    if (!taken) return std::move(taken).error();
    Database database = std::move(taken).value();
    auto result = read(database);
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(database));
    return result;
  }

 private:
  Result<Database> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        Database database = std::move(idle_.back());
        idle_.pop_back();
        return database;
      }
    }
    return Database::open(path_, Database::Mode::read);
  }

  std::string path_;
  std::mutex mutex_;
  std::vector<Database> idle_;
};

Result<std::vector<StateRow>> select_states(Database& database) {
  TUTTI_TRY(Statement statement,
            database.prepare("SELECT deployment,json FROM state ORDER BY rowid"));
  std::vector<StateRow> rows;
  while (true) {
    TUTTI_TRY(const bool row, statement.step());
    if (!row) return rows;
    rows.push_back(StateRow{DeploymentId(statement.text(0)), statement.text(1)});
  }
}

Result<std::vector<DocumentRow>> select_documents(Database& database,
                                                  const DeploymentId& deployment) {
  TUTTI_TRY(Statement statement,
            database.prepare("SELECT name,bytes FROM document WHERE deployment=?1 ORDER BY name"));
  statement.bind(1, deployment.value);
  std::vector<DocumentRow> rows;
  while (true) {
    TUTTI_TRY(const bool row, statement.step());
    if (!row) return rows;
    rows.push_back(DocumentRow{deployment, statement.text(0), statement.text(1)});
  }
}

Result<std::optional<std::string>> select_document(Database& database,
                                                   const DeploymentId& deployment,
                                                   const std::string& name) {
  TUTTI_TRY(Statement statement,
            database.prepare("SELECT bytes FROM document WHERE deployment=?1 AND name=?2"));
  statement.bind(1, deployment.value).bind(2, name);
  TUTTI_TRY(const bool row, statement.step());
  return row ? std::optional<std::string>(statement.text(0)) : std::nullopt;
}

Result<std::vector<LogRow>> select_log(Database& database, const DeploymentId& deployment,
                                       std::size_t limit_bytes) {
  TUTTI_TRY(Statement statement,
            database.prepare("SELECT at,step,text FROM log WHERE deployment=?1 ORDER BY seq DESC"));
  statement.bind(1, deployment.value);
  std::vector<LogRow> rows;
  std::size_t total = 0;
  while (true) {
    TUTTI_TRY(const bool row, statement.step());
    if (!row) break;
    const WallTime at{std::chrono::milliseconds(statement.integer(0))};
    rows.push_back(LogRow{deployment, at, statement.text(1), statement.text(2)});
    total += rows.back().text.size() + 1;
    if (total > limit_bytes) {
      rows.pop_back();
      break;
    }
  }
  std::reverse(rows.begin(), rows.end());
  return rows;
}

Result<std::optional<IdempotencyRow>> select_idempotency(Database& database,
                                                         const std::string& key) {
  TUTTI_TRY(Statement statement,
            database.prepare("SELECT digest,deployment,at FROM idempotency WHERE key=?1"));
  statement.bind(1, key);
  TUTTI_TRY(const bool row, statement.step());
  if (!row) return std::optional<IdempotencyRow>();
  const WallTime at{std::chrono::milliseconds(statement.integer(2))};
  return std::optional<IdempotencyRow>(
      IdempotencyRow{key, statement.text(0), DeploymentId(statement.text(1)), at});
}

class SqliteStore final : public Store {
 public:
  SqliteStore(FileLock lock, OwnerId owner, const std::string& path, Database database,
              Tables tables, Offload& offload)
      : lock_(std::move(lock)),
        owner_(std::move(owner)),
        offload_(offload),
        writer_(std::move(database), std::move(tables)),
        readers_(path) {}

  OwnerId owner() const override { return owner_; }

  boost::asio::awaitable<Result<Lease>> acquire() override {
    auto lease = std::make_shared<Lease>();
    Writer::Work work = [lease](Tables& tables) -> Result<void> {
      TUTTI_TRY(lease->fencing, tables.next_fencing());
      return {};
    };
    auto done = co_await writer_.submit(std::move(work));
    if (!done) co_return std::move(done).error();
    co_return *lease;
  }

  boost::asio::awaitable<Result<void>> commit(Batch batch, Lease lease) override {
    auto kept = std::make_shared<const Batch>(std::move(batch));
    Writer::Work work = [kept, lease](Tables& tables) { return tables.apply(*kept, lease); };
    co_return co_await writer_.submit(std::move(work));
  }

  boost::asio::awaitable<Result<std::vector<StateRow>>> load_states() override {
    auto work = [this] { return readers_.with(select_states); };
    co_return co_await offload_.run(work);
  }

  boost::asio::awaitable<Result<std::optional<std::string>>> read_document(
      DeploymentId deployment, std::string name) override {
    auto work = [&] {
      return readers_.with([&](Database& db) { return select_document(db, deployment, name); });
    };
    co_return co_await offload_.run(work);
  }

  boost::asio::awaitable<Result<std::vector<DocumentRow>>> read_documents(
      DeploymentId deployment) override {
    auto work = [&] {
      return readers_.with([&](Database& db) { return select_documents(db, deployment); });
    };
    co_return co_await offload_.run(work);
  }

  boost::asio::awaitable<Result<std::vector<LogRow>>> read_log(DeploymentId deployment,
                                                               std::size_t limit_bytes) override {
    auto work = [&] {
      return readers_.with([&](Database& db) { return select_log(db, deployment, limit_bytes); });
    };
    co_return co_await offload_.run(work);
  }

  boost::asio::awaitable<Result<std::optional<IdempotencyRow>>> find_idempotency(
      std::string key) override {
    auto work = [&] {
      return readers_.with([&](Database& db) { return select_idempotency(db, key); });
    };
    co_return co_await offload_.run(work);
  }

  boost::asio::awaitable<Result<void>> prune(WallTime before) override {
    Writer::Work work = [before](Tables& tables) { return tables.prune(before); };
    co_return co_await writer_.submit(std::move(work));
  }

 private:
  FileLock lock_;
  OwnerId owner_;
  Offload& offload_;
  // Readers go first: the last connection to close empties the WAL, and that takes a writing one.
  Writer writer_;
  Readers readers_;
};

Result<OwnerId> owner_of(Tables& tables) {
  TUTTI_TRY(auto known, tables.meta("owner"));
  if (known) return OwnerId(*known);
  OwnerId owner(make_uuid_v4());
  if (auto set = tables.set_meta("owner", owner.value); !set) return std::move(set).error();
  return owner;
}

Error explain(Error error, const std::string& path) {
  if (error.code == "sqlite_26" || error.code.starts_with("sqlite_11")) {
    return Error(ErrorClass::invalid, "database_damaged",
                 path + " is damaged or is not a database (" + error.message +
                     "); restore it from a back-up or move it away");
  }
  return std::move(error).with("opening the database " + path);
}

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(const std::string& path, Offload& offload) {
  TUTTI_TRY(FileLock lock, FileLock::take(path + ".lock"));
  TUTTI_TRY(Database database, Database::open(path, Database::Mode::write));
  if (auto ready = configure_writer(database); !ready) {
    return explain(std::move(ready).error(), path);
  }
  if (auto ready = migrate(database, path); !ready) return explain(std::move(ready).error(), path);
  auto tables = Tables::prepare(database);
  if (!tables) return explain(std::move(tables).error(), path);
  auto owner = owner_of(*tables);
  if (!owner) return explain(std::move(owner).error(), path);
  return std::unique_ptr<Store>(
      std::make_unique<SqliteStore>(std::move(lock), std::move(owner).value(), path,
                                    std::move(database), std::move(tables).value(), offload));
}

}  // namespace tutti::store
