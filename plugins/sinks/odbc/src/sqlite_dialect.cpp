// SQLite: scalar parameters; inserts and deletes by a single key take several rows a statement, since the ODBC driver compiles a
// statement anew for each execution. Everything else goes row by row.
#include <string>

#include "sql/identifier.hpp"
#include "sqlite_dialect.hpp"
#include "sqlite_value.hpp"

namespace cdcrt::sql {
namespace {

// The declared name decides a column's affinity: TEXT and CHAR keep text as it is, INT and REAL convert. No name here may
// contain INT by accident (hence DURATION_TEXT, UNSIGNED_TEXT).
constexpr TypeRow kTypes[] = {
    {CDCRT_TYPE_BOOL, "bool", "BOOLEAN", "BOOLEAN", "0 or 1"},
    {CDCRT_TYPE_INT8, "int8", "TINYINT", "TINYINT", ""},
    {CDCRT_TYPE_INT16, "int16", "SMALLINT", "SMALLINT", ""},
    {CDCRT_TYPE_INT32, "int32", "INT4", "INT4", ""},
    {CDCRT_TYPE_INT64, "int64", "BIGINT", "BIGINT", "a single integer key is `INTEGER PRIMARY KEY` whatever its width"},
    {CDCRT_TYPE_UINT64, "uint64", "UNSIGNED_TEXT", "UNSIGNED_TEXT", "digits as text: beyond 63 bits SQLite would round"},
    {CDCRT_TYPE_FLOAT32, "float32", "FLOAT4", "FLOAT4", "REAL; NaN as the text `NaN`, which SQLite would turn into NULL"},
    {CDCRT_TYPE_FLOAT64, "float64", "DOUBLE", "DOUBLE", "REAL; NaN as above"},
    {CDCRT_TYPE_DECIMAL, "decimal(p,s)", "DECIMAL_TEXT({p},{s})", "DECIMAL_TEXT", "digits as text: nothing is rounded"},
    {CDCRT_TYPE_DATE, "date", "DATE_TEXT", "DATE_TEXT", "2024-01-31"},
    {CDCRT_TYPE_TIME, "time", "TIME_TEXT", "TIME_TEXT", "23:59:59.000001"},
    {CDCRT_TYPE_TIMETZ, "timetz", "TIMETZ_TEXT", "TIMETZ_TEXT", "as it came"},
    {CDCRT_TYPE_TIMESTAMP, "timestamp", "TIMESTAMP_TEXT", "TIMESTAMP_TEXT", "2024-01-31T23:59:59.000001"},
    {CDCRT_TYPE_TIMESTAMPTZ, "timestamptz", "TIMESTAMPTZ_TEXT", "TIMESTAMPTZ_TEXT", "in UTC: 2024-01-31T23:59:59+00:00"},
    {CDCRT_TYPE_STRING, "string(n)", "VARCHAR({n})", "TEXT", ""},
    {CDCRT_TYPE_BYTES, "bytes", "BLOB", "BLOB", ""},
    {CDCRT_TYPE_JSON, "json", "JSON_TEXT", "JSON_TEXT", "as it came"},
    {CDCRT_TYPE_UUID, "uuid", "UUID_TEXT", "UUID_TEXT", ""},
    {CDCRT_TYPE_ARRAY, "array", "ARRAY_TEXT", "ARRAY_TEXT", "a JSON array"},
    {CDCRT_TYPE_INTERVAL, "interval", "DURATION_TEXT", "DURATION_TEXT", "ISO 8601: P1Y2M3DT4H5M6.5S"},
};
constexpr TypeMapping kMapping{"sqlite", kTypes, sizeof kTypes / sizeof kTypes[0], UINT32_MAX, UINT32_MAX};

class Builder : public StatementBuilder<Builder> {
 public:
  using StatementBuilder::StatementBuilder;
  /// `name<between>?` of the columns chosen, joined. In conditions names are qualified (`t.`): SQLite reads a bare name in double
  /// quotes that no column has as a text constant, and a DELETE would then mean something else.
  template <class Chosen>
  Builder& pairs(std::string_view qualifier, std::string_view between, std::string_view join, Chosen&& chosen) {
    return each(join, chosen, [&](const StatementColumn& column, std::size_t i) {
      add(qualifier).add(column.name).add(between).marker(i);
      if (!qualifier.empty()) same_bytes(column, i);
    });
  }
  /// Every column, NULL-safely; decimals, kept as text, by value.
  Builder& same_row() {
    return each(" AND ", kAllColumns, [&](const StatementColumn& column, std::size_t i) {
      if (!column.decimal) {
        add("t.").add(column.name).add(" IS ").marker(i);
        same_bytes(column, i);
        return;
      }
      const auto value = [&](std::string_view v) -> Builder& {
        return add("CASE WHEN instr(").add(v).add(", '.') THEN rtrim(rtrim(").add(v).add(", '0'), '.') ELSE ").add(v).add(" END");
      };
      value("t." + column.name).add(" IS (SELECT ");
      value("v").add(" FROM (SELECT ").marker(i).add(" AS v))");
    });
  }
  void same_bytes(const StatementColumn& column, std::size_t i) {
    if (column.inexact) add(" AND t.").add(column.name).add(" = ").marker(i).add(" COLLATE BINARY");
  }
  Builder& same_key() { return pairs("t.", " = ", " AND ", kKeyColumns); }
  Builder& insert() {
    add("INSERT INTO ").add(shape_.table);
    if (shape_.columns.empty()) return add(" DEFAULT VALUES");
    add(" (").names().add(") VALUES ");
    for (uint32_t row = 0; row < shape_.rows; ++row) {
      add(row > 0 ? ", (" : "(");
      for (std::size_t i = 0; i < shape_.columns.size(); ++i) add(i > 0 ? ", " : "").marker(row * shape_.columns.size() + i);
      add(")");
    }
    return *this;
  }
  /// Of a table of nothing but its key the key is set to itself: the count of rows is what is asked for.
  Builder& update() {
    const bool sets_key = only_keys(shape_);
    add("UPDATE ").add(shape_.table).add(" AS t SET ");
    return pairs("", " = ", ", ", [&](const StatementColumn& column) { return sets_key || !column.key; }).add(" WHERE ").same_key();
  }
  Builder& delete_by_key() {
    add("DELETE FROM ").add(shape_.table).add(" AS t WHERE ");
    if (shape_.rows == 1) return same_key();
    std::size_t key = 0;
    while (!shape_.columns[key].key) ++key;
    add("t.").add(shape_.columns[key].name).add(" IN (");
    for (uint32_t row = 0; row < shape_.rows; ++row) add(row > 0 ? ", " : "").marker(row * shape_.columns.size() + key);
    return add(")");
  }
};

/// By a unique key: one statement. Else an update, and an insert for the rows it did not match.
std::vector<Statement> upsert(const StatementShape& shape) {
  std::vector<Statement> statements;
  if (!shape.has_unique_key) {
    statements.push_back(Builder(shape).update().take());
    statements.push_back(Builder(shape).insert().take());
    return statements;
  }
  Statement statement = Builder(shape).insert().take();
  append_on_conflict(statement.text, shape, [](const StatementShape& of, const StatementColumn& column) {
    return of.table + "." + column.name + " = excluded." + column.name + " COLLATE BINARY";
  });
  statements.push_back(std::move(statement));
  return statements;
}

class Sqlite final : public Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "sqlite"; }
  [[nodiscard]] std::size_t name_limit() const override { return 0; }
  [[nodiscard]] bool has_schemas() const override { return false; }
  [[nodiscard]] const TypeMapping& types() const override { return kMapping; }

