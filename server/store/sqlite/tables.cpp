#include "server/store/sqlite/tables.hpp"

#include <charconv>

namespace tutti::store::sqlite {
namespace {

std::int64_t milliseconds(WallTime time) {
  return time.time_since_epoch().count();
}

std::uint64_t number(const std::string& text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

Result<Tables> Tables::prepare(Database& db) {
  TUTTI_TRY(Statement get_meta, db.prepare("SELECT value FROM meta WHERE key=?1"));
  TUTTI_TRY(Statement set_meta, db.prepare("INSERT INTO meta(key,value) VALUES(?1,?2) "
                                           "ON CONFLICT(key) DO UPDATE SET value=excluded.value"));
  TUTTI_TRY(Statement put_state,
            db.prepare("INSERT INTO state(deployment,json) VALUES(?1,?2) "
                       "ON CONFLICT(deployment) DO UPDATE SET json=excluded.json"));
  TUTTI_TRY(Statement add_journal,
            db.prepare("INSERT INTO journal(deployment,at,kind,json) VALUES(?1,?2,?3,?4)"));
  TUTTI_TRY(Statement put_document,
            db.prepare("INSERT INTO document(deployment,name,bytes) VALUES(?1,?2,?3) "
                       "ON CONFLICT(deployment,name) DO UPDATE SET bytes=excluded.bytes"));
  TUTTI_TRY(Statement add_log,
            db.prepare("INSERT INTO log(deployment,at,step,text) VALUES(?1,?2,?3,?4)"));
  TUTTI_TRY(Statement put_idempotency,
            db.prepare("INSERT INTO idempotency(key,digest,deployment,at) VALUES(?1,?2,?3,?4)"));
  TUTTI_TRY(Statement drop_state, db.prepare("DELETE FROM state WHERE deployment=?1"));
  TUTTI_TRY(Statement drop_documents, db.prepare("DELETE FROM document WHERE deployment=?1"));
  TUTTI_TRY(Statement drop_log, db.prepare("DELETE FROM log WHERE deployment=?1"));
  TUTTI_TRY(Statement trim_journal,
            db.prepare("DELETE FROM journal WHERE deployment=?1 AND seq<=(SELECT seq FROM journal "
                       "WHERE deployment=?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)"));
  TUTTI_TRY(Statement trim_log,
            db.prepare("DELETE FROM log WHERE deployment=?1 AND seq<=(SELECT seq FROM log "
                       "WHERE deployment=?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)"));
  TUTTI_TRY(Statement prune_journal,
            db.prepare("DELETE FROM journal WHERE at<?1 AND NOT EXISTS "
                       "(SELECT 1 FROM state WHERE state.deployment=journal.deployment)"));
  // Lines that were on their way when their deployment went.
  TUTTI_TRY(Statement prune_log,
            db.prepare("DELETE FROM log WHERE at<?1 AND NOT EXISTS "
                       "(SELECT 1 FROM state WHERE state.deployment=log.deployment)"));
  TUTTI_TRY(Statement prune_idempotency, db.prepare("DELETE FROM idempotency WHERE at<?1"));
  return Tables(Statements{std::move(get_meta), std::move(set_meta), std::move(put_state),
                           std::move(add_journal), std::move(put_document), std::move(add_log),
                           std::move(put_idempotency), std::move(drop_state),
                           std::move(drop_documents), std::move(drop_log), std::move(trim_journal),
                           std::move(trim_log), std::move(prune_journal), std::move(prune_log),
                           std::move(prune_idempotency)});
}

Result<std::optional<std::string>> Tables::meta(std::string_view key) {
  sql_.get_meta.bind(1, key);
  TUTTI_TRY(const bool row, sql_.get_meta.step());
  if (!row) return std::optional<std::string>();
  std::optional<std::string> value = sql_.get_meta.text(0);
  sql_.get_meta.reset();
  return value;
}

Result<void> Tables::set_meta(std::string_view key, std::string_view value) {
  return sql_.set_meta.bind(1, key).bind(2, value).run();
}

Result<std::uint64_t> Tables::next_fencing() {
  TUTTI_TRY(const auto text, meta("fencing"));
  const std::uint64_t next = number(text.value_or("0")) + 1;
  if (auto set = set_meta("fencing", std::to_string(next)); !set) return std::move(set).error();
  return next;
}

Result<void> Tables::check(Lease lease) {
  TUTTI_TRY(const auto text, meta("fencing"));
  const std::uint64_t current = number(text.value_or("0"));
  if (lease.fencing == current && current != 0) return {};
  return Error(ErrorClass::conflict, "lease_lost",
               "another process has taken over this database (lease " +
                   std::to_string(lease.fencing) + ", now " + std::to_string(current) + ")");
}

Result<void> Tables::apply(const Batch& batch, Lease lease) {
  if (auto held = check(lease); !held) return held;
  if (auto added = add(batch); !added) return added;
  for (const Trim& each : batch.trim) {
    if (auto trimmed = trim(each); !trimmed) return trimmed;
  }
  for (const DeploymentId& deployment : batch.forget) {
    if (auto gone = forget(deployment); !gone) return gone;
  }
  return {};
}

Result<void> Tables::add(const Batch& batch) {
  for (const StateRow& row : batch.states) {
    auto done = sql_.put_state.bind(1, row.deployment.value).bind(2, row.json).run();
    if (!done) return done;
  }
  for (const JournalRow& row : batch.journal) {
    sql_.add_journal.bind(1, row.deployment.value).bind(2, milliseconds(row.at));
    auto done = sql_.add_journal.bind(3, row.kind).bind(4, row.json).run();
    if (!done) return done;
  }
  for (const DocumentRow& row : batch.documents) {
    sql_.put_document.bind(1, row.deployment.value).bind(2, row.name);
    auto done = sql_.put_document.bind_blob(3, row.bytes).run();
    if (!done) return done;
  }
  for (const LogRow& row : batch.log) {
    sql_.add_log.bind(1, row.deployment.value).bind(2, milliseconds(row.at));
    auto done = sql_.add_log.bind(3, row.step).bind(4, row.text).run();
    if (!done) return done;
  }
  for (const IdempotencyRow& row : batch.idempotency) {
    sql_.put_idempotency.bind(1, row.key).bind(2, row.digest);
    auto done =
        sql_.put_idempotency.bind(3, row.deployment.value).bind(4, milliseconds(row.at)).run();
    if (!done) return done;
  }
  return {};
}

Result<void> Tables::trim(const Trim& trim) {
  sql_.trim_journal.bind(1, trim.deployment.value);
  auto done = sql_.trim_journal.bind(2, static_cast<std::int64_t>(trim.journal)).run();
  if (!done) return done;
  sql_.trim_log.bind(1, trim.deployment.value);
  return sql_.trim_log.bind(2, static_cast<std::int64_t>(trim.log)).run();
}

Result<void> Tables::forget(const DeploymentId& deployment) {
  for (Statement* statement : {&sql_.drop_state, &sql_.drop_documents, &sql_.drop_log}) {
    if (auto done = statement->bind(1, deployment.value).run(); !done) return done;
  }
  return {};
}

Result<void> Tables::prune(WallTime before) {
  for (Statement* statement : {&sql_.prune_journal, &sql_.prune_log, &sql_.prune_idempotency}) {
    if (auto done = statement->bind(1, milliseconds(before)).run(); !done) return done;
  }
  return {};
}

}  // namespace tutti::store::sqlite
