// Sets of rows go as one array parameter per column.
#include "postgresql/connection.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "postgresql/alter.hpp"
#include "postgresql/array_parameters.hpp"
#include "postgresql/awaited_later.hpp"
#include "postgresql/catalog.hpp"
#include "postgresql/dialect.hpp"
#include "postgresql/open_read.hpp"
#include "postgresql/refused_column.hpp"
#include "postgresql/row_copy.hpp"
#include "postgresql/statement_columns.hpp"
#include "postgresql/value.hpp"
#include "sql/identifier.hpp"

namespace cdcrt::postgresql {
namespace {

using sdk::Status;
using sql::Moment;

// libpq never gives back the buffer that a value was sent from.
constexpr std::size_t kLarge = 8U << 20;

class PostgresqlConnection final : public sql::TargetConnection {
 public:
  PostgresqlConnection(std::unique_ptr<sql::Session> session, const SessionTimeouts& timeouts, sql::Looks& looks, const ShorterWays& ways)
      : TargetConnection(std::move(session), sql::postgresql(), looks), timeouts_(timeouts), known_(looks, ways.tables),
        parameters_(session_->takes_binary()), copies_(session_->takes_copies() && session_->takes_binary() ? ways.copies : nullptr),
        foreseen_(ways.foreseen), answers_(ways.answers) {}

  // What is told by a later call is no answer of a row: the host then does all of it again, each statement waited for.
  Status expect(const cdcrt_table* tables, uint32_t count, bool fresh) override {
    for (uint32_t i = 0; i < count && !fresh && is_in_transaction(); ++i) answers_.expect(key_of(tables[i]));
    return {};
  }
  Status prepare_session() override { return set_up(*session_, timeouts_, default_schema_); }
  Status clocks(std::vector<sdk::Clock>& out) override { return read_clock(*session_, out); }

 protected:
  Status describe_table(const cdcrt_table& table, sdk::TableDescription& out) override {
    CatalogTable catalog;
    if (Status status = read_table(table, catalog); !status) return status;
    for (const CatalogColumn& column : catalog.columns) {
      out.add(column.name, dialect_.logical_type(column.base_type), column.type, column.not_null, column.key_ordinal);
      if (column.base_type != column.type || column.generated) out.columns().back().flags |= CDCRT_COLUMN_KEEP;
    }
    out.set_exists(catalog.exists);
    out.set_view(catalog.is_view);
    return {};
  }

  std::string_view begin_text() const override { return "BEGIN"; }
  void forget() override {
    known_.forget();
    in_doubt_.clear();
  }
  void forget(const cdcrt_table& table) override { known_.forget(key_of(table)); }
  void forget_own() override { known_.forget_own(); }
  void ended(bool is_committed) override {
    in_doubt_.clear();
    foreseen_.end(is_committed);
    answers_.end(is_committed);
  }
  [[nodiscard]] std::string key_of(const cdcrt_table& table) const override {
    return std::string(schema_of(table)) + std::string(1, '\0') + std::string(sdk::view(table.name));
  }
  Status check_constraints() override {
    const char* const what = "cannot write what was deferred";
    Status status = execute("SET CONSTRAINTS ALL IMMEDIATE", Moment::kStatement, what);
    if (status) status = execute("SET CONSTRAINTS ALL DEFERRED", Moment::kStatement, what);
    return status;
  }
  Status before_commit() override {
    for (const auto& [schema, table] : std::exchange(in_doubt_, {})) {
      const auto known = known_.keep(schema + std::string(1, '\0') + table);
      CatalogTable now;
      if (Status read = read_catalog(*session_, schema, table, now); !read) return read;
      if (known != nullptr && now.columns == known->columns) continue;
      forget();
      return Status::error(CDCRT_STALE_SCHEMA, "the columns of table " + sql::shown(table) + " changed while its rows were tried");
    }
    return {};
  }
  std::unique_ptr<sql::Query> make_query(const sql::Statement& statement, std::string_view what, Status& status) override {
    // Rows that are only inserted meet no other table: one plan is as good as another. Of a join the better one depends on their number.
    const bool joins = statement.text.compare(0, 7, "INSERT ") != 0 || statement.text.find("NOT EXISTS") != std::string::npos;
    const auto of_others = joins ? sql::Planning::kEachTime : sql::Planning::kOnce;
    const bool is_short = ForeseenReads::is_its(statement.text) || statement.text == catalog_question().text;
    const auto planning = is_short ? sql::Planning::kForAWhile : of_others;
    return session_->query(statement.text, statement.parameters.size(), planning, what, status);
  }

