#include "postgresql/value.hpp"

#include "postgresql/dialect.hpp"
#include "sql/cell.hpp"
#include "sql/cell_text.hpp"
#include "sql/identifier.hpp"
#include "sql/json_reader.hpp"
#include "sql/postgresql_array.hpp"
#include "sql/postgresql_nested.hpp"

namespace cdcrt::postgresql {

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

bool is_hstore(const std::string& type) {
  return type == "hstore" || (type.size() > 7 && type.compare(type.size() - 7, 7, ".hstore") == 0);
}

/// One flat JSON object as hstore's text: names and texts in quotes, null as NULL.
class HstoreText {
 public:
  HstoreText(std::string_view json, std::string& out) : json_(json), out_(out) {}

  bool run() {
    out_.clear();
    if (!json_.take('{')) return false;
    if (json_.take('}')) return json_.ended();
    do {
      if (!out_.empty()) out_ += ',';
      if (!text()) return false;
      out_ += "=>";
      if (!json_.take(':') || !value()) return false;
    } while (json_.take(','));
    return json_.take('}') && json_.ended();
  }

 private:
  bool value() {
    if (json_.next() == '"') return text();
    const std::string_view word = json_.word();
    if (word.empty()) return false;
    out_ += word == "null" ? std::string("NULL") : '"' + std::string(word) + '"';
    return true;
  }
  bool text() {
    if (!json_.text(text_)) return false;
    out_ += '"';
    for (const char c : text_) {
      if (c == '"' || c == '\\') out_ += '\\';
      out_ += c;
    }
    out_ += '"';
    return true;
  }

  sql::JsonReader json_;
  std::string& out_;
  std::string text_;
};

bool to_hstore(std::string_view json, std::string& out) { return HstoreText(json, out).run(); }

/// The server reads seconds as a double, in which those of more than 68 years leave no place for microseconds: hours take them up.
bool seconds_to_hours(std::string_view text, std::string& out) {
  const auto point = text.find_last_of('.');
  if (point == std::string_view::npos || text.empty() || text.back() != 'S') return false;
  auto begin = point;
  while (begin > 0 && text[begin - 1] >= '0' && text[begin - 1] <= '9') --begin;
  constexpr std::size_t kMinDigits = 10, kMaxDigits = 18;
  if (point - begin < kMinDigits || point - begin > kMaxDigits || text.find_first_of("HM", text.find('T')) != std::string_view::npos)
    return false;
  const uint64_t seconds = std::stoull(std::string(text.substr(begin, point - begin)));
  const bool minus = begin > 0 && text[begin - 1] == '-';
  constexpr uint64_t kHour = 3600;
  out = std::string(text.substr(0, begin)) + std::to_string(seconds / kHour) + (minus ? "H-" : "H") + std::to_string(seconds % kHour) +
        std::string(text.substr(point));
  return true;
}

/// JSON, also as text: an array of the database that came as a text goes as it is.
bool is_json_array(const cdcrt_cell& cell) {
  if (cell.tag == CDCRT_ARRAY || cell.tag == CDCRT_JSON) return true;
  const std::string_view text = cell.tag == CDCRT_STRING ? sql::bytes_of(cell) : std::string_view();
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '[' && !sql::is_array_constant(text);
}

/// Each element as a value of its own; what one of them may not be, the whole array may not.
Status array_to_native(const CatalogColumn& target, const cdcrt_column& column, cdcrt_cell& cell, std::string& buffer,
                       uint64_t& overflowed) {
  CatalogColumn element;
  element.type = target.type;
  element.base_type = target.element;
  element.limit = target.limit;
  cdcrt_column of_element = column;
  of_element.flags &= ~static_cast<uint32_t>(CDCRT_COLUMN_MAY_NULL);
  uint64_t changed = 0;
  const auto fit = [&](cdcrt_cell& each, std::string& bytes) { return to_native(element, of_element, each, bytes, changed); };
  std::string constant;
  Status status = sql::to_array_constant(sql::bytes_of(cell), column, sql::postgresql().logical_type(target.element), fit, constant);
  if (status) {
    buffer = std::move(constant);
    cell = sql::text_cell(CDCRT_STRING, buffer);
  } else if (status.code() == CDCRT_BAD_RECORD && (column.flags & CDCRT_COLUMN_MAY_NULL) != 0) {
    cell = sql::integer_cell(CDCRT_NULL, 0);
    changed = 1;
    status = {};
  }
  if (changed > 0) ++overflowed;
  return status;
}

}  // namespace

Status to_native(const CatalogColumn& target, const cdcrt_column& column, cdcrt_cell& cell, std::string& buffer, uint64_t& overflowed) {
  if (!target.element.empty()) return is_json_array(cell) ? array_to_native(target, column, cell, buffer, overflowed) : Status();
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
  if (cell.tag == CDCRT_JSON && is_hstore(target.base_type)) {
    if (to_hstore(sql::bytes_of(cell), buffer)) cell = sql::text_cell(CDCRT_STRING, buffer);
    return {};
  }
  if (cell.tag == CDCRT_INTERVAL && seconds_to_hours(sql::bytes_of(cell), buffer)) cell = sql::text_cell(CDCRT_INTERVAL, buffer);
  if (sql::keeps(target.limit, cell)) return {};
  const bool cut = ((column.flags & CDCRT_COLUMN_MAY_CUT) != 0 && sql::cut_to(target.limit, cell)) ||
                   ((column.flags & CDCRT_COLUMN_MAY_CUT_FRACTION) != 0 && sql::cut_fraction_to(target.limit, cell, buffer));
  if (!cut && (column.flags & CDCRT_COLUMN_MAY_NULL) == 0) {
    return Status::bad_record("column " + sql::shown(sdk::view(column.name)) + " is " + target.type +
                                  " in the target, which would change this value: " + shown_value(cell),
                              "change the target's column, or give the column on_overflow = \"truncate\" or \"null\" in the route");
  }
  if (!cut) cell = sql::integer_cell(CDCRT_NULL, 0);
  ++overflowed;
  return {};
}

cdcrt_type type_of(const CatalogColumn& column) {
  if (column.element.empty()) return sql::postgresql().logical_type(column.base_type);
  const cdcrt_type element = sql::postgresql().logical_type(column.element);
  return cdcrt_type{CDCRT_TYPE_ARRAY, element.kind, element.scale, element.length};
}

cdcrt_cell from_native(const CatalogColumn& target, cdcrt_type wanted, const std::string& text, std::string& buffer) {
  const bool is_json = wanted.kind == CDCRT_TYPE_ARRAY || wanted.kind == CDCRT_TYPE_JSON;
  if (target.element.empty() || !is_json) return sql::from_postgresql(text, wanted, buffer);
  const bool tells_elements = wanted.kind == CDCRT_TYPE_ARRAY && wanted.element != CDCRT_TYPE_UNKNOWN;
  const cdcrt_type array = tells_elements ? wanted : type_of(target);
  if (!sql::from_array_constant(text, sql::make_type(array.element, array.length, array.scale), buffer))
    return sql::text_cell(CDCRT_STRING, text);
  return sql::text_cell(wanted.kind == CDCRT_TYPE_ARRAY ? CDCRT_ARRAY : CDCRT_JSON, buffer);
}

}  // namespace cdcrt::postgresql
