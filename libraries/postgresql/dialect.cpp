// PostgreSQL: a set of rows is one array per column, opened by unnest: the number of markers is the number of columns.
#include <algorithm>
#include <string>

#include "postgresql/dialect.hpp"
#include "sql/cell_text.hpp"
#include "sql/identifier.hpp"
#include "sql/postgresql_nested.hpp"

namespace cdcrt::sql {
namespace {

constexpr TypeRow kTypes[] = {
    {CDCRT_TYPE_BOOL, "bool", "boolean", "boolean", ""},
    {CDCRT_TYPE_INT8, "int8", "smallint", "smallint", ""},
    {CDCRT_TYPE_INT16, "int16", "smallint", "smallint", ""},
    {CDCRT_TYPE_INT32, "int32", "integer", "integer", ""},
    {CDCRT_TYPE_INT64, "int64", "bigint", "bigint", ""},
    {CDCRT_TYPE_UINT64, "uint64", "numeric(20,0)", "numeric(20,0)", ""},
    {CDCRT_TYPE_FLOAT32, "float32", "real", "real", ""},
    {CDCRT_TYPE_FLOAT64, "float64", "double precision", "double precision", ""},
    {CDCRT_TYPE_DECIMAL, "decimal(p,s)", "numeric({p},{s})", "numeric", "unbounded also where p > 1000"},
    {CDCRT_TYPE_DATE, "date", "date", "date", ""},
    {CDCRT_TYPE_TIME, "time", "time", "time", "0 to 24 h; others are refused as bad records"},
    {CDCRT_TYPE_TIMETZ, "timetz", "time with time zone", "time with time zone", ""},
    {CDCRT_TYPE_TIMESTAMP, "timestamp", "timestamp", "timestamp", ""},
    {CDCRT_TYPE_TIMESTAMPTZ, "timestamptz", "timestamp with time zone", "timestamp with time zone", ""},
    {CDCRT_TYPE_STRING, "string(n)", "varchar({n})", "text", "NUL characters are refused as bad records"},
    {CDCRT_TYPE_BYTES, "bytes", "bytea", "bytea", ""},
    {CDCRT_TYPE_JSON, "json", "json", "json", "keeps the text as it came"},
    {CDCRT_TYPE_UUID, "uuid", "uuid", "uuid", ""},
    {CDCRT_TYPE_ARRAY, "array", "json", "json",
     "of elements of a type (`int32[]`) an array of the database: `integer[]`; of any elements a JSON array, read back as json"},
    {CDCRT_TYPE_INTERVAL, "interval", "interval", "interval", ""},
};
constexpr TypeMapping kMapping{"postgresql", kTypes, sizeof kTypes / sizeof kTypes[0], 1000, 10'485'760, true};

std::string alias(std::size_t column) { return "c" + std::to_string(column + 1); }

/// Comparison operand of a column: types without an equality are compared as text.
std::string operand(const StatementColumn& column, const std::string& text) { return column.compare_as_text ? text + "::text" : text; }

/// The type in which a column's values are sent.
std::string sent_type(const StatementColumn& column) {
  if (!column.sent_as.empty()) return column.sent_as;
  return column.is_array ? "text" : column.target_type;
}

/// The value that `s` has for a column.
std::string value_of(const StatementColumn& column, std::size_t index) {
  return column.is_array || !column.sent_as.empty() ? "s." + alias(index) + "::" + column.target_type : "s." + alias(index);
}

/// Its characters, whatever the column calls equal.
std::string exact(const std::string& text) { return "(" + text + ")::text COLLATE \"C\""; }

std::string_view overriding(const StatementShape& shape) { return shape.overrides_identity ? " OVERRIDING SYSTEM VALUE" : ""; }

class Builder : public StatementBuilder<Builder> {
 public:
  using StatementBuilder::StatementBuilder;
  /// unnest(?::type[], ...) [WITH ORDINALITY] AS s(c1, ...[, n]) over the columns chosen.
  Builder& rows(bool keys_only, bool ordinality) {
    const auto chosen = [&](const StatementColumn& column) { return column.key || !keys_only; };
    std::string names;
    add("unnest(").each(", ", chosen, [&](const StatementColumn& column, std::size_t i) {
      marker(i).add("::").add(sent_type(column)).add("[]");
      names += (names.empty() ? "" : ", ") + alias(i);
    });
    return add(ordinality ? ") WITH ORDINALITY AS s(" : ") AS s(").add(names).add(ordinality ? ", n)" : ")");
  }
  /// The same rows in the order of their keys, which is that of the index.
  Builder& sorted_rows() {
    add("(SELECT ").each(", ", kAllColumns, [&](const StatementColumn& column, std::size_t i) {
      add("unnest(").marker(i).add("::").add(sent_type(column)).add("[]) AS ").add(alias(i));
    });
    return add(") AS s ORDER BY ").each(", ", kKeyColumns, [&](const StatementColumn& column, std::size_t i) { add(value_of(column, i)); });
  }
  Builder& same_key() {
    return each(" AND ", kKeyColumns, [&](const StatementColumn& column, std::size_t i) {
      add(operand(column, "t." + column.name)).add(" = ").add(operand(column, value_of(column, i)));
      same_characters(column, i);
    });
  }
  void same_characters(const StatementColumn& column, std::size_t i) {
    if (column.inexact) add(" AND ").add(exact("t." + column.name)).add(" = ").add(exact(value_of(column, i)));
  }
  /// Every column, NULL-safely; the key so that an index finds it.
  Builder& same_row() {
    return each(" AND ", kAllColumns, [&](const StatementColumn& column, std::size_t i) {
      add(operand(column, "t." + column.name)).add(column.key ? " = " : " IS NOT DISTINCT FROM ").add(operand(column, value_of(column, i)));
      same_characters(column, i);
    });
  }
  Builder& values() { return texts(value_of); }
  /// `text(column, index)` of every column, joined.
  template <class Text>
  Builder& texts(Text&& text) {
    return each(", ", kAllColumns, [&](const StatementColumn& column, std::size_t i) { add(text(column, i)); });
  }
  /// INSERT INTO ... SELECT every column FROM; `opens` the list of columns, behind the table's alias if it has one.
  Builder& insert_from(std::string_view opens) {
    add("INSERT INTO ").add(shape_.table).add(opens).names().add(")").add(overriding(shape_));
    return add(" SELECT ").values().add(" FROM ");
  }
  Builder& assignments() {
    return each(", ", kOtherColumns,
                [&](const StatementColumn& column, std::size_t i) { add(column.name).add(" = ").add(value_of(column, i)); });
  }
};

Statement insert(const StatementShape& shape) { return Builder(shape).insert_from(" (").rows(false, false).take(); }

Statement update(const StatementShape& shape) {
  return Builder(shape)
      .add("UPDATE ")
      .add(shape.table)
      .add(" AS t SET ")
      .assignments()
      .add(" FROM ")
      .rows(false, false)
      .add(" WHERE ")
      .same_key()
      .take();
}

Statement remove_by_key(const StatementShape& shape) {
  return Builder(shape).add("DELETE FROM ").add(shape.table).add(" AS t USING ").rows(true, false).add(" WHERE ").same_key().take();
}

std::vector<Statement> upsert(const StatementShape& shape) {
  std::vector<Statement> statements;
  if (!shape.has_unique_key) {
    if (!only_keys(shape)) statements.push_back(update(shape));
    statements.push_back(Builder(shape)
                             .insert_from(" (")
                             .rows(false, false)
                             .add(" WHERE NOT EXISTS (SELECT 1 FROM ")
                             .add(shape.table)
                             .add(" AS t WHERE ")
                             .same_key()
                             .add(")")
                             .take());
    return statements;
  }
  Statement statement = Builder(shape).insert_from(is_inexact(shape) ? " AS t (" : " (").sorted_rows().take();
  append_on_conflict(statement.text, shape, [](const StatementShape&, const StatementColumn& column) {
    return exact("t." + column.name) + " = " + exact("EXCLUDED." + column.name);
  });
  statements.push_back(std::move(statement));
  return statements;
}

/// One copy per row asked for. Records compare NULL-safely and hash, so that neither side is compared row by row. The
/// statement answers the positions (1-based) that found no copy.
Statement remove_copies(const StatementShape& shape) {
  const auto record = [](auto&& text) {
    return [text](const StatementColumn& column, std::size_t i) { return operand(column, text(column, i)); };
  };
  return Builder(shape)
      .add("WITH wanted AS MATERIALIZED (SELECT n, r, row_number() OVER (PARTITION BY r ORDER BY n) AS copy FROM (SELECT n, ROW(")
      .texts(record(value_of))
      .add(") AS r FROM ")
      .rows(false, true)
      .add(
          ") AS w), held AS (SELECT place, r, row_number() OVER (PARTITION BY r ORDER BY place) AS copy FROM (SELECT t.ctid AS place, ROW(")
      .texts(record([](const StatementColumn& column, std::size_t) { return "t." + column.name; }))
      .add(") AS r FROM ")
      .add(shape.table)
      .add(" AS t) AS h WHERE r IN (SELECT r FROM wanted)), gone AS (DELETE FROM ")
      .add(shape.table)
      .add(
          " AS t USING held, wanted WHERE held.r = wanted.r AND held.copy = wanted.copy AND t.ctid = held.place RETURNING wanted.n) "
          "SELECT n FROM wanted WHERE n NOT IN (SELECT n FROM gone)")
      .take();
}

class Postgresql final : public Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "postgresql"; }
  [[nodiscard]] std::size_t name_limit() const override { return 63; }
  [[nodiscard]] bool has_schemas() const override { return true; }
  [[nodiscard]] const TypeMapping& types() const override { return kMapping; }

