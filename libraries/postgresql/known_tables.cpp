#include "postgresql/known_tables.hpp"

#include <utility>

namespace cdcrt::postgresql {

SharedTables::Columns SharedTables::find(const std::string& table, uint64_t look) const {
  const std::lock_guard lock(mutex_);
  const auto known = tables_.find(table);
  return known == tables_.end() || known->second.look != look ? nullptr : known->second.columns;
}

void SharedTables::learn(const std::string& table, uint64_t look, Columns columns) {
  const std::lock_guard lock(mutex_);
  tables_.insert_or_assign(table, sql::Known<Columns>{std::move(columns), look});
}

void SharedTables::forget() {
  const std::lock_guard lock(mutex_);
  tables_.clear();
}

void SharedTables::forget(const std::string& table) {
  const std::lock_guard lock(mutex_);
  tables_.erase(table);
}

const CatalogTable* KnownTables::find(const std::string& table) {
  const uint64_t look = looks_.of(table);
  if (const auto known = tables_.find(table); known != tables_.end() && known->second.look == look) return known->second.columns.get();
  SharedTables::Columns shared = shared_ == nullptr ? nullptr : shared_->find(table, look);
  if (shared == nullptr) return nullptr;
  return tables_.insert_or_assign(table, sql::Known<SharedTables::Columns>{std::move(shared), look}).first->second.columns.get();
}

SharedTables::Columns KnownTables::share(const std::string& table) const {
  const auto known = tables_.find(table);
  return known == tables_.end() ? nullptr : known->second.columns;
}

const CatalogTable* KnownTables::learn(const std::string& table, uint64_t look, CatalogTable columns, bool is_own) {
  auto made = std::make_shared<const CatalogTable>(std::move(columns));
  if (shared_ != nullptr && !is_own) shared_->learn(table, look, made);
  return tables_.insert_or_assign(table, sql::Known<SharedTables::Columns>{std::move(made), look}).first->second.columns.get();
}

void KnownTables::forget() {
  tables_.clear();
  if (shared_ != nullptr) shared_->forget();
}

void KnownTables::forget(const std::string& table) {
  tables_.erase(table);
  if (shared_ != nullptr) shared_->forget(table);
}

}  // namespace cdcrt::postgresql
