#include "progress/store.hpp"

#include <algorithm>
#include <charconv>
#include <deque>

#include "cdcrt/sdk/status.hpp"
#include "progress/host_tables.hpp"
#include "types/convert.hpp"
#include "types/type.hpp"

namespace cdcrt::progress {
namespace {

constexpr int64_t kFormatVersion = 2;

PartitionKey key_of(const Partition& partition) { return {partition.source(), partition.topic(), partition.number()}; }
void append_key(std::vector<cdcrt_cell>& cells, const Partition& partition) {
  cells.insert(cells.end(), {text(partition.source()), text(partition.topic()), integer(partition.number())});
}

constexpr std::string_view kStates[] = {"active", "paused", "skipped"};

void table_row_into(const cdcrt_cell* cells, StoredTable& table) {
  table.source_table = string_of(cells[1]);
  table.floor = string_of(cells[2]);
  table.key_known = integer_of(cells[3]) != 0;
  table.version = integer_of(cells[4]);
  const auto* const state = std::find(std::begin(kStates), std::end(kStates), string_of(cells[5]));
  table.state = state == std::end(kStates) ? TableState::kActive : static_cast<TableState>(state - std::begin(kStates));
  table.reason = string_of(cells[6]);
}

void open_letter_into(const cdcrt_cell* cells, Store::LettersByKey& letters) {
  letters[string_of(cells[5])].push_back({progress::key_of(cells + 1), integer_of(cells[4])});
}

void sort_letters(Store::LettersByKey& letters) {
  for (auto& [key, all] : letters) std::sort(all.begin(), all.end());
}

Result<evolution::Column> column_of(const cdcrt_cell* cells, event::Arena& arena) {
  evolution::Column column;
  column.source_name = string_of(cells[2]);
  column.target_name = string_of(cells[3]);
  column.type = types::parse_type(string_of(cells[4])).value_or(cdcrt_type{});
  column.key_ordinal = static_cast<uint32_t>(integer_of(cells[5]));
  if (const std::string kept = string_of(cells[6]); !kept.empty()) {
    auto value = types::from_text(kept, arena);
    if (!value) return std::move(value.error());
    column.default_value = *value;
  }
  column.active = integer_of(cells[7]) != 0;
  column.incarnation = static_cast<uint32_t>(integer_of(cells[8]));
  column.last_seen = string_of(cells[9]);
  column.dropped_at = string_of(cells[10]);
  column.type_order = string_of(cells[11]);
  return column;
}

}  // namespace

StoredPartition lease_of(const cdcrt_cell* cells) {
  StoredPartition lease;
  lease.epoch = integer_of(cells[3]);
  lease.owner = string_of(cells[4]);
  lease.waits_for = waits_for_from(string_of(cells[5]));
  return lease;
}

void watermark_into(const cdcrt_cell* cells, StoredPartition& partition) {
  partition.next_offset = integer_of(cells[3]);
  partition.last.offset = cells[4].tag <= CDCRT_NULL ? -1 : integer_of(cells[4]);
  partition.last.timestamp_ms = integer_of(cells[5]);
  partition.last.hash = static_cast<uint64_t>(integer_of(cells[6]));
}

std::string to_text(const WaitsFor& waits_for) {
  std::string text;
  for (const auto& [partition, offset] : waits_for) {
    text += (text.empty() ? "" : " ") + std::to_string(partition) + ":" + std::to_string(offset);
  }
  return text;
}

WaitsFor waits_for_from(const std::string& text) {
  WaitsFor waits_for;
  const char* next = text.data();
  const char* const end = next + text.size();
  while (next < end) {
    int32_t partition = 0;
    int64_t offset = 0;
    next = std::from_chars(next, end, partition).ptr;
    if (next < end) next = std::from_chars(next + 1, end, offset).ptr;
    waits_for[partition] = offset;
    if (next < end) ++next;
  }
  return waits_for;
}

std::string_view to_text(TableState state) { return kStates[static_cast<std::size_t>(state)]; }

constexpr uint8_t kText = CDCRT_TYPE_STRING, kInteger = CDCRT_TYPE_INT64, kBytes = CDCRT_TYPE_BYTES;

const Store::HostTable Store::kFormat{"format", 1, {{"component", kText}, {"format_version", kInteger}}};
const Store::HostTable Store::kLeases{"leases",
                                      5,
                                      {{"pipeline", kText},
                                       {"sink", kText},
                                       {"source", kText},
                                       {"topic", kText},
                                       {"partition", kInteger},
                                       {"epoch", kInteger},
                                       {"owner", kText},
                                       {"waits_for", kText, 2}}};
const Store::HostTable Store::kWatermarks{"watermarks",
                                          5,
                                          {{"pipeline", kText},
                                           {"sink", kText},
                                           {"source", kText},
                                           {"topic", kText},
                                           {"partition", kInteger},
                                           {"next_offset", kInteger},
                                           {"last_offset", kInteger, 2},
                                           {"last_timestamp_ms", kInteger, 2},
                                           {"last_hash", kInteger, 2}}};
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
const Store::HostTable Store::kTables{"tables",
                                      3,
                                      {{"pipeline", kText},
                                       {"sink", kText},
                                       {"target", kText},
                                       {"source_table", kText},
                                       {"floor", kBytes},
                                       {"key_known", kInteger},
                                       {"version", kInteger, 2},
                                       {"state", kText, 2},
                                       {"reason", kText, 2}}};
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
const Store::HostTable Store::kOpenLetters{"open_letters",
                                           8,
                                           {{"pipeline", kText},
                                            {"sink", kText},
                                            {"target", kText},
                                            {"source", kText},
                                            {"topic", kText},
                                            {"partition", kInteger},
                                            {"offset", kInteger},
                                            {"key", kBytes}}};

const Store::HostTable Store::kDeadLetters{"dead_letters", 2, {}};  // its columns are those of letters

const std::vector<const Store::HostTable*> Store::kAlwaysKept = {&kFormat, &kLeases, &kWatermarks, &kProgress, &kTables, &kColumns, &kMoved, &kOpenLetters};

Store::Store(std::string pipeline, std::string sink, std::string schema, bool has_schemas, std::string owner)
    : pipeline_(std::move(pipeline)), sink_(std::move(sink)), schema_(std::move(schema)), owner_(std::move(owner)), has_schemas_(has_schemas) {}

cdcrt_table Store::name_of(const HostTable& table, std::string& storage) const {
  if (has_schemas_) return {sdk::borrow(schema_), sdk::borrow(table.name)};
  storage = schema_ + "_" + table.name;
  return {{nullptr, 0}, sdk::borrow(storage)};
}

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

Result<void> Store::read(plugin::Connection& connection, const HostTable& table, cdcrt_lock lock, const Visit& visit,
                         const std::vector<cdcrt_cell>& keys, uint32_t key_columns) {
  const auto columns = columns_of(table.columns, table.key_count);
  std::vector<cdcrt_cell> all{text(pipeline_), text(sink_)};
  if (key_columns > 0) {
    if (keys.empty()) return {};
    all.clear();
    for (std::size_t first = 0; first < keys.size(); first += key_columns) {
      all.insert(all.end(), {text(pipeline_), text(sink_)});
      all.insert(all.end(), keys.begin() + static_cast<std::ptrdiff_t>(first), keys.begin() + static_cast<std::ptrdiff_t>(first + key_columns));
    }
  }
  std::string storage;
  cdcrt_read read{};
  read.size = sizeof read;
  read.lock = static_cast<uint32_t>(lock);
  read.table = name_of(table, storage);
  read.columns = columns.data();
  read.column_count = static_cast<uint32_t>(columns.size());
  read.key_count = 2 + key_columns;
  read.keys = all.data();
  read.key_rows = all.size() / read.key_count;
  read.visit = [](void* context, const cdcrt_cell* row) {
    (*static_cast<const Visit*>(context))(row + 2);
    return 0;
  };
  read.context = const_cast<Visit*>(&visit);
  return connection.read(read);
}

Result<void> Store::create(plugin::Connection& connection, const HostTable& table) {
  std::string storage;
  const cdcrt_table name = name_of(table, storage);
  auto description = connection.describe(name);
  if (!description) return std::move(description.error());
  if (description->get().exists != 0) return {};
  const auto columns = columns_of(table.columns, table.key_count);
  cdcrt_change change{};
  change.kind = CDCRT_CREATE_TABLE;
  change.columns = columns.data();
  change.column_count = static_cast<uint32_t>(columns.size());
  return in_transaction(connection, [&] { return connection.change(name, {change}); });
}

Result<int64_t> Store::format_version(plugin::Connection& connection, cdcrt_lock lock) {
  const auto columns = columns_of(kFormat.columns, kFormat.key_count);
  const cdcrt_cell component = text("progress");
  std::string storage;
  int64_t version = 0;
  cdcrt_read read{};
  read.size = sizeof read;
  read.lock = static_cast<uint32_t>(lock);
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
  if (auto done = connection.read(read); !done) return std::move(done.error());
  return version;
}

// Columns that a newer format has and an older one lacks.
Result<void> Store::bring_forward(plugin::Connection& connection) {
  for (const HostTable* table : kAlwaysKept) {
    std::string storage;
    const cdcrt_table name = name_of(*table, storage);
    const auto columns = columns_of(table->columns, table->key_count);
    std::vector<cdcrt_change> changes;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (table->columns[i].since == 1) continue;
      cdcrt_change change{};
      change.kind = CDCRT_ADD_COLUMN;
      change.columns = &columns[i];
      change.column_count = 1;
      changes.push_back(change);
    }
    if (changes.empty()) continue;
    if (auto changed = connection.change(name, changes); !changed) return changed;
  }
  return {};
}

