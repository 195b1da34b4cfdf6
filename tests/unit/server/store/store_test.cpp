// One suite for every store, and what only the SQLite file can get wrong.
#include "providers/support/clock.hpp"
#include "providers/support/offload.hpp"
#include "providers/support/task_scope.hpp"
#include "server/store/memory/memory_store.hpp"
#include "server/store/sqlite/database.hpp"
#include "server/store/sqlite/sqlite_store.hpp"
#include "tests/unit/server/support.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <fstream>
#include <sys/stat.h>

namespace tutti::store {
namespace {

using test::run;
using test::TemporaryFolder;
using testing::HasSubstr;

const DeploymentId kA("0190-a");
const DeploymentId kB("0190-b");

WallTime at(int milliseconds) {
  return WallTime(std::chrono::milliseconds(milliseconds));
}

Batch state_batch(const DeploymentId& id, std::string json) {
  Batch batch;
  batch.states.push_back({id, std::move(json)});
  return batch;
}

// What a suite needs of a kind of store: to open it again on what it left.
struct Kept {
  virtual ~Kept() = default;
  virtual std::unique_ptr<Store> open() = 0;
  virtual std::vector<std::string> journal(const DeploymentId& deployment) = 0;
};

using sqlite::Database;
using sqlite::Statement;

// All that a query gives of its first column.
std::vector<std::string> column(const std::string& path, const std::string& sql) {
  Database database = Database::open(path, Database::Mode::read).value();
  Statement statement = database.prepare(sql).value();
  std::vector<std::string> rows;
  while (statement.step().value()) rows.push_back(statement.text(0));
  return rows;
}

struct SqliteKept final : Kept {
  std::unique_ptr<Store> open() override {
    auto opened = open_sqlite(folder / "tutti.db", offload);
    if (!opened) throw std::runtime_error(opened.error().describe());
    return std::move(opened).value();
  }
  std::vector<std::string> journal(const DeploymentId& deployment) override {
    return column(folder / "tutti.db", "SELECT json FROM journal WHERE deployment='" +
                                           deployment.value + "' ORDER BY seq");
  }
  TemporaryFolder folder;
  Offload offload{2};
};

struct MemoryKept final : Kept {
  std::unique_ptr<Store> open() override {
    return std::make_unique<MemoryStore>(disk, clock, std::chrono::milliseconds(1));
  }
  std::vector<std::string> journal(const DeploymentId& deployment) override {
    std::vector<std::string> rows;
    for (const JournalRow& row : disk->journal) {
      if (row.deployment == deployment) rows.push_back(row.json);
    }
    return rows;
  }
  std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>();
  SystemClock clock;
};

class StoreTest : public testing::TestWithParam<std::string> {
 protected:
  StoreTest() {
    if (GetParam() == "sqlite") {
      kept_ = std::make_unique<SqliteKept>();
    } else {
      kept_ = std::make_unique<MemoryKept>();
    }
    reopen();
  }
  void reopen() {
    store_.reset();
    store_ = kept_->open();
    lease_ = run(context_, store_->acquire()).value();
  }
  Result<void> commit(Batch batch) {
    return run(context_, store_->commit(std::move(batch), lease_));
  }

  boost::asio::io_context context_;
  std::unique_ptr<Kept> kept_;
  std::unique_ptr<Store> store_;
  Lease lease_;
};

TEST_P(StoreTest, KeepsStatesAcrossReopening) {
  ASSERT_TRUE(commit(state_batch(kA, "{\"v\":1}")));
  ASSERT_TRUE(commit(state_batch(kA, "{\"v\":2}")));
  ASSERT_TRUE(commit(state_batch(kB, "{}")));
  const OwnerId owner = store_->owner();
  reopen();
  EXPECT_EQ(store_->owner(), owner);
  EXPECT_FALSE(owner.empty());
  const auto rows = run(context_, store_->load_states()).value();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].deployment, kA);
  EXPECT_EQ(rows[0].json, "{\"v\":2}");
}

