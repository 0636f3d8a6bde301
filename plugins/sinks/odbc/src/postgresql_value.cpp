#include "postgresql_value.hpp"

#include "sql/cell.hpp"
#include "sql/cell_text.hpp"
#include "sql/identifier.hpp"

namespace cdcrt::odbc {

using sdk::Status;

namespace {

bool begins(const std::string& text, std::string_view part) { return text.compare(0, part.size(), part) == 0; }

std::string shown_value(const cdcrt_cell& cell) {
  std::string text;
  sql::append_cell_text(text, cell, sdk::TextStyle::kIso8601);
  constexpr std::size_t kMax = 60;
  if (text.size() > kMax) {
    std::size_t end = kMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end) + "...";
  }
  return sql::shown(text);
}

/// The number behind "name": in a flat JSON object; empty where there is none.
std::string_view member(std::string_view json, std::string_view name) {
  const std::string key = "\"" + std::string(name) + "\"";
  auto at = json.find(key);
  if (at == std::string_view::npos) return {};
  at = json.find_first_not_of(" \t\r\n:", at + key.size());
  if (at == std::string_view::npos) return {};
  const auto end = json.find_first_not_of("0123456789+-.eE", at);
  return json.substr(at, end == std::string_view::npos ? end : end - at);
}

}  // namespace

Status to_native(const CatalogColumn& target, const cdcrt_column& column, cdcrt_cell& cell, std::string& buffer, uint64_t& overflowed) {
  if (cell.tag == CDCRT_BOOL && begins(target.base_type, "bit")) {
    cell = sql::integer_cell(CDCRT_I64, cell.value.integer);
    return {};
  }
  // Debezium's points are structures; the server's are (x,y).
  if (cell.tag == CDCRT_JSON && target.base_type == "point") {
    const std::string_view x = member(sql::bytes_of(cell), "x"), y = member(sql::bytes_of(cell), "y");
    if (!x.empty() && !y.empty()) {
      buffer = "(" + std::string(x) + "," + std::string(y) + ")";
      cell = sql::text_cell(CDCRT_STRING, buffer);
    }
    return {};
  }
  if (sql::keeps(target.limit, cell)) return {};
  const bool cut = (column.flags & CDCRT_COLUMN_MAY_CUT) != 0 && sql::cut_to(target.limit, cell);
  if (!cut && (column.flags & CDCRT_COLUMN_MAY_NULL) == 0) {
    return Status::bad_record("column " + sql::shown(sdk::view(column.name)) + " is " + target.type + " in the target, which would change this value: " + shown_value(cell),
                              "change the target's column, or give the column on_overflow = \"truncate\" or \"null\" in the route");
  }
  if (!cut) cell = sql::integer_cell(CDCRT_NULL, 0);
  ++overflowed;
  return {};
}

}  // namespace cdcrt::odbc
