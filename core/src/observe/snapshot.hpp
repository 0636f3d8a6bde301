// Snapshot: all that is told of a running pipeline, as of one moment. Plain data; numbers are totals since the process began.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "observe/health.hpp"
#include "observe/histogram.hpp"
#include "observe/table_facts.hpp"

namespace cdcrt::observe {

/// Why writing a batch was tried again.
enum class RetryClass : uint8_t {
  kUnreachable,  ///< the target could not be reached, or the connection broke
  kLocked,       ///< others held a lock
  kConflict,     ///< another process wrote or took partitions over
  kSchema,       ///< the target's definition was another one than believed
  kRefused       ///< the target refused rows, which are looked for then
};
inline constexpr std::array<std::string_view, 5> kRetryClasses{"unreachable", "locked", "conflict", "schema", "refused"};

struct SourceFacts {
  std::string name, plugin, format;
  std::string state;   ///< "reading", "waiting" (outage), "ended", "failed"
  std::string reason;  ///< why it waits, or has failed
  uint64_t messages = 0, bytes = 0;
  uint64_t owned = 0, waiting = 0;  ///< partitions whose lease this process has; those that it is to claim
  uint64_t leases_lost = 0;
  std::optional<uint64_t> lag_messages;
  uint64_t done = 0, total = 0;        ///< bytes or messages of the input, as the source counts; total 0: not known
  std::optional<double> left_seconds;  ///< until all of it is read; nullopt: not known; see observe::TimeLeft
};

struct PartitionFacts {
  std::string source, topic;
  int32_t number = 0;
  bool owned = false;
  int64_t next_offset = 0;  ///< everything below was read and handed to the tables
  std::optional<int64_t> end_offset;
};

struct SinkFacts {
  std::string name, plugin;
  std::string state;  ///< "writing", "waiting" (outage), "failed"
  std::string reason;
  std::array<uint64_t, kTableStates.size()> tables{};  ///< by TableState
  std::array<uint64_t, kRetryClasses.size()> retries{};
  HistogramCounts write_seconds, write_rows, delay_seconds;
  uint64_t connections = 0;
  uint64_t loading = 0;    ///< tables whose rows come from a snapshot or load
  double lag_seconds = 0;  ///< of the table that is furthest behind
  int64_t last_commit_us = 0;
};

struct DeadLetterFacts {
  std::string sink, table, reason;  ///< sink and table empty: the message never reached one
  uint64_t count = 0;
};

struct ProcessFacts {
  std::string version, host;
  int64_t pid = 0;
  int64_t started_us = 0;
  double cpu_seconds = 0;
  uint64_t resident_bytes = 0, open_files = 0, max_open_files = 0, threads = 0;
};

struct BufferFacts {
  uint64_t budget = 0;  ///< [runtime] memory
  uint64_t message_bytes = 0, message_limit = 0, row_bytes = 0, row_limit = 0, dead_letter_bytes = 0;
};

struct Snapshot {
  std::string pipeline;
  std::string state;  ///< "starting", "running", "stopping"
  int64_t taken_us = 0;
  std::vector<Reason> not_ready, not_alive;
  ProcessFacts process;
  BufferFacts buffers;
  uint64_t rows = 0, markers = 0, ignored = 0, rejected = 0;  ///< decoded; see runtime::DecodeCounts
  uint64_t dead_letters = 0;
  std::string dead_letter_place;
  std::vector<SourceFacts> sources;
  std::vector<PartitionFacts> partitions;
  std::vector<SinkFacts> sinks;
  std::vector<TableFacts> tables;  ///< by sink and name
  std::vector<DeadLetterFacts> dead_letters_by_reason;
  std::vector<std::string> ignored_tables;
};

}  // namespace cdcrt::observe
