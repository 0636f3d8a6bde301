// Isolation of bad rows: bisection finds the entries that a target refuses, then their events are run one by one, so that the
// good part of a refused key stays.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "apply/open_letters.hpp"
#include "apply/table.hpp"
#include "dead_letters/dead_letters.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::apply {

/// Reads events of a table again. Implemented by the runtime on top of source and format.
class EventReader {
 public:
  virtual ~EventReader() = default;
  /// Calls `visit` for each message first..last of the partition with the rows of it that go to `table`; false stops.
  using Visit = std::function<bool(const cdcrt_messages& message, const event::RowBatch& rows, const std::vector<uint32_t>& indexes)>;
  virtual Result<void> read(const Table& table, const progress::Partition& partition, int64_t first, int64_t last, const Visit& visit) = 0;
  virtual event::ShapeRegistry& shapes() = 0;
};

/// What is to be written instead of a sealed batch that was refused.
struct Isolated {
  std::vector<const Entry*> good;             ///< entries of the sealed batch, written as sets
  std::vector<Sealed> singles;                ///< accepted events of the bad keys, each written alone, in order
  std::deque<Fold> netted;                    ///< owns entries of `good` that are none of the sealed batch
  EventCounts refused;                        ///< events that became dead letters
  LetterChanges letters;                      ///< of the bad keys
};

/// The rows of one message folded by a table of their own, with the slots of `batch`; refused ones are left out. nullopt: nothing
/// to write. The partitions of what is answered must not be looked at: they are gone.
std::optional<Sealed> fold_alone(const Sealed& batch, const progress::Partition& partition, const cdcrt_messages& message,
                                 const event::RowBatch& rows, const std::vector<uint32_t>& indexes, const event::ShapeRegistry& shapes);

/// Called first in each trial transaction: not OK ends the isolation. What a trial finds in the target only counts while the
/// partitions are ours.
using TrialGuard = std::function<Result<void>()>;

/// Trial transactions only: nothing is committed. `known_missing`: partial entries that found no row.
/// Not OK: an outage or a fault that is no row's.
Result<Isolated> isolate(plugin::Connection& connection, const Sealed& sealed, const std::vector<const Entry*>& known_missing,
                         EventReader& reader, dead_letters::DeadLetters& letters, const TrialGuard& guard);

}  // namespace cdcrt::apply
