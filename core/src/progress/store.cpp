#include "progress/store.hpp"

#include "cdcrt/sdk/status.hpp"
#include "progress/host_tables.hpp"

namespace cdcrt::progress {
namespace {

// What a server is asked in one statement.
constexpr std::size_t kReadsAtOnce = 200;
constexpr int64_t kFormatVersion = 4;

}  // namespace

Store::Store(std::string pipeline, std::string sink, std::string schema, uint32_t capabilities, std::string owner,
             const cdcrt_limits& limits)
    : pipeline_(std::move(pipeline)),
      sink_(std::move(sink)),
      schema_(std::move(schema)),
      owner_(std::move(owner)),
      has_schemas_((capabilities & CDCRT_SINK_SCHEMAS) != 0),
      locks_tables_((capabilities & CDCRT_SINK_TABLE_LOCKS) != 0),
      commits_serially_(limits.bookkeeping_ms != 0),
      limits_(limits) {}

cdcrt_table Store::name_of(const HostTable& table, std::string& storage) const {
  return own_table(table.name, storage);
}

cdcrt_table Store::own_table(std::string_view name, std::string& storage) const {
  if (has_schemas_) return {sdk::borrow(schema_), sdk::borrow(name)};
  storage = own_name(name);
  return {{nullptr, 0}, sdk::borrow(storage)};
}

std::string Store::own_name(std::string_view name) const { return schema_ + (has_schemas_ ? "." : "_") + std::string(name); }

Result<void> in_transaction(plugin::Connection& connection, const std::function<Result<void>()>& body) {
  if (auto begun = connection.begin(); !begun) return begun;
  if (auto done = body(); !done) {
    (void)connection.rollback();
    return done;
  }
  auto committed = connection.commit();
  if (!committed) (void)connection.rollback();  // one that a lock kept from ending is still open
  return committed;
}

Result<void> in_reading_transaction(plugin::Connection& connection, const std::function<Result<void>()>& body) {
  if (auto begun = connection.begin(); !begun) return begun;
  auto done = body();
  auto ended = connection.rollback();
  return done ? std::move(ended) : std::move(done);
}

Result<void> Store::in_one_look(plugin::Connection& connection, const std::function<Result<void>()>& body) {
  return locks_tables_ ? body() : in_reading_transaction(connection, body);
}

Result<void> Store::write(plugin::Connection& connection, const HostTable& table, const std::vector<cdcrt_cell>& cells, cdcrt_write_kind kind,
                          bool is_direct) {
  if (cells.empty()) return {};
  auto columns = columns_of(table.columns, table.key_count, table.is_large);
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
  Reads one(*this);
  one.add(table, visit, keys, key_columns, max_rows);
  if (one.reads_.empty()) return {};
  cdcrt_read& read = one.reads_.front().read;
  read.lock = static_cast<uint32_t>(lock);
  return connection.read(read);
}

void Store::Reads::add(const HostTable& table, Visit visit, const std::vector<cdcrt_cell>& keys, uint32_t key_columns, uint64_t max_rows) {
  if (key_columns > 0 && keys.empty()) return;
  One& one = reads_.emplace_back();
  one.table = table;
  one.columns = columns_of(one.table.columns, table.key_count, table.is_large);
  one.visit = std::move(visit);
  if (key_columns == 0) one.keys = {text(store_.pipeline_), text(store_.sink_)};
  for (std::size_t first = 0; key_columns > 0 && first < keys.size(); first += key_columns) {
    one.keys.insert(one.keys.end(), {text(store_.pipeline_), text(store_.sink_)});
    one.keys.insert(one.keys.end(), keys.begin() + static_cast<std::ptrdiff_t>(first), keys.begin() + static_cast<std::ptrdiff_t>(first + key_columns));
  }
  cdcrt_read& read = one.read;
  read.size = sizeof read;
  read.lock = CDCRT_LOCK_NONE;
  read.table = store_.name_of(one.table, one.storage);
  read.columns = one.columns.data();
  read.column_count = static_cast<uint32_t>(one.columns.size());
  read.key_count = 2 + key_columns;
  read.keys = one.keys.data();
  read.key_rows = one.keys.size() / read.key_count;
  read.visit = [](void* context, const cdcrt_cell* row) {
    (*static_cast<const Visit*>(context))(row + 2);
    return 0;
  };
  read.context = &one.visit;
  read.max_rows = max_rows;
}

Result<void> Store::Reads::run(plugin::Connection& connection) {
  std::vector<cdcrt_read> reads;
  for (auto one = reads_.begin(); one != reads_.end();) {
    reads.push_back(one->read);
    if (++one != reads_.end() && reads.size() < kReadsAtOnce) continue;
    if (auto done = connection.read_together(reads); !done) return done;
    reads.clear();
  }
  return {};
}

Result<void> Store::create(plugin::Connection& connection, const HostTable& table) {
  std::string storage;
  const cdcrt_table name = name_of(table, storage);
  const auto columns = columns_of(table.columns, table.key_count, table.is_large);
  cdcrt_change change{};
  change.kind = CDCRT_CREATE_TABLE;
  change.columns = columns.data();
  change.column_count = static_cast<uint32_t>(columns.size());
  return connection.change(name, {change});
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
    const auto columns = columns_of(table->columns, table->key_count, table->is_large);
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
  std::vector<std::string> storage(tables.size());
  std::vector<cdcrt_table> names;
  for (std::size_t i = 0; i < tables.size(); ++i) names.push_back(name_of(*tables[i], storage[i]));
  if (auto expected = connection.expect(names, true); !expected) return expected;
  std::vector<const HostTable*> missing;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    auto description = connection.describe(names[i]);
    if (!description) return std::move(description.error());
    if (description->get().exists == 0) missing.push_back(tables[i]);
  }
  // Where commits wait for one another, all in one transaction.
  const auto create_all = [&]() -> Result<void> {
    for (const HostTable* table : missing) {
      const auto make = [&] { return create(connection, table == &kMoved ? moved() : *table); };
      if (auto created = commits_serially_ ? make() : in_transaction(connection, make); !created) return created;
    }
    return {};
  };
  if (auto created = commits_serially_ && !missing.empty() ? in_transaction(connection, create_all) : create_all(); !created) return created;
  // Mostly there is nothing to do, and nothing to commit.
  bool is_current = false;
  auto done = in_one_look(connection, [&]() -> Result<void> {
    auto version = format_version(connection, CDCRT_LOCK_NONE);
    if (!version) return std::move(version.error());
    is_current = *version == kFormatVersion;
    return {};
  });
  if (!done || is_current) return done;
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
      if (auto brought = bring_forward(connection, *version); !brought) return brought;
      if (*version < 3) {
        if (auto brought = bring_letters_forward(connection); !brought) return brought;
      }
    }
    return write(connection, kFormat, {text("progress"), integer(kFormatVersion)});
  });
}