int64_t Store::own_version() { return kFormatVersion; }

Result<int64_t> Store::kept_version(plugin::Connection& connection) {
  std::string storage;
  auto description = connection.describe(name_of(kFormat, storage));
  if (!description) return std::move(description.error());
  return description->get().exists == 0 ? Result<int64_t>(0) : format_version(connection, CDCRT_LOCK_NONE);
}

Result<void> Store::prepare(plugin::Connection& connection) {
  for (const HostTable* table : kAlwaysKept) {
    if (auto created = create(connection, *table); !created) return created;
  }
  return in_transaction(connection, [&]() -> Result<void> {
    auto version = format_version(connection, CDCRT_LOCK_NONE);
    if (!version) return std::move(version.error());
    if (*version > kFormatVersion) {
      return make_error(CDCRT_UNSUPPORTED,
                        "the progress in '" + schema_ + "' has format_version " + std::to_string(*version) + ", this cdcrt knows " +
                            std::to_string(kFormatVersion),
                        "run the newer cdcrt, or use another progress_schema");
    }
    if (*version == kFormatVersion) return {};
    if (*version > 0) {
      if (auto done = bring_forward(connection); !done) return done;
    }
    return write(connection, kFormat, {text("progress"), integer(kFormatVersion)});
  });
}

Result<void> Store::read_kept(plugin::Connection& connection, Stored& stored) {
  auto ok = read(connection, kLeases, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { stored.partitions[key_of(cells)] = lease_of(cells); });
  if (!ok) return ok;
  ok = read(connection, kWatermarks, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { watermark_into(cells, stored.partitions[key_of(cells)]); });
  if (!ok) return ok;
  ok = read(connection, kTables, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { table_row_into(cells, stored.tables[string_of(cells[0])]); });
  if (!ok) return ok;
  ok = read(connection, kProgress, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) {
    stored.tables[string_of(cells[3])].progress[key_of(cells)] = {integer_of(cells[4]), string_of(cells[5])};
  });
  if (!ok) return ok;
  ok = read(connection, kMoved, CDCRT_LOCK_NONE,
            [&](const cdcrt_cell* cells) { stored.tables[string_of(cells[0])].key_changes[string_of(cells[1])] = string_of(cells[2]); });
  if (!ok) return ok;
  ok = read(connection, kOpenLetters, CDCRT_LOCK_NONE,
            [&](const cdcrt_cell* cells) { open_letter_into(cells, stored.tables[string_of(cells[0])].open_letters); });
  if (!ok) return ok;
  for (auto& [target, table] : stored.tables) sort_letters(table.open_letters);
  std::map<std::string, std::map<int64_t, evolution::Column>> columns;
  Result<void> unreadable;
  ok = read(connection, kColumns, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) {
    auto column = column_of(cells, stored.defaults);
    if (!column) {
      unreadable = std::move(column.error());
      return;
    }
    columns[string_of(cells[0])][integer_of(cells[1])] = std::move(*column);
  });
  if (!ok) return ok;
  if (!unreadable) return unreadable;
  for (auto& [target, by_slot] : columns) {
    for (auto& [slot, column] : by_slot) stored.tables[target].columns.push_back(std::move(column));
  }
  return {};
}

