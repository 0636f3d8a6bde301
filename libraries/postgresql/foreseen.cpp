#include "postgresql/foreseen.hpp"

#include <algorithm>
#include <utility>

#include "cdcrt/sdk/cell.hpp"

namespace cdcrt::postgresql {

namespace {

// A transaction of more has better things to save.
constexpr uint64_t kMaxKeys = 64;
constexpr std::string_view kBegin = "WITH cdcrt_row AS (";

/// False: of a kind that no key of the host's has.
bool append_key(std::string& out, const cdcrt_cell& cell) {
  std::string value;
  if (cell.tag == CDCRT_I64)
    value = std::to_string(cell.value.integer);
  else if (cell.tag == CDCRT_STRING)
    value.assign(cell.value.data, cell.size);
  else
    return false;
  out += std::to_string(value.size()) + ':' + value;
  return true;
}

std::string key_of(const cdcrt_cell* cells, uint32_t count) {
  std::string key;
  for (uint32_t i = 0; i < count; ++i) {
    if (!append_key(key, cells[i])) return {};
  }
  return key;
}

}  // namespace

Foreseen::Found Foreseen::find(const std::string& table, const std::string& statement, const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto known = tables_.find(table);
  if (known == tables_.end() || known->second.statement != statement) return nullptr;
  const auto row = known->second.rows.find(key);
  return row == known->second.rows.end() ? nullptr : row->second;
}

uint64_t Foreseen::times_forgotten(const std::string& table) const {
  const std::lock_guard lock(mutex_);
  const auto known = tables_.find(table);
  return known == tables_.end() ? 0 : known->second.times_forgotten;
}

void Foreseen::learn(const std::string& table, const std::string& statement, const std::string& key, Found row, uint64_t times_forgotten) {
  const std::lock_guard lock(mutex_);
  Table& known = tables_[table];
  if (known.times_forgotten != times_forgotten) return;
  if (known.statement != statement) {
    known.statement = statement;
    known.rows.clear();
  }
  if (known.rows.size() < kMaxRows) known.rows.insert_or_assign(key, std::move(row));
}

void Foreseen::forget(const std::string& table) {
  const std::lock_guard lock(mutex_);
  Table& known = tables_[table];
  ++known.times_forgotten;
  known.rows.clear();
}

bool ForeseenReads::suits(const std::string& table, const cdcrt_read& read) const {
  if (shared_ == nullptr || read.lock != CDCRT_LOCK_SHARE || read.key_count == 0 || read.key_rows == 0 || read.key_rows > kMaxKeys)
    return false;
  if (told_.count(table) > 0 || lessons_.count(table) > 0 || changed_.count(table) > 0) return false;
  return std::all_of(read.columns, read.columns + read.column_count,
                     [](const cdcrt_column& column) { return (column.flags & CDCRT_COLUMN_OF_HOST) != 0; });
}

std::vector<Foreseen::Found> ForeseenReads::find(const std::string& table, const std::string& statement, const cdcrt_read& read) const {
  std::vector<Foreseen::Found> rows;
  for (uint64_t row = 0; row < read.key_rows; ++row) {
    const std::string key = key_of(read.keys + row * read.key_count, read.key_count);
    Foreseen::Found found = key.empty() ? nullptr : shared_->find(table, statement, key);
    if (found == nullptr) return {};
    rows.push_back(std::move(found));
  }
  return rows;
}

void ForeseenReads::begin_learning(const std::string& table) { lessons_[table].times_forgotten = shared_->times_forgotten(table); }

void ForeseenReads::learn(const std::string& table, const std::string& statement, const cdcrt_cell* key, uint32_t key_count,
                          Foreseen::Row row) {
  std::string text = key_of(key, key_count);
  if (text.empty()) return;
  lessons_[table].rows.push_back({statement, std::move(text), std::make_shared<const Foreseen::Row>(std::move(row))});
}

void ForeseenReads::changes(const std::string& table) {
  if (shared_ == nullptr) return;
  shared_->forget(table);
  changed_.insert(table);
}

void ForeseenReads::end(bool is_committed) {
  if (shared_ == nullptr) return;
  // Others may have read it before the change was there for them.
  for (const std::string& table : changed_) shared_->forget(table);
  if (!is_committed) {
    for (const std::string& table : told_) shared_->forget(table);
  }
  for (auto& [table, lesson] : lessons_) {
    if (!is_committed || changed_.count(table) > 0) continue;
    for (Learned& each : lesson.rows) shared_->learn(table, each.statement, each.key, std::move(each.row), lesson.times_forgotten);
  }
  told_.clear();
  changed_.clear();
  lessons_.clear();
}

std::string ForeseenReads::learning_text(const std::string& statement) {
  return std::string(kBegin) + statement + ") SELECT cdcrt_row.*, cdcrt_row::text FROM cdcrt_row";
}

// A division by zero ends the transaction there. In the row's text brackets of values are in quotes: it cannot be taken for two.
std::string ForeseenReads::proving_text(const std::string& statement) {
  return std::string(kBegin) + statement +
         ") SELECT 1 / ((SELECT coalesce(string_agg(cdcrt_row::text, '|' ORDER BY cdcrt_row::text COLLATE \"C\"), '') FROM cdcrt_row) = "
         "?::text)::integer";
}

bool ForeseenReads::is_its(std::string_view statement) { return statement.substr(0, kBegin.size()) == kBegin; }

std::string ForeseenReads::whole(const std::vector<Foreseen::Found>& rows) {
  std::vector<std::string_view> texts;
  for (const auto& row : rows) texts.push_back(row->whole);
  std::sort(texts.begin(), texts.end());
  // A key that was asked for twice has one row.
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  std::string whole;
  for (const std::string_view text : texts) (whole += whole.empty() ? "" : "|") += text;
  return whole;
}

}  // namespace cdcrt::postgresql
