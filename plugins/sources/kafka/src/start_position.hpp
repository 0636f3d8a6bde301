// StartPosition: the option `start`.
#pragma once

#include <cstdint>
#include <string_view>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::kafka_source {

struct StartPosition {
  enum class Kind { kCommitted, kEarliest, kLatest, kTime };
  Kind kind = Kind::kEarliest;
  int64_t timestamp_ms = 0;  // since 1970, with kTime

  /// committed | earliest | latest | a time as RFC 3339 writes it, with its zone. BAD_CONFIG for `start`.
  static sdk::Status parse(std::string_view text, StartPosition& to);
};

}  // namespace cdcrt::kafka_source
