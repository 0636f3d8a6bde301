// What is done, apart from any batch, for the orders of rows that are kept in the target.
#pragma once

#include <chrono>
#include <vector>

#include "apply/target_connection.hpp"

namespace cdcrt::apply {

/// Stores which keys these tables have written last, for the next process; what is not stored until then is left out.
Result<void> save_known_keys(TargetConnection& target, const std::vector<Table*>& tables, std::chrono::steady_clock::time_point until);

/// Now and then forgets the orders of rows that are gone for longer than the route keeps them.
void purge_tombstones(TargetConnection& target, Table& table);

}  // namespace cdcrt::apply