  [[nodiscard]] cdcrt_type logical_type(std::string_view raw) const override {
    const ParsedTypeName parsed = parse_type_name(raw);
    const std::string& type = parsed.name;
    const auto length = static_cast<uint32_t>(parsed.count > 0 && parsed.first > 0 ? parsed.first : 0);
    if (type == "boolean") return make_type(CDCRT_TYPE_BOOL);
    if (type == "smallint") return make_type(CDCRT_TYPE_INT16);
    if (type == "integer") return make_type(CDCRT_TYPE_INT32);
    if (type == "bigint") return make_type(CDCRT_TYPE_INT64);
    if (type == "real") return make_type(CDCRT_TYPE_FLOAT32);
    if (type == "double precision") return make_type(CDCRT_TYPE_FLOAT64);
    if (type == "numeric") return make_type(CDCRT_TYPE_DECIMAL, length, static_cast<int16_t>(parsed.second));
    if (type == "date") return make_type(CDCRT_TYPE_DATE);
    if (type == "time without time zone") return make_type(CDCRT_TYPE_TIME);
    if (type == "time with time zone") return make_type(CDCRT_TYPE_TIMETZ);
    if (type == "timestamp without time zone") return make_type(CDCRT_TYPE_TIMESTAMP);
    if (type == "timestamp with time zone") return make_type(CDCRT_TYPE_TIMESTAMPTZ);
    if (type == "character varying" || type == "character" || type == "bpchar") return make_type(CDCRT_TYPE_STRING, length);
    if (type == "text" || type == "name" || type == "citext") return make_type(CDCRT_TYPE_STRING);
    if (type == "bytea") return make_type(CDCRT_TYPE_BYTES);
    if (type == "json" || type == "jsonb") return make_type(CDCRT_TYPE_JSON);
    if (type == "uuid") return make_type(CDCRT_TYPE_UUID);
    if (type == "interval" || type.compare(0, 9, "interval ") == 0) return make_type(CDCRT_TYPE_INTERVAL);  // "interval hour to second"
    return make_type(CDCRT_TYPE_UNKNOWN);
  }

