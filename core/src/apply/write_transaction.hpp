// WriteTransaction: one transaction that brings batches into the target, with their progress and dead letters: all of it or nothing.
#pragma once

#include <vector>

#include "apply/sealed.hpp"
#include "apply/target_connection.hpp"

namespace cdcrt::apply {

/// Made for one transaction, or for what is asked before one; whoever began it rolls it back. One thread.
class WriteTransaction {
 public:
  explicit WriteTransaction(TargetConnection& connection) : connection_(connection), context_(connection.context()) {}

  /// Claims the leases of those partitions that are always ours, before a transaction.
  Result<void> claim(std::vector<const progress::Partition*> partitions);
  /// Begins a transaction that may write these tables.
  Result<void> begin(const std::vector<Sealed*>& batches);
  /// Locks the leases and what is kept of the tables, so that other processes change neither until the transaction ends.
  Outcome lock(const std::vector<Sealed*>& batches);
  /// All of it, from the leases to the commit. `missing`: partial changes that may not be written, or find no row; nothing is written then.
  Outcome write(const std::vector<Sealed*>& batches, std::vector<const Entry*>& missing);

  // The parts of that, for whoever finds out what of a batch the target refuses.

  Outcome lock_leases(const std::vector<const Sealed*>& batches, const progress::Store::Checked* checked = nullptr);
  Outcome decide_by_source(Sealed& sealed, const SourceOrder::Refused& refused = {});
  /// Empties the table.
  Result<void> clear(const Sealed& sealed);
  /// Writes the batch, or `only` these entries of it. `is_trial`: it is rolled back, and gives no warnings.
  Result<void> write_settled(Sealed& sealed, const std::vector<const Entry*>* only, std::vector<const Entry*>& missing,
                             bool is_trial = false);
  /// Progress, dead letters, commit.
  Result<void> finish(const std::vector<Sealed*>& batches);

  /// Gives up these partitions, whose leases other processes have taken; the caller repeats without their rows.
  Outcome lose(const std::vector<const progress::Partition*>& partitions);
  /// After a lost answer to COMMIT: asks the target. Not done: it cannot be told yet, or the caller repeats.
  Outcome find_commit(Sealed& sealed, bool& is_there);

 private:
  Outcome lock_kept_tables(const std::vector<Sealed*>& batches, const progress::Store::Checked* checked);
  Result<void> commit(const std::vector<Sealed*>& batches, const dead_letters::Flushed& dead_letters);

  TargetConnection& connection_;
  const WriterContext& context_;
};

}  // namespace cdcrt::apply
