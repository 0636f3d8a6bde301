// SQLite: several rows a statement where that is possible, else one statement a row, inside the transaction.
#include "sqlite_connection.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "sql/cell_text.hpp"
#include "sql/identifier.hpp"
#include "sqlite_affinity.hpp"
#include "sqlite_dialect.hpp"
#include "sqlite_table.hpp"
#include "sqlite_value.hpp"

namespace cdcrt::odbc {
namespace {

using sdk::Status;
using sql::Moment;

void bind(Query& query, std::size_t parameter, const sql::SqliteValue& value) {
  switch (value.storage) {
    case sql::SqliteClass::kNull: query.bind_null(parameter); return;
    case sql::SqliteClass::kInteger: query.bind_integer(parameter, value.integer); return;
    case sql::SqliteClass::kReal: query.bind_real(parameter, value.real); return;
    case sql::SqliteClass::kText: query.bind_text(parameter, value.bytes); return;
    case sql::SqliteClass::kBlob: query.bind_bytes(parameter, value.bytes); return;
  }
}

class SqliteConnection final : public sql::TargetConnection {
 public:
  SqliteConnection(std::unique_ptr<Session> session, const ConnectionSettings& settings, sql::Looks& looks)
      : TargetConnection(std::move(session), sql::sqlite(), looks), settings_(settings) {}

  Status prepare_session() override {
    const std::string what = "cannot set up the database";
    Status status;
    if (!settings_.has("JournalMode")) status = execute("PRAGMA journal_mode = WAL", Moment::kConnect, what);
    // The driver's own default is NORMAL, which can lose the last commits when the machine fails.
    if (status && !settings_.has("SyncPragma")) status = execute("PRAGMA synchronous = FULL", Moment::kConnect, what);
    // 16 MiB: with the 2 MiB of its own, keys in no order read and write every page many times over.
    if (status) status = execute("PRAGMA cache_size = -16384", Moment::kConnect, what);
    if (status) status = execute("PRAGMA foreign_keys = OFF", Moment::kConnect, what);
    return status;
  }

 protected:
  Status describe_table(const cdcrt_table& table, sdk::TableDescription& out) override {
    SqliteTable found;
    out.set_folds_names(true);
    Status status = read_table(odbc_, sdk::view(table.name), found);
    if (!status || !found.exists) return status;
    const bool keyed = std::any_of(found.columns.begin(), found.columns.end(), [](const auto& column) { return column.key_ordinal > 0; });
    std::vector<std::string> unique;
    if (!keyed && !found.is_view) {
      status = unique_columns(found, unique);
      if (!status) return status;
    }
    for (const SqliteColumn& column : found.columns) {
      uint32_t ordinal = column.key_ordinal;
      for (std::size_t i = 0; i < unique.size(); ++i) {
        if (same_name(unique[i], column.name)) ordinal = static_cast<uint32_t>(i + 1);
      }
      out.add(column.name, dialect_.logical_type(column.type), column.type, column.not_null || column.key_ordinal > 0, ordinal);
    }
    out.set_exists(true);
    out.set_view(found.is_view);
    return {};
  }

  std::string_view begin_text() const override { return "BEGIN IMMEDIATE"; }
  void forget() override { tables_.clear(); }
  void forget(const cdcrt_table& table) override { tables_.erase(key_of(table)); }
  [[nodiscard]] std::string key_of(const cdcrt_table& table) const override { return std::string(sdk::view(table.name)); }
  std::unique_ptr<sql::Query> make_query(const sql::Statement& statement, std::string_view what, Status& status) override {
    auto query = std::make_unique<Query>(odbc_);
    status = query->prepare(statement.text, statement.parameters.size(), what);
    if (!status) query.reset();
    return query;
  }
  Query* prepared(const sql::Statement& statement, std::string_view doing, Status& status) {
    return static_cast<Query*>(TargetConnection::prepared(statement, doing, status));
  }
  Status after_failure(const cdcrt_table& /*table*/, Status status) override {
    forget();
    return status;
  }

