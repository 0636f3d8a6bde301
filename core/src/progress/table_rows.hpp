// Rows of the host's tables as values.
#pragma once

#include <cstdint>
#include <map>

#include "progress/host_tables.hpp"
#include "progress/stored.hpp"

namespace cdcrt::progress {

void watermark_into(const Row& row, StoredPartition& partition);
void table_into(const Row& row, StoredTable& table);
void position_into(const Row& row, StoredTable& table);
void trouble_into(const Row& row, Stored& stored);
/// Its default is owned by `arena`.
Result<evolution::Column> column_of(const Row& row, event::Arena& arena);
/// After table_into().
void columns_into(std::map<int64_t, evolution::Column> by_slot, StoredTable& table);

/// What an entry of the troubles says of a table (stopped, detached), or of an entry of the manifest (met, unmet).
inline constexpr std::string_view kStopped = "stopped", kDetached = "detached", kMet = "met", kUnmet = "unmet";
/// What `tables` says of the orders that are kept of a table's rows.
inline constexpr int64_t kKeyUnknown = 0, kKeyKnown = 1, kToldKeyless = 2;
inline constexpr int64_t kNoOrders = 0, kOrdersOfRows = 1, kOrdersOfLastKeys = 2;

}  // namespace cdcrt::progress