Result<Stored> Store::read_all(plugin::Connection& connection) {
  Stored stored;
  auto done = in_transaction(connection, [&] { return read_kept(connection, stored); });
  if (!done) return std::move(done.error());
  return stored;
}

Result<void> Store::lock_creation(plugin::Connection& connection) {
  auto version = format_version(connection, CDCRT_LOCK_UPDATE);
  if (!version) return std::move(version.error());
  return {};
}

Result<void> Store::save_lease(plugin::Connection& connection, const PartitionKey& key, const StoredPartition& lease) {
  const std::string waits_for = to_text(lease.waits_for);
  std::vector<cdcrt_cell> cells{text(pipeline_), text(sink_)};
  append_key(cells, key);
  cells.insert(cells.end(), {integer(lease.epoch), text(lease.owner), text(waits_for)});
  return write(connection, kLeases, cells);
}

Result<Stored> Store::claim(plugin::Connection& connection, const std::vector<PartitionKey>& wanted, const std::vector<Origin>& fresh) {
  Stored stored;
  std::map<PartitionKey, int64_t> epochs;
  auto done = in_transaction(connection, [&]() -> Result<void> {
    // Two processes that meet the same new topic give it one start.
    if (!fresh.empty()) {
      if (auto locked = lock_creation(connection); !locked) return locked;
    }
    std::map<PartitionKey, StoredPartition> leases;
    std::vector<cdcrt_cell> keys;
    for (const auto& key : wanted) append_key(keys, key);
    for (const auto& origin : fresh) append_key(keys, origin.key);
    auto ok = read(connection, kLeases, CDCRT_LOCK_UPDATE, [&](const cdcrt_cell* cells) { leases[key_of(cells)] = lease_of(cells); }, keys, 3);
    if (!ok) return ok;
    const auto is_known = [&, known = leases](const PartitionKey& fresh_key) {
      return std::any_of(known.begin(), known.end(), [&](const auto& each) { return each.first.source == fresh_key.source && each.first.topic == fresh_key.topic; });
    };
    for (const auto& origin : fresh) {
      if (leases.contains(origin.key)) continue;
      // It may have been added since the other looked, and then has to wait for the older ones.
      if (origin.is_first && is_known(origin.key)) return make_error(CDCRT_RETRY, "another process met topic '" + origin.key.topic + "' at the same time");
      StoredPartition& lease = leases[origin.key];
      lease.waits_for = origin.waits_for;
      if (auto saved = save_lease(connection, origin.key, lease); !saved) return saved;
      std::vector<cdcrt_cell> cells{text(pipeline_), text(sink_)};
      append_key(cells, origin.key);
      cells.insert(cells.end(), {integer(origin.offset), types::null_cell(), types::null_cell(), types::null_cell()});
      if (auto saved = write(connection, kWatermarks, cells); !saved) return saved;
    }
    for (const auto& key : wanted) {
      StoredPartition& lease = leases[key];
      lease.owner = owner_;
      epochs[key] = ++lease.epoch;
      if (auto saved = save_lease(connection, key, lease); !saved) return saved;
    }
    return read_kept(connection, stored);
  });
  if (!done) return std::move(done.error());
  const std::lock_guard lock(mutex_);
  for (const auto& [key, epoch] : epochs) epochs_[key] = epoch;
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
    if (auto locked = lock_creation(connection); !locked) return locked;
    std::map<PartitionKey, StoredPartition> leases;
    std::vector<cdcrt_cell> keys;
    for (const auto& key : missing) append_key(keys, key);
    auto ok = read(connection, kLeases, CDCRT_LOCK_UPDATE, [&](const cdcrt_cell* cells) { leases[key_of(cells)] = lease_of(cells); }, keys, 3);
    if (!ok) return ok;
    for (const PartitionKey& key : missing) {
      StoredPartition& lease = leases[key];
      lease.owner = owner_;
      claimed[key] = ++lease.epoch;
      if (auto saved = save_lease(connection, key, lease); !saved) return saved;
    }
    return {};
  });
  if (!done) return done;
  const std::lock_guard lock(mutex_);
  epochs_.merge(claimed);
  return {};
}

