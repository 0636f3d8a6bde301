#include "sqlite_table.hpp"

#include <algorithm>

#include "sql/identifier.hpp"

namespace cdcrt::odbc {

using sdk::Status;
using sql::Moment;

namespace {

Status rows(Session& session, std::string_view text, std::string_view parameter, std::size_t fields, std::string_view doing,
            const std::function<void(std::vector<std::string>&, const std::vector<bool>&)>& visit) {
  Query query(session);
  Status status = query.prepare(text, 1, doing);
  if (!status) return status;
  query.bind_text(0, parameter);
  status = query.execute(Moment::kStatement, doing);
  while (status) {
    bool found = false;
    status = query.fetch(found, doing);
    if (!status || !found) break;
    std::vector<std::string> row(fields);
    std::vector<bool> nulls(fields);
    for (std::size_t i = 0; i < fields && status; ++i) {
      bool null = false;
      status = query.text(i, row[i], null, doing);
      nulls[i] = null;
    }
    if (status) visit(row, nulls);
  }
  return status;
}

}  // namespace

bool same_name(std::string_view left, std::string_view right) {
  return left.size() == right.size() && std::equal(left.begin(), left.end(), right.begin(), [](char a, char b) {
           const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
           return lower(a) == lower(b);
         });
}

Status read_table(Session& session, std::string_view table, SqliteTable& out) {
  const std::string doing = "cannot read the catalog for table " + sql::shown(table);
  out = SqliteTable();
  Status status = rows(
      session, "SELECT 't' || type, 't' || name, 't' || sql FROM sqlite_master WHERE name = ? COLLATE NOCASE AND type IN ('table', 'view')",
      table, 3, doing, [&](std::vector<std::string>& row, const std::vector<bool>& nulls) {
        out.exists = true;
        out.is_view = row[0] == "tview";
        out.name = row[1].substr(1);
        if (!nulls[2]) out.definition = row[2].substr(1);
      });
  if (!status || !out.exists) return status;
  const auto says = [&](std::string_view word) {
    return std::search(out.definition.begin(), out.definition.end(), word.begin(), word.end(),
                       [](char a, char b) { return (a & ~0x20) == b; }) != out.definition.end();
  };
  out.collates = says("COLLATE");
  return rows(
      session,
      "SELECT 't' || name, 't' || type, 't' || \"notnull\", 't' || dflt_value, 't' || pk, 't' || hidden FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid",
      out.name, 6, doing, [&](std::vector<std::string>& row, const std::vector<bool>& nulls) {
        SqliteColumn column;
        column.name = row[0].substr(1);
        column.type = row[1].substr(1);
        column.not_null = row[2] == "t1";
        column.has_default = !nulls[3];
        if (column.has_default) column.fallback = row[3].substr(1);
        column.key_ordinal = static_cast<uint32_t>(std::stoul(row[4].substr(1)));
        column.generated = row[5] != "t0";
        out.columns.push_back(std::move(column));
      });
}

Status read_indexes(Session& session, std::string_view table, std::vector<SqliteIndex>& out) {
  const std::string doing = "cannot read the indexes of table " + sql::shown(table);
  out.clear();
  return rows(
      session,
      "SELECT 't' || l.name, 't' || l.\"unique\", 't' || l.partial, 't' || i.name, 't' || m.sql FROM pragma_index_list(?) l JOIN pragma_index_info(l.name) i "
      "LEFT JOIN sqlite_master m ON m.type = 'index' AND m.name = l.name ORDER BY l.seq DESC, i.seqno",
      table, 5, doing, [&](std::vector<std::string>& row, const std::vector<bool>& nulls) {
        const std::string name = row[0].substr(1);
        if (out.empty() || out.back().name != name) {
          SqliteIndex index;
          index.name = name;
          index.unique = row[1] == "t1";
          index.partial = row[2] == "t1";
          if (!nulls[4]) index.definition = row[4].substr(1);
          out.push_back(std::move(index));
        }
        out.back().columns.push_back(nulls[3] ? std::string() : row[3].substr(1));
      });
}

std::string row_identifier(const SqliteTable& table) {
  for (const char* name : {"_rowid_", "rowid", "oid"}) {
    const bool hidden =
        std::any_of(table.columns.begin(), table.columns.end(), [&](const SqliteColumn& column) { return same_name(column.name, name); });
    if (!hidden) return name;
  }
  return {};
}

}  // namespace cdcrt::odbc
