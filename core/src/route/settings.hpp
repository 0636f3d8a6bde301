// What the manifest says of routes. Plain data; the layers above (evolution, apply, runtime) obey it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cdcrt/abi/value.h"
#include "diagnostics/diagnostic.hpp"
#include "plugin/options.hpp"
#include "types/reading.hpp"

namespace cdcrt::route {

enum class SchemaChanges : uint8_t { kEvolve, kAddOnly, kIgnore, kFail };
enum class Deletes : uint8_t { kApply, kIgnore };
enum class Mode : uint8_t {
  kUpsert,  ///< the target's row is the source's
  kAppend   ///< every change is a row more
};
/// Which of two changes of a row is the later one.
enum class Ordering : uint8_t {
  kAuto,       ///< the partition's, until it shows that a key can be in two
  kPartition,  ///< the one that comes later in its partition
  kSource      ///< the one with the greater source order, whichever partition it comes from
};
/// What a route may add to each row of an append-only table; the order of kMetadataNames.
enum class Metadata : uint8_t { kOperation, kTopic, kPartition, kOffset, kKafkaTime };
inline constexpr const char* kMetadataNames[] = {"op", "topic", "partition", "offset", "kafka_ts"};
enum class UnmatchedTables : uint8_t { kIgnore, kFail };

struct ColumnRule {
  std::string pattern;  ///< name of the source's column; globs allowed
  std::optional<cdcrt_type> type;
  types::Parse parse = types::Parse::kNone;
  types::OnOverflow on_overflow = types::OnOverflow::kDefault;
  std::string rename;       ///< empty: keeps its name
  std::string target_type;  ///< raw type of the target; empty: from the type
  bool exclude = false;
  bool of_defaults = false;  ///< of [defaults]: for tables of many kinds
  diagnostics::Position position;
};

/// A route with [defaults] already folded in.
struct Route {
  std::string name;
  std::vector<std::string> match, except;
  std::string sink;
  std::string table;            ///< template; empty: the table's own name
  bool names_target = false;    ///< `table` was given in the route itself, not in [defaults]: several source tables may meet there
  bool shares_targets = false;  ///< another route of the sink names its target as well: their source tables may meet there
  bool create_tables = true;
  std::vector<std::string> primary_key;
  std::vector<std::string> fallback_key;  ///< of [defaults] primary_keys, where neither the route nor an event names one
  std::string key_rule;                   ///< the pattern that gave it
  SchemaChanges schema_changes = SchemaChanges::kEvolve;
  Deletes deletes = Deletes::kApply;
  Mode mode = Mode::kUpsert;
  Ordering ordering = Ordering::kAuto;
  std::chrono::microseconds tombstone_retention = std::chrono::hours(7 * 24);  ///< source order: how long deleted rows are remembered
  std::map<Metadata, std::string> metadata;                                    ///< target columns
  std::vector<ColumnRule> columns;                                             ///< the route's own before those of [defaults]
  /// `match` is the name of one source table, so that the column rules are meant for that table.
  [[nodiscard]] bool names_one_table() const;
  plugin::Options layout;  ///< how target tables are laid out when they are made, by the sink's layout options
  diagnostics::Position position;
};

/// The key of many tables at once: [defaults] primary_keys. It holds where the route names no primary_key and events name no key.
struct KeyRule {
  std::string pattern;
  std::vector<std::string> columns;
  bool of_file = false;  ///< of primary_keys_file
  diagnostics::Position position;
};

/// Which source table goes where.
struct Routing {
  UnmatchedTables unmatched_tables = UnmatchedTables::kIgnore;
  Route defaults;  ///< of tables no route names, when there are no routes
  std::vector<Route> routes;
  std::vector<KeyRule> key_rules;
  std::string key_file;  ///< primary_keys_file as written; empty: none
};

}  // namespace cdcrt::route
