#include "redshift_connection.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "definitions.hpp"
#include "host_tables.hpp"
#include "load_errors.hpp"
#include "redshift_ddl.hpp"
#include "redshift_literal.hpp"
#include "redshift_statements.hpp"
#include "sql/cell_text.hpp"
#include "sql/identifier.hpp"
#include "sql/transaction_text.hpp"

namespace cdcrt::redshift {

using sdk::Status;
using sql::Moment;

namespace {

constexpr int kOwnAttempts = 3;
constexpr uint32_t kUnexplainedRefusals = 2;
constexpr std::chrono::minutes kWidenAgain{5};  // an operator may have made it possible meanwhile

}  // namespace

RedshiftConnection::RedshiftConnection(const Settings& settings, StagingPlace& place, sql::Looks& looks, MadeTables& made,
                                       const sdk::Host& host)
    : place_(place), host_(host), session_(settings), files_(place, host), loader_(settings, session_, place, files_, host), looks_(looks),
      made_(made) {}

RedshiftConnection::~RedshiftConnection() {
  if (in_transaction_ && !over_) static_cast<void>(session_.execute("ROLLBACK", "cannot roll back"));
}

Status RedshiftConnection::open() {
  Status status = session_.connect();
  if (!status || place_.proven || !place_.identified()) return status;
  return loader_.probe();
}

Status RedshiftConnection::clocks(std::vector<sdk::Clock>& out) {
  Status status = session_.read_clock(out);
  if (!status || !loader_.uses_files()) return status;
  // Each answer tells the time, also where the request is refused.
  bool found = false;
  uint64_t size = 0;
  static_cast<void>(files_.client().head_object(place_.prefix() + "clock", found, size));
  if (const auto& clock = files_.client().clock()) out.push_back(*clock);
  return {};
}

std::string RedshiftConnection::key_of(const cdcrt_table& table) const {
  return session_.schema_of(table) + std::string(1, '\0') + sql::redshift::folded(sdk::view(table.name), session_.names().case_sensitive);
}

Status RedshiftConnection::usable() const { return sql::usable(broken_); }

Status RedshiftConnection::failed(Status status) {
  if (in_transaction_) broken_ = true;
  if (status.code() == CDCRT_STALE_SCHEMA) tables_.clear();
  return status;
}

void RedshiftConnection::transaction_ended() {
  in_transaction_ = is_doubtful_ = broken_ = over_ = changed_ = false;
  notes_ = TransactionNotes();
  last_read_ = LastRead();
  made_now_.clear();
  empty_.clear();
  maybe_empty_.clear();
  stages_in_use_.ended(false);  // where it was committed, that was told before
  static_cast<void>(files_.remove());
}

Status RedshiftConnection::begin() {
  if (in_transaction_ && broken_) return Status::retry("the transaction before could not be rolled back");
  if (in_transaction_) return Status::fatal("a transaction is open already");
  Status status = session_.execute("BEGIN", "cannot begin a transaction");
  is_doubtful_ = !status;
  if (status) in_transaction_ = true;
  return status;
}

Status RedshiftConnection::commit() {
  if (!in_transaction_) return Status::fatal("there is no transaction to commit");
  Status status = usable();
  if (status) status = verify_columns();
  if (!status) return failed(std::move(status));
  status = session_.execute("COMMIT", "cannot commit", Moment::kCommit);
  if (status.code() == CDCRT_RETRY || status.code() == CDCRT_UNREACHABLE) return failed(std::move(status));
  // Done, or refused and thereby over.
  if (!status) tables_.clear();
  if (status) {
    for (const std::string& table : changed_tables_) looks_.raise(table);
    made_.add(made_now_);
    stages_in_use_.ended(true);
  } else {
    session_.forget_schemas();
  }
  changed_tables_.clear();
  transaction_ended();
  return status;
}

Status RedshiftConnection::rollback() {
  if (changed_ || broken_) tables_.clear();
  session_.forget_schemas();
  expected_.clear();
  if ((in_transaction_ && !over_) || is_doubtful_) {
    Status status = session_.execute("ROLLBACK", "cannot roll back");
    if (!status && status.message().find("no transaction") == std::string_view::npos) return status;
  }
  transaction_ended();
  widen();
  return {};
}

/// Growing a column is a transaction of its own, which Redshift commits by itself.
void RedshiftConnection::widen() {
  for (const Widening& widening : widenings_) {
    // What another session made longer meanwhile stays so: a shorter length would be taken as well.
    CatalogTable now;
    if (!read_catalog(session_, widening.schema, widening.table_name, now)) continue;  // the next attempt asks again
    const CatalogColumn* column = now.find(widening.column_name);
    if (column == nullptr || column->type.storage != widening.type.storage || column->type.length >= widening.bytes) continue;
    Status status = session_.execute(sql::redshift::widen(widening.table, widening.column, widening.type, widening.bytes),
                                     "cannot widen column " + widening.shown, Moment::kChange);
    if (status || status.code() == CDCRT_RETRY || status.code() == CDCRT_BUSY) continue;
    not_widened_[widening.shown] = {std::string(status.message()), std::chrono::steady_clock::now()};
    host_.warn("column " + widening.shown + " stays " + widening.type.name +
               ", values that do not fit become dead letters or follow on_overflow: " + std::string(status.message()));
  }
  if (!widenings_.empty()) tables_.clear();
  widenings_.clear();
}

const std::string* RedshiftConnection::why_not_widened(const std::string& column) {
  const auto known = not_widened_.find(column);
  if (known == not_widened_.end()) return nullptr;
  if (std::chrono::steady_clock::now() - known->second.second < kWidenAgain) return &known->second.first;
  not_widened_.erase(known);
  return nullptr;
}

std::pair<std::string, std::string> RedshiftConnection::place_of(const cdcrt_table& table) const {
  return {session_.schema_of(table), sql::redshift::folded(sdk::view(table.name), session_.names().case_sensitive)};
}

Status RedshiftConnection::known_table(const cdcrt_table& table, const cdcrt_column* columns, uint32_t count, const CatalogTable*& out) {
  if (knows_host_columns_ && is_of_host(columns, count)) {
    host_catalog_ = host_catalog(columns, count, session_.names());
    out = &host_catalog_;
    return {};
  }
  const std::string key = key_of(table);
  auto known = tables_.find(key);
  const uint64_t look = looks_.of(key);
  if (known == tables_.end() || known->second.look != look) {
    CatalogTable catalog;
    const auto [schema, name] = place_of(table);
    Status status = read_catalog(session_, schema, name, catalog);
    if (!status) return status;
    if (!catalog.exists) {
      return Status::error(CDCRT_STALE_SCHEMA,
                           "table " + sql::shown(session_.schema_of(table)) + "." + sql::shown(sdk::view(table.name)) + " does not exist")
          .with_native(0, "42P01");
    }
    known = tables_.insert_or_assign(key, sql::Known<CatalogTable>{std::move(catalog), look}).first;
  }
  out = &known->second.columns;
  return {};
}

Status RedshiftConnection::expect(const cdcrt_table* tables, uint32_t count, bool fresh) {
  Status status = usable();
  if (status && !fresh && in_transaction_) status = find_empty(tables, count);
  if (!status) return failed(std::move(status));
  CatalogTables wanted;
  std::map<std::pair<std::string, std::string>, std::pair<std::string, uint64_t>> keys;
  for (uint32_t i = 0; i < count; ++i) {
    const std::string key = key_of(tables[i]);
    const auto known = tables_.find(key);
    const uint64_t look = looks_.of(key);
    if (!fresh && known != tables_.end() && known->second.look == look) continue;
    wanted[place_of(tables[i])];
    keys[place_of(tables[i])] = {key, look};
  }
  if (wanted.empty()) return {};
  status = read_catalogs(session_, wanted);
  if (!status) return failed(std::move(status));
  if (fresh) {
    expected_ = std::move(wanted);
    return {};
  }
  for (auto& [place, catalog] : wanted) {
    auto& [key, look] = keys.at(place);
    if (catalog.exists) tables_.insert_or_assign(key, sql::Known<CatalogTable>{std::move(catalog), look});
  }
  return {};
}

/// Of the tables that were just made: in one statement, where that saves a DELETE of each; of a single one only once it has many rows. What
/// another session commits meanwhile is beyond this transaction's snapshot either way.
Status RedshiftConnection::find_empty(const cdcrt_table* tables, uint32_t count) {
  std::vector<std::string> keys;
  std::string text;
  Status status;
  for (uint32_t i = 0; i < count && status; ++i) {
    const std::string key = key_of(tables[i]);
    if (!made_.take(key)) continue;
    text += (keys.empty() ? "(SELECT " : " UNION ALL (SELECT ") + std::to_string(keys.size()) + " FROM ";
    status = session_.append_table(text, tables[i]);
    text += " LIMIT 1)";
    keys.push_back(key);
  }
  if (!status || keys.empty()) return status;
  if (keys.size() == 1) {
    maybe_empty_ = keys.front();
    return status;
  }
  std::set<std::string> empty(keys.begin(), keys.end());
  status = session_.select(text, 1, "cannot see whether tables are empty", [&](const std::vector<Field>& row) {
    const std::size_t number = row[0] ? std::strtoul(row[0]->c_str(), nullptr, 10) : keys.size();
    if (number < keys.size()) empty.erase(keys[number]);
    return true;
  });
  if (status) empty_ = std::move(empty);
  return status;
}

Status RedshiftConnection::see_empty(const cdcrt_table& table, const std::string& what, bool& is_empty) {
  std::string text = "SELECT 1 FROM ";
  Status status = session_.append_table(text, table);
  is_empty = true;
  if (!status) return status;
  return session_.select(text + " LIMIT 1", 1, what, [&](const std::vector<Field>& /*row*/) { return is_empty = false; });
}

Status RedshiftConnection::describe(const cdcrt_table& table, sdk::TableDescription& out) {
  Status status = usable();
  looks_.raise(key_of(table));
  const auto place = place_of(table);
  CatalogTable catalog;
  if (auto expected = expected_.extract(place)) {
    catalog = std::move(expected.mapped());
  } else if (status) {
    status = read_catalog(session_, place.first, place.second, catalog);
  }
  if (!status) return failed(std::move(status));
  // Declared keys are not enforced, so that none is told of.
  for (const CatalogColumn& column : catalog.columns) {
    // Lengths are bytes, which the host has no word for: what a text needs is judged where it is written.
    cdcrt_type type = sql::redshift::logical_type(column.type);
    if (type.kind == CDCRT_TYPE_STRING) type.length = 0;
    // A SUPER takes every value as it is: a text becomes a string in it and is not read as JSON.
    if (column.type.storage == sql::redshift::Storage::kSuper) type.kind = CDCRT_TYPE_UNKNOWN;
    out.add(column.name, type, column.type.name, column.not_null, 0);
  }
  const bool exists = catalog.exists;
  out.set_exists(exists);
  out.set_view(catalog.is_view);
  out.set_folds_names(!session_.names().case_sensitive);
  if (exists) tables_.insert_or_assign(key_of(table), sql::Known<CatalogTable>{std::move(catalog), looks_.of(key_of(table))});
  return {};
}

Status RedshiftConnection::change(const cdcrt_table& table, const cdcrt_change* changes, uint32_t count) {
  Status status = usable();
  if (!status) return status;
  const bool own = !in_transaction_;
  for (int attempt = 1;; ++attempt) {
    tables_.clear();
    expected_.erase(place_of(table));
    if (count > 0 && is_of_host(changes[0].columns, changes[0].column_count)) last_read_ = LastRead();
    status = own ? begin() : Status();
    changed_ = true;
    changed_tables_.insert(key_of(table));
    Status widening;
    std::vector<std::string> remarks;
    for (uint32_t i = 0; i < count && status; ++i) {
      const std::size_t known = widenings_.size();
      status = apply_change(session_, table, changes[i], widenings_, remarks);
      if (changes[i].kind == CDCRT_CREATE_TABLE && !is_of_host(changes[i].columns, changes[i].column_count))
        made_now_.insert(key_of(table));
      if (status.code() != CDCRT_STALE_SCHEMA || widenings_.size() == known) continue;
      // A column that cannot grow is used as it is: each value is looked at before it is written. The others grow together.
      if (why_not_widened(widenings_.back().shown) != nullptr) {
        widenings_.pop_back();
      } else {
        widening = std::move(status);
      }
      status = Status();
    }
    if (status && !widenings_.empty()) status = std::move(widening);
    tables_.clear();
    for (const std::string& remark : remarks) {
      if (status) host_.warn(remark);
    }
    if (status) return own ? commit() : Status();
    const bool widens = !widenings_.empty();
    status = failed(std::move(status));
    if (!own) return status;
    Status undone = rollback();
    // Two sessions made the same thing at once: the other one's is there now.
    const bool raced = status.sqlstate() == "23505" || status.sqlstate() == "42P07" || status.sqlstate() == "42701" ||
                       status.sqlstate() == "42P06" || status.message().find("already exists") != std::string_view::npos;
    if ((!raced && !widens) || !undone || attempt == kOwnAttempts) return status;
  }
}

Status RedshiftConnection::write(const cdcrt_write& write) {
  last_read_ = LastRead();
  Status status = usable();
  if (!status) return status;
  if (write.row_count == 0 && write.kind != CDCRT_WRITE_CLEAR) return {};
  const bool own = !in_transaction_;  // a write is whole or nothing
  for (int attempt = 1;; ++attempt) {
    status = own ? begin() : Status();
    refused_ = RefusedCopy();
    if (status) status = write_once(write);
    if (status) {
      status = own ? commit() : Status();
      if (own && !status && in_transaction_) static_cast<void>(rollback());
      return status;
    }
    const bool widens = !widenings_.empty();
    status = after_write(write, failed(std::move(status)), refused_);
    if (!own) return status;
    Status undone = rollback();
    if (!widens || !undone || attempt == kOwnAttempts) return status;
  }
}

/// The host's tables are small, made as they are known, and defined by nobody else.
Status RedshiftConnection::write_of_host(const cdcrt_write& write) {
  std::vector<uint32_t> all(write.column_count);
  std::iota(all.begin(), all.end(), 0);
  const CatalogTable* catalog = nullptr;
  Status status = known_table(write.table, write.columns, write.column_count, catalog);
  if (!status) return status;
  std::vector<Widening> widenings;
  TableWrite one(session_, loader_, write, all, *catalog, notes_, stages_in_use_, sql::doing(sql::verb(write.kind), write.table));
  status = one.check([](const std::string&) { return false; }, widenings);
  if (status && widenings.empty()) {
    status = one.run_of_host();
    if (status.code() != CDCRT_BAD_RECORD) return status;
    // Of an older version, with shorter texts: from now on the catalog says what they are.
    knows_host_columns_ = false;
    return Status::error(CDCRT_STALE_SCHEMA, std::string(status.message()));
  }
  // A text or key that is longer than others: written as those of other tables are, so that its column can grow.
  knows_host_columns_ = false;
  status = write_once(write);
  knows_host_columns_ = true;
  return status;
}

/// Temporary tables that nobody needs go with others, in one statement.
Status RedshiftConnection::drop_old_stages() {
  std::string text;
  for (const std::string& name : stages_in_use_.to_drop()) text += (text.empty() ? "DROP TABLE " : ", ") + name;
  return text.empty() ? Status() : session_.execute(text, "cannot drop temporary tables");
}

Status RedshiftConnection::verify_columns() {
  if (notes_.columns.empty()) return {};
  CatalogTables now;
  for (const auto& [place, count] : notes_.columns) now[place];
  Status status = read_catalogs(session_, now);
  for (const auto& [place, count] : notes_.columns) {
    if (status && now[place].columns.size() != count) {
      status = Status::error(CDCRT_STALE_SCHEMA,
                             "the columns of table " + sql::shown(place.first) + "." + sql::shown(place.second) + " changed meanwhile");
    }
  }
  return status;
}

Status RedshiftConnection::write_once(const cdcrt_write& write) {
  if (knows_host_columns_ && is_of_host(write.columns, write.column_count) && write.kind != CDCRT_WRITE_CLEAR) return write_of_host(write);
  std::vector<uint32_t> columns;
  Status status;
  if (write.kind != CDCRT_WRITE_CLEAR) status = sql::choose_columns(write, columns);
  const CatalogTable* catalog = nullptr;
  if (status) status = known_table(write.table, write.columns, write.column_count, catalog);
  if (!status) return status;
  status = drop_old_stages();
  if (!status) return status;
  const std::string what = sql::doing(sql::verb(write.kind), write.table);
  TableWrite one(session_, loader_, write, columns, *catalog, notes_, stages_in_use_, what);
  status = one.check([this](const std::string& column) { return why_not_widened(column) != nullptr; }, widenings_);
  if (!status) {
    widenings_.clear();
    return status;
  }
  if (!widenings_.empty()) {
    for (const Widening& widening : widenings_) {
      const std::string* why = why_not_widened(widening.shown);
      if (why == nullptr) continue;
      status =
          Status::bad_record("column " + widening.shown + " is " + widening.type.name + " and has to grow for a value: " + *why,
                             "make the table's owner the connection's user, widen the column by hand, or set on_overflow = \"truncate\" or "
                             "\"null\" in the route's columns");
      widenings_.clear();
      return status;
    }
    return Status::error(CDCRT_STALE_SCHEMA,
                         "column " + widenings_.front().shown + " is widened to " + std::to_string(widenings_.front().bytes) + " bytes");
  }
  const std::string key = key_of(write.table);
  bool is_empty = empty_.erase(key) > 0;
  if (maybe_empty_ == key) {
    maybe_empty_.clear();
    if (one.gains_by_emptiness()) status = see_empty(write.table, what, is_empty);
    if (!status) return status;
  }
  status = one.run(++stages_, is_empty);
  if (!status) {
    refused_ = one.refused();
    return status;
  }
  if (!unexplained_.empty()) unexplained_.erase(key_of(write.table));
  return {};
}

/// What the server or COPY refused may have another reason than the values; and COPY keeps its reasons elsewhere.
Status RedshiftConnection::after_write(const cdcrt_write& write, Status status, const RefusedCopy& refused) {
  const bool asks = !refused.urls.empty() && (status.code() == CDCRT_BUSY || status.code() == CDCRT_BAD_RECORD);
  if (!asks && (status.code() != CDCRT_BAD_RECORD || changed_)) return status;
  const auto known = tables_.find(key_of(write.table));
  if (!asks && known == tables_.end()) return status;
  if (in_transaction_ && !over_) {
    if (Status undone = session_.execute("ROLLBACK", "cannot roll back"); !undone) return status;
    over_ = true;
  }
  if (asks) status = explain_load(session_, refused.urls, std::move(status), sql::doing(sql::verb(write.kind), write.table));
  // The views may lag, or may not be readable; but what COPY refuses twice it refuses for ever: then the rows are told apart without.
  if (asks && is_unexplained(status) && ++unexplained_[key_of(write.table)] >= kUnexplainedRefusals) {
    status = Status::bad_record(std::string(status.message()) + " (nothing is told there of these files)");
  }
  if (status.code() != CDCRT_BAD_RECORD || changed_ || known == tables_.end()) return status;
  // A value may have been refused because the column changed since its type was read: then it is no bad record.
  CatalogTable now;
  Status read = read_catalog(session_, session_.schema_of(write.table),
                             sql::redshift::folded(sdk::view(write.table.name), session_.names().case_sensitive), now);
  const bool changed = read && !(now.columns == known->second.columns.columns);
  tables_.clear();
  if (!changed) return status;
  return Status::error(CDCRT_STALE_SCHEMA, "the columns of table " + sql::shown(sdk::view(write.table.name)) +
                                               " changed meanwhile: " + std::string(status.message()));
}

Status RedshiftConnection::lock(const cdcrt_table* tables, uint32_t count) {
  Status status = usable();
  if (!status || count == 0) return status;
  std::string text = "LOCK ";
  for (uint32_t i = 0; i < count && status; ++i) {
    if (i > 0) text += ", ";
    status = session_.append_table(text, tables[i]);
  }
  if (status) status = session_.execute(text, "cannot lock cdcrt's own tables");
  return status ? Status() : failed(std::move(status));
}

}  // namespace cdcrt::redshift
