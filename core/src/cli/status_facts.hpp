// StatusFacts: what `/status` of a running pipeline told, as far as `cdcrt top` shows it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diagnostics/result.hpp"

namespace cdcrt::cli {

/// Numbers are totals since the process began, as /status has them (docs/operating.md); nullopt: not known there.
struct StatusFacts {
  struct Source {
    std::string name, plugin, state, reason;
    uint64_t messages = 0, bytes = 0, done = 0, total = 0;
    std::optional<uint64_t> lag_messages;
    std::optional<double> left_seconds;
  };
  struct Sink {
    std::string name, plugin, state, reason;
    uint64_t connections = 0, writes = 0, write_rows = 0, retries = 0;
    double lag_seconds = 0;
    std::optional<double> last_commit_age;
    std::vector<std::pair<std::string, uint64_t>> tables;  ///< by state
  };
  struct Table {
    std::string sink, name, state, reason;
    uint64_t rows = 0, buffered_rows = 0, dead_letters = 0;
    std::optional<uint64_t> lag_messages;
    std::optional<double> lag_seconds, left_seconds;
    bool is_loading = false;
  };
  struct DeadLetters {
    std::string table, reason;
    uint64_t count = 0;
  };

  std::string version, pipeline, state, host;
  int64_t time_ms = 0, pid = 0;
  bool is_ready = false;
  std::vector<std::pair<std::string, std::string>> reasons;  ///< component, why it is not ready
  double uptime_seconds = 0, cpu_seconds = 0;
  uint64_t resident_bytes = 0, budget_bytes = 0, buffered_bytes = 0;
  uint64_t rows = 0, dead_letters = 0;
  std::vector<Source> sources;
  std::vector<Sink> sinks;
  uint64_t tables_total = 0, tables_matched = 0;
  std::vector<Table> tables;
  std::vector<DeadLetters> dead_letters_by_reason;
};

/// BAD_RECORD: the text is no answer of /status, or one of a later form.
Result<StatusFacts> read_status(std::string_view json);

}  // namespace cdcrt::cli
