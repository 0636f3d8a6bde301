// RowMessage: a row of cells as one message of Kafka.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cdcrt/abi/sink.h"

namespace cdcrt::kafka_sink {

struct RowMessage {
  std::optional<std::string> key, value;  // nullopt: null
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  int64_t timestamp_ms = 0;  // 0: now
};

/// Columns `key` and `value` are the message's, `headers` (a JSON list of pairs) and `timestamp` too; every other column that is
/// not null becomes the header `cdcrt.NAME`.
RowMessage message_of(const cdcrt_write& write, uint64_t row);

}  // namespace cdcrt::kafka_sink