Result<std::vector<const Partition*>> Store::reclaim(plugin::Connection& connection, const std::vector<const Partition*>& partitions) {
  std::vector<const Partition*> gone;
  std::map<PartitionKey, int64_t> raised;
  auto done = in_transaction(connection, [&]() -> Result<void> {
    std::map<PartitionKey, StoredPartition> leases;
    std::vector<cdcrt_cell> keys;
    for (const Partition* partition : partitions) append_key(keys, *partition);
    auto ok = read(connection, kLeases, CDCRT_LOCK_UPDATE, [&](const cdcrt_cell* cells) { leases[key_of(cells)] = lease_of(cells); }, keys, 3);
    if (!ok) return ok;
    for (const Partition* partition : partitions) {
      const PartitionKey key = key_of(*partition);
      StoredPartition& lease = leases[key];
      {
        const std::lock_guard lock(mutex_);
        const auto held = epochs_.find(key);
        if (held == epochs_.end() || held->second != lease.epoch || lease.owner != owner_) {
          gone.push_back(partition);
          continue;
        }
      }
      raised[key] = ++lease.epoch;
      if (auto saved = save_lease(connection, key, lease); !saved) return saved;
    }
    return {};
  });
  if (!done) return std::move(done.error());
  const std::lock_guard lock(mutex_);
  for (const auto& [key, epoch] : raised) epochs_[key] = epoch;
  return gone;
}