  Status write_rows(const cdcrt_write& write, const std::vector<uint32_t>& all) override {
    const std::string what = sql::doing("write to", write.table);
    sql::StatementShape shape;
    const SqliteTable* known = nullptr;
    Status status = known_table(write.table, known);
    if (!status) return status;
    std::vector<uint32_t> taken;  // what the table computes itself is left to it
    const bool computes = std::any_of(known->columns.begin(), known->columns.end(), [](const auto& column) { return column.generated; });
    if (computes) {
      taken = all;
      std::erase_if(taken, [&](uint32_t index) {
        const SqliteColumn* const column = find(*known, sdk::view(write.columns[index].name));
        return column != nullptr && column->generated;
      });
    }
    const std::vector<uint32_t>& columns = computes ? taken : all;
    status = make_shape(write.table, write.columns, columns, shape);
    if (!status) return status;
    for (auto& column : shape.columns) column.inexact = column.key && known->collates;
    affinities_.clear();
    for (const uint32_t index : columns) {
      const SqliteColumn* const column = find(*known, sdk::view(write.columns[index].name));
      affinities_.push_back(column != nullptr ? sql::sqlite_affinity(column->type) : sql::SqliteAffinity::kNone);
    }
    shape.has_unique_key = write.has_unique_key != 0;
    if (write.kind == CDCRT_WRITE_CLEAR) {
      status = execute(dialect_.write_statements(CDCRT_WRITE_CLEAR, shape)[0].text, Moment::kStatement, what);
      bool any = false;
      if (status) status = answers({"SELECT 1 FROM " + shape.table + " LIMIT 1", {}}, nullptr, any, what);
      return status && any ? swallowed(write.table, "it was emptied and still has rows") : std::move(status);
    }
    if (write.kind == CDCRT_WRITE_REMOVE) {
      shape.row_identifier = row_identifier(*known);
      if (shape.row_identifier.empty())
        return Status::unsupported("the columns of table " + sql::shown(known->name) + " hide every name of its rowid");
    }
    overflowed_ = 0;
    const uint64_t rows = write.row_count;
    uint64_t done = 0;
    for (const uint32_t together : {200U, 20U, 1U}) {  // measured: more gains nothing
      if (together > 1 && !takes_several(write, shape, together)) continue;
      if (rows - done < together) continue;
      shape.rows = together;
      status = write_pieces(write, columns, shape, rows, done, what);
      if (!status) return status;
    }
    if (overflowed_ > 0 && write.overflowed != nullptr) write.overflowed(write.context, overflowed_);
    return {};
  }

  Status read_rows(const cdcrt_read& read) override {
    const std::string what = sql::doing("read", read.table);
    std::vector<uint32_t> all;
    for (uint32_t i = 0; i < read.column_count; ++i) all.push_back(i);
    std::vector<cdcrt_column> columns(read.columns, read.columns + read.column_count);
    for (uint32_t i = 0; i < read.column_count; ++i) columns[i].key_ordinal = i < read.key_count ? i + 1 : 0;
    sql::StatementShape shape;
    Status status = make_shape(read.table, columns.data(), all, shape);
    const SqliteTable* known = nullptr;
    if (status && read.key_count > 0) status = known_table(read.table, known);
    if (!status) return status;
    for (auto& column : shape.columns) column.inexact = column.key && known != nullptr && known->collates;
    sql::Statement statement = dialect_.read_statement(shape, read.key_count, CDCRT_LOCK_NONE);
    if (read.max_rows > 0 && read.lock == CDCRT_LOCK_NONE) statement.text += " LIMIT " + std::to_string(read.max_rows);
    Query* query = prepared(statement, what, status);
    if (query == nullptr) return status;
    values_.resize(std::max<std::size_t>(values_.size(), read.column_count));
    std::vector<cdcrt_cell> cells(read.column_count);
    std::vector<std::string> texts(read.column_count);
    const uint64_t times = read.key_count > 0 ? read.key_rows : 1;
    bool stop = false;
    for (uint64_t key = 0; key < times && status && !stop; ++key) {
      for (uint32_t i = 0; i < read.key_count && status; ++i) {
        status = sql::to_sqlite(read.keys[key * read.key_count + i], columns[i], values_[i]);
      }
      for (std::size_t p = 0; p < statement.parameters.size() && status; ++p) bind(*query, p, values_[statement.parameters[p]]);
      if (status) status = query->execute(Moment::kStatement, what);
      while (status && !stop) {
        bool found = false;
        status = query->fetch(found, what);
        if (!status || !found) break;
        for (uint32_t i = 0; i < read.column_count && status; ++i) {
          bool null = false;
          status = query->text(i, texts[i], null, what);
          if (null)
            values_[i].storage = sql::SqliteClass::kNull;
          else if (status && !sql::parse_exact(texts[i], values_[i]))
            return Status::fatal(what + ": a value cannot be read");
          cells[i] = sql::from_sqlite(values_[i], read.columns[i].type);
        }
        if (status) stop = read.visit(read.context, cells.data()) != 0;
      }
      query->close();
    }
    return status;
  }

