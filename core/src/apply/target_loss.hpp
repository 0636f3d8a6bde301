// TargetLoss: what a target had of a table and has no more, and rows that nobody knows of. None of it is made good without a word.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apply/table.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::apply {

/// Taken before the target's catalog is looked at.
class Expected {
 public:
  explicit Expected(const Sealed& sealed);
  /// After it was: the table, or columns that cdcrt made or needs, are gone. Names the choices.
  [[nodiscard]] std::optional<Error> lost(const Sealed& sealed) const;

 private:
  bool table_ = false;
  std::vector<std::string> columns_;  ///< names in the target
};

/// Of a table of which nothing is kept, where reading from the start would double the rows that it has: that error, if it has some.
Result<void> refuse_unknown_rows(plugin::Connection& connection, const Sealed& sealed, const cdcrt_column& any_column);

}  // namespace cdcrt::apply
