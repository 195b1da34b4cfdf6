// The statements of the writing connection: how a batch becomes rows. Used on the writer's thread
// alone, always inside a transaction that the writer owns.
#pragma once

#include "server/store/sqlite/database.hpp"
#include "server/store/store.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace tutti::store::sqlite {

class Tables {
 public:
  [[nodiscard]] static Result<Tables> prepare(Database& database);

  // Refused (conflict) where a younger lease exists.
  [[nodiscard]] Result<void> apply(const Batch& batch, Lease lease);
  [[nodiscard]] Result<std::uint64_t> next_fencing();
  [[nodiscard]] Result<std::optional<std::string>> meta(std::string_view key);
  [[nodiscard]] Result<void> set_meta(std::string_view key, std::string_view value);
  [[nodiscard]] Result<void> prune(WallTime before);

 private:
  // In the order of the statements in tables.cpp.
  struct Statements {
    Statement get_meta, set_meta;
    Statement put_state, add_journal, put_document, add_log, put_idempotency;
    Statement drop_state, drop_documents, drop_log;
    Statement trim_journal, trim_log;
    Statement prune_journal, prune_log, prune_idempotency;
  };
  explicit Tables(Statements statements) : sql_(std::move(statements)) {}
  [[nodiscard]] Result<void> check(Lease lease);
  [[nodiscard]] Result<void> add(const Batch& batch);
  [[nodiscard]] Result<void> trim(const Trim& trim);
  [[nodiscard]] Result<void> forget(const DeploymentId& deployment);

  Statements sql_;
};

}  // namespace tutti::store::sqlite
