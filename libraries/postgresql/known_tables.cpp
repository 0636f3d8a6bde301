#include "postgresql/known_tables.hpp"

#include <utility>

namespace cdcrt::postgresql {

SharedTables::Columns SharedTables::find(const std::string& table, uint64_t look) const {
  const std::lock_guard lock(mutex_);
  const auto known = tables_.find(table);
  return known == tables_.end() || known->second.look != look ? nullptr : known->second.columns;
}

uint64_t SharedTables::times_forgotten() const {
  const std::lock_guard lock(mutex_);
  return times_forgotten_;
}

void SharedTables::learn(const std::string& table, const KnownAt& read, Columns columns) {
  const std::lock_guard lock(mutex_);
  if (read.times_forgotten == times_forgotten_) tables_.insert_or_assign(table, sql::Known<Columns>{std::move(columns), read.look});
}

void SharedTables::forget() {
  const std::lock_guard lock(mutex_);
  ++times_forgotten_;
  tables_.clear();
}

void SharedTables::forget(const std::string& table) {
  const std::lock_guard lock(mutex_);
  ++times_forgotten_;
  tables_.erase(table);
}

const CatalogTable* KnownTables::find(const std::string& table, bool is_own) {
  const uint64_t look = looks_.of(table);
  if (const auto known = tables_.find(table); known != tables_.end() && known->second.look == look) return known->second.columns.get();
  SharedTables::Columns shared = shared_ == nullptr || is_own ? nullptr : shared_->find(table, look);
  if (shared == nullptr) return nullptr;
  return tables_.insert_or_assign(table, sql::Known<SharedTables::Columns>{std::move(shared), look}).first->second.columns.get();
}

SharedTables::Columns KnownTables::keep(const std::string& table) const {
  const auto known = tables_.find(table);
  return known == tables_.end() ? nullptr : known->second.columns;
}

KnownAt KnownTables::now(const std::string& table) const { return {looks_.of(table), shared_ == nullptr ? 0 : shared_->times_forgotten()}; }

const CatalogTable* KnownTables::learn(const std::string& table, const KnownAt& read, CatalogTable columns, bool is_own) {
  auto made = std::make_shared<const CatalogTable>(std::move(columns));
  if (shared_ != nullptr && !is_own) shared_->learn(table, read, made);
  return tables_.insert_or_assign(table, sql::Known<SharedTables::Columns>{std::move(made), read.look}).first->second.columns.get();
}

void KnownTables::forget() {
  forget_own();
  if (shared_ != nullptr) shared_->forget();
}

void KnownTables::forget(const std::string& table) {
  tables_.erase(table);
  if (shared_ != nullptr) shared_->forget(table);
}

}  // namespace cdcrt::postgresql
