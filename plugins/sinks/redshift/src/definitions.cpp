#include "definitions.hpp"

#include <algorithm>

#include "cdcrt/sdk/utf8.hpp"
#include "host_tables.hpp"
#include "layout_options.hpp"
#include "redshift_ddl.hpp"
#include "redshift_literal.hpp"
#include "redshift_statements.hpp"
#include "sql/identifier.hpp"

namespace cdcrt::redshift {

using sdk::Status;
using sql::Moment;
using sql::redshift::ColumnType;
using sql::redshift::Storage;

namespace {

using sql::redshift::kMaxVarchar;

class Change {
 public:
  Change(TargetSession& session, const cdcrt_table& table, std::vector<Widening>& widenings, std::vector<std::string>& remarks)
      : session_(session), table_(table), widenings_(widenings), remarks_(remarks),
        what_("cannot change table " + sql::shown(sdk::view(table.name))) {}

  Status run(const cdcrt_change& change) {
    Status status = session_.append_table(quoted_, table_);
    if (!status) return status;
    schema_ = session_.schema_of(table_);
    name_ = sql::redshift::folded(sdk::view(table_.name), session_.names().case_sensitive);
    if (change.kind == CDCRT_CREATE_TABLE) return create(change);
    if (change.kind == CDCRT_DROP_TABLE) return execute("DROP TABLE IF EXISTS " + quoted_);
    status = read_catalog(session_, schema_, name_, catalog_);
    if (status && !catalog_.exists)
      status = Status::error(CDCRT_STALE_SCHEMA, "table " + quoted_ + " does not exist").with_native(0, "42P01");
    if (!status) return status;
    const cdcrt_column& column = change.columns[0];
    const std::string folded = sql::redshift::folded(sdk::view(column.name), session_.names().case_sensitive);
    status = sql::redshift::append_name(column_, folded, "column", true);
    if (!status) return status;
    const CatalogColumn* found = catalog_.find(folded);
    switch (change.kind) {
      case CDCRT_ADD_COLUMN: return found != nullptr ? Status() : add(column);
      case CDCRT_DROP_COLUMN: return found == nullptr ? Status() : drop(*found);
      case CDCRT_RENAME_COLUMN: return rename(column, found != nullptr);
      case CDCRT_ALTER_TYPE: return found == nullptr ? no_column(folded) : alter(column, *found);
      case CDCRT_DROP_NOT_NULL:
        if (found == nullptr) return no_column(folded);
        return found->not_null ? rebuild(*found, found->type, {}) : Status();
      default: return Status::unsupported("change " + std::to_string(change.kind) + " is unknown to this sink");
    }
  }

 private:
  Status execute(const std::string& text) { return session_.execute(text, what_, Moment::kChange); }
  [[nodiscard]] Status no_column(const std::string& name) const {
    return Status::error(CDCRT_STALE_SCHEMA, "table " + quoted_ + " has no column " + sql::shown(name)).with_native(0, "42703");
  }

  Status create(const cdcrt_change& change) {
    // Asked for first: CREATE SCHEMA IF NOT EXISTS needs a right that a loader need not have.
    std::string text;
    Status status;
    if (!session_.knows_schema(schema_)) {
      text = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = ";
      sql::redshift::append_text(text, schema_);
      Field there;
      status = session_.answer(text, what_, there);
      if (status && !there) {
        text = "CREATE SCHEMA IF NOT EXISTS ";
        status = sql::redshift::append_name(text, schema_, "schema", true);
        if (status) status = execute(text);
      }
      if (status) session_.met_schema(schema_);
    }
    sql::redshift::Layout layout;
    if (status && change.layout != nullptr) status = read_layout(sdk::Config(*change.layout), layout);
    std::vector<cdcrt_column> columns(change.columns, change.columns + change.column_count);
    if (is_of_host(change.columns, change.column_count)) {
      // Small, read and joined by nobody: a copy on each node.
      columns = host_columns(change.columns, change.column_count);
      layout.distribution = sql::redshift::Layout::Distribution::kAll;
      layout.sort_by_key = false;
      // Those that name rows by their keys may be large: found by table.
      const auto is_key = [](const cdcrt_column& column) { return column.key_ordinal > 0 && column.type.kind == CDCRT_TYPE_BYTES; };
      if (std::any_of(columns.begin(), columns.end(), is_key)) {
        layout.distribution = sql::redshift::Layout::Distribution::kEven;
        layout.sortkey = {"target"};
      }
    }
    text.clear();
    if (status) status = sql::redshift::create_table(text, quoted_, columns.data(), change.column_count, layout, session_.names());
    return status ? execute(text) : std::move(status);
  }

  Status add(const cdcrt_column& column) {
    std::string text;
    Status status = sql::redshift::add_column(text, quoted_, column, session_.names());
    return status ? execute(text) : std::move(status);
  }

  /// What is part of the layout stays: nothing in Redshift drops or retypes it.
  Status not_of_layout(const CatalogColumn& column) {
    bool distkey = false;
    bool sortkey = false;
    Status status = read_layout(session_, schema_, name_, column.name, distkey, sortkey);
    if (!status || (!distkey && !sortkey)) return status;
    const std::string which = distkey && sortkey ? "DISTKEY and part of the SORTKEY" : distkey ? "DISTKEY" : "part of the SORTKEY";
    return Status::unsupported("column " + sql::shown(column.name) + " of table " + quoted_ + " is its " + which +
                                   ", which Redshift neither drops nor changes in type",
                               std::string("run: ") + (sortkey ? "ALTER TABLE " + quoted_ + " ALTER SORTKEY NONE; " : "") +
                                   (distkey ? "ALTER TABLE " + quoted_ + " ALTER DISTSTYLE EVEN; " : "") +
                                   "the change is tried again by itself, set the keys anew afterwards");
  }