  Status change_once(const cdcrt_table& table, const cdcrt_change& change) override {
    const std::string what = sql::doing("change", table);
    SqliteTable found;
    std::string text;
    Status status = read_table(odbc_, sdk::view(table.name), found);
    if (!status) return status;
    if (change.kind == CDCRT_CREATE_TABLE) {
      if (found.exists) return {};
      status = dialect_.create_table(text, table, change.columns, change.column_count);
      return status ? execute(text, Moment::kChange, what) : std::move(status);
    }
    if (change.kind == CDCRT_DROP_TABLE) {
      text = "DROP TABLE IF EXISTS ";
      status = dialect_.append_table(text, table);
      return status ? execute(text, Moment::kChange, what) : std::move(status);
    }
    if (!found.exists) return Status::error(CDCRT_STALE_SCHEMA, what + ": no such table");
    const std::string_view name = sdk::view(change.columns[0].name);
    const bool has =
        std::any_of(found.columns.begin(), found.columns.end(), [&](const auto& column) { return same_name(column.name, name); });
    switch (change.kind) {
      case CDCRT_ADD_COLUMN:
        if (has) return {};
        status = dialect_.add_column(text, table, change.columns[0], false);
        return status ? execute(text, Moment::kChange, what) : std::move(status);
      case CDCRT_DROP_COLUMN: return has ? drop_column(table, found, name, what) : Status();
      case CDCRT_RENAME_COLUMN: return rename_column(table, found, change.columns[0], has, what);
      case CDCRT_ALTER_TYPE:
      case CDCRT_DROP_NOT_NULL: return alter_column(odbc_, found, change, what);
      default: return Status::unsupported("change " + std::to_string(change.kind) + " is unknown to this sink");
    }
  }

 private:
  Status make_shape(const cdcrt_table& table, const cdcrt_column* columns, const std::vector<uint32_t>& chosen,
                    sql::StatementShape& shape) {
    Status status = dialect_.append_table(shape.table, table);
    for (const uint32_t index : chosen) {
      if (!status) break;
      sql::StatementColumn column;
      status = dialect_.append_column(column.name, sdk::view(columns[index].name));
      column.key = columns[index].key_ordinal > 0;
      column.decimal = columns[index].type.kind == CDCRT_TYPE_DECIMAL;
      shape.columns.push_back(std::move(column));
    }
    return status;
  }

  /// Parameters that a statement takes; SQLite's limit is 32,766.
  static constexpr std::size_t kMaxParameters = 30'000;

  static bool is_inexact(const sql::StatementShape& shape) {
    return std::any_of(shape.columns.begin(), shape.columns.end(), [](const auto& column) { return column.inexact; });
  }

  static bool takes_several(const cdcrt_write& write, const sql::StatementShape& shape, uint32_t rows) {
    if (shape.columns.empty() || shape.columns.size() * rows > kMaxParameters || is_inexact(shape)) return false;
    const auto keys = std::count_if(shape.columns.begin(), shape.columns.end(), [](const auto& column) { return column.key; });
    switch (write.kind) {
      case CDCRT_WRITE_APPEND: return true;
      case CDCRT_WRITE_UPSERT: return write.has_unique_key != 0;
      case CDCRT_WRITE_DELETE:
      case CDCRT_WRITE_REPLACE: return keys == 1;
      default: return false;  // how many rows each one matched must be known
    }
  }

