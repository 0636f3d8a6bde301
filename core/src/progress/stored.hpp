// Stored: what the host keeps of a pipeline in its target, as values.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "evolution/table_knowledge.hpp"
#include "progress/partition.hpp"

namespace cdcrt::progress {

/// A partition that was added to a topic waits until the older ones are applied up to these offsets.
using WaitsFor = std::map<int32_t, int64_t>;

struct StoredPartition {
  int64_t epoch = 0;
  std::string owner;  ///< of the lease: process that claimed it last; empty: nobody yet
  WaitsFor waits_for;
  int64_t next_offset = 0;  ///< low watermark: every table has applied what is below. 0: the beginning of what is there, unless `exact`
  bool exact = false;       ///< next_offset 0 is an offset: messages that the log has lost since then were never applied
  LastMessage last;
};

/// A dead letter whose row no later change has replaced.
struct OpenDeadLetter {
  PartitionKey partition;
  int64_t offset = 0;
  auto operator<=>(const OpenDeadLetter&) const = default;
};

/// Begins a pending key change whose new row has not come: what follows is the row that was deleted under its old key.
inline constexpr std::string_view kOldRow = "old_row:";
/// Begins one whose old row has not been deleted: the columns follow that the new row still lacks.
inline constexpr std::string_view kMissingColumns = "missing_columns:";

/// What an operator asked of a table.
enum class TableState : uint8_t { kActive, kPaused, kSkipped };

struct StoredTable {
  int64_t version = 0;  ///< raised by every change of what follows but progress
  std::string source_table;
  std::string source_server;  ///< empty: unknown
  std::string floor;
  std::string definition_topic;  ///< where definitions of it come from; empty: none have come
  bool key_known = false;
  bool told_keyless = false;  ///< not known, and a definition said that there is none: for tables whose events do not tell it
  TableState state = TableState::kActive;
  std::string reason;           ///< of the state
  bool remembers_keys = false;  ///< the keys that were written last are kept with it (KeyOrder)
  bool by_source = false;       ///< its rows are kept in source order: row_order.hpp
  bool accepts_loss = false;    ///< an operator said to go on although the target lost a part of it; until the table is next looked at
  std::vector<evolution::Column> columns;
  std::map<std::string, std::string> key_changes;  ///< pending key changes, by new key: kOldRow or kMissingColumns, then as apply writes it
  struct Position {
    int64_t next_offset = 0;
    std::string order;
  };
  std::map<PartitionKey, Position> progress;
  std::map<std::string, std::vector<OpenDeadLetter>>
      open_dead_letters;             ///< by key; in the order in which they were read; where they were asked for
  bool has_no_dead_letters = false;  ///< it is known that none is open
};

/// Why a process does not apply a table at present; told by it, best effort, for people.
struct StoredTrouble {
  bool stopped = false;  ///< until the next start; else detached, and tried again
  std::string reason;
  int64_t since_ms = 0;  ///< milliseconds since 1970
  std::string process;
};

/// An entry of the manifest that means tables, columns or topics, and whether it met any so far; told by processes, best effort, for
/// people.
struct StoredMatch {
  bool met = false;
  std::string reason;    ///< unmet: in words
  int64_t since_ms = 0;  ///< milliseconds since 1970
};

/// Everything that the target keeps of one pipeline and sink.
struct Stored {
  std::map<PartitionKey, StoredPartition> partitions;
  std::map<std::string, StoredTable> tables;      ///< by target name
  std::map<std::string, StoredTrouble> troubles;  ///< by target name
  std::map<std::string, StoredMatch> matches;     ///< by the entry, as people call it
  std::set<std::string> processes;                ///< that left or may leave things outside of the target
  event::Arena defaults{1 << 10};                 ///< owns the bytes of the columns' defaults
};

struct TablePosition {
  const Partition* partition;
  int64_t next_offset;
  std::string order;
};

/// Where a target stands in each of its partitions, by its name.
using PositionsByTarget = std::map<std::string, std::map<PartitionKey, StoredTable::Position>>;

/// Order of a partition that a truncate in another one sent back to before its first row, with offset 0 to the beginning of its log
/// wherever that is: less than any that a format gives. No order at all says that rows without one may be below.
inline constexpr std::string_view kSentBack{"\0", 1};

/// Partitions and tables that are to be read again from an earlier place.
struct SendBack {
  std::map<PartitionKey, int64_t> partitions;                     ///< whose low watermark is lowered to there, if it is higher
  std::map<std::string, std::map<PartitionKey, int64_t>> tables;  ///< their new progress, by target
  bool forget_last = false;                                       ///< forget LastMessage: the topic may have been made again
  std::map<PartitionKey, int64_t> firsts = {};                    ///< where logs begin, as far as known: a gap before it is accepted
  bool by_truncate = false;                                       ///< of a truncate: the log must still have everything after it
};

/// A partition that has no lease yet.
struct StartOffset {
  PartitionKey key;
  int64_t offset = 0;
  WaitsFor waits_for;
  bool is_first = false;  ///< found when no partition of its topic was stored: valid only while that is so
};

std::string to_text(const WaitsFor& waits_for);
/// The names that it had, each with its source order; of one that gave up its name whether it came early. All with their length before
/// them.
std::string names_to_bytes(const evolution::Column& column);
bool names_into(std::string_view bytes, evolution::Column& column);  ///< false: not whether it came early
WaitsFor waits_for_from(const std::string& text);
std::string_view to_text(TableState state);
TableState table_state_from(std::string_view text);
/// Before the reason of a pause that no operator asked for: cdcrt cannot go on with the table, and a restart must not try.
inline constexpr std::string_view kOwnReason = "stopped by cdcrt: ";
inline bool is_own_reason(std::string_view reason) { return reason.starts_with(kOwnReason); }
/// What people call the state of a table: what an operator asked for, else what it is in trouble with.
std::string_view state_text(const StoredTable& table, const StoredTrouble* trouble);
/// The reason of that state; empty: none.
std::string_view reason_text(const StoredTable& table, const StoredTrouble* trouble);

}  // namespace cdcrt::progress