  Status drop(const CatalogColumn& column) {
    Status status = not_of_layout(column);
    return status ? execute("ALTER TABLE " + quoted_ + " DROP COLUMN " + column_) : std::move(status);
  }

  /// Also of a DISTKEY or a SORTKEY. `merges`: there is a column of the new name, whose values, where it has any, become the renamed one's.
  Status rename(const cdcrt_column& column, bool merges) {
    const std::string former = sql::redshift::folded(sdk::view(column.former_name), session_.names().case_sensitive);
    std::string from;
    Status status = sql::redshift::append_name(from, former, "column", true);
    if (!status || from == column_) return status;
    // Another process may have made this change already.
    if (catalog_.find(former) == nullptr) return merges ? Status() : no_column(former);
    if (merges) {
      status = execute("UPDATE " + quoted_ + " SET " + from + " = " + column_ + " WHERE " + column_ + " IS NOT NULL");
      if (status) status = execute("ALTER TABLE " + quoted_ + " DROP COLUMN " + column_);
    }
    return status ? execute("ALTER TABLE " + quoted_ + " RENAME COLUMN " + from + " TO " + column_) : std::move(status);
  }

  Status alter(const cdcrt_column& column, const CatalogColumn& found) {
    ColumnType wanted = sql::redshift::written_type(sql::redshift::column_type(column, session_.names()));
    wanted.duration = column.type.kind == CDCRT_TYPE_INTERVAL;
    // The conversion is a cast, which would cut what does not fit.
    const bool can_be_long = found.type.storage == Storage::kSuper || found.type.storage == Storage::kBytes;
    if (can_be_long && wanted.storage == Storage::kText && wanted.length < kMaxVarchar) {
      if (column.type.length > 0 || column.target_type.size > 0) {
        return Status::unsupported("column " + sql::shown(column_) + " of table " + quoted_ + " is " + found.type.name +
                                       ", whose values need not fit " + wanted.name,
                                   "give the column a type of text without a length in the route, or change it by hand");
      }
      wanted = sql::redshift::written_type("VARCHAR(" + std::to_string(kMaxVarchar) + ")");
    }
    // Another process may have made this change already.
    if (wanted.name == found.type.name) return {};
    if (wanted.storage == Storage::kText && can_be_long) {
      Field too_long;
      Status status = session_.answer(sql::redshift::select_too_long_for_text(quoted_, column_, found.type.storage), what_, too_long);
      if (!status) return status;
      if (too_long) {
        remarks_.push_back(
            "column " + quoted_ + "." + column_ + " stays " + found.type.name +
            " although its source is text now: rows that are there have values longer than the 65,535 bytes of a VARCHAR. New texts are "
            "stored in it " +
            (found.type.storage == Storage::kSuper ? "as JSON strings" : "as their bytes") +
            "; to have a VARCHAR, shorten those rows and change the column by hand");
        return {};
      }
    }
    const bool varchar = found.type.name.compare(0, 7, "VARCHAR") == 0 && wanted.storage == Storage::kText;
    if (varchar || (found.type.storage == Storage::kBytes && wanted.storage == Storage::kBytes)) {
      // A text without a length grows when a value needs it.
      const bool unbounded = varchar && column.type.length == 0 && column.target_type.size == 0;
      if (unbounded || wanted.length <= found.type.length) return {};
      widenings_.push_back({quoted_, column_, schema_, name_, found.name, quoted_ + "." + column_, found.type, wanted.length});
      return Status::error(CDCRT_STALE_SCHEMA,
                           "column " + quoted_ + "." + column_ + " is widened to " + wanted.name + " outside of the transaction");
    }
    std::string fallback;
    if ((column.flags & CDCRT_COLUMN_DEFAULT) != 0 && column.default_value.tag > CDCRT_NULL && wanted.storage != Storage::kSuper &&
        wanted.storage != Storage::kBytes) {
      Status status = sql::redshift::append_default(fallback, column, session_.names());
      if (!status) return status;
    }
    return rebuild(found, wanted, fallback);
  }

  Status rebuild(const CatalogColumn& column, const ColumnType& to, const std::string& fallback) {
    Status status = not_of_layout(column);
    std::string temporary;
    std::string name = "cdcrt_new_" + column.name.substr(0, 100);
    while (!name.empty() && !sdk::is_utf8(name)) name.pop_back();
    while (catalog_.find(name) != nullptr) name += '_';
    if (status) status = sql::redshift::append_name(temporary, name, "column", true);
    if (!status) return status;
    for (const std::string& text : sql::redshift::change_type(quoted_, column_, temporary, column.type, to, fallback)) {
      status = execute(text);
      if (!status) return status;
    }
    return {};
  }

  TargetSession& session_;
  const cdcrt_table& table_;
  std::vector<Widening>& widenings_;
  std::vector<std::string>& remarks_;
  const std::string what_;
  std::string quoted_, schema_, name_, column_;
  CatalogTable catalog_;
};

}  // namespace

Status apply_change(TargetSession& session, const cdcrt_table& table, const cdcrt_change& change, std::vector<Widening>& widenings,
                    std::vector<std::string>& remarks) {
  return Change(session, table, widenings, remarks).run(change);
}

}  // namespace cdcrt::redshift
