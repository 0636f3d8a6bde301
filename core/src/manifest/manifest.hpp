// The manifest as the runtime sees it: parsed, included, overlaid, interpolated, checked, defaulted. Plain data.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cdcrt/abi/plugin.h"
#include "cdcrt/abi/value.h"
#include "diagnostics/diagnostic.hpp"
#include "diagnostics/result.hpp"
#include "diagnostics/source_texts.hpp"

namespace cdcrt::manifest {

using diagnostics::Position;

/// Typed values of one plugin's option table. Owns every byte that abi() lends.
class Options {
 public:
  struct Value {
    const cdcrt_option* option = nullptr;
    bool is_set = false;
    int64_t integer = 0;
    double real = 0;
    std::string string;
    std::vector<std::string> strings;
    Position position;  ///< where it was given; empty file: defaulted
  };
  Options() = default;
  Options(std::string name, std::string pipeline, std::vector<Value> values);
  /// Borrowed until *this changes or dies.
  [[nodiscard]] const cdcrt_config* abi() const;
  /// Where `key` was given, for errors that a plugin reports; nullopt: not given.
  [[nodiscard]] std::optional<Position> position_of(const std::string& key) const;
  [[nodiscard]] const std::vector<Value>& values() const { return values_; }
  /// Wherever they were given.
  [[nodiscard]] bool same_values(const Options& other) const;
  /// When something of the manifest that these may hold (a login by IAM) expires; nullopt: nothing does.
  std::optional<std::chrono::system_clock::time_point> good_until;

 private:
  struct Abi;
  std::vector<Value> values_;
  std::shared_ptr<Abi> abi_;
};

struct Component {
  std::string name;    ///< of [sources.NAME], [sinks.NAME]
  std::string plugin;  ///< as written: a name, or a path to a shared object
  const cdcrt_plugin* descriptor = nullptr;
  Options options;
  Position position;
  /// Reads the manifest again for what a secret or a file says now. Empty: its references do not change, or it is no sink. Any thread.
  std::function<Result<Options>()> renew;
};

struct Source : Component {
  Component format;  ///< name: the source's
};

struct BatchLimits {
  uint64_t max_rows = 50'000;
  uint64_t max_bytes = 16ULL << 20;
  std::chrono::microseconds max_age{0};       ///< 0: write as soon as the connection is idle
  std::chrono::microseconds min_interval{0};  ///< between two writes of a table that is not full
};

struct Sink : Component {
  BatchLimits batch;
  uint32_t connections = 4;
  uint32_t group_tables = 0;  ///< tables of one transaction, up to batch.max_bytes together; 0: small ones share
  std::string progress_schema = "cdcrt";
  std::chrono::microseconds stall_after{30'000'000};  ///< a table that is locked for longer is detached
};

/// How a value without a schema is to be read.
enum class Parse : uint8_t { kNone, kEpochDays, kEpochSeconds, kEpochMilliseconds, kEpochMicroseconds, kEpochNanoseconds, kBase64, kHex, kIso8601 };
/// kDefault: nothing was said, which is kDeadLetter but for digits finer than a microsecond: those are cut, and counted.
enum class OnOverflow : uint8_t { kDeadLetter, kTruncate, kNull, kWiden, kDefault };
enum class SchemaChanges : uint8_t { kEvolve, kAddOnly, kIgnore, kFail };
enum class Deletes : uint8_t { kApply, kIgnore };
enum class Mode : uint8_t {
  kUpsert,  ///< the target's row is the source's
  kAppend   ///< every change is a row more
};
/// Which of two changes of a row is the later one.
enum class Ordering : uint8_t {
  kAuto,       ///< the partition's, until it shows that a key can be in two
  kPartition,  ///< that which its partition has later
  kSource      ///< that of the greater source order, whichever partition it comes from
};
/// What a route may add to each row of an append-only table; the order of kMetadataNames.
enum class Metadata : uint8_t { kOperation, kTopic, kPartition, kOffset, kKafkaTime };
inline constexpr const char* kMetadataNames[] = {"op", "topic", "partition", "offset", "kafka_ts"};
enum class UnmatchedTables : uint8_t { kIgnore, kFail };

struct ColumnRule {
  std::string pattern;  ///< name of the source's column; globs allowed
  std::optional<cdcrt_type> type;
  Parse parse = Parse::kNone;
  OnOverflow on_overflow = OnOverflow::kDefault;
  std::string rename;       ///< empty: keeps its name
  std::string target_type;  ///< raw type of the target; empty: from the type
  bool exclude = false;
  bool of_defaults = false;  ///< of [defaults]: for tables of many kinds
  Position position;
};

/// A route with [defaults] already folded in.
struct Route {
  std::string name;
  std::vector<std::string> match, except;
  std::string sink;
  std::string table;  ///< template; empty: the table's own name
  bool names_target = false;  ///< `table` was given in the route itself, not in [defaults]: several source tables may meet there
  bool create_tables = true;
  std::vector<std::string> primary_key;
  SchemaChanges schema_changes = SchemaChanges::kEvolve;
  Deletes deletes = Deletes::kApply;
  Mode mode = Mode::kUpsert;
  Ordering ordering = Ordering::kAuto;
  std::chrono::microseconds tombstone_retention = std::chrono::hours(7 * 24);  ///< source order: what is kept of rows that were taken away
  std::map<Metadata, std::string> metadata;  ///< target columns
  std::vector<ColumnRule> columns;  ///< the route's own before those of [defaults]
  /// One source table, by its name: what the route says of columns is meant for it.
  [[nodiscard]] bool names_one_table() const;
  Options layout;                   ///< of target tables when they are made, by the sink's layout options; else that of [defaults]
  Position position;
};

struct Runtime {
  uint64_t memory = 128ULL << 20;
  uint32_t decode_workers = 0;  ///< 0: from the cores
  std::vector<std::string> plugin_dirs;
  std::string log_level = "info";
  std::chrono::microseconds shutdown_timeout{30'000'000};
};

struct DeadLetters {
  enum class Kind : uint8_t { kFile, kTable, kSink };
  Kind kind = Kind::kFile;
  std::string path;                    ///< of the file; never empty
  std::string pattern;                 ///< the files of all processes: a path whose name may hold *
  Component sink;                      ///< kSink: who takes them
  std::optional<Component> log;        ///< kSink: a source that reads them back
  std::optional<uint64_t> max_count;   ///< of a run; more stop it
  double max_ratio = 0;                ///< of the last 10,000 messages; 0: any
  Position position;
};

struct Manifest {
  std::string path;    ///< of the first file
  std::string folder;  ///< absolute; relative paths start here
  std::string pipeline;
  UnmatchedTables unmatched_tables = UnmatchedTables::kIgnore;
  Runtime runtime;
  std::vector<Source> sources;
  std::vector<Sink> sinks;
  Route defaults;             ///< of tables no route names, when there are no routes
  std::vector<Route> routes;
  DeadLetters dead_letters;
  std::shared_ptr<const diagnostics::SourceTexts> texts;  ///< what diagnostics about this manifest are rendered with
};

}  // namespace cdcrt::manifest
