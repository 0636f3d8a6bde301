#include "redshift_ddl.hpp"

#include <algorithm>
#include <map>

#include "redshift_literal.hpp"
#include "redshift_statements.hpp"
#include "sql/definition.hpp"
#include "sql/identifier.hpp"

namespace cdcrt::sql::redshift {

using sdk::Status;

std::string column_type(const cdcrt_column& column, const Names& names) {
  const std::string_view requested = requested_type(column);
  return requested.empty() ? type_name(column.type, names.unbounded_varchar) : std::string(requested);
}

Status append_default(std::string& out, const cdcrt_column& column, const Names& names) {
  return append_cell(out, column.default_value, written_type(column_type(column, names)), sdk::view(column.name));
}

namespace {

Status append_definition(std::string& out, const cdcrt_column& column, const Names& names) {
  Status status = append_name(out, sdk::view(column.name), "column", names.case_sensitive);
  if (!status) return status;
  out += ' ';
  out += column_type(column, names);
  // A SUPER or VARBYTE default is an expression, which a DEFAULT may not be.
  const Storage storage = written_type(column_type(column, names)).storage;
  if (has_default(column) && storage != Storage::kSuper && storage != Storage::kBytes) {
    out += " DEFAULT ";
    status = append_default(out, column, names);
  }
  return status;
}

Status one_name_each(const cdcrt_column* columns, uint32_t count, const Names& names) {
  std::map<std::string, std::string_view> seen;
  for (uint32_t i = 0; i < count; ++i) {
    const std::string_view name = sdk::view(columns[i].name);
    const auto [place, added] = seen.emplace(folded(name, names.case_sensitive), name);
    if (!added) {
      return Status::error(
          CDCRT_BAD_CONFIG,
          "columns " + shown(place->second) + " and " + shown(name) + " are one name in Redshift, which does not tell case apart",
          "rename or exclude one of them in the route (`columns.NAME.rename`), or set enable_case_sensitive_identifier for the user");
    }
  }
  return {};
}

bool can_distribute(const cdcrt_column& column, const Names& names) {
  const Storage storage = written_type(column_type(column, names)).storage;
  return storage != Storage::kSuper && storage != Storage::kBytes && storage != Storage::kOther;
}

const cdcrt_column* find(const cdcrt_column* columns, uint32_t count, std::string_view name, const Names& names) {
  for (uint32_t i = 0; i < count; ++i) {
    if (folded(sdk::view(columns[i].name), names.case_sensitive) == folded(name, names.case_sensitive)) return &columns[i];
  }
  return nullptr;
}

Status no_such_column(std::string_view option, std::string_view column, std::string_view table) {
  return Status::error(CDCRT_BAD_CONFIG,
                       std::string(option) + " names column " + shown(column) + ", which table " + std::string(table) + " does not have",
                       "name one of the table's columns as they are called in the target; a column whose type is not known yet is made "
                       "at once when the route gives it one: columns.NAME.type");
}

}  // namespace

Status create_table(std::string& out, std::string_view quoted_table, const cdcrt_column* columns, uint32_t count, const Layout& layout,
                    const Names& names) {
  Status status = one_name_each(columns, count, names);
  if (!status) return status;
  const auto keys = key_columns(columns, count);
  for (const auto& [name, encoding] : layout.encodings) {
    if (find(columns, count, name, names) == nullptr) return no_such_column("layout.encode", name, quoted_table);
  }
  const AppendColumn name_of = [&](std::string& text, const cdcrt_column& column) {
    return append_name(text, sdk::view(column.name), "column", names.case_sensitive);
  };
  // Nullability cannot be taken away later, but a key's column never needs that.
  status = append_create_table(
      out, quoted_table, columns, count, layout.primary_key, name_of, [&](std::string& text, const cdcrt_column& column) {
        // Redshift does not widen what a declared key holds.
        const bool declared = layout.primary_key && column.key_ordinal > 0 && column.type.length == 0;
        Status defined = append_definition(text, column, declared ? Names{names.case_sensitive, kMaxVarchar} : names);
        for (const auto& [name, encoding] : layout.encodings) {
          if (find(&column, 1, name, names) != nullptr) text += " ENCODE " + encoding;
        }
        return defined;
      });
  if (!status) return status;
  const auto list = [&](const std::vector<const cdcrt_column*>& chosen) {
    if (status) status = append_names(out, chosen, name_of);
    out += ')';
  };

  const cdcrt_column* distribute = nullptr;
  if (!layout.distkey.empty()) {
    distribute = find(columns, count, layout.distkey, names);
    if (distribute == nullptr) return no_such_column("layout.distkey", layout.distkey, quoted_table);
  } else if (layout.distribution == Layout::Distribution::kKey && !keys.empty() && can_distribute(*keys[0], names)) {
    distribute = keys[0];
  }
  if (distribute != nullptr) {
    out += " DISTSTYLE KEY DISTKEY(";
    list({distribute});
  } else if (layout.distribution == Layout::Distribution::kEven) {
    out += " DISTSTYLE EVEN";
  } else if (layout.distribution == Layout::Distribution::kAll) {
    out += " DISTSTYLE ALL";
  }
  std::vector<const cdcrt_column*> sorted;
  for (const std::string& name : layout.sortkey) {
    sorted.push_back(find(columns, count, name, names));
    if (sorted.back() == nullptr) return no_such_column("layout.sortkey", name, quoted_table);
  }
  if (sorted.empty() && layout.sort_by_key &&
      std::all_of(keys.begin(), keys.end(), [&](const auto* key) { return can_distribute(*key, names); }))
    sorted = keys;
  if (!sorted.empty()) {
    out += " SORTKEY(";
    list(sorted);
  }
  return status;
}

Status add_column(std::string& out, std::string_view quoted_table, const cdcrt_column& column, const Names& names) {
  out += "ALTER TABLE ";
  out += quoted_table;
  out += " ADD COLUMN ";
  return append_definition(out, column, names);
}

namespace {

std::string moment_text(const std::string& column, std::string_view zone) {
  const std::string pattern = "YYYY-MM-DD\"T\"HH24:MI:SS";
  const std::string utc = zone.empty() ? column : "(" + column + " AT TIME ZONE 'UTC')";
  const std::string end = zone.empty() ? std::string() : " || '" + std::string(zone) + "'";
  // Not by EXTRACT: the guide's EXTRACT(microseconds ..) leaves seconds and milliseconds out.
  return "CASE WHEN TO_CHAR(" + utc + ", 'US') <> '000000' THEN TO_CHAR(" + utc + ", '" + pattern + ".US')" + end + " ELSE TO_CHAR(" + utc +
         ", '" + pattern + "')" + end + " END";
}

/// 01:02:03.500000 as PT1H2M3.5S, without the parts that are zero.
std::string duration_text(const std::string& column) {
  const std::string text = column + "::VARCHAR(32)";
  const auto part = [&](const char* from, const char* unit) {
    return "CASE WHEN SUBSTRING(" + text + ", " + from + ", 2) = '00' THEN '' ELSE SUBSTRING(" + text + ", " + from +
           ", 2)::INTEGER::VARCHAR(8) || '" + unit + "' END";
  };
  const std::string seconds =
      "SUBSTRING(" + text + ", 7, 2)::INTEGER::VARCHAR(8) || RTRIM(RTRIM(SUBSTRING(" + text + ", 9), '0'), '.') || 'S'";
  return "CASE WHEN " + column + " = '00:00:00' THEN 'PT0S' ELSE 'PT' || " + part("1", "H") + " || " + part("4", "M") + " || CASE WHEN " +
         seconds + " = '0S' THEN '' ELSE " + seconds + " END END";
}

}  // namespace

std::string conversion(std::string_view quoted_column, const ColumnType& from, const ColumnType& to) {
  const std::string column(quoted_column);
  const std::string cast = "::" + to.name;
  const bool number = to.storage == Storage::kInteger || to.storage == Storage::kDecimal || to.storage == Storage::kFloat;
  if (from.storage == Storage::kBool && number) return "(CASE WHEN " + column + " THEN 1 WHEN NOT " + column + " THEN 0 END)" + cast;
  if (to.storage == Storage::kText) {
    switch (from.storage) {
      case Storage::kBool: return "(CASE WHEN " + column + " THEN 'true' WHEN NOT " + column + " THEN 'false' END)" + cast;
      case Storage::kTimestamp: return "(" + moment_text(column, "") + ")" + cast;
      case Storage::kTimestamptz: return "(" + moment_text(column, "+00:00") + ")" + cast;
      case Storage::kTime: return to.duration ? "(" + duration_text(column) + ")" + cast : column + cast;
      case Storage::kSuper:
        // Of NULL it would be 'null'.
        return "(CASE WHEN " + column + " IS NULL THEN NULL ELSE JSON_SERIALIZE(" + column + ") END)" + cast;
      case Storage::kBytes: return "(chr(92) || 'x' || FROM_VARBYTE(" + column + ", 'hex'))" + cast;
      default: return column + cast;
    }
  }
  if (to.storage == Storage::kSuper && from.storage == Storage::kText) return "JSON_PARSE(" + column + ")";
  if (to.storage == Storage::kTimestamptz && (from.storage == Storage::kTimestamp || from.storage == Storage::kDate)) {
    return (from.storage == Storage::kDate ? column + "::TIMESTAMP" : column) + " AT TIME ZONE 'UTC'";
  }
  return column + cast;
}

std::string select_too_long_for_text(std::string_view quoted_table, std::string_view quoted_column, Storage from) {
  const std::string column(quoted_column);
  if (from != Storage::kSuper && from != Storage::kBytes) return {};
  // Two digits a byte, after \\x.
  const std::string too_long = from == Storage::kSuper ? "JSON_SIZE(" + column + ") > " + std::to_string(kMaxVarchar)
                                                       : "OCTET_LENGTH(" + column + ") > " + std::to_string((kMaxVarchar - 2) / 2);
  return "SELECT 1 FROM " + std::string(quoted_table) + " WHERE " + too_long + " LIMIT 1";
}

std::string widen(std::string_view quoted_table, std::string_view quoted_column, const ColumnType& type, uint32_t bytes) {
  const char* name = type.storage == Storage::kBytes ? "VARBYTE(" : "VARCHAR(";
  return "ALTER TABLE " + std::string(quoted_table) + " ALTER COLUMN " + std::string(quoted_column) + " TYPE " + name +
         std::to_string(bytes) + ")";
}

std::vector<std::string> change_type(std::string_view quoted_table, std::string_view quoted_column, std::string_view quoted_temporary,
                                     const ColumnType& from, const ColumnType& to, std::string_view fallback) {
  const std::string table(quoted_table);
  const std::string column(quoted_column);
  const std::string temporary(quoted_temporary);
  return {
      "ALTER TABLE " + table + " ADD COLUMN " + temporary + " " + to.name +
          (fallback.empty() ? std::string() : " DEFAULT " + std::string(fallback)),
      "UPDATE " + table + " SET " + temporary + " = " + conversion(column, from, to),
      "ALTER TABLE " + table + " DROP COLUMN " + column,
      "ALTER TABLE " + table + " RENAME COLUMN " + temporary + " TO " + column,
  };
}

}  // namespace cdcrt::sql::redshift
