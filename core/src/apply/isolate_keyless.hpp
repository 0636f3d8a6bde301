// Tables without a key: finds the events of a batch that delete or update rows which the target does not have.
#pragma once

#include "apply/isolated.hpp"
#include "dead_letters/dead_letters.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::apply {

/// Finds them by counting copies, in a few trial transactions however large the batch is; leaves in `result` what is to be
/// written instead. False: this cannot tell (the source cannot be read again, or rows are refused for another reason), nothing
/// was done. Not OK: an outage or a fault that is no row's.
Result<bool> isolate_missing_images(plugin::Connection& connection, const Sealed& sealed, EventReader& reader,
                                    dead_letters::DeadLetters& dead_letters, const TrialGuard& guard, Isolated& result);

}  // namespace cdcrt::apply