  /// Writes rows from `done` on, `shape.rows` at a time, while so many are left.
  Status write_pieces(const cdcrt_write& write, const std::vector<uint32_t>& columns, const sql::StatementShape& shape, uint64_t rows,
                      uint64_t& done, const std::string& what) {
    const auto statements = dialect_.write_statements(static_cast<cdcrt_write_kind>(write.kind), shape);
    Status status;
    std::vector<Query*> queries;
    for (const auto& statement : statements) {
      queries.push_back(prepared(statement, what, status));
      if (!status) return status;
    }
    const bool reports = write.kind == CDCRT_WRITE_PATCH || write.kind == CDCRT_WRITE_REMOVE;
    const bool insert_unmatched = write.kind == CDCRT_WRITE_UPSERT && statements.size() == 2;
    const std::size_t width = columns.size();
    values_.resize(std::max(values_.size(), width * shape.rows));
    for (; rows - done >= shape.rows; done += shape.rows) {
      for (uint32_t piece = 0; piece < shape.rows; ++piece) {
        const cdcrt_cell* cells = write.cells + (done + piece) * write.column_count;
        for (std::size_t c = 0; c < width; ++c) {
          status = to_stored(cells[columns[c]], write.columns[columns[c]], c, values_[piece * width + c]);
          if (!status) return status;
        }
      }
      for (std::size_t s = 0; s < statements.size(); ++s) {
        const auto& parameters = statements[s].parameters;
        for (std::size_t p = 0; p < parameters.size(); ++p) bind(*queries[s], p, values_[parameters[p]]);
        int64_t changed = 0;
        status = queries[s]->execute(Moment::kStatement, what, &changed);
        if (!status) return status;
        const bool updates = insert_unmatched && s == 0;
        const bool removes = write.kind == CDCRT_WRITE_DELETE || (write.kind == CDCRT_WRITE_REPLACE && s == 0);
        if (write.kind != CDCRT_WRITE_REMOVE && !updates && changed >= 0 && changed < shape.rows) {
          bool missing = false;
          status = removes ? see_removed(write.table, shape, what) : see_written(write, shape, missing, what);
          if (!status) return status;
          if (!missing && reports) continue;
        }
        if (reports && changed == 0 && write.missing != nullptr) write.missing(write.context, done);
        if (insert_unmatched && changed > 0) break;
      }
    }
    return {};
  }

  // Fewer rows changed than were sent (the values are still bound): one that was there already in the same words needs no change.
  // `missing`: of a PATCH, the row is not there.
  Status see_written(const cdcrt_write& write, sql::StatementShape shape, bool& missing, const std::string& what) {
    const std::size_t rows = std::exchange(shape.rows, 1);
    const auto held = dialect_.unwritten_statement(shape, false), there = dialect_.remaining_statement(shape);
    Status status;
    for (std::size_t row = 0; row < rows && status; ++row) {
      const sql::SqliteValue* const values = values_.data() + row * shape.columns.size();
      bool any = false;
      if (write.kind == CDCRT_WRITE_PATCH) {
        status = answers(there, values, any, what);
        missing = status && !any;
        if (missing) return status;
      }
      if (status) status = answers(held, values, any, what);
      if (status && !any && is_inexact(shape)) {
        return Status::bad_record(
            "a key of table " + sql::shown(sdk::view(write.table.name)) +
                " is equal to that of another row for the target, whose key column has a COLLATE, but not for the source",
            "let the target's key column be without COLLATE");
      }
      if (status && !any) status = swallowed(write.table, "rows that were sent are not in it");
    }
    return status;
  }
  Status see_removed(const cdcrt_table& table, sql::StatementShape shape, const std::string& what) {
    const std::size_t rows = std::exchange(shape.rows, 1);
    const auto there = dialect_.remaining_statement(shape);
    Status status;
    for (std::size_t row = 0; row < rows && status; ++row) {
      bool any = false;
      status = answers(there, values_.data() + row * shape.columns.size(), any, what);
      if (status && any) status = swallowed(table, "rows that were deleted are still in it");
    }
    return status;
  }
  Status answers(const sql::Statement& statement, const sql::SqliteValue* values, bool& any, const std::string& what) {
    Status status;
    Query* query = prepared(statement, what, status);
    if (query == nullptr) return status;
    for (std::size_t p = 0; p < statement.parameters.size(); ++p) bind(*query, p, values[statement.parameters[p]]);
    status = query->execute(Moment::kStatement, what);
    if (status) status = query->fetch(any, what);
    query->close();
    return status;
  }

  Status known_table(const cdcrt_table& table, const SqliteTable*& out) {
    const std::string key = key_of(table);
    auto known = tables_.find(key);
    const uint64_t look = looks_.of(key);
    if (known == tables_.end() || known->second.look != look) {
      SqliteTable found;
      Status status = read_table(odbc_, key, found);
      if (!status) return status;
      if (!found.exists) return Status::error(CDCRT_STALE_SCHEMA, "no such table: " + sql::shown(key));
      known = tables_.insert_or_assign(key, sql::Known<SqliteTable>{std::move(found), look}).first;
    }
    out = &known->second.columns;
    return {};
  }

