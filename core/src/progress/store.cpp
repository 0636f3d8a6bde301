#include "progress/store.hpp"

#include <deque>

#include "cdcrt/sdk/status.hpp"
#include "types/convert.hpp"
#include "types/type.hpp"

namespace cdcrt::progress {
namespace {

constexpr int64_t kFormatVersion = 1;

struct HostColumn {
  const char* name;
  uint8_t kind;
};

cdcrt_cell text(std::string_view value) {
  cdcrt_cell cell{};
  cell.tag = CDCRT_STRING;
  cell.size = static_cast<uint32_t>(value.size());
  cell.value.data = value.data();
  return cell;
}
cdcrt_cell bytes(std::string_view value) {
  cdcrt_cell cell = text(value);
  cell.tag = CDCRT_BYTES;
  return cell;
}
cdcrt_cell integer(int64_t value) {
  cdcrt_cell cell{};
  cell.tag = CDCRT_I64;
  cell.value.integer = value;
  return cell;
}
std::string string_of(const cdcrt_cell& cell) { return cell.tag <= CDCRT_NULL ? std::string() : std::string(cell.value.data, cell.size); }
int64_t integer_of(const cdcrt_cell& cell) { return cell.tag <= CDCRT_NULL ? 0 : cell.value.integer; }

PartitionKey key_of(const Partition& partition) { return {partition.source(), partition.topic(), partition.number()}; }
PartitionKey key_of(const cdcrt_cell* cells) {
  return {string_of(cells[0]), string_of(cells[1]), static_cast<int32_t>(integer_of(cells[2]))};
}

}  // namespace

// Every table is keyed by pipeline and sink first, so that one read finds all that is ours.
struct Store::HostTable {
  const char* name;
  uint32_t key_count;
  std::vector<HostColumn> columns;
};

constexpr uint8_t kText = CDCRT_TYPE_STRING, kInteger = CDCRT_TYPE_INT64, kBytes = CDCRT_TYPE_BYTES;

const Store::HostTable Store::kFormat{"format", 1, {{"component", kText}, {"format_version", kInteger}}};
const Store::HostTable Store::kLeases{
    "leases", 5, {{"pipeline", kText}, {"sink", kText}, {"source", kText}, {"topic", kText}, {"partition", kInteger}, {"epoch", kInteger}, {"owner", kText}}};
const Store::HostTable Store::kWatermarks{
    "watermarks", 5, {{"pipeline", kText}, {"sink", kText}, {"source", kText}, {"topic", kText}, {"partition", kInteger}, {"next_offset", kInteger}}};
const Store::HostTable Store::kProgress{"progress",
                                        6,
                                        {{"pipeline", kText},
                                         {"sink", kText},
                                         {"source", kText},
                                         {"topic", kText},
                                         {"partition", kInteger},
                                         {"target", kText},
                                         {"next_offset", kInteger},
                                         {"source_order", kBytes}}};
const Store::HostTable Store::kTables{
    "tables", 3, {{"pipeline", kText}, {"sink", kText}, {"target", kText}, {"source_table", kText}, {"floor", kBytes}, {"key_known", kInteger}}};
const Store::HostTable Store::kColumns{"columns",
                                       4,
                                       {{"pipeline", kText},
                                        {"sink", kText},
                                        {"target", kText},
                                        {"slot", kInteger},
                                        {"source_name", kText},
                                        {"target_name", kText},
                                        {"type", kText},
                                        {"key_ordinal", kInteger},
                                        {"default_value", kText},
                                        {"active", kInteger},
                                        {"incarnation", kInteger},
                                        {"last_seen", kBytes},
                                        {"dropped_at", kBytes},
                                        {"type_order", kBytes}}};

const Store::HostTable Store::kMoved{"moved", 4, {{"pipeline", kText}, {"sink", kText}, {"target", kText}, {"new_key", kBytes}, {"record", kText}}};

Store::Store(std::string pipeline, std::string sink, std::string schema, bool has_schemas, std::string owner)
    : pipeline_(std::move(pipeline)), sink_(std::move(sink)), schema_(std::move(schema)), owner_(std::move(owner)), has_schemas_(has_schemas) {}

cdcrt_table Store::name_of(const HostTable& table, std::string& storage) const {
  if (has_schemas_) return {sdk::borrow(schema_), sdk::borrow(table.name)};
  storage = schema_ + "_" + table.name;
  return {{nullptr, 0}, sdk::borrow(storage)};
}

namespace {

std::vector<cdcrt_column> columns_of(const std::vector<HostColumn>& columns, uint32_t key_count) {
  std::vector<cdcrt_column> result(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    result[i].name = sdk::borrow(columns[i].name);
    result[i].type.kind = columns[i].kind;
    if (i < key_count) result[i].key_ordinal = static_cast<uint32_t>(i + 1);
  }
  return result;
}

Result<void> in_transaction(plugin::Connection& connection, const std::function<Result<void>()>& body) {
  if (auto begun = connection.begin(); !begun) return begun;
  if (auto done = body(); !done) {
    (void)connection.rollback();
    return done;
  }
  return connection.commit();
}

}  // namespace

Result<void> Store::write(plugin::Connection& connection, const HostTable& table, const std::vector<cdcrt_cell>& cells, cdcrt_write_kind kind) {
  if (cells.empty()) return {};
  auto columns = columns_of(table.columns, table.key_count);
  if (kind == CDCRT_WRITE_DELETE) columns.resize(table.key_count);
  std::string storage;
  cdcrt_write write{};
  write.size = sizeof write;
  write.kind = kind;
  write.table = name_of(table, storage);
  write.columns = columns.data();
  write.column_count = static_cast<uint32_t>(columns.size());
  write.has_unique_key = 1;
  write.cells = cells.data();
  write.row_count = cells.size() / columns.size();
  return connection.write(write);
}

Result<void> Store::read(plugin::Connection& connection, const HostTable& table, cdcrt_lock lock,
                         const std::function<void(const cdcrt_cell*)>& visit) {
  const auto columns = columns_of(table.columns, table.key_count);
  const cdcrt_cell keys[2] = {text(pipeline_), text(sink_)};
  std::string storage;
  cdcrt_read read{};
  read.size = sizeof read;
  read.lock = static_cast<uint32_t>(lock);
  read.table = name_of(table, storage);
  read.columns = columns.data();
  read.column_count = static_cast<uint32_t>(columns.size());
  read.key_count = 2;
  read.keys = keys;
  read.key_rows = 1;
  read.visit = [](void* context, const cdcrt_cell* row) {
    (*static_cast<const std::function<void(const cdcrt_cell*)>*>(context))(row + 2);
    return 0;
  };
  read.context = const_cast<std::function<void(const cdcrt_cell*)>*>(&visit);
  return connection.read(read);
}

Result<void> Store::prepare(plugin::Connection& connection) {
  for (const HostTable* table : {&kFormat, &kLeases, &kWatermarks, &kProgress, &kTables, &kColumns, &kMoved}) {
    std::string storage;
    const cdcrt_table name = name_of(*table, storage);
    auto description = connection.describe(name);
    if (!description) return std::move(description.error());
    if (description->get().exists != 0) continue;
    const auto columns = columns_of(table->columns, table->key_count);
    cdcrt_change change{};
    change.kind = CDCRT_CREATE_TABLE;
    change.columns = columns.data();
    change.column_count = static_cast<uint32_t>(columns.size());
    auto created = in_transaction(connection, [&] { return connection.change(name, {change}); });
    if (!created) return created;
  }
  return in_transaction(connection, [&]() -> Result<void> {
    const auto columns = columns_of(kFormat.columns, kFormat.key_count);
    const cdcrt_cell component = text("progress");
    std::string storage;
    int64_t version = 0;
    cdcrt_read read{};
    read.size = sizeof read;
    read.table = name_of(kFormat, storage);
    read.columns = columns.data();
    read.column_count = static_cast<uint32_t>(columns.size());
    read.key_count = 1;
    read.keys = &component;
    read.key_rows = 1;
    read.visit = [](void* context, const cdcrt_cell* row) {
      *static_cast<int64_t*>(context) = integer_of(row[1]);
      return 0;
    };
    read.context = &version;
    if (auto done = connection.read(read); !done) return done;
    if (version > kFormatVersion) {
      return make_error(CDCRT_UNSUPPORTED,
                        "the progress in '" + schema_ + "' has format_version " + std::to_string(version) + ", this cdcrt knows " +
                            std::to_string(kFormatVersion),
                        "run the newer cdcrt, or use another progress_schema");
    }
    if (version == kFormatVersion) return {};
    return write(connection, kFormat, {text("progress"), integer(kFormatVersion)});
  });
}

Result<Stored> Store::claim(plugin::Connection& connection) {
  Stored stored;
  std::map<PartitionKey, int64_t> epochs;
  auto done = in_transaction(connection, [&]() -> Result<void> {
    auto read_leases = read(connection, kLeases, CDCRT_LOCK_UPDATE,
                            [&](const cdcrt_cell* cells) { epochs[key_of(cells)] = integer_of(cells[3]) + 1; });
    if (!read_leases) return read_leases;
    std::vector<cdcrt_cell> claimed;
    for (const auto& [key, epoch] : epochs) {
      claimed.insert(claimed.end(), {text(pipeline_), text(sink_), text(key.source), text(key.topic), integer(key.number), integer(epoch), text(owner_)});
    }
    if (auto written = write(connection, kLeases, claimed); !written) return written;
    auto ok = read(connection, kWatermarks, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { stored.watermarks[key_of(cells)] = integer_of(cells[3]); });
    if (!ok) return ok;
    ok = read(connection, kTables, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) {
      StoredTable& table = stored.tables[string_of(cells[0])];
      table.source_table = string_of(cells[1]);
      table.floor = string_of(cells[2]);
      table.key_known = integer_of(cells[3]) != 0;
    });
    if (!ok) return ok;
    ok = read(connection, kProgress, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) {
      stored.tables[string_of(cells[3])].progress[key_of(cells)] = {integer_of(cells[4]), string_of(cells[5])};
    });
    if (!ok) return ok;
    ok = read(connection, kMoved, CDCRT_LOCK_NONE,
              [&](const cdcrt_cell* cells) { stored.tables[string_of(cells[0])].key_changes[string_of(cells[1])] = string_of(cells[2]); });
    if (!ok) return ok;
    std::map<std::string, std::map<int64_t, evolution::Column>> columns;
    Result<void> unreadable;
    ok = read(connection, kColumns, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) {
      evolution::Column& column = columns[string_of(cells[0])][integer_of(cells[1])];
      column.source_name = string_of(cells[2]);
      column.target_name = string_of(cells[3]);
      column.type = types::parse_type(string_of(cells[4])).value_or(cdcrt_type{});
      column.key_ordinal = static_cast<uint32_t>(integer_of(cells[5]));
      if (const std::string kept = string_of(cells[6]); !kept.empty()) {
        auto value = types::from_text(kept, stored.defaults);
        if (value) {
          column.default_value = *value;
        } else {
          unreadable = std::move(value.error());
        }
      }
      column.active = integer_of(cells[7]) != 0;
      column.incarnation = static_cast<uint32_t>(integer_of(cells[8]));
      column.last_seen = string_of(cells[9]);
      column.dropped_at = string_of(cells[10]);
      column.type_order = string_of(cells[11]);
    });
    if (!ok) return ok;
    if (!unreadable) return unreadable;
    for (auto& [target, by_slot] : columns) {
      for (auto& [slot, column] : by_slot) stored.tables[target].columns.push_back(std::move(column));
    }
    return {};
  });
  if (!done) return std::move(done.error());
  const std::lock_guard lock(mutex_);
  epochs_ = std::move(epochs);
  return stored;
}

