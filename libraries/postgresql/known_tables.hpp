// KnownTables: what a connection knows of tables' columns, and what the connections of a sink know of them together.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "postgresql/catalog.hpp"
#include "sql/looks.hpp"

namespace cdcrt::postgresql {

/// Up to when something was known of a table.
struct KnownAt {
  uint64_t look = 0;
  uint64_t times_forgotten = 0;
};

/// One per sink, shared by its connections; thread-safe. A table that one of them has read need not be read by the others: with thousands
/// of tables that is most of what the catalog is asked.
class SharedTables {
 public:
  using Columns = std::shared_ptr<const CatalogTable>;

  /// As of that look; null: nobody knows it so.
  [[nodiscard]] Columns find(const std::string& table, uint64_t look) const;
  [[nodiscard]] uint64_t times_forgotten() const;
  /// As it is for everybody, read after `read`: not as a transaction sees it that changed it. Nothing where something was forgotten since.
  void learn(const std::string& table, const KnownAt& read, Columns columns);
  void forget();
  void forget(const std::string& table);

 private:
  mutable std::mutex mutex_;
  uint64_t times_forgotten_ = 0;
  std::map<std::string, sql::Known<Columns>> tables_;
};

/// Of one connection; one thread. Tables by the names that the connections of a sink know them by. `is_own`: the connection's open
/// transaction has changed the table, and sees what nobody else does.
class KnownTables {
 public:
  /// `looks` and `shared` outlive it; null: nothing is shared.
  KnownTables(const sql::Looks& looks, SharedTables* shared) : looks_(looks), shared_(shared) {}

  /// As of the table's last look; null: it is to be read.
  [[nodiscard]] const CatalogTable* find(const std::string& table, bool is_own);
  /// Whatever was known last; null: nothing. It outlives what is forgotten.
  [[nodiscard]] SharedTables::Columns keep(const std::string& table) const;
  /// To be taken before the table is read.
  [[nodiscard]] KnownAt now(const std::string& table) const;
  const CatalogTable* learn(const std::string& table, const KnownAt& read, CatalogTable columns, bool is_own);
  /// Something may have changed in the target: it is read again, by this connection and those that know nothing of it.
  void forget();
  void forget(const std::string& table);
  /// By this connection alone: it is another session, or its transaction did not come to its end.
  void forget_own() { tables_.clear(); }

 private:
  const sql::Looks& looks_;
  SharedTables* const shared_;
  std::map<std::string, sql::Known<SharedTables::Columns>> tables_;
};

}  // namespace cdcrt::postgresql
