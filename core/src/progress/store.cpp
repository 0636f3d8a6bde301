#include "progress/store.hpp"

#include "cdcrt/sdk/status.hpp"
#include "progress/host_tables.hpp"

namespace cdcrt::progress {
namespace {

constexpr int64_t kFormatVersion = 4;

}  // namespace

Store::Store(std::string pipeline, std::string sink, std::string schema, uint32_t capabilities, std::string owner)
    : pipeline_(std::move(pipeline)),
      sink_(std::move(sink)),
      schema_(std::move(schema)),
      owner_(std::move(owner)),
      has_schemas_((capabilities & CDCRT_SINK_SCHEMAS) != 0),
      locks_tables_((capabilities & CDCRT_SINK_TABLE_LOCKS) != 0) {}

cdcrt_table Store::name_of(const HostTable& table, std::string& storage) const {
  if (has_schemas_) return {sdk::borrow(schema_), sdk::borrow(table.name)};
  storage = schema_ + "_" + table.name;
  return {{nullptr, 0}, sdk::borrow(storage)};
}

Result<void> in_transaction(plugin::Connection& connection, const std::function<Result<void>()>& body) {
  if (auto begun = connection.begin(); !begun) return begun;
  if (auto done = body(); !done) {
    (void)connection.rollback();
    return done;
  }
  return connection.commit();
}

Result<void> in_reading_transaction(plugin::Connection& connection, const std::function<Result<void>()>& body) {
  if (auto begun = connection.begin(); !begun) return begun;
  auto done = body();
  auto ended = connection.rollback();
  return done ? std::move(ended) : std::move(done);
}

Result<void> Store::write(plugin::Connection& connection, const HostTable& table, const std::vector<cdcrt_cell>& cells, cdcrt_write_kind kind,
                          bool is_direct) {
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
  write.is_direct = is_direct ? 1 : 0;
  return connection.write(write);
}

Result<void> Store::read(plugin::Connection& connection, const HostTable& table, cdcrt_lock lock, const Visit& visit,
                         const std::vector<cdcrt_cell>& keys, uint32_t key_columns, uint64_t max_rows) {
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
  read.max_rows = max_rows;
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
Result<void> Store::bring_forward(plugin::Connection& connection, int64_t version) {
  for (const HostTable* table : kAlwaysKept) {
    std::string storage;
    const cdcrt_table name = name_of(*table, storage);
    const auto columns = columns_of(table->columns, table->key_count);
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
  std::vector<const HostTable*> tables = kAlwaysKept;
  if (locks_tables_) tables.insert(tables.end(), {&kClaims, &kHolds});
  if (abandoned_) tables.push_back(&kProcesses);
  for (const HostTable* table : tables) {
    if (auto created = create(connection, table == &kMoved ? moved() : *table); !created) return created;
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
      if (auto done = bring_forward(connection, *version); !done) return done;
      if (*version < 3) {
        if (auto done = bring_letters_forward(connection); !done) return done;
      }
    }
    return write(connection, kFormat, {text("progress"), integer(kFormatVersion)});
  });
}

Result<void> Store::read_kept(plugin::Connection& connection, Stored& stored, bool with_letters) {
  auto ok = read_holders(connection, stored);
  if (!ok) return ok;
  ok = read(connection, kWatermarks, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { watermark_into(cells, stored.partitions[key_of(cells)]); });
  if (!ok) return ok;
  ok = read(connection, kTables, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { table_row_into(cells, stored.tables[string_of(cells[0])]); });
  if (!ok) return ok;
  if (ok = read_progress(connection, stored); !ok) return ok;
  ok = read(connection, moved(), CDCRT_LOCK_NONE,
            [&](const cdcrt_cell* cells) { stored.tables[string_of(cells[0])].key_changes[string_of(cells[1])] = string_of(cells[2]); });
  if (!ok) return ok;
  bool any = false;
  ok = read(connection, kOpenLetters, CDCRT_LOCK_NONE,
            [&](const cdcrt_cell* cells) {
              any = true;
              if (with_letters) open_letter_into(cells, stored.tables[string_of(cells[0])].open_letters);
            },
            {}, 0, with_letters ? 0 : 1);
  if (!ok) return ok;
  for (auto& [target, table] : stored.tables) {
    sort_letters(table.open_letters);
    table.has_no_letters = !any;
  }
  if (ok = read_troubles(connection, stored); !ok) return ok;
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

Result<void> Store::read_holders(plugin::Connection& connection, Stored& stored) {
  auto ok = read(connection, kLeases, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { stored.partitions[key_of(cells)] = lease_of(cells); });
  if (!ok || !abandoned_) return ok;
  return read(connection, kProcesses, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { stored.processes.insert(string_of(cells[0])); });
}

Result<void> Store::read_progress(plugin::Connection& connection, Stored& stored) {
  const auto visit = [&](const cdcrt_cell* cells) {
    stored.tables[string_of(cells[3])].progress[key_of(cells)] = {integer_of(cells[4]), string_of(cells[5])};
  };
  if (!locks_tables_) return read(connection, kProgress, CDCRT_LOCK_NONE, visit);
  auto targets = held_targets(connection);
  if (!targets) return std::move(targets.error());
  for (const auto& target : *targets) {
    if (auto ok = read(connection, progress_of(target), CDCRT_LOCK_NONE, visit); !ok) return ok;
  }
  return {};
}

Result<Stored> Store::read_all(plugin::Connection& connection, bool with_letters) {
  Stored stored;
  auto done = in_reading_transaction(connection, [&] { return read_kept(connection, stored, with_letters); });
  if (!done) return std::move(done.error());
  return stored;
}

}  // namespace cdcrt::progress