TEST_P(StoreTest, KeepsDocumentsWithAnyBytes) {
  const std::string bytes("sealed\0\xFF bytes", 14);
  Batch batch;
  batch.documents.push_back({kA, "secrets", bytes});
  batch.documents.push_back({kA, "template", ""});
  ASSERT_TRUE(commit(std::move(batch)));
  reopen();
  EXPECT_EQ(run(context_, store_->read_document(kA, "secrets")).value(), bytes);
  EXPECT_EQ(run(context_, store_->read_document(kA, "template")).value(), "");
  EXPECT_EQ(run(context_, store_->read_document(kB, "template")).value(), std::nullopt);
  EXPECT_EQ(run(context_, store_->read_documents(kA)).value().size(), 2U);
}

TEST_P(StoreTest, GivesTheNewestPartOfTheLogInOrder) {
  Batch batch;
  for (int i = 0; i < 10; ++i) batch.log.push_back({kA, at(i), "step", "line" + std::to_string(i)});
  batch.log.push_back({kB, at(99), "step", "other"});
  ASSERT_TRUE(commit(std::move(batch)));
  const auto all = run(context_, store_->read_log(kA, 1000)).value();
  ASSERT_EQ(all.size(), 10U);
  EXPECT_EQ(all.front().text, "line0");
  EXPECT_EQ(all.front().at, at(0));
  const auto tail = run(context_, store_->read_log(kA, 18)).value();
  ASSERT_EQ(tail.size(), 3U);
  EXPECT_EQ(tail.front().text, "line7");
  EXPECT_EQ(tail.back().text, "line9");
}

TEST_P(StoreTest, RemembersIdempotencyKeysAndRefusesThemTwice) {
  Batch batch = state_batch(kA, "{}");
  batch.idempotency.push_back({"key", "digest", kA, at(5)});
  ASSERT_TRUE(commit(std::move(batch)));
  const auto found = run(context_, store_->find_idempotency("key")).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->digest, "digest");
  EXPECT_EQ(found->deployment, kA);
  EXPECT_EQ(found->at, at(5));
  EXPECT_FALSE(run(context_, store_->find_idempotency("other")).value());

  Batch again = state_batch(kB, "{}");
  again.idempotency.push_back({"key", "digest", kB, at(6)});
  const auto refused = commit(std::move(again));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().cls, ErrorClass::conflict);
  EXPECT_EQ(run(context_, store_->load_states()).value().size(), 1U) << "a batch is all or nothing";
}

TEST_P(StoreTest, ForgettingTakesAllButTheJournal) {
  Batch batch = state_batch(kA, "{}");
  batch.documents.push_back({kA, "template", "text"});
  batch.log.push_back({kA, at(1), "s", "line"});
  batch.journal.push_back({kA, at(1), "event", "{}"});
  ASSERT_TRUE(commit(std::move(batch)));
  Batch forget;
  forget.forget.push_back(kA);
  ASSERT_TRUE(commit(std::move(forget)));
  EXPECT_TRUE(run(context_, store_->load_states()).value().empty());
  EXPECT_FALSE(run(context_, store_->read_document(kA, "template")).value());
  EXPECT_TRUE(run(context_, store_->read_log(kA, 1000)).value().empty());
  Batch late;
  late.log.push_back({kA, at(1), "s", "was on its way"});
  late.log.push_back({kB, at(1), "s", "of one that never was"});
  late.log.push_back({kA, at(3), "s", "is young"});
  ASSERT_TRUE(commit(std::move(late)));
  EXPECT_TRUE(run(context_, store_->prune(at(2))));
  EXPECT_EQ(run(context_, store_->read_log(kA, 1000)).value().size(), 1U);
  EXPECT_TRUE(run(context_, store_->read_log(kB, 1000)).value().empty());
}