  sdk::Status append_default(std::string& out, const cdcrt_column& column) const override {
    std::string text;
    if (column.default_value.tag == CDCRT_ARRAY && column.type.kind == CDCRT_TYPE_ARRAY && column.type.element != CDCRT_TYPE_UNKNOWN) {
      const auto as_it_is = [](cdcrt_cell&, std::string&) { return sdk::Status(); };
      const cdcrt_type element = make_type(column.type.element, column.type.length, column.type.scale);
      sdk::Status status = to_array_constant(bytes_of(column.default_value), column, element, as_it_is, text);
      if (!status) return status;
    } else if (column.default_value.tag == CDCRT_BOOL && is_number(column.type.kind)) {
      text = column.default_value.value.integer != 0 ? "1" : "0";
    } else {
      append_cell_text(text, column.default_value,
                       column.type.kind == CDCRT_TYPE_STRING ? sdk::TextStyle::kIso8601 : sdk::TextStyle::kPostgres);
    }
    if (text.find('\0') != std::string::npos) {
      return sdk::Status::bad_record("default of column " + shown(sdk::view(column.name)) +
                                     " holds a NUL character, which the target cannot store");
    }
    append_literal(out, text);
    return {};
  }

  [[nodiscard]] std::vector<Statement> write_statements(cdcrt_write_kind kind, const StatementShape& shape) const override {
    std::vector<Statement> statements;
    switch (kind) {
      case CDCRT_WRITE_APPEND: statements.push_back(insert(shape)); break;
      case CDCRT_WRITE_UPSERT: return upsert(shape);
      case CDCRT_WRITE_PATCH:
        if (!only_keys(shape)) statements.push_back(update(shape));
        break;
      case CDCRT_WRITE_DELETE: statements.push_back(remove_by_key(shape)); break;
      case CDCRT_WRITE_REPLACE:
        statements.push_back(remove_by_key(shape));
        statements.push_back(insert(shape));
        break;
      case CDCRT_WRITE_REMOVE: statements.push_back(remove_copies(shape)); break;
      case CDCRT_WRITE_CLEAR: statements.push_back(Statement{"DELETE FROM " + shape.table, {}}); break;
    }
    return statements;
  }

