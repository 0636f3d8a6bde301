// Target: tables in memory with transactions as PostgreSQL has them under READ COMMITTED: own writes are visible inside, row and
// table locks are held to the end, who waits in a circle or for too long gets BUSY, and a COMMIT's answer may be lost while the
// transaction lives on. Or, where tables are locked, as Amazon Redshift has them: a snapshot from the first statement after the locks,
// who changes what was changed since gets BUSY, and writers of one table wait for one another.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/sink.hpp"
#include "simulation/schedule_state.hpp"

namespace cdcrt::simulation {

struct Transaction;

/// Texts of cells (types::append_text), by column.
using StoredValues = std::vector<std::string>;

struct StoredColumn {
  std::string name;
  cdcrt_type type{};
  uint32_t key_ordinal = 0;
  std::string default_value;
};

/// A place for a row: what is committed, and what one transaction makes of it.
struct StoredRow {
  bool exists = false;
  StoredValues values;
  Transaction* writer = nullptr;  ///< holds it alone
  bool changed = false;           ///< by the writer
  bool gone = false;              ///< changed: to nothing
  StoredValues pending;           ///< changed: to this
  std::vector<Transaction*> sharers;
  struct Version {
    uint64_t since = 0;  ///< count of commits
    bool exists = false;
    StoredValues values;
  };
  std::vector<Version> versions;  ///< with snapshots
};

struct StoredTable {
  std::string name;
  std::vector<StoredColumn> columns;
  std::deque<StoredRow> rows;
  std::map<std::string, StoredRow*> by_key;  ///< with a primary key
  std::vector<Transaction*> users;
  Transaction* alone = nullptr;              ///< changes its definition, or locked it
  Transaction* writing = nullptr;            ///< with snapshots: nobody else may until it ends
  std::vector<StoredColumn> columns_before;  ///< while `alone` does
  bool exists = true;
  bool existed_before = true;
  [[nodiscard]] int column(std::string_view of_name) const;
  [[nodiscard]] bool has_key() const;
  [[nodiscard]] std::string key_of(const StoredValues& values) const;
};

struct Transaction {
  uint64_t number = 0;
  int process = -1;  ///< -1: an outsider's
  bool failed = false;
  bool sent = false;  ///< COMMIT is on its way
  bool ended = false;
  std::vector<std::pair<StoredTable*, StoredRow*>> written;
  std::vector<StoredRow*> shared;
  std::vector<StoredTable*> used;
  std::vector<std::pair<StoredTable*, std::vector<std::pair<StoredRow*, StoredValues>>>> redefined;
  std::vector<Transaction*> waits_for;
  std::set<std::string> tables_written;
  std::set<StoredTable*> altered;
  uint64_t snapshot = 0;  ///< count of commits that it sees, from 1; 0: none yet, or all
};

class Target {
 public:
  /// Called after each COMMIT that happened.
  std::function<void(const Transaction&)> committed;

  Transaction* begin(int process);
  void commit(Transaction* transaction);
  void roll_back(Transaction* transaction);

  StoredTable* find(const std::string& name);
  StoredTable& find_or_make(const std::string& name);
  /// Committed rows.
  [[nodiscard]] std::vector<const StoredRow*> rows(const std::string& name) const;
  [[nodiscard]] const StoredTable* table(const std::string& name) const;
  /// Whose names begin so.
  [[nodiscard]] std::vector<const StoredTable*> tables_named(std::string_view prefix) const;

  // OK, or BUSY after waiting.
  sdk::Status use(Transaction& transaction, StoredTable& table);
  sdk::Status use_alone(Transaction& transaction, StoredTable& table);
  sdk::Status lock(Transaction& transaction, StoredTable& table, StoredRow& row, bool alone);

  /// With snapshots: takes it, unless the transaction has one.
  void look(Transaction& transaction) const;
  /// With snapshots: nobody else writes the table until the transaction ends.
  sdk::Status write_alone(Transaction& transaction, StoredTable& table);

  /// What the transaction sees of the row; null: nothing.
  static const StoredValues* seen(const Transaction& transaction, const StoredRow& row);
  static void change(Transaction& transaction, StoredTable& table, StoredRow& row, StoredValues values);
  static void remove(Transaction& transaction, StoredTable& table, StoredRow& row);

  bool down = false;  ///< nobody gets through
  Time lock_timeout = kSecond;
  /// The connection is gone: the target notices now or later, and rolls back.
  void disconnect(Transaction* transaction);
  /// The same of all that the process had open. What it sent is done.
  void disconnect_all(int process);

 private:
  sdk::Status wait(Transaction& transaction, const std::vector<Transaction*>& blockers, Time until, const std::string& what);
  void end(Transaction* transaction);
  static bool in_circle(const Transaction& from, const Transaction& to, int depth);

  std::map<std::string, std::unique_ptr<StoredTable>> tables_;
  std::vector<Transaction*> open_;
  uint64_t number_ = 0;
  uint64_t commits_ = 1;
};

/// Of the running schedule.
Target*& target();

/// The sink plugin that stands for the target.
const cdcrt_plugin& target_plugin();

}  // namespace cdcrt::simulation