Result<void> Store::save_waits_for(plugin::Connection& connection, const PartitionKey& key, const WaitsFor& waits_for) {
  return in_transaction(connection, [&]() -> Result<void> {
    std::vector<cdcrt_cell> keys;
    append_key(keys, key);
    StoredPartition lease;
    auto ok = read(connection, kLeases, CDCRT_LOCK_UPDATE, [&](const cdcrt_cell* cells) { lease = lease_of(cells); }, keys, 3);
    if (!ok) return ok;
    lease.waits_for = waits_for;
    return save_lease(connection, key, lease);
  });
}

Result<std::vector<const Partition*>> Store::check(plugin::Connection& connection, const std::vector<const Partition*>& partitions) {
  std::map<PartitionKey, StoredPartition> current;
  std::vector<cdcrt_cell> keys;
  for (const Partition* partition : partitions) append_key(keys, *partition);
  auto done = read(connection, kLeases, CDCRT_LOCK_SHARE, [&](const cdcrt_cell* cells) { current[key_of(cells)] = lease_of(cells); }, keys, 3);
  if (!done) return std::move(done.error());
  std::vector<const Partition*> gone;
  const std::lock_guard lock(mutex_);
  for (const Partition* partition : partitions) {
    const PartitionKey key = key_of(*partition);
    const auto held = epochs_.find(key);
    const auto lease = current.find(key);
    const bool ours = held != epochs_.end() && lease != current.end() && lease->second.epoch == held->second && lease->second.owner == owner_;
    if (!ours) gone.push_back(partition);
  }
  return gone;
}

void Store::forget(const Partition& partition) {
  const std::lock_guard lock(mutex_);
  epochs_.erase(key_of(partition));
}

Result<std::map<std::string, StoredTable>> Store::lock_tables(plugin::Connection& connection, const std::vector<std::string>& targets,
                                                              cdcrt_lock lock) {
  std::map<std::string, StoredTable> tables;
  std::vector<cdcrt_cell> keys;
  for (const auto& target : targets) keys.push_back(text(target));
  auto done = read(connection, kTables, lock, [&](const cdcrt_cell* cells) { table_row_into(cells, tables[string_of(cells[0])]); }, keys, 1);
  if (!done) return std::move(done.error());
  return tables;
}

Result<void> Store::read_table(plugin::Connection& connection, const std::string& target, StoredTable& table, event::Arena& arena) {
  const std::vector<cdcrt_cell> key{text(target)};
  table.columns.clear();
  table.key_changes.clear();
  table.progress.clear();
  table.open_letters.clear();
  std::map<int64_t, evolution::Column> columns;
  Result<void> unreadable;
  auto ok = read(connection, kColumns, CDCRT_LOCK_NONE,
                 [&](const cdcrt_cell* cells) {
                   auto column = column_of(cells, arena);
                   if (column) columns[integer_of(cells[1])] = std::move(*column);
                   if (!column) unreadable = std::move(column.error());
                 },
                 key, 1);
  if (!ok) return ok;
  if (!unreadable) return unreadable;
  for (auto& [slot, column] : columns) table.columns.push_back(std::move(column));
  ok = read(connection, kMoved, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { table.key_changes[string_of(cells[1])] = string_of(cells[2]); }, key, 1);
  if (!ok) return ok;
  ok = read(connection, kOpenLetters, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { open_letter_into(cells, table.open_letters); }, key, 1);
  if (!ok) return ok;
  sort_letters(table.open_letters);
  return read(connection, kProgress, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) {
    if (string_of(cells[3]) == target) table.progress[key_of(cells)] = {integer_of(cells[4]), string_of(cells[5])};
  });
}

