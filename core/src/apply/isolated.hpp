// Isolated: what isolation of bad rows found.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "apply/event_reader.hpp"
#include "apply/open_dead_letters.hpp"
#include "apply/sealed.hpp"

namespace cdcrt::apply {

/// What is to be written instead of a sealed batch that was refused.
struct Isolated {
  std::vector<const Entry*> good;  ///< entries of the sealed batch, written as sets
  std::vector<Sealed> singles;     ///< accepted events of the bad keys, each written alone, in order
  std::deque<Fold> netted;         ///< owns entries of `good` that are none of the sealed batch
  EventCounts refused;             ///< events that became dead letters
  DeadLetterChanges dead_letters;  ///< of the bad keys
};

/// Called first in each trial transaction: not OK ends the isolation. What a trial finds in the target only counts while the
/// partitions are ours.
using TrialGuard = std::function<Result<void>()>;

/// In a transaction that is rolled back: empties the table where the batch does, then writes these entries of the batch and the singles
/// just as the final transaction does. `missing`: entries that find no row to change.
using TrialWrite = std::function<Result<void>(const std::vector<const Entry*>& entries, const std::vector<Sealed*>& singles,
                                              std::vector<const Entry*>& missing)>;

}  // namespace cdcrt::apply