  static const SqliteColumn* find(const SqliteTable& table, std::string_view name) {
    const auto found =
        std::find_if(table.columns.begin(), table.columns.end(), [&](const auto& column) { return same_name(column.name, name); });
    return found == table.columns.end() ? nullptr : &*found;
  }

  /// The value for the place-th column of the write, exact in spite of its affinity.
  Status to_stored(const cdcrt_cell& cell, const cdcrt_column& column, std::size_t place, sql::SqliteValue& value) {
    Status status = sql::to_sqlite(cell, column, value);
    if (!status || sql::keep_exact(affinities_[place], cell, value)) return status;
    if ((column.flags & CDCRT_COLUMN_MAY_NULL) != 0) {
      value.storage = sql::SqliteClass::kNull;
      ++overflowed_;
      return status;
    }
    std::string text;
    sql::append_cell_text(text, cell, sdk::TextStyle::kIso8601);
    return Status::bad_record("column " + sql::shown(sdk::view(column.name)) +
                                  " of the target would change this value, for SQLite makes a number of it: " + sql::shown(text),
                              "declare the column as TEXT in the target, or give it on_overflow = \"null\" or exclude in the route");
  }

  Status unique_columns(const SqliteTable& table, std::vector<std::string>& out) {
    std::vector<SqliteIndex> indexes;
    Status status = read_indexes(odbc_, table.name, indexes);
    if (!status) return status;
    for (const SqliteIndex& index : indexes) {
      const bool fits =
          index.unique && !index.partial && std::all_of(index.columns.begin(), index.columns.end(), [&](const std::string& name) {
            return std::any_of(table.columns.begin(), table.columns.end(),
                               [&](const auto& column) { return column.not_null && same_name(column.name, name); });
          });
      if (fits && (out.empty() || index.columns.size() < out.size())) out = index.columns;
    }
    return {};
  }

  Status rename_column(const cdcrt_table& table, const SqliteTable& found, const cdcrt_column& column, bool has, const std::string& what) {
    const std::string_view former = sdk::view(column.former_name), name = sdk::view(column.name);
    const bool has_former =
        std::any_of(found.columns.begin(), found.columns.end(), [&](const auto& each) { return same_name(each.name, former); });
    if (same_name(former, name)) return {};
    if (!has_former) {
      if (has) return {};
      return Status::error(CDCRT_STALE_SCHEMA, what + ": there is no column " + sql::shown(former));
    }
    std::vector<std::string> texts;
    Status status = dialect_.rename_column(texts, table, former, name, has);
    for (const std::string& each : texts) {
      if (status) status = execute(each, Moment::kChange, what);
    }
    return status;
  }

  Status drop_column(const cdcrt_table& table, const SqliteTable& found, std::string_view name, const std::string& what) {
    std::vector<SqliteIndex> indexes;
    Status status = read_indexes(odbc_, found.name, indexes);
    for (const SqliteIndex& index : indexes) {
      if (!status) return status;
      const bool uses =
          std::any_of(index.columns.begin(), index.columns.end(), [&](const std::string& part) { return same_name(part, name); });
      if (!uses) continue;
      if (index.definition.empty()) {
        return Status::unsupported(what + ": column " + sql::shown(name) + " belongs to a key of the table",
                                   "drop it by hand, or set schema_changes in the route");
      }
      std::string text = "DROP INDEX ";
      static_cast<void>(sql::append_identifier(text, index.name, 0, "index"));
      status = execute(text, Moment::kChange, what);
    }
    std::string text;
    if (status) status = dialect_.drop_column(text, table, name, false);
    return status ? execute(text, Moment::kChange, what) : std::move(status);
  }

  const ConnectionSettings& settings_;
  Session& odbc_ = static_cast<Session&>(*session_);
  std::map<std::string, sql::Known<SqliteTable>> tables_;
  std::vector<sql::SqliteAffinity> affinities_;  // of the columns of the write
  uint64_t overflowed_ = 0;
  std::vector<sql::SqliteValue> values_;
};

}  // namespace

std::unique_ptr<sql::TargetConnection> make_sqlite_connection(std::unique_ptr<Session> session, const ConnectionSettings& settings,
                                                              sql::Looks& looks) {
  return std::make_unique<SqliteConnection>(std::move(session), settings, looks);
}

}  // namespace cdcrt::odbc
