#include "progress/store.hpp"

#include "progress/migration.hpp"
#include "progress/table_rows.hpp"

namespace cdcrt::progress {

Store::Store(std::string pipeline, std::string sink, std::string schema, uint32_t capabilities, std::string owner,
             const cdcrt_limits& limits)
    : StoreParts(std::move(pipeline), std::move(sink), std::move(schema), capabilities), ProcessList(tables_, *protocol_, std::move(owner)),
      DeadLetterStore(tables_, *protocol_), RowOrderStore(tables_), commits_serially_(limits.bookkeeping_ms != 0), limits_(limits),
      key_changes_(limits.text_bytes != 0) {}

int64_t Store::own_version() { return kFormatVersion; }

Result<int64_t> Store::kept_version(plugin::Connection& connection) { return progress::kept_version(connection, tables_); }

Result<void> Store::prepare(plugin::Connection& connection) {
  std::vector<const HostTable*> tables = tables_of_every_target(key_changes_);
  const auto own = protocol_->own_tables();
  tables.insert(tables.end(), own.begin(), own.end());
  if (is_kept()) tables.push_back(&kProcesses);
  std::vector<std::string> storage(tables.size());
  std::vector<cdcrt_table> names;
  for (std::size_t i = 0; i < tables.size(); ++i) names.push_back(tables_.name_of(tables[i]->name, storage[i]));
  if (auto expected = connection.expect(names, true); !expected) return expected;
  std::vector<const HostTable*> missing;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    auto description = connection.describe(names[i]);
    if (!description) return std::move(description.error());
    if (description->get().exists == 0) missing.push_back(tables[i]);
  }
  // A table that is missing may have another name in a newer format: nothing is made there.
  if (!missing.empty() && missing.front() != &kFormat) {
    const auto look = [&]() -> Result<void> {
      auto version = tables_.format_version(connection, CDCRT_LOCK_NONE);
      return version ? refuse_newer(tables_, *version) : std::move(version.error());
    };
    if (auto looked = protocol_->in_one_look(connection, look); !looked) return looked;
  }
  // Where commits wait for one another, all in one transaction.
  const auto create_all = [&]() -> Result<void> {
    for (const HostTable* table : missing) {
      const auto make = [&] { return tables_.create(connection, *table); };
      if (auto created = commits_serially_ ? make() : in_transaction(connection, make); !created) return created;
    }
    return {};
  };
  if (auto created = commits_serially_ && !missing.empty() ? in_transaction(connection, create_all) : create_all(); !created)
    return created;
  // Mostly there is nothing to do, and nothing to commit.
  int64_t kept = 0;
  auto done = protocol_->in_one_look(connection, [&]() -> Result<void> {
    auto version = tables_.format_version(connection, CDCRT_LOCK_NONE);
    if (!version) return std::move(version.error());
    kept = *version;
    return {};
  });
  return !done || kept == kFormatVersion ? std::move(done) : bring_forward(connection, tables_, *protocol_, key_changes_, kept);
}

Result<void> Store::read_kept(plugin::Connection& connection, Stored& stored, const Extent& extent) {
  Reads reads(tables_);
  add_lease_owners(reads, stored);
  reads.add(kWatermarks, [&](const Row& row) { watermark_into(row, stored.partitions[row.partition(kWatermarks.partition)]); });
  reads.add(kTables, [&](const Row& row) { table_into(row, stored.tables[row.text(kTables.target)]); });
  reads.add(key_changes_, [&](const Row& row) {
    stored.tables[row.text(key_changes_.target)].key_changes[row.text(key_changes_.new_key)] = row.text(key_changes_.record);
  });
  bool any_dead_letter = false;
  add_open_dead_letters(reads, stored, extent.dead_letters, any_dead_letter);
  reads.add(kTroubles, [&](const Row& row) { trouble_into(row, stored); });
  std::map<std::string, std::map<int64_t, evolution::Column>> columns;
  Result<void> unreadable;
  reads.add(kColumns, [&](const Row& row) {
    auto column = column_of(row, stored.defaults);
    if (!column) {
      unreadable = std::move(column.error());
      return;
    }
    columns[row.text(kColumns.target)][row.integer(kColumns.slot)] = std::move(*column);
  });
  std::vector<std::string> places;
  protocol_->add_places(reads, places);
  if (auto done = reads.run(connection); !done) return done;
  if (!unreadable) return unreadable;
  if (extent.progress) {
    const Visit visit = [&](const Row& row) { position_into(row, stored.tables[row.text(kProgress.target)]); };
    if (auto done = protocol_->read_progress(connection, places, visit); !done) return done;
  } else {
    protocol_->know_places(places);
  }
  for (auto& [target, table] : stored.tables) {
    sort(table.open_dead_letters);
    table.has_no_dead_letters = !any_dead_letter;
  }
  for (auto& [target, by_slot] : columns) columns_into(std::move(by_slot), stored.tables[target]);
  return {};
}

Result<Stored> Store::read_all(plugin::Connection& connection, bool with_dead_letters) {
  Stored stored;
  auto done = in_reading_transaction(connection, [&] { return read_kept(connection, stored, {with_dead_letters, true}); });
  if (!done) return std::move(done.error());
  return stored;
}

Result<Stored> Store::read_before_claims(plugin::Connection& connection) {
  Stored stored;
  auto done = protocol_->in_one_look(connection, [&] { return read_kept(connection, stored, {false, false}); });
  if (!done) return std::move(done.error());
  return stored;
}

}  // namespace cdcrt::progress
