// Losses in the target: tables or columns that were dropped behind cdcrt's back, and rows that are there without any progress. The table
// stops with the choices; nothing is made anew silently.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apply/table.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::apply {

/// What must be in the target, noted before its catalog is read again.
class Expected {
 public:
  explicit Expected(const Sealed& sealed);
  /// After the catalog was read: whether the table, or columns that cdcrt made or needs, are missing. The error names the choices.
  [[nodiscard]] std::optional<Error> lost(const Sealed& sealed) const;

 private:
  bool table_ = false;
  std::vector<std::string> columns_;  ///< names in the target
};

/// For a table without stored progress and without a key: an error if it has rows, since reading from the start would double them.
Result<void> refuse_unknown_rows(plugin::Connection& connection, const Sealed& sealed, const cdcrt_column& any_column);

}  // namespace cdcrt::apply
