#include "simulation/target.hpp"

#include <algorithm>

namespace cdcrt::simulation {

Target*& target() {
  static Target* current = nullptr;
  return current;
}

int StoredTable::column(std::string_view of_name) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == of_name) return static_cast<int>(i);
  }
  return -1;
}

bool StoredTable::has_key() const {
  return std::any_of(columns.begin(), columns.end(), [](const auto& each) { return each.key_ordinal > 0; });
}

std::string StoredTable::key_of(const StoredValues& values) const {
  std::string key;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].key_ordinal > 0) key += values[i] + '\x1f';
  }
  return key;
}

Transaction* Target::begin(int process) {
  auto* transaction = new Transaction;
  transaction->number = ++number_;
  transaction->process = process;
  open_.push_back(transaction);
  return transaction;
}

void Target::end(Transaction* transaction) {
  for (auto& [table, row] : transaction->written) row->writer = nullptr;
  for (StoredRow* row : transaction->shared) std::erase(row->sharers, transaction);
  for (StoredTable* table : transaction->used) std::erase(table->users, transaction);
  for (auto& [table, values] : transaction->redefined) table->alone = nullptr;
  for (auto& [name, table] : tables_) {
    if (table->writing == transaction) table->writing = nullptr;
  }
  transaction->waits_for.clear();
  transaction->ended = true;
  std::erase(open_, transaction);
  scheduler().wake(this);
}

void Target::commit(Transaction* transaction) {
  for (auto& [table, row] : transaction->written) {
    if (!std::exchange(row->changed, false)) continue;
    row->exists = !row->gone;
    if (row->exists) row->values = std::move(row->pending);
    row->pending.clear();
    if (character().table_locks) row->versions.push_back({commits_ + 1, row->exists, row->values});
  }
  ++commits_;
  // Older snapshots of a table whose columns changed are not kept.
  for (StoredTable* table : transaction->altered) {
    for (StoredRow& row : table->rows) row.versions.assign(1, {0, row.exists, row.values});
  }
  end(transaction);
  if (committed) committed(*transaction);
}

void Target::roll_back(Transaction* transaction) {
  for (auto& [table, row] : transaction->written) {
    row->changed = false;
    row->pending.clear();
  }
  for (auto& [table, values] : transaction->redefined) {
    table->columns = table->columns_before;
    table->exists = table->existed_before;
    for (auto& [row, before] : values) row->values = before;
  }
  end(transaction);
}

void Target::disconnect(Transaction* transaction) {
  transaction->sent = true;
  const Time delay = random().chance(500) ? 0 : random().below(3 * kSecond);
  scheduler().at(scheduler().now() + delay, [this, transaction] {
    CDCRT_TRACE("target: transaction " + std::to_string(transaction->number) + " of a lost connection is rolled back");
    roll_back(transaction);
  });
}

void Target::disconnect_all(int process) {
  for (Transaction* transaction : std::vector(open_)) {
    if (transaction->process == process && !std::exchange(transaction->sent, true)) disconnect(transaction);
  }
}

StoredTable* Target::find(const std::string& name) {
  const auto found = tables_.find(name);
  return found == tables_.end() || !found->second->exists ? nullptr : found->second.get();
}

StoredTable& Target::find_or_make(const std::string& name) {
  auto& table = tables_[name];
  if (!table) {
    table = std::make_unique<StoredTable>();
    table->name = name;
    table->exists = table->existed_before = false;
  }
  return *table;
}

const StoredTable* Target::table(const std::string& name) const {
  const auto found = tables_.find(name);
  return found == tables_.end() ? nullptr : found->second.get();
}

std::vector<const StoredTable*> Target::tables_named(std::string_view prefix) const {
  std::vector<const StoredTable*> found;
  for (const auto& [name, table] : tables_) {
    if (name.starts_with(prefix)) found.push_back(table.get());
  }
  return found;
}

std::vector<const StoredRow*> Target::rows(const std::string& name) const {
  std::vector<const StoredRow*> rows;
  if (const StoredTable* of = table(name); of != nullptr) {
    for (const StoredRow& row : of->rows) {
      if (row.exists) rows.push_back(&row);
    }
  }
  return rows;
}

bool Target::in_circle(const Transaction& from, const Transaction& to, int depth) {
  if (depth > 20) return false;
  return std::any_of(from.waits_for.begin(), from.waits_for.end(),
                     [&](const Transaction* next) { return next == &to || in_circle(*next, to, depth + 1); });
}

