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

/// One per sink, shared by its connections; thread-safe. A table that one of them has read need not be read by the others: with thousands
/// of tables that is most of what the catalog is asked.
class SharedTables {
 public:
  using Columns = std::shared_ptr<const CatalogTable>;

  /// As of that look; null: nobody knows it so.
  [[nodiscard]] Columns find(const std::string& table, uint64_t look) const;
  /// As it is for everybody: not while a transaction that changes it is open.
  void learn(const std::string& table, uint64_t look, Columns columns);
  void forget();
  void forget(const std::string& table);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, sql::Known<Columns>> tables_;
};

/// Of one connection; one thread. Tables by the names that the connections of a sink know them by.
class KnownTables {
 public:
  /// `looks` and `shared` outlive it; null: nothing is shared.
  KnownTables(const sql::Looks& looks, SharedTables* shared) : looks_(looks), shared_(shared) {}

  /// As of the table's last look; null: it is to be read.
  [[nodiscard]] const CatalogTable* find(const std::string& table);
  /// Whatever was known last; null: nothing. It outlives what is forgotten.
  [[nodiscard]] SharedTables::Columns share(const std::string& table) const;
  /// `look`: from before it was read. `is_own`: as it is in this connection's open transaction alone.
  const CatalogTable* learn(const std::string& table, uint64_t look, CatalogTable columns, bool is_own);
  /// Something may have changed in the target: it is read again, also by the connections that have not read it so far.
  void forget();
  void forget(const std::string& table);

 private:
  const sql::Looks& looks_;
  SharedTables* const shared_;
  std::map<std::string, sql::Known<SharedTables::Columns>> tables_;
};

}  // namespace cdcrt::postgresql
