// What a run did, and how far it is, as values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cdcrt::runtime {

struct TableSummary {
  std::string sink, table;
  uint64_t inserted = 0, updated = 0, deleted = 0;  ///< source events applied
  uint64_t schema_changes = 0;
  uint64_t dead_letters = 0;
  uint64_t overflowed = 0;  ///< values cut or made NULL by on_overflow, characters that the target does not hold
  uint64_t late = 0;        ///< late values of columns that were dropped
  uint64_t left_out = 0;    ///< values of columns that the table lacks (schema_changes = "ignore")
  std::string stopped;      ///< why the table is stopped or detached; empty: it is not
  bool detached = false;
};

struct RunSummary {
  std::vector<TableSummary> tables;
  uint64_t messages = 0, rows = 0, markers = 0, ignored = 0;
  uint64_t dead_letters = 0;
  std::string dead_letter_path;
  std::vector<std::string> ignored_tables;
  uint64_t left_out = 0;           ///< messages of topics that the sources' settings leave out
  std::vector<std::string> unmet;  ///< what the manifest names and nothing met, in words
  double seconds = 0;
};

struct RunProgress {
  uint64_t done = 0, total = 0;  ///< of the sources; total 0: unknown
  uint64_t rows = 0;
  double seconds = 0;
  std::size_t tables = 0;
  std::optional<double> left_seconds;  ///< nullopt: not known
};

}  // namespace cdcrt::runtime
