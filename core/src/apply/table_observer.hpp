// TableObserver: is told when a table needs something (a write, a repair), so that nobody has to poll every table.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "progress/partition.hpp"

namespace cdcrt::apply {

class Table;

/// What a table has buffered to be written.
struct Waiting {
  std::chrono::steady_clock::time_point since;
  std::chrono::steady_clock::time_point last_sealed;  ///< the epoch: never
  std::size_t rows = 0, bytes = 0;
  bool is_load = false;  ///< nothing but rows of a snapshot
};

/// What the observer of a table keeps in it, so that nothing has to be looked up by table. Only the observer looks at it.
struct ObserverSeat {
  /// How urgent what waits is; 0: nothing waits. The observer's lock guards every change; ready() reads it without.
  std::atomic<uint8_t> rank{0};
  uint64_t listing = 0;  ///< which of the table's listings counts
  std::chrono::steady_clock::time_point due{}, taken{}, rests_until{};
};

/// Why a table takes no part in what the others do.
enum class Trouble : uint8_t {
  kDetached,           ///< it is tried again until it works
  kLacksKey,           ///< the same, once its key is known
  kAwaitsDefinitions,  ///< the same, once the definitions that are in the logs are read
  kPaused,             ///< the same, because an operator asked for it
  kStopped             ///< until the next start
};

/// Called by any thread under the table's lock: must not call the table, nor wait for a thread that does.
class TableObserver {
 public:
  virtual ~TableObserver() = default;
  /// There is something to write and nothing is being written.
  virtual void ready(Table& table, const Waiting& waiting) = 0;
  /// The table has rows or progress of the partition from now on.
  virtual void reads(Table& table, const progress::Partition& partition) = 0;
  /// Again whenever the reason changes, and after each attempt that failed.
  virtual void troubled(Table& table, Trouble trouble, const std::string& reason) = 0;
  /// What it was detached for (its key, its definitions) is known: it can be tried.
  virtual void told(Table& table) = 0;
  /// Definitions of tables of `server`, whose rows come from that partition, may come from another topic, and the rows can be read again.
  virtual bool are_defined_apart(const progress::Partition& /*rows*/, const std::string& /*server*/) { return false; }
  /// A detached table is back with the others.
  virtual void recovered(Table& table) = 0;
  /// A batch of it is durable.
  virtual void written(Table& table) = 0;
};

}  // namespace cdcrt::apply
