// Isolation of bad rows: bisection finds the entries that a target refuses, then their events are run one by one, so that the
// good part of a refused key stays.
#pragma once

#include <vector>

#include "apply/isolated.hpp"
#include "apply/table.hpp"
#include "dead_letters/dead_letters.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::apply {

/// Only tries, in transactions that are rolled back. `known_missing`: entries of partial updates that found no row.
/// Not OK: an outage, or an error that no single row causes.
Result<Isolated> isolate(plugin::Connection& connection, const Sealed& sealed, const std::vector<const Entry*>& known_missing,
                         EventReader& reader, dead_letters::DeadLetters& dead_letters, const TrialGuard& guard, const TrialWrite& write);

}  // namespace cdcrt::apply
