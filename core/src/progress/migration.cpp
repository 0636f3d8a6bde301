// Rows of a renamed table are copied and the old table is dropped, since sinks have no renaming. All of it, and the new version, is one
// transaction: an older program that still runs fails at the table that is gone, and never writes where nobody reads any more.
#include "progress/migration.hpp"

#include <functional>

namespace cdcrt::progress {
namespace {

// How a pending key change began up to format version 4.
constexpr std::string_view kFormerOldRow = "departed:", kFormerMissingColumns = "came:";

// Up to format version 2.
const struct FormerOpenDeadLettersTable : PipelineTable {
  FormerOpenDeadLettersTable() : PipelineTable("open_letters") {}
  Place target = key_text("target");
  PartitionPlaces partition = key_partition();
  Place offset = key_integer("offset"), key = key_bytes("key");
} kFormerOpenDeadLetters;

// A table of an older format, the table that took its place, and how the latter's rows are made of its own.
struct FormerTable {
  HostTable table;
  const HostTable* successor;
  std::function<void(const Row& former, Rows& rows, Rows::New row)> convert;
};

cdcrt_cell kept_text(Rows& rows, const Row& row, Place place) { return text(rows.keep(row.text(place))); }
cdcrt_cell kept_bytes(Rows& rows, const Row& row, Place place) { return bytes(rows.keep(row.text(place))); }

// Up to format version 5.
HostTable former_columns() {
  HostTable table = kColumns;
  table.name = "columns";
  std::erase_if(table.columns, [](const HostColumn& column) { return column.since > 5; });
  return table;
}

void column_of_table(const Row& former, Rows& rows, Rows::New row) {
  const auto columns = former_columns().columns;
  for (Place place = kColumns.sink + 1; place < columns.size(); ++place) {
    switch (columns[place].kind) {
      case CDCRT_TYPE_INT64: row[place] = integer(former.integer(place)); break;
      case CDCRT_TYPE_BYTES: row[place] = kept_bytes(rows, former, place); break;
      default: row[place] = kept_text(rows, former, place); break;
    }
  }
}

void dead_letter_by_key(const Row& former, Rows& rows, Rows::New row) {
  row[kOpenDeadLetters.target] = kept_text(rows, former, kFormerOpenDeadLetters.target);
  row[kOpenDeadLetters.key] = kept_bytes(rows, former, kFormerOpenDeadLetters.key);
  row[kOpenDeadLetters.partition.source] = kept_text(rows, former, kFormerOpenDeadLetters.partition.source);
  row[kOpenDeadLetters.partition.topic] = kept_text(rows, former, kFormerOpenDeadLetters.partition.topic);
  row[kOpenDeadLetters.partition.number] = integer(former.integer(kFormerOpenDeadLetters.partition.number));
  row[kOpenDeadLetters.offset] = integer(former.integer(kFormerOpenDeadLetters.offset));
}

std::string renamed(const std::string& record) {
  if (record.starts_with(kFormerOldRow)) return std::string(kOldRow) + record.substr(kFormerOldRow.size());
  if (record.starts_with(kFormerMissingColumns)) return std::string(kMissingColumns) + record.substr(kFormerMissingColumns.size());
  return record;
}

std::vector<FormerTable> former_tables(const KeyChangesTable& key_changes) {
  HostTable moved = key_changes, holds = kProgressTables;
  moved.name = "moved";
  holds.name = "holds";
  const auto key_change = [&key_changes](const Row& former, Rows& rows, Rows::New row) {
    row[key_changes.target] = kept_text(rows, former, key_changes.target);
    row[key_changes.new_key] = kept_bytes(rows, former, key_changes.new_key);
    row[key_changes.record] = text(rows.keep(renamed(former.text(key_changes.record))));
    if (key_changes.columns[key_changes.record].kind == CDCRT_TYPE_BYTES) row[key_changes.record].tag = CDCRT_BYTES;
  };
  const auto progress_table = [](const Row& former, Rows& rows, Rows::New row) {
    row[kProgressTables.target] = kept_text(rows, former, kProgressTables.target);
  };
  return {{kFormerOpenDeadLetters, &kOpenDeadLetters, dead_letter_by_key},
          {moved, &key_changes, key_change},
          {holds, &kProgressTables, progress_table},
          {former_columns(), &kColumns, column_of_table}};
}

Result<void> add_columns(plugin::Connection& connection, const TableAccess& access, const std::vector<const HostTable*>& tables,
                         int64_t version) {
  for (const HostTable* table : tables) {
    std::string storage;
    const auto columns = columns_of(*table);
    std::vector<cdcrt_change> changes;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (table->columns[i].since <= version) continue;
      cdcrt_change change{};
      change.kind = CDCRT_ADD_COLUMN;
      change.columns = &columns[i];
      change.column_count = 1;
      changes.push_back(change);
    }
    if (changes.empty()) continue;
    if (auto changed = connection.change(access.name_of(table->name, storage), changes); !changed) return changed;
  }
  return {};
}

}  // namespace

