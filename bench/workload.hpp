// Workload: what the changes of generated tables are like.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cdcrt::bench {

struct Workload {
  std::string_view name;
  uint64_t creates = 50, updates = 43;  ///< of a hundred changes; the rest deletes
  std::size_t rows = 0;                 ///< that a table has before anything else happens
  std::size_t hot_rows = 0;      ///< of them, which nine of ten changes are about and which stay, below half of `rows`; 0: all are alike
  bool snapshot = false;         ///< events are those of a first load: reads, all of one place in the log
  bool large_column = false;     ///< a text of 8 kB, which one update in ten changes and the others do not carry
  std::size_t more_columns = 0;  ///< beside the nine
};

/// Throws std::runtime_error, which names those there are.
const Workload& workload_named(std::string_view name);

}  // namespace cdcrt::bench