  Status after_failure(const cdcrt_table& table, Status status) override {
    if (status.code() != CDCRT_BAD_RECORD || changed_) {
      status.code() == CDCRT_BUSY && !changed_ ? forget_own() : forget();
      return status;
    }
    // A value may have been refused because the column changed since its type was read: then it is no bad record.
    const auto known = known_.keep(key_of(table));
    if (known == nullptr) return status;
    if (has_savepoint_) {
      // Rows are tried, one after the other: once for all of them is enough, before any of it counts.
      in_doubt_.emplace(schema_of(table), sdk::view(table.name));
      return status;
    }
    CatalogTable now;
    static_cast<void>(execute("ROLLBACK", Moment::kStatement, "cannot roll back"));
    Status read = read_catalog(*session_, schema_of(table), sdk::view(table.name), now);
    const bool changed = read && !(now.columns == known->columns);
    forget();
    if (!changed) return status;
    return Status::error(CDCRT_STALE_SCHEMA, "the columns of table " + sql::shown(sdk::view(table.name)) +
                                                 " changed meanwhile: " + std::string(status.message()));
  }

  Status name_column(const cdcrt_write& write, Status status) override {
    if (status.sqlstate().substr(0, 2) != "22" || status.sqlstate().size() != 5) return status;
    // Where the transaction goes on, it takes no statement before the refused one is taken back.
    const auto back = [&] {
      return has_savepoint_ ? execute("ROLLBACK TO SAVEPOINT cdcrt", Moment::kStatement, "cannot go back") : Status();
    };
    const CatalogTable* catalog = nullptr;
    if (!back() || !known_table(write.table, catalog)) return status;
    return name_refused_column(*session_, *catalog, write, std::move(status), back);
  }

  Status write_rows(const cdcrt_write& write, const std::vector<uint32_t>& columns) override {
    const std::string what = sql::doing(sql::verb(write.kind), write.table);
    sql::StatementShape shape;
    std::vector<uint32_t> chosen;
    const CatalogTable* catalog = nullptr;
    Status status = known_table(write.table, catalog);
    if (status) status = leave_out_generated(*catalog, write, columns, chosen);
    if (status) status = make_shape(*catalog, write.table, write.columns, chosen, shape);
    if (!status) return status;
    shape.has_unique_key = write.has_unique_key != 0;
    if (is_of_host(write)) foreseen_.changes(key_of(write.table));
    if (write.kind == CDCRT_WRITE_CLEAR) {
      if (copies_ != nullptr) copies_->forget(key_of(write.table));
      return clear(write.table, shape, what);
    }
    const uint64_t rows = write.row_count;
    if (chosen.empty()) {  // every column takes its default
      return execute("INSERT INTO " + shape.table + " SELECT FROM generate_series(1, " + std::to_string(rows) + ")", Moment::kStatement,
                     what);
    }
    bool is_copied = false;
    status = copy_rows(write, *catalog, shape, chosen, is_copied, what);
    if (!status || is_copied) return status;
    const auto statements = dialect_.write_statements(static_cast<cdcrt_write_kind>(write.kind), shape);
    if (statements.empty() && write.missing == nullptr) return {};
    uint64_t overflowed = 0;
    for (uint64_t first = 0; first < rows;) {
      uint64_t next = first;
      status = parameters_.take_rows(write, chosen, catalog_columns_, first, next, overflowed);
      if (!status) return status;
      has_grown_ = has_grown_ || parameters_.bytes() > kLarge;
      status = write_chunk(write, shape, statements, first, next, what);
      parameters_.give_back_large();
      if (!status) return status;
      first = next;
    }
    if (overflowed > 0 && write.overflowed != nullptr) write.overflowed(write.context, overflowed);
    return {};
  }

