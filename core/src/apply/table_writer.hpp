// TableWriter: brings one sealed batch into the target, inside transactions that the caller may share among tables.
#pragma once

#include <functional>
#include <vector>

#include "apply/write_set.hpp"
#include "plugin/instance.hpp"
#include "progress/store.hpp"

namespace cdcrt::apply {

/// Makes the target's tables fit the sealed batches: creates, adds, widens, drops, in one short transaction
/// of its own, and stores the tables' knowledge with it. What another process stored meanwhile is taken over first, also into
/// the batches. Does nothing for those where nothing changed. `lost`: partitions that are not ours any more; nothing was done then.
Result<void> prepare_tables(plugin::Connection& connection, progress::Store* store, bool transactional, const std::vector<Sealed*>& batches,
                            std::vector<const progress::Partition*>& lost);

/// Writes the entries, inside the caller's transaction. Rows that a partial change did not find are appended to `missing`.
Result<void> write_entries(plugin::Connection& connection, const Sealed& sealed, const std::vector<const Entry*>& entries,
                           std::vector<const Entry*>& missing);

/// The partitions that the batches stand for, each once.
std::vector<const progress::Partition*> partitions_of(const std::vector<const Sealed*>& batches);

/// Empties the table, inside the caller's transaction.
Result<void> clear_table(plugin::Connection& connection, const Sealed& sealed);

/// Every entry of the batch.
std::vector<const Entry*> entries_of(const Sealed& sealed);

}  // namespace cdcrt::apply
