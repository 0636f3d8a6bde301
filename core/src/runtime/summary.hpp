// Summary: what a run did, as a table for people or JSON for programs; and the progress line of a terminal.
#pragma once

#include <cstdint>
#include <iosfwd>
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
  std::string stopped;  ///< why the table is stopped or detached; empty: it is not
  bool detached = false;
};

struct RunSummary {
  std::vector<TableSummary> tables;
  uint64_t messages = 0, rows = 0, markers = 0, ignored = 0;
  uint64_t dead_letters = 0;
  std::string dead_letter_path;
  std::vector<std::string> ignored_tables;
  uint64_t left_out = 0;               ///< messages of topics that the sources' settings leave out
  std::vector<std::string> unmet;      ///< what the manifest names and nothing met, in words
  double seconds = 0;
};

void print_text(const RunSummary& summary, std::ostream& out);
void print_json(const RunSummary& summary, std::ostream& out);

/// One line that replaces itself: bar when the end is known, rows per second.
std::string progress_line(uint64_t done, uint64_t total, uint64_t rows, double seconds, std::size_t tables);

}  // namespace cdcrt::runtime