  [[nodiscard]] cdcrt_type logical_type(std::string_view raw) const override {
    const ParsedTypeName parsed = parse_type_name(raw);
    const std::string& type = parsed.name;
    const auto has = [&](std::string_view part) { return type.find(part) != std::string::npos; };
    const auto length = static_cast<uint32_t>(parsed.count > 0 && parsed.first > 0 ? parsed.first : 0);
    struct Named {
      const char* name;
      uint8_t kind;
    };
    static constexpr Named kNamed[] = {{"boolean", CDCRT_TYPE_BOOL},
                                       {"bool", CDCRT_TYPE_BOOL},
                                       {"tinyint", CDCRT_TYPE_INT8},
                                       {"smallint", CDCRT_TYPE_INT16},
                                       {"int4", CDCRT_TYPE_INT32},
                                       {"unsigned_text", CDCRT_TYPE_UINT64},
                                       {"float4", CDCRT_TYPE_FLOAT32},
                                       {"date_text", CDCRT_TYPE_DATE},
                                       {"time_text", CDCRT_TYPE_TIME},
                                       {"timetz_text", CDCRT_TYPE_TIMETZ},
                                       {"timestamp_text", CDCRT_TYPE_TIMESTAMP},
                                       {"timestamptz_text", CDCRT_TYPE_TIMESTAMPTZ},
                                       {"json_text", CDCRT_TYPE_JSON},
                                       {"uuid_text", CDCRT_TYPE_UUID},
                                       {"array_text", CDCRT_TYPE_ARRAY},
                                       {"duration_text", CDCRT_TYPE_INTERVAL}};
    for (const Named& named : kNamed) {
      if (type == named.name) return make_type(named.kind);
    }
    if (type == "decimal_text") return make_type(CDCRT_TYPE_DECIMAL, length, static_cast<int16_t>(parsed.second));
    // Tables of others: SQLite's own affinity rules, in their order.
    if (has("int")) return make_type(CDCRT_TYPE_INT64);
    if (has("char")) return make_type(CDCRT_TYPE_STRING, length);
    if (has("text") || has("clob")) return make_type(CDCRT_TYPE_STRING);
    if (has("blob")) return make_type(CDCRT_TYPE_BYTES);
    if (has("real") || has("floa") || has("doub")) return make_type(CDCRT_TYPE_FLOAT64);
    return make_type(CDCRT_TYPE_UNKNOWN);
  }