Result<void> refuse_newer(const TableAccess& access, int64_t version) {
  if (version <= kFormatVersion) return {};
  return make_error(CDCRT_UNSUPPORTED,
                    "the progress in '" + access.schema() + "' has format_version " + std::to_string(version) + ", this cdcrt knows " +
                        std::to_string(kFormatVersion),
                    "run the newer cdcrt, or use another progress_schema");
}

namespace {

// Rows of all pipelines and sinks.
Result<void> replace(plugin::Connection& connection, const TableAccess& access, const FormerTable& former) {
  Rows rows = rows_of(*former.successor);
  auto done = access.read_every_row(connection, former.table, CDCRT_LOCK_NONE, [&](const Row& row) {
    auto successor = rows.add();
    successor[kProgressTables.pipeline] = kept_text(rows, row, kProgressTables.pipeline);  // the first two of every table
    successor[kProgressTables.sink] = kept_text(rows, row, kProgressTables.sink);
    former.convert(row, rows, successor);
  });
  if (!done) return done;
  if (auto written = access.write(connection, rows); !written) return written;
  std::string storage;
  cdcrt_change drop{};
  drop.kind = CDCRT_DROP_TABLE;
  return connection.change(access.name_of(former.table.name, storage), {drop});
}

Result<void> migrate(plugin::Connection& connection, const TableAccess& access, const KeyChangesTable& key_changes,
                     const std::vector<FormerTable>& former, int64_t seen) {
  auto version = access.format_version(connection, CDCRT_LOCK_NONE);
  if (!version) return std::move(version.error());
  if (auto refused = refuse_newer(access, *version); !refused) return refused;
  if (*version == kFormatVersion) return {};
  if (*version != seen) return make_error(CDCRT_RETRY, "an older cdcrt made the progress in '" + access.schema() + "' at the same time");
  if (*version > 0) {
    std::vector<const HostTable*> tables = tables_of_every_target(key_changes);
    for (const FormerTable& each : former) tables.push_back(&each.table);
    if (auto added = add_columns(connection, access, tables, *version); !added) return added;
    for (const FormerTable& each : former) {
      if (auto replaced = replace(connection, access, each); !replaced) return replaced;
    }
  }
  Rows rows = rows_of(kFormat);
  auto row = rows.add();
  row[kFormat.component] = text("progress");
  row[kFormat.format_version] = integer(kFormatVersion);
  return access.write(connection, rows);
}

}  // namespace

std::vector<const HostTable*> tables_of_every_target(const KeyChangesTable& key_changes) {
  return {&kFormat,     &kLeases,          &kWatermarks, &kProgress, &kTables,    &kColumns,
          &key_changes, &kOpenDeadLetters, &kTroubles,   &kReplayed, &kRowOrders, &kTombstones};
}

Result<int64_t> kept_version(plugin::Connection& connection, const TableAccess& access) {
  std::string storage;
  auto description = connection.describe(access.name_of(kFormat.name, storage));
  if (!description) return std::move(description.error());
  return description->get().exists == 0 ? Result<int64_t>(0) : access.format_version(connection, CDCRT_LOCK_NONE);
}

Result<void> bring_forward(plugin::Connection& connection, const TableAccess& access, const Locks& locks,
                           const KeyChangesTable& key_changes, int64_t version) {
  std::vector<FormerTable> former;
  std::vector<HostTable> tables;
  for (FormerTable& each : former_tables(key_changes)) {
    if (version == 0) break;
    std::string storage;
    auto description = connection.describe(access.name_of(each.table.name, storage));
    if (!description) return std::move(description.error());
    if (description->get().exists == 0) continue;
    tables.push_back(each.table);
    former.push_back(std::move(each));
  }
  auto migrated = in_transaction(connection, [&]() -> Result<void> {
    if (auto locked = locks.lock_out(connection, tables); !locked) return locked;
    return migrate(connection, access, key_changes, former, version);
  });
  if (migrated || migrated.error().code == CDCRT_UNSUPPORTED || migrated.error().code == CDCRT_UNREACHABLE) return migrated;
  // Where several programs start at once, one is the first, and the others may fail at a table that it has dropped.
  int64_t now = 0;
  auto looked = locks.in_one_look(connection, [&]() -> Result<void> {
    auto kept = access.format_version(connection, CDCRT_LOCK_NONE);
    if (kept) now = *kept;
    return kept ? Result<void>() : std::move(kept.error());
  });
  return looked && now == kFormatVersion ? Result<void>() : std::move(migrated);
}

}  // namespace cdcrt::progress