  [[nodiscard]] Statement missing_statement(const StatementShape& shape) const override {
    return Builder(shape)
        .add("SELECT s.n FROM ")
        .rows(true, true)
        .add(" WHERE NOT EXISTS (SELECT 1 FROM ")
        .add(shape.table)
        .add(" AS t WHERE ")
        .same_key()
        .add(") ORDER BY s.n")
        .take();
  }

  [[nodiscard]] Statement unwritten_statement(const StatementShape& shape, bool patch) const override {
    Builder builder(shape);
    builder.add("SELECT s.n FROM ")
        .rows(false, true)
        .add(" WHERE NOT EXISTS (SELECT 1 FROM ")
        .add(shape.table)
        .add(" AS t WHERE ")
        .same_row()
        .add(")");
    if (patch) builder.add(" AND EXISTS (SELECT 1 FROM ").add(shape.table).add(" AS t WHERE ").same_key().add(")");
    return builder.add(" LIMIT 1").take();
  }

  [[nodiscard]] Statement remaining_statement(const StatementShape& shape) const override {
    return Builder(shape)
        .add("SELECT s.n FROM ")
        .rows(true, true)
        .add(" WHERE EXISTS (SELECT 1 FROM ")
        .add(shape.table)
        .add(" AS t WHERE ")
        .same_key()
        .add(") LIMIT 1")
        .take();
  }