  Status read_rows(const cdcrt_read& read) override {
    OpenRead one;
    Status status = open_read(read, one);
    return status ? visit_rows(one) : std::move(status);
  }

  Status read_rows_together(const cdcrt_read* reads, uint32_t count, uint32_t& at) override {
    std::vector<OpenRead> sent;
    const auto visit_sent = [&] {
      Status status;
      for (OpenRead& each : sent) {
        at = static_cast<uint32_t>(each.read - reads);
        if (status) status = visit_rows(each);
        each.query->close();
        if (!status) break;
      }
      sent.clear();
      return status;
    };
    Status status;
    for (uint32_t i = 0; i < count && status; ++i) {
      if (reads[i].key_count > 0 && reads[i].key_rows == 0) continue;
      OpenRead one;
      at = i;
      status = open_read(reads[i], one);
      // The same statement for another read waits until it is free.
      if (status && std::any_of(sent.begin(), sent.end(), [&](const OpenRead& each) { return each.query == one.query; })) {
        status = visit_sent();
        if (status) status = open_read(reads[i], one);
      }
      if (!status) break;
      if (one.query->send(one.what)) {
        sent.push_back(std::move(one));
      } else {
        status = visit_rows(one);
      }
    }
    return status ? visit_sent() : std::move(status);
  }

  Status change_once(const cdcrt_table& table, const cdcrt_change& change) override {
    const std::string what = sql::doing("change", table);
    // Waiting longer would make every reader of the table wait behind this statement.
    Status status = execute("SET LOCAL lock_timeout = '30s'", Moment::kStatement, what);
    if (!status) return status;
    const cdcrt_table target{sdk::borrow(schema_of(table)), table.name};
    std::string text;
    switch (change.kind) {
      case CDCRT_CREATE_TABLE:
        status = ensure_schema(*session_, dialect_, target, what);
        if (status) status = dialect_.create_table(text, target, change.columns, change.column_count);
        break;
      case CDCRT_DROP_TABLE:
        text = "DROP TABLE IF EXISTS ";
        status = dialect_.append_table(text, target);
        break;
      case CDCRT_ADD_COLUMN: status = dialect_.add_column(text, target, change.columns[0], true); break;
      case CDCRT_ALTER_TYPE: status = alter_column_type(*session_, dialect_, target, change, text); break;
      case CDCRT_DROP_COLUMN: status = dialect_.drop_column(text, target, sdk::view(change.columns[0].name), true); break;
      case CDCRT_RENAME_COLUMN: return rename_column(*session_, dialect_, target, change.columns[0], what);
      case CDCRT_DROP_NOT_NULL:
        text = "ALTER TABLE ";
        status = dialect_.append_table(text, target);
        text += " ALTER COLUMN ";
        if (status) status = dialect_.append_column(text, sdk::view(change.columns[0].name));
        text += " DROP NOT NULL";
        break;
      default: return Status::unsupported("change " + std::to_string(change.kind) + " is unknown to this sink");
    }
    return status ? execute(text, Moment::kChange, what) : std::move(status);
  }

