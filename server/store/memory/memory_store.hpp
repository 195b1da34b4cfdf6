// A store without a disk, for tests and the simulator. What a crash would leave lives in a
// MemoryDisk that outlives the store; commits that are not synced yet form a tail that a crash may
// cut anywhere.
#pragma once

#include "providers/support/clock.hpp"
#include "server/store/store.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <utility>

namespace tutti::store {

// The durable part. One store at a time writes to it.
struct MemoryDisk {
  OwnerId owner{"memory-owner"};
  std::uint64_t fencing = 0;
  std::map<DeploymentId, std::string> states;
  std::vector<JournalRow> journal;
  std::map<DeploymentId, std::map<std::string, std::string>> documents;
  std::vector<LogRow> log;
  std::map<std::string, IdempotencyRow> idempotency;
};

class MemoryStore final : public Store {
 public:
  // `sync_time` passes on `clock` between a commit's arrival and its durability.
  MemoryStore(std::shared_ptr<MemoryDisk> disk, Clock& clock, std::chrono::milliseconds sync_time);

  // Called for each batch on arrival, before it is durable; the place where tests crash.
  std::function<void(const Batch&)> on_commit;

  // While it has a value, every commit is refused with it: a disk that is full, say.
  std::optional<Error> broken;

  // The process died: the first `kept` commits of the unsynced tail reached the disk all the same,
  // the others are lost. Every later call, and every commit under way, fails ("store_dead").
  void crash(std::size_t kept);
  [[nodiscard]] std::size_t unsynced() const { return tail_.size(); }

  OwnerId owner() const override { return disk_->owner; }
  boost::asio::awaitable<Result<Lease>> acquire() override;
  boost::asio::awaitable<Result<void>> commit(Batch batch, Lease lease) override;
  boost::asio::awaitable<Result<std::vector<StateRow>>> load_states() override;
  boost::asio::awaitable<Result<std::optional<std::string>>> read_document(
      DeploymentId deployment, std::string name) override;
  boost::asio::awaitable<Result<std::vector<DocumentRow>>> read_documents(
      DeploymentId deployment) override;
  boost::asio::awaitable<Result<std::vector<LogRow>>> read_log(DeploymentId deployment,
                                                               std::size_t limit_bytes) override;
  boost::asio::awaitable<Result<std::optional<IdempotencyRow>>> find_idempotency(
      std::string key) override;
  boost::asio::awaitable<Result<void>> prune(WallTime before) override;

 private:
  struct Pending {
    std::uint64_t number;
    Batch batch;
  };
  void sync_up_to(std::uint64_t number);

  std::shared_ptr<MemoryDisk> disk_;
  Clock& clock_;
  std::chrono::milliseconds sync_time_;
  std::deque<Pending> tail_;
  std::uint64_t arrived_ = 0;
  bool dead_ = false;
};

}  // namespace tutti::store
