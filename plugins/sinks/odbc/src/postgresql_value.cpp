#include "postgresql_value.hpp"

#include <charconv>

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

bool is_hstore(const std::string& type) { return type == "hstore" || (type.size() > 7 && type.compare(type.size() - 7, 7, ".hstore") == 0); }

void append_utf8(std::string& out, uint32_t letter) {
  if (letter < 0x80) {
    out += static_cast<char>(letter);
  } else if (letter < 0x800) {
    out += static_cast<char>(0xC0 | (letter >> 6));
    out += static_cast<char>(0x80 | (letter & 0x3F));
  } else if (letter < 0x10000) {
    out += static_cast<char>(0xE0 | (letter >> 12));
    out += static_cast<char>(0x80 | ((letter >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (letter & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (letter >> 18));
    out += static_cast<char>(0x80 | ((letter >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((letter >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (letter & 0x3F));
  }
}

/// Reads one flat JSON object as hstore's text: names and texts in quotes, null as NULL.
class HstoreText {
 public:
  HstoreText(std::string_view json, std::string& out) : rest_(json), out_(out) {}

  bool run() {
    out_.clear();
    if (!take('{')) return false;
    if (take('}')) return ended();
    do {
      if (!out_.empty()) out_ += ',';
      if (!text()) return false;
      out_ += "=>";
      if (!take(':') || !value()) return false;
    } while (take(','));
    return take('}') && ended();
  }

 private:
  void skip() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t' || rest_[0] == '\n' || rest_[0] == '\r')) rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool ended() {
    skip();
    return rest_.empty();
  }
  bool value() {
    skip();
    if (!rest_.empty() && rest_[0] == '"') return text();
    const auto end = rest_.find_first_of(",} \t\r\n");
    const std::string_view word = rest_.substr(0, end);
    if (word.empty() || word[0] == '{' || word[0] == '[') return false;
    rest_.remove_prefix(word.size());
    out_ += word == "null" ? std::string("NULL") : '"' + std::string(word) + '"';
    return true;
  }
  bool hexadecimal(uint32_t& out) {
    if (rest_.size() < 4) return false;
    const auto parsed = std::from_chars(rest_.data(), rest_.data() + 4, out, 16);
    rest_.remove_prefix(4);
    return parsed.ec == std::errc() && parsed.ptr == rest_.data();
  }
  void letter(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '"' || c == '\\') out_ += '\\';
      out_ += c;
    }
  }
  bool text() {
    if (!take('"')) return false;
    out_ += '"';
    while (!rest_.empty() && rest_[0] != '"') {
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (c != '\\') {
        letter({&c, 1});
        continue;
      }
      if (rest_.empty()) return false;
      const char escape = rest_[0];
      rest_.remove_prefix(1);
      std::string decoded;
      switch (escape) {
        case 'b': decoded = "\b"; break;
        case 'f': decoded = "\f"; break;
        case 'n': decoded = "\n"; break;
        case 'r': decoded = "\r"; break;
        case 't': decoded = "\t"; break;
        case 'u': {
          uint32_t code = 0;
          uint32_t low = 0;
          if (!hexadecimal(code) || code == 0) return false;
          if (code >= 0xD800 && code < 0xDC00) {
            if (rest_.substr(0, 2) != "\\u") return false;
            rest_.remove_prefix(2);
            if (!hexadecimal(low) || low < 0xDC00 || low > 0xDFFF) return false;
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
          }
          append_utf8(decoded, code);
          break;
        }
        default: decoded.assign(1, escape);
      }
      letter(decoded);
    }
    if (rest_.empty()) return false;
    rest_.remove_prefix(1);
    out_ += '"';
    return true;
  }

  std::string_view rest_;
  std::string& out_;
};

bool to_hstore(std::string_view json, std::string& out) { return HstoreText(json, out).run(); }

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
  if (cell.tag == CDCRT_JSON && is_hstore(target.base_type)) {
    if (to_hstore(sql::bytes_of(cell), buffer)) cell = sql::text_cell(CDCRT_STRING, buffer);
    return {};
  }
  if (sql::keeps(target.limit, cell)) return {};
  const bool cut = ((column.flags & CDCRT_COLUMN_MAY_CUT) != 0 && sql::cut_to(target.limit, cell)) ||
                   ((column.flags & CDCRT_COLUMN_MAY_CUT_FRACTION) != 0 && sql::cut_fraction_to(target.limit, cell, buffer));
  if (!cut && (column.flags & CDCRT_COLUMN_MAY_NULL) == 0) {
    return Status::bad_record("column " + sql::shown(sdk::view(column.name)) + " is " + target.type + " in the target, which would change this value: " + shown_value(cell),
                              "change the target's column, or give the column on_overflow = \"truncate\" or \"null\" in the route");
  }
  if (!cut) cell = sql::integer_cell(CDCRT_NULL, 0);
  ++overflowed;
  return {};
}

}  // namespace cdcrt::odbc