 private:
  [[nodiscard]] std::string_view schema_of(const cdcrt_table& table) const {
    return table.schema.data != nullptr ? sdk::view(table.schema) : std::string_view(default_schema_);
  }
  Status open_read(const cdcrt_read& read, OpenRead& out) {
    out.read = &read;
    out.what = sql::doing("read", read.table);
    sql::StatementShape shape;
    std::vector<uint32_t> all;
    for (uint32_t i = 0; i < read.column_count; ++i) all.push_back(i);
    std::vector<cdcrt_column> columns(read.columns, read.columns + read.column_count);
    for (uint32_t i = 0; i < read.column_count; ++i) columns[i].key_ordinal = i < read.key_count ? i + 1 : 0;
    const CatalogTable* catalog = nullptr;
    Status status = known_table(read.table, catalog);
    if (status) status = make_shape(*catalog, read.table, columns.data(), all, shape);
    if (!status) return status;
    out.columns = catalog_columns_;
    out.table = known_.keep(key_of(read.table));
    sql::Statement statement = dialect_.read_statement(shape, read.key_count, static_cast<cdcrt_lock>(read.lock));
    if (read.max_rows > 0 && read.lock == CDCRT_LOCK_NONE) statement.text += " LIMIT " + std::to_string(read.max_rows);
    status = parameters_.take_keys(read, catalog_columns_);
    out.table_key = key_of(read.table);
    if (status && is_in_transaction() && !has_savepoint_ && foreseen_.suits(out.table_key, read)) {
      status = foresee(statement, out);
      if (!out.rows.empty()) return status;
      if (status) foreseen_.begin_learning(out.table_key);
      out.learns = std::exchange(statement.text, ForeseenReads::learning_text(statement.text));
    }
    if (!status) return status;
    out.query = prepared(statement, out.what, status);
    if (out.query != nullptr) parameters_.bind(*out.query, statement.parameters);
    return status;
  }

  // The rows are told before the server is asked; the statement that locks them travels with what follows and fails where they are others.
  Status foresee(const sql::Statement& statement, OpenRead& out) {
    out.rows = foreseen_.find(out.table_key, statement.text, *out.read);
    if (out.rows.empty()) return {};
    sql::Statement proving{ForeseenReads::proving_text(statement.text), statement.parameters};
    proving.parameters.push_back(0);
    Status status;
    sql::Query* const query = prepared(proving, out.what, status);
    if (query == nullptr) return status;
    parameters_.bind(*query, statement.parameters);
    const std::string whole = ForeseenReads::whole(out.rows);
    query->bind_text(statement.parameters.size(), whole);
    if (query->leave(sql::Query::kAnyRows, CDCRT_BUSY, out.what))
      foreseen_.told(out.table_key);
    else
      out.rows.clear();
    return {};
  }

  Status visit_rows(const OpenRead& open) {
    std::size_t largest = 0;
    Status status = postgresql::visit_rows(open, foreseen_, largest);
    has_grown_ = has_grown_ || largest > kLarge;
    return status;
  }

  Status known_table(const cdcrt_table& table, const CatalogTable*& out) {
    const std::string key = key_of(table);
    if (out = known_.find(key, has_changed(key)); out != nullptr) return {};
    const KnownAt before = known_.now(key);
    CatalogTable catalog;
    if (Status status = read_table(table, catalog); !status) return status;
    const std::string name = sql::shown(schema_of(table)) + "." + sql::shown(sdk::view(table.name));
    if (!catalog.exists) return Status::error(CDCRT_STALE_SCHEMA, "table " + name + " does not exist").with_native(0, "42P01");
    out = known_.learn(key, before, std::move(catalog), has_changed(key));
    return {};
  }
  Status read_table(const cdcrt_table& table, CatalogTable& out) {
    if (has_savepoint_) return read_catalog(*session_, schema_of(table), sdk::view(table.name), out);
    Status status;
    sql::Query* const question = prepared(catalog_question(), "cannot read the catalog", status);
    return question == nullptr ? std::move(status) : read_catalog(*question, schema_of(table), sdk::view(table.name), out);
  }

  Status make_shape(const CatalogTable& catalog, const cdcrt_table& table, const cdcrt_column* columns, const std::vector<uint32_t>& chosen,
                    sql::StatementShape& shape) {
    const cdcrt_table place{sdk::borrow(schema_of(table)), table.name};
    Status status = postgresql::make_shape(dialect_, catalog, place, columns, chosen, shape, catalog_columns_);
    if (status.code() == CDCRT_STALE_SCHEMA) forget();
    return status;
  }

