#include <algorithm>

#include "conversion.hpp"
#include "sql/identifier.hpp"
#include "sqlite_table.hpp"

namespace cdcrt::odbc {

using sdk::Status;
using sql::Moment;

namespace {

// The driver keeps a whole result in memory.
constexpr int kPageRows = 5'000;

std::string quoted(std::string_view name) {
  std::string text;
  static_cast<void>(sql::append_identifier(text, name, 0, "column"));
  return text;
}

void bind(Query& query, std::size_t parameter, const sql::SqliteValue& value) {
  switch (value.storage) {
    case sql::SqliteClass::kNull: query.bind_null(parameter); return;
    case sql::SqliteClass::kInteger: query.bind_integer(parameter, value.integer); return;
    case sql::SqliteClass::kReal: query.bind_real(parameter, value.real); return;
    case sql::SqliteClass::kText: query.bind_text(parameter, value.bytes); return;
    case sql::SqliteClass::kBlob: query.bind_bytes(parameter, value.bytes); return;
  }
}

/// Executes `store` (parameters: new value, rowid) for every row of the table.
Status convert_rows(Session& session, const SqliteTable& table, const std::string& column, const std::string& store, cdcrt_type from,
                    const cdcrt_column& wanted, const std::string& doing) {
  const std::string row = row_identifier(table);
  Query page(session);
  Query write(session);
  Status status = page.prepare("SELECT 'i' || " + row + ", " + sql::sqlite_exact_expression(quoted(column)) + " FROM " +
                                   quoted(table.name) + " WHERE " + row + " > ? ORDER BY " + row + " LIMIT " + std::to_string(kPageRows),
                               1, doing);
  if (status) status = write.prepare(store, 2, doing);
  // The smallest rowid itself is beyond any table that was not made to have it.
  int64_t last = INT64_MIN;
  std::string text;
  sql::SqliteValue identifier;
  sql::SqliteValue stored;
  sql::SqliteValue converted;
  for (bool more = true; more && status;) {
    page.bind_integer(0, last);
    status = page.execute(Moment::kStatement, doing);
    int count = 0;
    while (status) {
      bool found = false;
      bool null = false;
      status = page.fetch(found, doing);
      if (!status || !found) break;
      status = page.text(0, text, null, doing);
      if (!status || !sql::parse_exact(text, identifier)) break;
      last = identifier.integer;
      ++count;
      status = page.text(1, text, null, doing);
      if (!status) break;
      if (null)
        stored.storage = sql::SqliteClass::kNull;
      else if (!sql::parse_exact(text, stored))
        return Status::fatal(doing + ": a value of column " + sql::shown(column) + " cannot be read");
      status = sql::convert_stored(stored, from, wanted, converted);
      if (!status) break;
      bind(write, 0, converted);
      write.bind_integer(1, last);
      status = write.execute(Moment::kStatement, doing);
    }
    page.close();
    more = count == kPageRows;
  }
  return status;
}

/// The definition's own words, quoted texts left out, in capitals.
std::string words_of(const std::string& definition) {
  std::string words;
  char quote = 0;
  for (const char c : definition) {
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'' || c == '`') {
      quote = c;
    } else if (c == '[') {
      quote = ']';
    } else {
      words += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return words;
}

/// What a rebuilt table would lack.
std::string lost_by_rebuilding(const SqliteTable& table, const std::vector<SqliteIndex>& indexes) {
  const std::string words = words_of(table.definition);
  for (const char* word : {"CHECK", "COLLATE", "REFERENCES", "GENERATED", "AUTOINCREMENT", "WITHOUT ROWID", "STRICT", "ON CONFLICT"}) {
    if (words.find(word) != std::string::npos) return word;
  }
  for (const auto& column : table.columns) {
    if (column.generated) return "a generated column";
  }
  for (const auto& index : indexes) {
    if (index.definition.empty() && words.find("UNIQUE") != std::string::npos) return "UNIQUE";
  }
  return {};
}

std::string definition_of(const SqliteColumn& column) {
  std::string text = quoted(column.name) + " " + column.type;
  if (column.has_default) text += " DEFAULT (" + column.fallback + ")";
  if (column.not_null) text += " NOT NULL";
  return text;
}

/// Default of the altered column: the change's own, else the old one.
Status new_default(const cdcrt_change& change, SqliteColumn& column) {
  const cdcrt_column& wanted = change.columns[0];
  if (change.kind != CDCRT_ALTER_TYPE || (wanted.flags & CDCRT_COLUMN_DEFAULT) == 0 || wanted.default_value.tag <= CDCRT_NULL) return {};
  column.has_default = true;
  column.fallback.clear();
  return sql::sqlite().append_default(column.fallback, wanted);
}

Status rebuild(Session& session, const SqliteTable& table, const std::vector<SqliteIndex>& indexes, std::size_t altered,
               const SqliteColumn& wanted, cdcrt_type from, const cdcrt_column& column, const std::string& doing) {
  const std::string lost = lost_by_rebuilding(table, indexes);
  if (!lost.empty()) {
    return Status::unsupported(doing + ": column " + sql::shown(wanted.name) +
                                   " belongs to a key or an index, so the table must be rebuilt, which would lose " + lost,
                               "change the column by hand, or set schema_changes in the route");
  }
  const std::string temporary = "cdcrt_rebuilt_" + table.name;
  std::string create = "CREATE TABLE " + quoted(temporary) + " (";
  std::string names;
  std::string values;
  std::vector<const SqliteColumn*> keys;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const SqliteColumn& each = i == altered ? wanted : table.columns[i];
    create += (i > 0 ? ", " : "") + definition_of(each);
    names += (i > 0 ? ", " : "") + quoted(each.name);
    values += (i > 0 ? ", " : "") + (i == altered ? std::string("?") : quoted(each.name));
    if (each.key_ordinal > 0) keys.push_back(&each);
  }
  std::sort(keys.begin(), keys.end(), [](const auto* left, const auto* right) { return left->key_ordinal < right->key_ordinal; });
  for (std::size_t i = 0; i < keys.size(); ++i) create += (i == 0 ? ", PRIMARY KEY (" : ", ") + quoted(keys[i]->name);
  create += keys.empty() ? ")" : "))";
  std::vector<std::string> again;
  for (const auto& index : indexes) {
    if (!index.definition.empty()) again.push_back(index.definition);
  }
  std::string text;
  bool null = false;
  Query triggers(session);
  Status status = triggers.prepare("SELECT 't' || sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE", 1, doing);
  if (status) triggers.bind_text(0, table.name);
  if (status) status = triggers.execute(Moment::kStatement, doing);
  while (status) {
    bool found = false;
    status = triggers.fetch(found, doing);
    if (!status || !found) break;
    status = triggers.text(0, text, null, doing);
    if (status) again.push_back(text.substr(1));
  }
  triggers.close();
  if (status) status = session.execute(create, Moment::kChange, doing);
  if (status) {
    status = convert_rows(session, table, table.columns[altered].name,
                          "INSERT INTO " + quoted(temporary) + " (" + names + ") SELECT " + values + " FROM " + quoted(table.name) +
                              " WHERE " + row_identifier(table) + " = ?",
                          from, column, doing);
  }
  // Views that name the table would otherwise be checked, and refused, while it is away.
  if (status) status = session.execute("PRAGMA legacy_alter_table = ON", Moment::kChange, doing);
  if (status) status = session.execute("DROP TABLE " + quoted(table.name), Moment::kChange, doing);
  if (status) status = session.execute("ALTER TABLE " + quoted(temporary) + " RENAME TO " + quoted(table.name), Moment::kChange, doing);
  static_cast<void>(session.execute("PRAGMA legacy_alter_table = OFF", Moment::kChange, doing));
  for (std::size_t i = 0; i < again.size() && status; ++i) status = session.execute(again[i], Moment::kChange, doing);
  return status;
}

}  // namespace

Status alter_column(Session& session, const SqliteTable& table, const cdcrt_change& change, const std::string& doing) {
  const cdcrt_column& column = change.columns[0];
  const std::string_view name = sdk::view(column.name);
  std::size_t altered = 0;
  while (altered < table.columns.size() && !same_name(table.columns[altered].name, name)) ++altered;
  if (altered == table.columns.size()) return Status::error(CDCRT_STALE_SCHEMA, doing + ": no such column: " + sql::shown(name));
  const SqliteColumn& old = table.columns[altered];
  SqliteColumn wanted = old;
  cdcrt_column target = column;
  cdcrt_type from = change.from;
  if (change.kind == CDCRT_DROP_NOT_NULL) {
    if (!old.not_null || old.key_ordinal > 0) return {};
    wanted.not_null = false;
    from = target.type = sql::sqlite().logical_type(old.type);
  } else {
    wanted.type = sql::sqlite().column_type(column);
    const auto keys = std::count_if(table.columns.begin(), table.columns.end(), [](const auto& each) { return each.key_ordinal > 0; });
    const bool integer = column.type.kind >= CDCRT_TYPE_INT8 && column.type.kind <= CDCRT_TYPE_INT64 && column.target_type.size == 0;
    if (old.key_ordinal > 0 && keys == 1 && integer) wanted.type = "INTEGER";
    if (same_name(wanted.type, old.type)) return {};  // another process was faster, or nothing is to be done
    const cdcrt_type now = sql::sqlite().logical_type(old.type);
    if (now.kind != CDCRT_TYPE_UNKNOWN) from = now;
  }
  if (row_identifier(table).empty()) return Status::unsupported(doing + ": the table's columns hide every name of its rowid");
  Status status = new_default(change, wanted);
  std::vector<SqliteIndex> indexes;
  if (status) status = read_indexes(session, table.name, indexes);
  if (!status) return status;
  bool indexed = false;
  for (const auto& index : indexes) {
    if (index.partial) indexed = true;
    for (const auto& part : index.columns) indexed = indexed || part.empty() || same_name(part, name);
  }
  if (old.key_ordinal > 0 || indexed || old.not_null) return rebuild(session, table, indexes, altered, wanted, from, target, doing);

  const std::string fresh = "cdcrt_new_" + old.name;
  SqliteColumn added = wanted;
  added.name = fresh;
  std::string definition = quoted(fresh) + " " + wanted.type;
  if (wanted.has_default) definition += " DEFAULT " + wanted.fallback;
  const std::string alter = "ALTER TABLE " + quoted(table.name);
  status = session.execute(alter + " ADD COLUMN " + definition, Moment::kChange, doing);
  if (status) {
    status = convert_rows(session, table, old.name,
                          "UPDATE " + quoted(table.name) + " SET " + quoted(fresh) + " = ? WHERE " + row_identifier(table) + " = ?", from,
                          target, doing);
  }
  if (status) status = session.execute(alter + " DROP COLUMN " + quoted(old.name), Moment::kChange, doing);
  if (status) status = session.execute(alter + " RENAME COLUMN " + quoted(fresh) + " TO " + quoted(old.name), Moment::kChange, doing);
  return status;
}

}  // namespace cdcrt::odbc
