#include "server/store/memory/memory_store.hpp"

#include <algorithm>

namespace tutti::store {
namespace {

Error dead() {
  return {ErrorClass::unknown, "store_dead", "the store's process has died"};
}

// The newest rows are the last ones.
template <class Row>
void keep_newest(std::vector<Row>& rows, const DeploymentId& deployment, std::size_t kept) {
  const auto theirs = [&](const Row& row) { return row.deployment == deployment; };
  auto count = static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), theirs));
  std::erase_if(rows, [&](const Row& row) { return theirs(row) && count-- > kept; });
}

void apply(MemoryDisk& disk, Batch batch) {
  for (StateRow& row : batch.states) disk.states[row.deployment] = std::move(row.json);
  for (JournalRow& row : batch.journal) disk.journal.push_back(std::move(row));
  for (DocumentRow& row : batch.documents) {
    disk.documents[row.deployment][row.name] = std::move(row.bytes);
  }
  for (LogRow& row : batch.log) disk.log.push_back(std::move(row));
  for (IdempotencyRow& row : batch.idempotency) disk.idempotency.emplace(row.key, row);
  for (const Trim& trim : batch.trim) {
    keep_newest(disk.journal, trim.deployment, trim.journal);
    keep_newest(disk.log, trim.deployment, trim.log);
  }
  for (const DeploymentId& gone : batch.forget) {
    disk.states.erase(gone);
    disk.documents.erase(gone);
    std::erase_if(disk.log, [&](const LogRow& row) { return row.deployment == gone; });
  }
}

}  // namespace

MemoryStore::MemoryStore(std::shared_ptr<MemoryDisk> disk, Clock& clock,
                         std::chrono::milliseconds sync_time)
    : disk_(std::move(disk)), clock_(clock), sync_time_(sync_time) {}

void MemoryStore::crash(std::size_t kept) {
  for (; kept > 0 && !tail_.empty(); --kept) {
    apply(*disk_, std::move(tail_.front().batch));
    tail_.pop_front();
  }
  tail_.clear();
  dead_ = true;
}

boost::asio::awaitable<Result<Lease>> MemoryStore::acquire() {
  if (dead_) co_return dead();
  co_return Lease{++disk_->fencing};
}

boost::asio::awaitable<Result<void>> MemoryStore::commit(Batch batch, Lease lease) {
  if (on_commit && !dead_) on_commit(batch);
  if (dead_) co_return dead();
  if (broken) co_return *broken;
  if (lease.fencing != disk_->fencing) {
    co_return Error(ErrorClass::conflict, "lease_lost", "another process has taken over");
  }
  const bool taken =
      std::any_of(batch.idempotency.begin(), batch.idempotency.end(),
                  [&](const IdempotencyRow& row) { return disk_->idempotency.contains(row.key); });
  if (taken) {
    co_return Error(ErrorClass::conflict, "idempotency_key_used", "the key was used before");
  }
  const std::uint64_t number = ++arrived_;
  Pending pending{number, std::move(batch)};
  tail_.push_back(std::move(pending));
  co_await clock_.sleep_for(sync_time_);
  if (dead_) co_return dead();
  sync_up_to(number);
  co_return Result<void>();
}

void MemoryStore::sync_up_to(std::uint64_t number) {
  while (!tail_.empty() && tail_.front().number <= number) {
    apply(*disk_, std::move(tail_.front().batch));
    tail_.pop_front();
  }
}

boost::asio::awaitable<Result<std::vector<StateRow>>> MemoryStore::load_states() {
  if (dead_) co_return dead();
  std::vector<StateRow> rows;
  for (const auto& [deployment, json] : disk_->states) rows.push_back({deployment, json});
  co_return rows;
}

boost::asio::awaitable<Result<std::optional<std::string>>> MemoryStore::read_document(
    DeploymentId deployment, std::string name) {
  if (dead_) co_return dead();
  const auto of = disk_->documents.find(deployment);
  if (of == disk_->documents.end()) co_return std::optional<std::string>();
  const auto found = of->second.find(name);
  if (found == of->second.end()) co_return std::optional<std::string>();
  co_return std::optional<std::string>(found->second);
}

boost::asio::awaitable<Result<std::vector<DocumentRow>>> MemoryStore::read_documents(
    DeploymentId deployment) {
  if (dead_) co_return dead();
  std::vector<DocumentRow> rows;
  const auto of = disk_->documents.find(deployment);
  if (of != disk_->documents.end()) {
    for (const auto& [name, bytes] : of->second) rows.push_back({deployment, name, bytes});
  }
  co_return rows;
}

boost::asio::awaitable<Result<std::vector<LogRow>>> MemoryStore::read_log(DeploymentId deployment,
                                                                          std::size_t limit_bytes) {
  if (dead_) co_return dead();
  std::vector<LogRow> rows;
  std::size_t total = 0;
  for (auto row = disk_->log.rbegin(); row != disk_->log.rend(); ++row) {
    if (row->deployment != deployment) continue;
    total += row->text.size() + 1;
    if (total > limit_bytes) break;
    rows.push_back(*row);
  }
  std::reverse(rows.begin(), rows.end());
  co_return rows;
}

boost::asio::awaitable<Result<std::optional<IdempotencyRow>>> MemoryStore::find_idempotency(
    std::string key) {
  if (dead_) co_return dead();
  const auto found = disk_->idempotency.find(key);
  if (found == disk_->idempotency.end()) co_return std::optional<IdempotencyRow>();
  co_return std::optional<IdempotencyRow>(found->second);
}

boost::asio::awaitable<Result<void>> MemoryStore::prune(WallTime before) {
  if (dead_) co_return dead();
  std::erase_if(disk_->journal, [&](const JournalRow& row) {
    return row.at < before && !disk_->states.contains(row.deployment);
  });
  std::erase_if(disk_->log, [&](const LogRow& row) {
    return row.at < before && !disk_->states.contains(row.deployment);
  });
  std::erase_if(disk_->idempotency, [&](const auto& item) { return item.second.at < before; });
  co_return Result<void>();
}

}  // namespace tutti::store