Result<void> Store::read_kept(plugin::Connection& connection, Stored& stored, const Extent& extent) {
  const bool with_letters = extent.letters;
  Reads reads(*this);
  add_holders(reads, stored);
  reads.add(kWatermarks, [&](const cdcrt_cell* cells) { watermark_into(cells, stored.partitions[key_of(cells)]); });
  reads.add(kTables, [&](const cdcrt_cell* cells) { table_row_into(cells, stored.tables[string_of(cells[0])]); });
  reads.add(moved(), [&](const cdcrt_cell* cells) { stored.tables[string_of(cells[0])].key_changes[string_of(cells[1])] = string_of(cells[2]); });
  bool any = false;
  reads.add(kOpenLetters,
            [&](const cdcrt_cell* cells) {
              any = true;
              if (with_letters) open_letter_into(cells, stored.tables[string_of(cells[0])].open_dead_letters);
            },
            {}, 0, with_letters ? 0 : 1);
  reads.add(kTroubles, [&](const cdcrt_cell* cells) { trouble_into(cells, stored); });
  std::map<std::string, std::map<int64_t, evolution::Column>> columns;
  Result<void> unreadable;
  reads.add(kColumns, [&](const cdcrt_cell* cells) {
    auto column = column_of(cells, stored.defaults);
    if (!column) {
      unreadable = std::move(column.error());
      return;
    }
    columns[string_of(cells[0])][integer_of(cells[1])] = std::move(*column);
  });
  std::set<std::string> held;
  if (locks_tables_) reads.add(kHolds, [&](const cdcrt_cell* cells) { held.insert(string_of(cells[0])); });
  if (auto done = reads.run(connection); !done) return done;
  if (!unreadable) return unreadable;
  if (extent.progress) {
    if (auto done = read_progress(connection, held, stored); !done) return done;
  } else {
    const std::lock_guard guard(mutex_);
    prepared_.insert(held.begin(), held.end());
  }
  for (auto& [target, table] : stored.tables) {
    sort_letters(table.open_dead_letters);
    table.has_no_letters = !any;
  }
  for (auto& [target, by_slot] : columns) {
    for (auto& [slot, column] : by_slot) stored.tables[target].columns.push_back(std::move(column));
  }
  return {};
}

void Store::add_holders(Reads& reads, Stored& stored) const {
  reads.add(kLeases, [&stored](const cdcrt_cell* cells) {
    StoredPartition& partition = stored.partitions[key_of(cells)];
    StoredPartition lease = lease_of(cells);
    partition.epoch = lease.epoch;
    partition.owner = std::move(lease.owner);
    partition.waits_for = std::move(lease.waits_for);
  });
  if (abandoned_) reads.add(kProcesses, [&stored](const cdcrt_cell* cells) { stored.processes.insert(string_of(cells[0])); });
}

Result<void> Store::read_holders(plugin::Connection& connection, Stored& stored) {
  Reads reads(*this);
  add_holders(reads, stored);
  return reads.run(connection);
}

Result<void> Store::read_progress(plugin::Connection& connection, const std::set<std::string>& held, Stored& stored) {
  const auto visit = [&](const cdcrt_cell* cells) {
    stored.tables[string_of(cells[3])].progress[key_of(cells)] = {integer_of(cells[4]), string_of(cells[5])};
  };
  if (!locks_tables_) return read(connection, kProgress, CDCRT_LOCK_NONE, visit);
  Reads reads(*this);
  for (const auto& target : held) reads.add(progress_of(target), visit);
  if (auto done = reads.run(connection); !done) return done;
  const std::lock_guard guard(mutex_);
  prepared_.insert(held.begin(), held.end());
  return {};
}

Result<Stored> Store::read_all(plugin::Connection& connection, bool with_letters) {
  Stored stored;
  auto done = in_reading_transaction(connection, [&] { return read_kept(connection, stored, {with_letters, true}); });
  if (!done) return std::move(done.error());
  return stored;
}

Result<Stored> Store::read_before_claims(plugin::Connection& connection) {
  Stored stored;
  auto done = in_one_look(connection, [&] { return read_kept(connection, stored, {false, false}); });
  if (!done) return std::move(done.error());
  return stored;
}

}  // namespace cdcrt::progress
