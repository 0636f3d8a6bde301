// The rows of one sealed batch on their way into the target, inside transactions that the caller may share among tables.
#pragma once

#include <vector>

#include "apply/write_set.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::apply {

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
