// SinkCounts: what writers of a sink count, once for each batch or retry.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "apply/outcome.hpp"
#include "observe/histogram.hpp"
#include "observe/snapshot.hpp"

namespace cdcrt::apply {

/// Any thread.
struct SinkCounts {
  observe::SecondsHistogram write_seconds;  ///< of a writer's turn, with retries
  observe::RowsHistogram write_rows;        ///< of all tables of that turn
  observe::SecondsHistogram delay_seconds;  ///< source commit to durable, of the oldest change of a table's batch
  std::array<std::atomic<uint64_t>, observe::kRetryClasses.size()> retries{};
  std::atomic<int64_t> last_commit_us{0};

  /// An attempt failed, and this follows.
  void failed(Next next) {
    using observe::RetryClass;
    switch (next) {
      case Next::kRepeat: return add(RetryClass::kConflict);
      case Next::kLookAgain: return add(RetryClass::kSchema);
      case Next::kWaitForLock: return add(RetryClass::kLocked);
      case Next::kWaitForTarget: return add(RetryClass::kUnreachable);
      case Next::kIsolate: return add(RetryClass::kRefused);
      default: return;
    }
  }

 private:
  void add(observe::RetryClass retry) { retries[static_cast<std::size_t>(retry)].fetch_add(1, std::memory_order_relaxed); }
};

}  // namespace cdcrt::apply