  // Where a row is not new, or anything else is in the way, all of them go the other way, which tells what it is.
  Status copy_rows(const cdcrt_write& write, const CatalogTable& catalog, const sql::StatementShape& shape,
                   const std::vector<uint32_t>& chosen, bool& is_copied, const std::string& what) {
    if (copies_ == nullptr || has_savepoint_ || !RowCopy::suits(write, catalog, catalog_columns_)) return {};
    const std::string table = key_of(write.table);
    if (!copies_->may_try(table)) return {};
    RowCopy copy(write, chosen, catalog_columns_);
    Status status = copy.run(*session_, shape, what, is_copied);
    has_grown_ = has_grown_ || copy.largest() > kLarge;
    // An error is no fault of the rows: the write comes again.
    if (status && is_copied) copies_->went_well(table);
    if (status && !is_copied) copies_->failed(table);
    if (is_copied && copy.overflowed() > 0 && write.overflowed != nullptr) write.overflowed(write.context, copy.overflowed());
    return status;
  }

  Status write_chunk(const cdcrt_write& write, const sql::StatementShape& shape, const std::vector<sql::Statement>& statements,
                     uint64_t first, uint64_t next, const std::string& what) {
    const auto sent = static_cast<int64_t>(next - first);
    // Whether they were all taken may be told with a later answer, where nothing else is to be learned of them.
    if (first == 0 && next == write.row_count && statements.size() == 1 && !has_savepoint_) {
      const bool of_host = write.kind == CDCRT_WRITE_UPSERT && is_of_host(write);
      if (shows_all_taken(write, shape) && (of_host || answers_.may_wait(key_of(write.table)))) {
        Status status;
        sql::Query* const query = bound(statements[0], what, status);
        if (query == nullptr) return status;
        const bool is_left = query->leave(sent, of_host ? CDCRT_BUSY : CDCRT_STALE_SCHEMA, what);
        if (is_left && !of_host) answers_.left(key_of(write.table));
        if (is_left) return {};
      }
    }
    int64_t matched = -1;
    int64_t taken = 0;
    bool counts = true;  // the driver tells how many rows a statement changed
    for (std::size_t i = 0; i < statements.size(); ++i) {
      int64_t changed = 0;
      Status status = run(statements[i], what, &changed);
      if (!status) return status;
      if (matched < 0) matched = changed;
      if (write.kind == CDCRT_WRITE_REMOVE) return report_missing(statements[i], write, first, what, taken);
      counts = counts && changed >= 0;
      if (write.kind != CDCRT_WRITE_DELETE && (write.kind != CDCRT_WRITE_REPLACE || i > 0)) {
        taken += changed;
      } else if (counts && changed < sent) {
        status = see_removed(write.table, shape, what);
        if (!status) return status;
      }
    }
    if (write.kind == CDCRT_WRITE_DELETE) return {};
    if (write.kind == CDCRT_WRITE_PATCH && write.missing != nullptr && (matched != sent || write.has_unique_key == 0)) {
      const sql::Statement statement = dialect_.missing_statement(shape);
      int64_t missing = 0;
      Status status = run(statement, what, &missing);
      missing = 0;
      if (status) status = report_missing(statement, write, first, what, missing);
      if (!status) return status;
      taken += missing;
    }
    return counts && taken < sent && !statements.empty() ? see_written(write.table, shape, write.kind == CDCRT_WRITE_PATCH, what)
                                                         : Status();
  }

