// Upkeep of the orders of rows that are stored in the target, between batches.
#pragma once

#include <chrono>
#include <vector>

#include "apply/target_connection.hpp"

namespace cdcrt::apply {

/// Stores which keys these tables wrote last, for the next process. Tables that are not reached before `until` are left out.
Result<void> save_known_keys(TargetConnection& target, const std::vector<Table*>& tables, std::chrono::steady_clock::time_point until);

/// When it is time: purges the orders of rows that were deleted longer ago than the route's tombstone_retention.
void purge_tombstones(TargetConnection& target, Table& table);

}  // namespace cdcrt::apply