Result<void> Store::claim_new(plugin::Connection& connection, const std::vector<const Partition*>& partitions) {
  std::vector<PartitionKey> missing;
  {
    const std::lock_guard lock(mutex_);
    for (const Partition* partition : partitions) {
      if (!epochs_.contains(key_of(*partition))) missing.push_back(key_of(*partition));
    }
  }
  if (missing.empty()) return {};
  std::map<PartitionKey, int64_t> claimed;
  auto done = in_transaction(connection, [&]() -> Result<void> {
    std::map<PartitionKey, int64_t> stored;
    auto ok = read(connection, kLeases, CDCRT_LOCK_UPDATE, [&](const cdcrt_cell* cells) { stored[key_of(cells)] = integer_of(cells[3]); });
    if (!ok) return ok;
    std::vector<cdcrt_cell> cells;
    for (const PartitionKey& key : missing) {
      const int64_t epoch = stored.contains(key) ? stored[key] + 1 : 1;
      claimed[key] = epoch;
      cells.insert(cells.end(), {text(pipeline_), text(sink_), text(key.source), text(key.topic), integer(key.number), integer(epoch), text(owner_)});
    }
    return write(connection, kLeases, cells);
  });
  if (!done) return done;
  const std::lock_guard lock(mutex_);
  epochs_.merge(claimed);
  return {};
}

