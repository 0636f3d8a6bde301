// ChangeSettings: the command line of generate_events for formats beside Debezium's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cdcrt::bench {

struct ChangeSettings {
  uint64_t events = 1'000'000;
  uint64_t seed = 1;
  std::size_t tables = 4, partitions = 4;
  bool random_partitions = false, details = false;
  std::string out = "-";
  std::string expected;  ///< folder; empty: not written
};

/// `has_flags`: the format knows --random-partitions and --details. Throws std::runtime_error.
ChangeSettings parse_change_settings(int count, char** arguments, std::string_view format, bool has_flags);

}  // namespace cdcrt::bench
