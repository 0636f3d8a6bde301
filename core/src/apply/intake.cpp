#include "apply/intake.hpp"

#include <algorithm>

namespace cdcrt::apply {

Intake intake_of(const Decoded& batch, const uint32_t* rows, std::size_t count) {
  Intake intake;
  int64_t oldest = INT64_MAX, newest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const cdcrt_row& row = batch.rows.rows()[rows[i]];
    const cdcrt_message& message = batch.messages.messages[row.message];
    const std::size_t operation = row.operation == CDCRT_DELETE ? 2 : row.operation == CDCRT_UPDATE ? 1 : 0;
    intake.bytes[operation] += message.key.size + message.value.size;
    if (row.operation == CDCRT_SNAPSHOT)
      ++intake.loaded;
    else if (row.operation != CDCRT_DEFINITION)
      ++intake.changes;
    const int64_t time = row.source_time_us != 0 ? row.source_time_us : message.timestamp_ms * 1000;
    if (time <= 0) continue;
    oldest = std::min(oldest, time);
    newest = std::max(newest, time);
  }
  if (newest > 0) intake.oldest_us = oldest;
  intake.newest_us = newest;
  return intake;
}

}  // namespace cdcrt::apply