Result<void> Store::check(plugin::Connection& connection, const std::vector<const Partition*>& partitions) {
  std::map<PartitionKey, int64_t> current;
  auto done = read(connection, kLeases, CDCRT_LOCK_SHARE, [&](const cdcrt_cell* cells) { current[key_of(cells)] = integer_of(cells[3]); });
  if (!done) return done;
  const std::lock_guard lock(mutex_);
  for (const Partition* partition : partitions) {
    const PartitionKey key = key_of(*partition);
    if (current[key] == epochs_[key]) continue;
    return make_error(CDCRT_FATAL, "another process of pipeline '" + pipeline_ + "' took over " + partition->name(),
                      "run one process per pipeline on this source, or wait for the other to end");
  }
  return {};
}

Result<bool> Store::stands_at(plugin::Connection& connection, const std::string& target, const std::vector<TablePosition>& positions) {
  std::map<PartitionKey, int64_t> stored;
  auto done = read(connection, kProgress, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) {
    if (string_of(cells[3]) == target) stored[key_of(cells)] = integer_of(cells[4]);
  });
  if (!done) return std::move(done.error());
  for (const auto& position : positions) {
    const auto found = stored.find(key_of(*position.partition));
    if (found == stored.end() || found->second != position.next_offset) return false;
  }
  return true;
}