TEST_P(StoreTest, TrimmingKeepsTheNewestRowsOfOneDeployment) {
  Batch batch = state_batch(kA, "{}");
  for (int i = 0; i < 10; ++i) {
    batch.journal.push_back({kA, at(i), "event", std::to_string(i)});
    batch.log.push_back({kA, at(i), "s", "line" + std::to_string(i)});
  }
  batch.log.push_back({kB, at(1), "s", "of another"});
  batch.trim.push_back({kA, 3, 2});
  ASSERT_TRUE(commit(std::move(batch)));
  EXPECT_EQ(kept_->journal(kA), (std::vector<std::string>{"7", "8", "9"}));
  const auto lines = run(context_, store_->read_log(kA, 1000)).value();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines.front().text, "line8");
  EXPECT_EQ(run(context_, store_->read_log(kB, 1000)).value().size(), 1U);
  Batch more;
  more.trim.push_back({kA, 3, 2});
  ASSERT_TRUE(commit(std::move(more)));
  EXPECT_EQ(kept_->journal(kA).size(), 3U) << "not more than there is to trim";
}

TEST_P(StoreTest, RefusesTheHolderOfAnOlderLease) {
  const Lease old = lease_;
  lease_ = run(context_, store_->acquire()).value();
  EXPECT_GT(lease_.fencing, old.fencing);
  const auto refused = run(context_, store_->commit(state_batch(kA, "{}"), old));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().cls, ErrorClass::conflict);
  EXPECT_TRUE(commit(state_batch(kA, "{}")));
}

TEST_P(StoreTest, ManyCommitsAtOnceAllArrive) {
  TaskScope scope(context_.get_executor(), [](std::string_view text) { FAIL() << text; });
  int done = 0;
  const auto one = [&](int i) -> boost::asio::awaitable<void> {
    const auto result = co_await store_->commit(
        state_batch(DeploymentId("d" + std::to_string(i)), std::to_string(i)), lease_);
    if (result) ++done;
  };
  for (int i = 0; i < 200; ++i) scope.spawn(one(i));
  run(context_, scope.join());
  EXPECT_EQ(done, 200);
  reopen();
  EXPECT_EQ(run(context_, store_->load_states()).value().size(), 200U);
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreTest, testing::Values("sqlite", "memory"),
                         [](const auto& param) { return param.param; });

class SqliteFileTest : public testing::Test {
 protected:
  std::string refusal(const std::string& path) {
    auto opened = open_sqlite(path, offload_);
    return opened ? "" : opened.error().describe();
  }
  void execute(const std::string& path, const char* sql) {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(raw);
    sqlite3_close(raw);
  }

  TemporaryFolder folder_;
  Offload offload_{1};
  boost::asio::io_context context_;
};

