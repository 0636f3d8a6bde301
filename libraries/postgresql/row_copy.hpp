// RowCopy: rows of a write as COPY takes them in its binary form, piece by piece.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"
#include "postgresql/catalog.hpp"
#include "sql/session.hpp"
#include "sql/statement.hpp"

namespace cdcrt::postgresql {

/// One write, one thread. What it is made with outlives it.
class RowCopy {
 public:
  /// Of each row the columns `chosen`; `targets`: what the catalog says of them.
  RowCopy(const cdcrt_write& write, const std::vector<uint32_t>& chosen, const std::vector<const CatalogColumn*>& targets)
      : write_(write), chosen_(chosen), targets_(targets) {}

  /// Whether the write may go so: it brings rows that may all be new, enough of them, and values of every column have a binary form.
  static bool suits(const cdcrt_write& write, const CatalogTable& table, const std::vector<const CatalogColumn*>& targets);
  /// Once, within a transaction. `is_copied`: all rows are in the table, which is still the one that the catalog told of: its key and its
  /// columns' types. Else nothing of them is, and the transaction goes on where the answer is OK; an error has nothing to do with the rows
  /// (a lock, the connection).
  sdk::Status run(sql::Session& session, const sql::StatementShape& shape, const std::string& what, bool& is_copied);
  /// Values that were cut or made NULL.
  [[nodiscard]] uint64_t overflowed() const { return overflowed_; }
  /// Of the largest piece.
  [[nodiscard]] std::size_t largest() const { return largest_; }

 private:
  [[nodiscard]] std::string question(std::string_view quoted_table) const;
  sdk::Status next(std::string& piece);
  sdk::Status append_row(std::string& piece);

  const cdcrt_write& write_;
  const std::vector<uint32_t>& chosen_;
  const std::vector<const CatalogColumn*>& targets_;
  uint64_t row_ = 0;
  bool is_begun_ = false, is_ended_ = false;
  uint64_t overflowed_ = 0;
  std::size_t largest_ = 0;
  std::string native_, text_;
};

}  // namespace cdcrt::postgresql
