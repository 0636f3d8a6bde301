// TargetDeadLetters: dead letters as rows of a table that cdcrt keeps in the target, by pipeline and id.
#pragma once

#include <string>
#include <vector>

#include "dead_letters/dead_letter.hpp"
#include "plugin/instance.hpp"
#include "progress/store.hpp"

namespace cdcrt::dead_letters {

/// Costs nothing to make. The connection belongs to the caller.
class TargetDeadLetters {
 public:
  /// Beside what `store` keeps, which must outlive it.
  explicit TargetDeadLetters(const progress::Store& store) : store_(store) {}

  /// Creates the table. An own transaction.
  Result<void> prepare(plugin::Connection& connection) const;
  [[nodiscard]] Result<bool> exist(plugin::Connection& connection) const;
  /// For people: the name of the table.
  [[nodiscard]] std::string place() const;
  /// Inside the caller's transaction, as all that follow. Those that are there already are written again.
  Result<void> save(plugin::Connection& connection, const std::vector<StoredDeadLetter>& dead_letters) const;
  Result<std::vector<StoredDeadLetter>> read(plugin::Connection& connection) const;
  Result<void> mark_replayed(plugin::Connection& connection, const std::vector<std::string>& ids) const;

 private:
  /// `cells`: whole rows of `columns`.
  Result<void> write_rows(plugin::Connection& connection, cdcrt_write_kind kind, const std::vector<cdcrt_column>& columns,
                          const std::vector<cdcrt_cell>& cells) const;

  const progress::Store& store_;
};

}  // namespace cdcrt::dead_letters
