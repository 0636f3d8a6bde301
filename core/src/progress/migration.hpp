// Brings what an older program keeps in a target to this one's format: columns that came later, tables that have another name now.
#pragma once

#include <vector>

#include "progress/locks.hpp"

namespace cdcrt::progress {

inline constexpr int64_t kFormatVersion = 6;

/// The tables of every target, whatever its locks.
std::vector<const HostTable*> tables_of_every_target(const KeyChangesTable& key_changes);
/// The format_version of what the target keeps; 0: nothing. Creates nothing.
Result<int64_t> kept_version(plugin::Connection& connection, const TableAccess& access);
/// From `version`, 0: nothing was kept. In one transaction. Refuses a newer format. The tables of this format are there.
Result<void> bring_forward(plugin::Connection& connection, const TableAccess& access, const Locks& locks,
                           const KeyChangesTable& key_changes, int64_t version);

}  // namespace cdcrt::progress