  // Fewer rows changed than were sent: those that were there already in the same words need no change.
  Status see_written(const cdcrt_table& table, const sql::StatementShape& shape, bool patch, const std::string& what) {
    const bool keyed = std::any_of(shape.columns.begin(), shape.columns.end(), [](const auto& column) { return column.key; });
    if (!keyed) {
      // A trigger may lead rows to the tables that inherit from this one, and to look for each of them there would be to read them all.
      std::string text;
      bool none = false;
      Status asked = answer(
          *session_,
          "SELECT 1::text FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhparent JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
          "WHERE n.nspname = ?::text AND c.relname = ?::text LIMIT 1",
          {schema_of(table), sdk::view(table.name)}, text, none, what);
      if (!asked || !none) return asked;
    }
    bool any = false;
    Status status = answers(dialect_.unwritten_statement(shape, patch), any, what);
    if (status && any && has_inexact_key(shape)) return same_to_the_target(table, shape);
    return status && any ? swallowed(table, "rows that were sent are not in it") : std::move(status);
  }
  Status see_removed(const cdcrt_table& table, const sql::StatementShape& shape, const std::string& what) {
    bool any = false;
    Status status = answers(dialect_.remaining_statement(shape), any, what);
    if (!status || !any) return status;
    // Another session may have committed such a row since the first DELETE looked.
    int64_t ignored = 0;
    status = run(dialect_.write_statements(CDCRT_WRITE_DELETE, shape)[0], what, &ignored);
    if (status) status = answers(dialect_.remaining_statement(shape), any, what);
    return status && any ? swallowed(table, "rows that were deleted are still in it") : std::move(status);
  }
  Status clear(const cdcrt_table& table, const sql::StatementShape& shape, const std::string& what) {
    Status status = execute(dialect_.write_statements(CDCRT_WRITE_CLEAR, shape)[0].text, Moment::kStatement, what);
    bool any = false;
    if (status) status = answers({"SELECT 1 FROM " + shape.table + " LIMIT 1", {}}, any, what);
    return status && any ? swallowed(table, "it was emptied and still has rows") : std::move(status);
  }
  Status answers(const sql::Statement& statement, bool& any, const std::string& what) {
    int64_t ignored = 0;
    Status status = run(statement, what, &ignored);
    sql::Query* query = status ? prepared(statement, what, status) : nullptr;
    if (query == nullptr) return status;
    status = query->fetch(any, what);
    query->close();
    return status;
  }

  /// Whether a statement that changed as many rows as were sent has taken each of them.
  static bool shows_all_taken(const cdcrt_write& write, const sql::StatementShape& shape) {
    if (write.kind == CDCRT_WRITE_APPEND) return true;
    if (write.kind == CDCRT_WRITE_DELETE) return write.has_unique_key != 0;
    // A row that is all key and there already changes nothing, and would count as one that is missing.
    return (write.kind == CDCRT_WRITE_UPSERT || write.kind == CDCRT_WRITE_PATCH) && write.has_unique_key != 0 && !sql::only_keys(shape);
  }
  static bool is_of_host(const cdcrt_write& write) {
    return std::all_of(write.columns, write.columns + write.column_count,
                       [](const cdcrt_column& column) { return (column.flags & CDCRT_COLUMN_OF_HOST) != 0; });
  }
  sql::Query* bound(const sql::Statement& statement, const std::string& what, Status& status) {
    sql::Query* const query = prepared(statement, what, status);
    if (query != nullptr) parameters_.bind(*query, statement.parameters);
    return query;
  }
  Status run(const sql::Statement& statement, const std::string& what, int64_t* changed) {
    Status status;
    sql::Query* const query = bound(statement, what, status);
    return query == nullptr ? std::move(status) : query->execute(Moment::kStatement, what, changed);
  }

  /// The statement's result: positions within the chunk, from 1.
  Status report_missing(const sql::Statement& statement, const cdcrt_write& write, uint64_t first, const std::string& what,
                        int64_t& count) {
    Status status;
    sql::Query* query = prepared(statement, what, status);
    if (query == nullptr) return status;
    std::string text;
    while (status) {
      bool found = false;
      bool null = false;
      status = query->fetch(found, what);
      if (!status || !found) break;
      status = query->text(0, text, null, what);
      if (!status) break;
      ++count;
      if (write.missing != nullptr) write.missing(write.context, first + std::stoull(text) - 1);
    }
    query->close();
    return status;
  }

  std::string default_schema_;
  const SessionTimeouts timeouts_;
  KnownTables known_;
  std::set<std::pair<std::string, std::string>> in_doubt_;  // schema and name: their rows were refused since a savepoint
  ArrayParameters parameters_;
  Trials* const copies_;
  ForeseenReads foreseen_;
  AwaitedLater answers_;
  std::vector<const CatalogColumn*> catalog_columns_;  // of the shape made last, in its order
};

}  // namespace

std::unique_ptr<sql::TargetConnection> make_connection(std::unique_ptr<sql::Session> session, const SessionTimeouts& timeouts,
                                                       sql::Looks& looks, const ShorterWays& ways) {
  return std::make_unique<PostgresqlConnection>(std::move(session), timeouts, looks, ways);
}

}  // namespace cdcrt::postgresql
