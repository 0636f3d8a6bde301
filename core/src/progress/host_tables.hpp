// The host's own tables: what each is called and which columns it has, in their order. `since`: format version of the progress.
#pragma once

#include "progress/host_table.hpp"

namespace cdcrt::progress {

/// Not of a pipeline: its key is the component alone.
inline const struct FormatTable : HostTable {
  FormatTable() : HostTable{"format", 1, {{"component", CDCRT_TYPE_STRING}, {"format_version", CDCRT_TYPE_INT64}}} {}
  Place component = 0, format_version = 1;
} kFormat;

inline const struct LeasesTable : PipelineTable {
  LeasesTable() : PipelineTable("leases") {}
  PartitionPlaces partition = key_partition();
  Place epoch = integer("epoch"), owner = text("owner"), waits_for = text("waits_for", 2);
} kLeases;

inline const struct WatermarksTable : PipelineTable {
  WatermarksTable() : PipelineTable("watermarks") {}
  PartitionPlaces partition = key_partition();
  Place next_offset = integer("next_offset");
  Place last_offset = integer("last_offset", 2), last_timestamp_ms = integer("last_timestamp_ms", 2), last_hash = integer("last_hash", 2);
} kWatermarks;

inline const struct ProgressTable : PipelineTable {
  ProgressTable() : PipelineTable("progress") {}
  PartitionPlaces partition = key_partition();
  Place target = key_text("target");
  Place next_offset = integer("next_offset"), source_order = bytes("source_order");
} kProgress;

inline const struct TablesTable : PipelineTable {
  TablesTable() : PipelineTable("tables") {}
  Place target = key_text("target");
  Place source_table = text("source_table"), floor = bytes("floor");
  Place key_known = integer("key_known");  ///< 2: it is not, and a definition said that there is none
  Place version = integer("version", 2), state = text("state", 2), reason = text("reason", 2);
  Place source_server = text("source_server", 3), accepts_loss = integer("accepts_loss", 3);
  Place row_orders = integer("row_orders", 4);  ///< 1: its rows are kept in source order; 2: the keys written last are kept
  Place definition_topic = text("definition_topic", 6);
} kTables;

inline const struct ColumnsTable : PipelineTable {
  ColumnsTable() : PipelineTable("columns") {}
  Place target = key_text("target"), slot = key_integer("slot");
  Place source_name = text("source_name"), target_name = text("target_name"), type = text("type"), key_ordinal = integer("key_ordinal");
  Place default_value = text("default_value"), active = integer("active"), incarnation = integer("incarnation");
  Place last_seen = bytes("last_seen"), dropped_at = bytes("dropped_at"), type_order = bytes("type_order");
  Place adopted = integer("adopted", 3);
  Place former_names = bytes("former_names", 6), added_at = bytes("added_at", 6);
  Place lacked_since = bytes("lacked_since", 6), undefined_since = bytes("undefined_since", 6);
} kColumns;

struct KeyChangesTable : PipelineTable {
  /// `has_short_texts`: one half of a key change may be longer than the target's longest text.
  explicit KeyChangesTable(bool has_short_texts)
      : PipelineTable("key_changes"), record(has_short_texts ? bytes("record") : text("record")) {}
  Place target = key_text("target"), new_key = key_bytes("new_key");
  Place record;
};

/// The key comes early: the dead letters of a batch's rows are found by it.
inline const struct OpenDeadLettersTable : PipelineTable {
  OpenDeadLettersTable() : PipelineTable("open_dead_letters") {}
  Place target = key_text("target"), key = key_bytes("key");
  PartitionPlaces partition = key_partition();
  Place offset = key_integer("offset");
} kOpenDeadLetters;

inline const struct ReplayedTable : PipelineTable {
  ReplayedTable() : PipelineTable("replayed") {}
  Place target = key_text("target");
  PartitionPlaces partition = key_partition();
  Place offset = key_integer("offset");
} kReplayed;

/// Of tables that are detached or stopped, and of entries of the manifest.
inline const struct TroublesTable : PipelineTable {
  TroublesTable() : PipelineTable("troubles") {}
  Place target = key_text("target");
  Place state = text("state"), reason = text("reason"), since_ms = integer("since_ms"), process = text("process");
} kTroubles;

inline const struct RowOrdersTable : PipelineTable {
  RowOrdersTable() : PipelineTable("row_orders", true) {}
  Place target = key_text("target"), key = key_bytes("key");
  Place source_order = bytes("source_order"), flags = integer("flags"), server = integer("server"), source_table = integer("source_table");
  Place partition = integer("partition"), parts = bytes("parts"), refused = bytes("refused");
} kRowOrders;

inline const struct TombstonesTable : PipelineTable {
  TombstonesTable() : PipelineTable("tombstones", true) {}
  Place target = key_text("target"), key = key_bytes("key");
  Place removed_ms = integer("removed_ms");
} kTombstones;

/// Where only tables can be locked: what claims lock. It has no rows.
inline const struct ClaimsTable : PipelineTable {
  ClaimsTable() : PipelineTable("claims") {}
} kClaims;

/// Where only tables can be locked: targets that have a progress table of their own.
inline const struct ProgressTablesTable : PipelineTable {
  ProgressTablesTable() : PipelineTable("progress_tables") {}
  Place target = key_text("target");
} kProgressTables;

/// Who holds or held leases, where a process may leave something outside of the target.
inline const struct ProcessesTable : PipelineTable {
  ProcessesTable() : PipelineTable("processes") {}
  Place process = key_text("process");
} kProcesses;

}  // namespace cdcrt::progress