  sdk::Status append_default(std::string& out, const cdcrt_column& column) const override {
    SqliteValue value;
    sdk::Status status = to_sqlite(column.default_value, column, value);
    if (!status) return status;
    return append_sqlite_literal(out, value, column);
  }

  [[nodiscard]] std::vector<Statement> write_statements(cdcrt_write_kind kind, const StatementShape& shape) const override {
    std::vector<Statement> statements;
    switch (kind) {
      case CDCRT_WRITE_APPEND: statements.push_back(Builder(shape).insert().take()); break;
      case CDCRT_WRITE_UPSERT: return upsert(shape);
      case CDCRT_WRITE_PATCH: statements.push_back(Builder(shape).update().take()); break;
      case CDCRT_WRITE_DELETE: statements.push_back(Builder(shape).delete_by_key().take()); break;
      case CDCRT_WRITE_REPLACE:
        statements.push_back(Builder(shape).delete_by_key().take());
        statements.push_back(Builder(shape).insert().take());
        break;
      case CDCRT_WRITE_REMOVE:
        statements.push_back(Builder(shape)
                                 .add("DELETE FROM ")
                                 .add(shape.table)
                                 .add(" WHERE ")
                                 .add(shape.row_identifier)
                                 .add(" = (SELECT ")
                                 .add(shape.row_identifier)
                                 .add(" FROM ")
                                 .add(shape.table)
                                 .add(" AS t WHERE ")
                                 .same_row()
                                 .add(" LIMIT 1)")
                                 .take());
        break;
      case CDCRT_WRITE_CLEAR: statements.push_back(Statement{"DELETE FROM " + shape.table, {}}); break;
    }
    return statements;
  }

  [[nodiscard]] Statement missing_statement(const StatementShape& /*shape*/) const override { return {}; }

  [[nodiscard]] Statement unwritten_statement(const StatementShape& shape, bool /*patch*/) const override {
    return Builder(shape).add("SELECT 1 FROM ").add(shape.table).add(" AS t WHERE ").same_row().take();
  }
  [[nodiscard]] Statement remaining_statement(const StatementShape& shape) const override {
    return Builder(shape).add("SELECT 1 FROM ").add(shape.table).add(" AS t WHERE ").same_key().take();
  }

  [[nodiscard]] Statement read_statement(const StatementShape& shape, uint32_t key_count, cdcrt_lock /*lock*/) const override {
    Builder builder(shape);
    builder.add("SELECT ");
    for (std::size_t i = 0; i < shape.columns.size(); ++i)
      builder.add(i > 0 ? ", " : "").add(sqlite_exact_expression("t." + shape.columns[i].name));
    builder.add(" FROM ").add(shape.table).add(" AS t");
    if (key_count > 0) builder.add(" WHERE ").same_key();
    return builder.take();
  }

 protected:
  [[nodiscard]] std::string key_column_type(const cdcrt_column& column, bool only_key) const override {
    const bool plain = column.target_type.data == nullptr || column.target_type.size == 0;
    const bool integer = column.type.kind >= CDCRT_TYPE_INT8 && column.type.kind <= CDCRT_TYPE_INT64;
    return only_key && plain && integer ? "INTEGER" : column_type(column);  // then it is the rowid itself: no second index
  }
};

}  // namespace

const Dialect& sqlite() {
  static const Sqlite dialect;
  return dialect;
}

}  // namespace cdcrt::sql
