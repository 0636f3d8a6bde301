// KnownKeys: which keys a table wrote last, and whether they may still be compared with what comes.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "apply/key_order.hpp"

namespace cdcrt::apply {

/// One thread at a time, but for what is marked: whoever writes the table.
class KnownKeys {
 public:
  [[nodiscard]] KeyOrder& order() { return order_; }
  [[nodiscard]] const KeyOrder& order() const { return order_; }
  /// Sets the types (cdcrt_type_kind) of the key's columns, which decide what bytes a key has. True: they have changed.
  bool change_kinds(const std::vector<uint8_t>& kinds) { return std::exchange(kinds_, kinds) != kinds; }
  /// Whether order() has what the last process stored.
  [[nodiscard]] bool are_read() const { return are_read_; }
  void read(bool are) { are_read_ = are; }
  /// Forget all keys before the next write: a partition was given up, and another process writes its keys now; or the table was emptied.
  /// Any thread.
  void forget() { forgets_ = true; }
  /// Whether forget() was called since the last time.
  bool take_forget() { return forgets_.exchange(false); }

  /// Warnings that are logged once for a table: older changes were read late; rows may stay under old keys. True: not logged so far.
  bool tell_overtaken() { return tells_overtaken_.exchange(false); }
  bool tell_left_behind() { return tells_left_behind_.exchange(false); }

  /// When the orders of deleted rows are to be purged next; the epoch: no time was set so far. Any thread.
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] Clock::time_point next_purge() const { return Clock::time_point(Clock::duration(next_purge_)); }
  void purge_at(Clock::time_point next) { next_purge_ = next.time_since_epoch().count(); }
  /// True for one caller, who purges now; sets the next time.
  bool take_purge(Clock::time_point due, Clock::time_point next) {
    auto seen = due.time_since_epoch().count();
    return next_purge_.compare_exchange_strong(seen, next.time_since_epoch().count());
  }

 private:
  KeyOrder order_;
  bool are_read_ = false;
  std::atomic<bool> forgets_{false}, tells_overtaken_{true}, tells_left_behind_{true};
  std::atomic<Clock::rep> next_purge_{0};
  std::vector<uint8_t> kinds_;
};

}  // namespace cdcrt::apply