sdk::Status Target::wait(Transaction& transaction, const std::vector<Transaction*>& blockers, Time until, const std::string& what) {
  transaction.waits_for = blockers;
  if (in_circle(transaction, transaction, 0)) {
    CDCRT_TRACE("target: deadlock at " + what);
    transaction.waits_for.clear();
    return sdk::Status::error(CDCRT_BUSY, "deadlock");
  }
  CDCRT_TRACE("target: transaction " + std::to_string(transaction.number) + " waits for transaction " +
              std::to_string(blockers.front()->number) + " at " + what);
  const bool woken = scheduler().block(this, until);
  transaction.waits_for.clear();
  if (transaction.sent || transaction.ended) return sdk::Status::retry("connection lost");
  if (!woken) return sdk::Status::error(CDCRT_BUSY, "lock timeout");
  return {};
}

sdk::Status Target::use(Transaction& transaction, StoredTable& table) {
  const Time until = scheduler().now() + lock_timeout;
  while (table.alone != nullptr && table.alone != &transaction) {
    if (auto waited = wait(transaction, {table.alone}, until, table.name); !waited) return waited;
  }
  if (std::find(table.users.begin(), table.users.end(), &transaction) == table.users.end()) {
    table.users.push_back(&transaction);
    transaction.used.push_back(&table);
  }
  return {};
}

sdk::Status Target::use_alone(Transaction& transaction, StoredTable& table) {
  const Time until = scheduler().now() + lock_timeout;
  while (true) {
    std::vector<Transaction*> blockers;
    if (table.alone != nullptr && table.alone != &transaction) blockers.push_back(table.alone);
    for (Transaction* user : table.users) {
      if (user != &transaction) blockers.push_back(user);
    }
    if (blockers.empty()) break;
    if (auto waited = wait(transaction, blockers, until, table.name + " (alone)"); !waited) return waited;
  }
  if (table.alone == &transaction) return {};
  table.alone = &transaction;
  table.columns_before = table.columns;
  table.existed_before = table.exists;
  auto& [of, values] = transaction.redefined.emplace_back();
  of = &table;
  for (StoredRow& row : table.rows) {
    if (row.exists) values.emplace_back(&row, row.values);
  }
  return {};
}

void Target::look(Transaction& transaction) const {
  if (character().table_locks && transaction.snapshot == 0) transaction.snapshot = commits_;
}

sdk::Status Target::write_alone(Transaction& transaction, StoredTable& table) {
  if (!character().table_locks) return {};
  const Time until = scheduler().now() + lock_timeout;
  while (table.writing != nullptr && table.writing != &transaction) {
    if (auto waited = wait(transaction, {table.writing}, until, table.name + " (to write)"); !waited) return waited;
  }
  table.writing = &transaction;
  return {};
}

sdk::Status Target::lock(Transaction& transaction, StoredTable& table, StoredRow& row, bool alone) {
  const Time until = scheduler().now() + lock_timeout;
  while (true) {
    std::vector<Transaction*> blockers;
    if (row.writer != nullptr && row.writer != &transaction) blockers.push_back(row.writer);
    for (Transaction* sharer : row.sharers) {
      if (alone && sharer != &transaction) blockers.push_back(sharer);
    }
    if (blockers.empty()) break;
    if (auto waited = wait(transaction, blockers, until, "a row of " + table.name); !waited) return waited;
  }
  if (row.writer == &transaction) return {};
  if (transaction.snapshot > 0 && !row.versions.empty() && row.versions.back().since > transaction.snapshot) {
    CDCRT_TRACE("target: a row of " + table.name + " was changed since the snapshot");
    return sdk::Status::error(CDCRT_BUSY, "serializable isolation violation");
  }
  if (alone) {
    row.writer = &transaction;
    transaction.written.emplace_back(&table, &row);
  } else if (std::find(row.sharers.begin(), row.sharers.end(), &transaction) == row.sharers.end()) {
    row.sharers.push_back(&transaction);
    transaction.shared.push_back(&row);
  }
  return {};
}

const StoredValues* Target::seen(const Transaction& transaction, const StoredRow& row) {
  if (row.writer == &transaction && row.changed) return row.gone ? nullptr : &row.pending;
  if (transaction.snapshot > 0) {
    const auto found = std::find_if(row.versions.rbegin(), row.versions.rend(),
                                    [&](const auto& version) { return version.since <= transaction.snapshot; });
    return found == row.versions.rend() || !found->exists ? nullptr : &found->values;
  }
  return row.exists ? &row.values : nullptr;
}

void Target::change(Transaction& transaction, StoredTable& table, StoredRow& row, StoredValues values) {
  row.changed = true;
  row.gone = false;
  row.pending = std::move(values);
  transaction.tables_written.insert(table.name);
}

void Target::remove(Transaction& transaction, StoredTable& table, StoredRow& row) {
  row.changed = true;
  row.gone = true;
  row.pending.clear();
  transaction.tables_written.insert(table.name);
}

}  // namespace cdcrt::simulation
