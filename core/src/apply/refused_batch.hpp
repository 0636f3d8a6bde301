// RefusedBatch: finds what the target refuses of a batch, makes dead letters of it and writes the rest.
#pragma once

#include <vector>

#include "apply/isolated.hpp"
#include "apply/write_transaction.hpp"

namespace cdcrt::apply {

/// One thread.
class RefusedBatch {
 public:
  /// `is_last`: see Undertaking.
  RefusedBatch(TargetConnection& connection, Sealed& sealed, bool is_last)
      : connection_(connection), context_(connection.context()), transaction_(connection), sealed_(sealed), is_last_(is_last) {}

  /// Event by event where the source gives them again, else entry by entry. `missing`: partial changes that found no row. Done: the table
  /// has completed the batch; or the process ends, and the rest stays sealed.
  Outcome write(const std::vector<const Entry*>& missing);

 private:
  Outcome write_isolated(const std::vector<const Entry*>& missing);
  Outcome try_isolated(const std::vector<const Entry*>& missing);
  Outcome commit_isolated(Isolated& isolated);
  Result<void> write_parts(const std::vector<const Entry*>& entries, const std::vector<Sealed*>& singles,
                           std::vector<const Entry*>& missing, bool is_trial);

  TargetConnection& connection_;
  const WriterContext& context_;
  WriteTransaction transaction_;
  Sealed& sealed_;
  const bool is_last_;
};

}  // namespace cdcrt::apply