  [[nodiscard]] Statement read_statement(const StatementShape& shape, uint32_t key_count, cdcrt_lock lock) const override {
    Builder builder(shape);
    builder.add("SELECT ").texts([](const StatementColumn& column, std::size_t) { return "t." + column.name + "::text"; });
    builder.add(" FROM ").add(shape.table).add(" AS t");
    if (key_count > 0) builder.add(" WHERE EXISTS (SELECT 1 FROM ").rows(true, false).add(" WHERE ").same_key().add(")");
    if (lock == CDCRT_LOCK_SHARE) builder.add(" FOR SHARE OF t");
    if (lock == CDCRT_LOCK_UPDATE) builder.add(" FOR UPDATE OF t");
    return builder.take();
  }
};

/// A moment as ISO 8601 text with six digits where there is a fraction; what to_char cannot say keeps the server's form.
std::string iso_text(const std::string& name, std::string_view pattern, bool fraction, std::string_view zone) {
  std::string text =
      "CASE WHEN NOT isfinite(" + name + ") OR extract(year FROM " + name + ") NOT BETWEEN 1 AND 9999 THEN " + name + "::text";
  if (fraction) {
    text += " WHEN extract(microseconds FROM " + name + ")::bigint % 1000000 <> 0 THEN to_char(" + name + ", '" + std::string(pattern) +
            ".US')";
    if (!zone.empty()) text += " || '" + std::string(zone) + "'";
  }
  text += " ELSE to_char(" + name + ", '" + std::string(pattern) + "')";
  if (!zone.empty()) text += " || '" + std::string(zone) + "'";
  return text + " END";
}

}  // namespace

std::string postgresql_conversion(std::string_view name, cdcrt_type from, cdcrt_type to, std::string_view target_type) {
  const std::string column(name);
  const std::string cast = "::" + std::string(target_type);
  if (from.kind == CDCRT_TYPE_ARRAY && from.element != CDCRT_TYPE_UNKNOWN) {
    if (to.kind == CDCRT_TYPE_ARRAY && to.element != CDCRT_TYPE_UNKNOWN) {
      // New values come as JSON, whose digits are those of the float's text.
      const bool by_digits = from.element == CDCRT_TYPE_FLOAT32 && to.element == CDCRT_TYPE_FLOAT64;
      const char* const by_way_of = by_digits ? "::text[]" : from.element == CDCRT_TYPE_BOOL && is_number(to.element) ? "::integer[]" : "";
      return column + by_way_of + cast;
    }
    // As the host writes new values: JSON, also in a column of texts.
    return "to_json(" + column + (from.element == CDCRT_TYPE_JSON ? "::text[]" : "") + ")::text" + cast;
  }
  if (to.kind == CDCRT_TYPE_STRING) {
    if (from.kind == CDCRT_TYPE_TIMESTAMP) return "(" + iso_text(column, "YYYY-MM-DD\"T\"HH24:MI:SS", true, "") + ")" + cast;
    if (from.kind == CDCRT_TYPE_TIMESTAMPTZ) return "(" + iso_text(column, "YYYY-MM-DD\"T\"HH24:MI:SS", true, "+00:00") + ")" + cast;
  }
  if (from.kind == CDCRT_TYPE_BOOL && to.kind != CDCRT_TYPE_STRING && is_number(to.kind)) return column + "::integer" + cast;
  // Through text where the server has no direct cast (json to bytea and the like refuse themselves with a clear message).
  if (to.kind == CDCRT_TYPE_JSON || to.kind == CDCRT_TYPE_ARRAY) return column + "::text" + cast;
  // A cast of a float itself keeps 15 of its digits, or 6.
  const bool is_float = from.kind == CDCRT_TYPE_FLOAT32 || from.kind == CDCRT_TYPE_FLOAT64;
  if (is_float && to.kind == CDCRT_TYPE_DECIMAL) return column + "::text" + cast;
  return column + cast;
}

const Dialect& postgresql() {
  static const Postgresql dialect;
  return dialect;
}

}  // namespace cdcrt::sql