Result<bool> Store::stands_at(plugin::Connection& connection, const std::string& target, const std::vector<TablePosition>& positions) {
  std::map<PartitionKey, int64_t> stored;
  std::vector<cdcrt_cell> keys;
  for (const auto& position : positions) {
    append_key(keys, *position.partition);
    keys.push_back(text(target));
  }
  auto done = read(connection, kProgress, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { stored[key_of(cells)] = integer_of(cells[4]); }, keys, 4);
  if (!done) return std::move(done.error());
  for (const auto& position : positions) {
    const auto found = stored.find(key_of(*position.partition));
    if (found == stored.end() || found->second != position.next_offset) return false;
  }
  return true;
}

Result<void> Store::write_positions(plugin::Connection& connection, const std::string& target,
                                    const std::map<PartitionKey, StoredTable::Position>& positions) {
  std::vector<cdcrt_cell> cells;
  for (const auto& [key, position] : positions) {
    cells.insert(cells.end(), {text(pipeline_), text(sink_)});
    append_key(cells, key);
    cells.insert(cells.end(), {text(target), integer(position.next_offset), bytes(position.order)});
  }
  return write(connection, kProgress, cells);
}

Result<void> Store::save_progress(plugin::Connection& connection, const std::string& target, const std::vector<TablePosition>& positions) {
  std::map<PartitionKey, StoredTable::Position> by_key;
  for (const auto& position : positions) by_key[key_of(*position.partition)] = {position.next_offset, position.order};
  return write_positions(connection, target, by_key);
}

Result<void> Store::save_table(plugin::Connection& connection, const std::string& target, const StoredTable& table) {
  return write(connection, kTables,
               {text(pipeline_), text(sink_), text(target), text(table.source_table), bytes(table.floor), integer(table.key_known ? 1 : 0),
                integer(table.version), text(to_text(table.state)), text(table.reason)});
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

Result<void> Store::save_watermarks(plugin::Connection& connection, const std::vector<Watermark>& watermarks) {
  std::vector<cdcrt_cell> cells;
  for (const auto& [partition, next, last, session] : watermarks) {
    cells.insert(cells.end(), {text(pipeline_), text(sink_)});
    append_key(cells, *partition);
    cells.push_back(integer(next));
    if (last.offset < 0) {
      cells.insert(cells.end(), 3, types::null_cell());
    } else {
      cells.insert(cells.end(), {integer(last.offset), integer(last.timestamp_ms), integer(static_cast<int64_t>(last.hash))});
    }
  }
  return write(connection, kWatermarks, cells);
}

Result<void> Store::lower_watermarks(plugin::Connection& connection, const std::map<PartitionKey, int64_t>& places) {
  if (places.empty()) return {};
  std::vector<cdcrt_cell> keys, cells;
  for (const auto& [key, next] : places) append_key(keys, key);
  std::map<PartitionKey, StoredPartition> kept;
  auto ok = read(connection, kWatermarks, CDCRT_LOCK_NONE, [&](const cdcrt_cell* row) { watermark_into(row, kept[key_of(row)]); }, keys, 3);
  if (!ok) return ok;
  for (const auto& [key, watermark] : kept) {
    const int64_t next = places.at(key);
    if (next >= watermark.next_offset) continue;
    cells.insert(cells.end(), {text(pipeline_), text(sink_)});
    append_key(cells, key);
    cells.push_back(integer(next));
    if (watermark.last.offset < 0) {
      cells.insert(cells.end(), 3, types::null_cell());
    } else {
      cells.insert(cells.end(), {integer(watermark.last.offset), integer(watermark.last.timestamp_ms), integer(static_cast<int64_t>(watermark.last.hash))});
    }
  }
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, next] : places) lowered_.insert(key);
  }
  return write(connection, kWatermarks, cells);
}

bool Store::take_lowered(const Partition& partition) {
  const std::lock_guard lock(mutex_);
  return lowered_.erase(key_of(partition)) > 0;
}

Result<void> Store::send_others_back(plugin::Connection& connection, const std::string& target, const std::string& floor,
                                     const std::vector<const Partition*>& own) {
  StoredTable table;
  event::Arena arena{1 << 10};
  if (auto done = read_table(connection, target, table, arena); !done) return done;
  std::set<PartitionKey> kept;
  for (const Partition* partition : own) kept.insert(key_of(*partition));
  std::map<PartitionKey, int64_t> places;
  for (const auto& [key, position] : table.progress) {
    if (!kept.contains(key) && position.order > floor) places[key] = 0;
  }
  return send_back(connection, {places, {{target, places}}});
}

}  // namespace cdcrt::progress