TEST_F(SqliteFileTest, IsForItsOwnerAlone) {
  const auto store = open_sqlite(folder_ / "t.db", offload_).value();
  const Lease lease = run(context_, store->acquire()).value();
  ASSERT_TRUE(run(context_, store->commit(state_batch(kA, "{}"), lease)));
  for (const char* name : {"t.db", "t.db-wal", "t.db.lock"}) {
    struct stat status {};
    ASSERT_EQ(::stat((folder_ / name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << name;
  }
}

TEST_F(SqliteFileTest, LeavesOneWholeFileBehind) {
  {
    const auto store = open_sqlite(folder_ / "t.db", offload_).value();
    const Lease lease = run(context_, store->acquire()).value();
    ASSERT_TRUE(run(context_, store->commit(state_batch(kA, "{}"), lease)));
    ASSERT_TRUE(run(context_, store->load_states()));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "t.db-wal"));
}

TEST_F(SqliteFileTest, RefusesASecondProcess) {
  const auto first = open_sqlite(folder_ / "t.db", offload_).value();
  EXPECT_THAT(refusal(folder_ / "t.db"), HasSubstr("another Tutti process"));
}

TEST_F(SqliteFileTest, RefusesWhatIsNoDatabase) {
  std::ofstream(folder_ / "t.db") << std::string(10000, 'x');
  EXPECT_THAT(refusal(folder_ / "t.db"), HasSubstr("damaged or is not a database"));
}

TEST_F(SqliteFileTest, RefusesAMissingFolderAndSaysSo) {
  EXPECT_THAT(refusal(folder_ / "missing/t.db"), HasSubstr("check that the folder exists"));
}

TEST_F(SqliteFileTest, RefusesAnotherProgramsDatabase) {
  execute(folder_ / "t.db", "CREATE TABLE theirs(x)");
  EXPECT_THAT(refusal(folder_ / "t.db"), HasSubstr("another program"));
}

TEST_F(SqliteFileTest, RefusesANewerFormat) {
  open_sqlite(folder_ / "t.db", offload_).value().reset();
  execute(folder_ / "t.db", "PRAGMA user_version=99");
  EXPECT_THAT(refusal(folder_ / "t.db"), HasSubstr("newer Tutti"));
}

TEST_F(SqliteFileTest, AFileOfAnOlderBinaryGetsTheIndexesThatPruningNeeds) {
  const std::string path = folder_ / "t.db";
  open_sqlite(path, offload_).value().reset();
  execute(path,
          "DROP INDEX journal_by_time; DROP INDEX log_by_time; DROP INDEX idempotency_by_time;"
          "PRAGMA user_version=1");
  open_sqlite(path, offload_).value().reset();
  EXPECT_EQ(column(path, "PRAGMA user_version"), std::vector<std::string>{"2"});
  for (const char* table : {"journal", "log", "idempotency"}) {
    const std::string index = std::string(table) + "_by_time";
    EXPECT_EQ(column(path, "SELECT name FROM sqlite_schema WHERE name='" + index + "'"),
              std::vector<std::string>{index});
  }
}

TEST_F(SqliteFileTest, AnEmptyFileBecomesADatabase) {
  std::ofstream(folder_ / "t.db").close();
  EXPECT_EQ(refusal(folder_ / "t.db"), "");
  EXPECT_EQ(refusal(folder_ / "t.db"), "") << "and opens again";
}

TEST_F(SqliteFileTest, DamageInTheMiddleIsAnErrorAndNoCrash) {
  {
    const auto store = open_sqlite(folder_ / "t.db", offload_).value();
    const Lease lease = run(context_, store->acquire()).value();
    for (int i = 0; i < 50; ++i) {
      const DeploymentId id("d" + std::to_string(i));
      ASSERT_TRUE(run(context_, store->commit(state_batch(id, std::string(4000, 'j')), lease)));
    }
  }
  {
    std::fstream file(folder_ / "t.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(100000, '\xAA');
  }
  auto opened = open_sqlite(folder_ / "t.db", offload_);
  if (!opened) {
    EXPECT_THAT(opened.error().describe(), HasSubstr("t.db"));
    return;
  }
  const auto rows = run(context_, (*opened)->load_states());
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().cls, ErrorClass::invalid);
}

TEST(MemoryStoreTest, ACrashCutsTheUnsyncedTail) {
  boost::asio::io_context context;
  SystemClock clock;
  const auto disk = std::make_shared<MemoryDisk>();
  MemoryStore store(disk, clock, std::chrono::milliseconds(50));
  const Lease lease = run(context, store.acquire()).value();
  TaskScope scope(context.get_executor(), [](std::string_view text) { FAIL() << text; });
  int failed = 0;
  const auto one = [&](std::string name) -> boost::asio::awaitable<void> {
    const auto result = co_await store.commit(state_batch(DeploymentId(name), "{}"), lease);
    if (!result) ++failed;
  };
  for (const char* name : {"a", "b", "c"}) scope.spawn(one(name));
  context.restart();
  while (store.unsynced() < 3 && context.run_one() > 0) {
  }
  store.crash(1);
  run(context, scope.join());
  EXPECT_EQ(failed, 3) << "nobody was told that it is durable";
  MemoryStore next(disk, clock, std::chrono::milliseconds(0));
  const auto rows = run(context, next.load_states()).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].deployment, DeploymentId("a"));
}

}  // namespace
}  // namespace tutti::store
