// TableFacts: how a target table is, as of one moment.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cdcrt::observe {

enum class TableState : uint8_t {
  kActive,
  kDetached,       ///< tried again by itself, the others go on
  kWaitingForKey,  ///< the same, once a definition has told its key
  kPaused,         ///< by an operator
  kSkipped,        ///< by an operator
  kStopped         ///< until the next start
};
inline constexpr std::array<std::string_view, 6> kTableStates{"active", "detached", "waiting_for_key", "paused", "skipped", "stopped"};
constexpr std::string_view name_of(TableState state) { return kTableStates[static_cast<std::size_t>(state)]; }

/// Of inserts (snapshots among them), updates and deletes; in this order everywhere.
using ByOperation = std::array<uint64_t, 3>;
inline constexpr std::array<std::string_view, 3> kOperations{"insert", "update", "delete"};

struct TableFacts {
  std::string sink, table, source, route;  ///< `source`: its table there
  uint32_t number = 0;                     ///< of tables of this process, by when they were first seen
  TableState state = TableState::kActive;
  std::string reason;    ///< why it is not active
  ByOperation rows{};    ///< events of the source that were applied
  ByOperation bytes{};   ///< of their messages, keys and values
  uint64_t batches = 0;  ///< that became durable
  uint64_t schema_changes = 0, overflowed = 0, late = 0, left_out = 0;
  uint64_t buffered_rows = 0, buffered_bytes = 0;
  uint64_t partitions = 0;               ///< that bring rows, of those that this process reads
  int64_t last_commit_us = 0;            ///< since 1970; 0: never
  int64_t oldest_unapplied_us = 0;       ///< commit time at the source; 0: everything read is applied, or the time is not known
  std::optional<uint64_t> lag_messages;  ///< nullopt: the source does not know where its logs end
  std::optional<double> left_seconds;    ///< until nothing of them is left; nullopt: not known, or nothing is
  bool is_loading = false;               ///< its last rows were those of a snapshot or load, and more may come
  std::optional<double> lag_seconds;     ///< source commit to now, of the oldest change that is not applied; 0: none is known
  uint64_t dead_letters = 0;
};

}  // namespace cdcrt::observe
