// Where bytes are kept. A store moves batches; it understands neither deployments nor JSON. Commits
// are atomic and durable when they complete. Implementations: sqlite/, memory/ (tests, simulator).
#pragma once

#include "providers/base/ids.hpp"
#include "providers/base/result.hpp"
#include "providers/base/wall_time.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tutti::store {

// A deployment's state row; `json` is reconcile::encode(state). Also its place in listings.
struct StateRow {
  DeploymentId deployment;
  std::string json;
};

// Outbox and history: an effect before it is performed, an event after it was applied.
struct JournalRow {
  DeploymentId deployment;
  WallTime at{};
  std::string kind;  // "effect" or "event"
  std::string json;
};

// Texts that belong to a deployment and are read rarely: "template", "request", "imports",
// "secrets", "secret:<id>". `bytes` are stored as given: the caller seals.
struct DocumentRow {
  DeploymentId deployment;
  std::string name;
  std::string bytes;
};

// A line of a deployment's log, already redacted.
struct LogRow {
  DeploymentId deployment;
  WallTime at{};
  std::string step;
  std::string text;
};

// A client's Idempotency-Key: `digest` of the request that used it first.
struct IdempotencyRow {
  std::string key;
  std::string digest;
  DeploymentId deployment;
  WallTime at{};
};

// Of a deployment's history so many of its newest rows stay.
struct Trim {
  DeploymentId deployment;
  std::size_t journal = 0;
  std::size_t log = 0;
};

struct Batch {
  std::vector<StateRow> states;
  std::vector<JournalRow> journal;
  std::vector<DocumentRow> documents;
  std::vector<LogRow> log;
  std::vector<IdempotencyRow> idempotency;
  std::vector<Trim> trim;  // after the rows of this batch were added
  // State row, documents and log go; the journal stays as history until pruned.
  std::vector<DeploymentId> forget;
};

// Proof that this process is the one writer: a commit with an older number than the store's is
// refused (conflict).
struct Lease {
  std::uint64_t fencing = 0;
};

class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  // This installation's id, made on first use.
  [[nodiscard]] virtual OwnerId owner() const = 0;
  [[nodiscard]] virtual boost::asio::awaitable<Result<Lease>> acquire() = 0;

  // Durable when it returns. Commits that arrive while another is being written share the next one.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> commit(Batch batch, Lease lease) = 0;

  [[nodiscard]] virtual boost::asio::awaitable<Result<std::vector<StateRow>>> load_states() = 0;
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::optional<std::string>>> read_document(
      DeploymentId deployment, std::string name) = 0;
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::vector<DocumentRow>>> read_documents(
      DeploymentId deployment) = 0;
  // The newest `limit_bytes` of the log, oldest first.
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::vector<LogRow>>> read_log(
      DeploymentId deployment, std::size_t limit_bytes) = 0;
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::optional<IdempotencyRow>>>
  find_idempotency(std::string key) = 0;
  // Journal and log rows older than `before` of forgotten deployments, and old idempotency keys.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> prune(WallTime before) = 0;
};

}  // namespace tutti::store