Result<void> Store::save_progress(plugin::Connection& connection, const std::string& target, const std::vector<TablePosition>& positions) {
  std::vector<cdcrt_cell> cells;
  for (const auto& position : positions) {
    cells.insert(cells.end(), {text(pipeline_), text(sink_), text(position.partition->source()), text(position.partition->topic()),
                               integer(position.partition->number()), text(target), integer(position.next_offset), bytes(position.order)});
  }
  return write(connection, kProgress, cells);
}

Result<void> Store::save_table(plugin::Connection& connection, const std::string& target, const std::string& source_table,
                               const std::string& floor, bool key_known) {
  return write(connection, kTables, {text(pipeline_), text(sink_), text(target), text(source_table), bytes(floor), integer(key_known ? 1 : 0)});
}

Result<void> Store::save_columns(plugin::Connection& connection, const std::string& target, const std::vector<evolution::Column>& columns) {
  std::vector<cdcrt_cell> cells;
  std::deque<std::string> storage;
  for (std::size_t slot = 0; slot < columns.size(); ++slot) {
    const auto& column = columns[slot];
    const std::string& type = storage.emplace_back(types::to_string(column.type));
    std::string& default_value = storage.emplace_back();
    if (column.default_value.tag != CDCRT_ABSENT) types::append_text(default_value, column.default_value);
    cells.insert(cells.end(),
                 {text(pipeline_), text(sink_), text(target), integer(static_cast<int64_t>(slot)), text(column.source_name),
                  text(column.target_name), text(type), integer(column.key_ordinal), text(default_value), integer(column.active ? 1 : 0),
                  integer(column.incarnation), bytes(column.last_seen), bytes(column.dropped_at), bytes(column.type_order)});
  }
  return write(connection, kColumns, cells);
}

Result<void> Store::save_key_changes(plugin::Connection& connection, const std::string& target,
                                     const std::map<std::string, std::optional<std::string>>& records) {
  std::vector<cdcrt_cell> kept, settled;
  for (const auto& [key, record] : records) {
    if (record) {
      kept.insert(kept.end(), {text(pipeline_), text(sink_), text(target), bytes(key), text(*record)});
    } else {
      settled.insert(settled.end(), {text(pipeline_), text(sink_), text(target), bytes(key)});
    }
  }
  if (auto written = write(connection, kMoved, settled, CDCRT_WRITE_DELETE); !written) return written;
  return write(connection, kMoved, kept);
}

Result<void> Store::save_watermarks(plugin::Connection& connection, const std::vector<std::pair<const Partition*, int64_t>>& watermarks) {
  std::vector<cdcrt_cell> cells;
  for (const auto& [partition, next] : watermarks) {
    cells.insert(cells.end(), {text(pipeline_), text(sink_), text(partition->source()), text(partition->topic()),
                               integer(partition->number()), integer(next)});
  }
  return write(connection, kWatermarks, cells);
}

}  // namespace cdcrt::progress
