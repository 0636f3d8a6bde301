// GeneratorSettings: the command line of generate_events.
#pragma once

#include <cstdint>
#include <string>

namespace cdcrt::bench {

struct GeneratorSettings {
  std::string format = "debezium";
  uint64_t events = 1'000'000, seed = 1, tables = 4;
  std::string out = "-";  ///< a file, or standard output
  std::string expected;   ///< folder; empty: not written

  // Debezium only
  std::string workload = "mixed";
  bool without_schemas = false;
  std::string pieces;  ///< folder; empty: lines to `out`
  std::string topic;   ///< of all tables; empty: each has its own

  // The other formats
  uint64_t partitions = 4;

  // DMS only
  bool random_partitions = false, details = false;
};

/// Throws std::runtime_error where the options are not those of the format.
GeneratorSettings parse_generator_settings(int count, char** arguments);

}  // namespace cdcrt::bench
