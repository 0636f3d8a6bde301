// MemorySink: a target in memory behind the sink boundary: transactions, catalog, every kind of write, reads, and faults on demand.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "plugin/component.hpp"

namespace cdcrt::memory_sink {

struct Column {
  std::string name;
  cdcrt_type type{};
  uint32_t key_ordinal = 0;
  std::string default_value;  ///< as types::append_text writes it; empty: NULL
};

/// Values as types::append_text writes them, by column.
using Row = std::map<std::string, std::string>;

struct Table {
  std::vector<Column> columns;
  std::vector<Row> rows;
  [[nodiscard]] const Column* column(const std::string& name) const;
};

using Tables = std::map<std::string, Table>;  ///< by "schema.name", or "name"

/// The target and what is to go wrong with it. One thread.
struct Database {
  Tables tables;
  std::function<bool(const Row& row)> refuses;  ///< BAD_RECORD for written rows that it holds of; asked for tables outside cdcrt
  bool refuses_late = false;                    ///< `refuses` is asked at the end of a savepoint and at COMMIT
  std::string unique;                           ///< a column outside cdcrt in which no two rows may hold the same value; empty: none
  int deadlocks = 0;                            ///< that many writes of rows answer RETRY
  std::map<std::string, int> unreachable;       ///< that many writes to the table of this name answer UNREACHABLE
  int dead_connections = 0;                     ///< that many transactions find their connection lost for good; a new one works
  int lost_before_commit = 0;                   ///< that many COMMITs do not happen, and answer RETRY
  int lost_after_commit = 0;                    ///< that many COMMITs happen, and answer RETRY
  std::function<void()> after_lost;             ///< called when a COMMIT did not happen
  std::function<void()> before_commit;          ///< called before each COMMIT
  unsigned commits = 0, begins = 0, savepoints = 0;
  uint32_t capabilities = CDCRT_SINK_TRANSACTIONS | CDCRT_SINK_SCHEMAS;
  uint32_t longest_text = 0;        ///< bytes; longer ones are BAD_RECORD, cut or NULL, as the column says; 0: any
  bool folds_names = false;         ///< columns' names are kept in lower case, whatever they are called
  std::vector<std::string> events;  ///< EVENTS sinks: operation and cells of each row, once committed

  /// "id=1,v='a'; id=2,v=NULL": rows in the order of their texts, columns in the table's order. "(none)": no such table.
  [[nodiscard]] std::string show(const std::string& table) const;
};

/// A sink of the manifest that stands for the database, which must outlive it and all that was made from it.
plugin::Component component(Database& database);

}  // namespace cdcrt::memory_sink
