#include "debezium/table_changes.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "cdcrt/sdk/row_builder.hpp"
#include "debezium/mysql_default.hpp"

namespace cdcrt::debezium {

using Kind = sdk::JsonKind;

namespace {

struct SourceType {
  std::string_view name;
  cdcrt_type_kind kind;
  bool has_length = false;
};

/// Of those that stand in JSON as they are. TINYINT(1) and BOOLEAN are numbers or booleans, as they were declared: their values tell.
constexpr std::array kNaturalTypes{
    SourceType{"TINYINT", CDCRT_TYPE_INT16},
    SourceType{"TINYINT UNSIGNED", CDCRT_TYPE_INT16},
    SourceType{"SMALLINT", CDCRT_TYPE_INT16},
    SourceType{"SMALLINT UNSIGNED", CDCRT_TYPE_INT32},
    SourceType{"MEDIUMINT", CDCRT_TYPE_INT32},
    SourceType{"MEDIUMINT UNSIGNED", CDCRT_TYPE_INT32},
    SourceType{"INT", CDCRT_TYPE_INT32},
    SourceType{"INTEGER", CDCRT_TYPE_INT32},
    SourceType{"INT UNSIGNED", CDCRT_TYPE_INT64},
    SourceType{"INTEGER UNSIGNED", CDCRT_TYPE_INT64},
    SourceType{"BIGINT", CDCRT_TYPE_INT64},
    SourceType{"YEAR", CDCRT_TYPE_INT32},
    SourceType{"FLOAT", CDCRT_TYPE_FLOAT64},
    SourceType{"DOUBLE", CDCRT_TYPE_FLOAT64},
    SourceType{"TIMESTAMP", CDCRT_TYPE_TIMESTAMPTZ},
    SourceType{"CHAR", CDCRT_TYPE_STRING, true},
    SourceType{"VARCHAR", CDCRT_TYPE_STRING, true},
    SourceType{"TINYTEXT", CDCRT_TYPE_STRING},
    SourceType{"TEXT", CDCRT_TYPE_STRING},
    SourceType{"MEDIUMTEXT", CDCRT_TYPE_STRING},
    SourceType{"LONGTEXT", CDCRT_TYPE_STRING},
    SourceType{"ENUM", CDCRT_TYPE_STRING},
    SourceType{"SET", CDCRT_TYPE_STRING},
    SourceType{"JSON", CDCRT_TYPE_JSON},
};

constexpr int kDeepestComment = 8;

char upper_case(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string_view member_text(const sdk::JsonTape& tape, uint32_t object, std::string_view name, Kind kind = Kind::kString) {
  const uint32_t value = tape.find(object, name);
  return value != 0 && tape[value].kind == kind ? tape.text(value) : std::string_view();
}

bool member_is(const sdk::JsonTape& tape, uint32_t object, std::string_view name, Kind kind) {
  const uint32_t value = tape.find(object, name);
  return value != 0 && tape[value].kind == kind;
}

/// Texts and whole numbers alone: what is written for a moment may stand for now().
void take_default(std::string_view text, Column& column) {
  cdcrt_cell& cell = column.default_cell;
  if (column.type.kind == CDCRT_TYPE_STRING) {
    column.default_text = literal_text(text);
    sdk::set_text(cell, CDCRT_STRING, column.default_text);
  } else if (column.type.kind >= CDCRT_TYPE_INT8 && column.type.kind <= CDCRT_TYPE_INT64) {
    int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end) return;
    sdk::set_integer(cell, CDCRT_I64, number);
  } else {
    return;
  }
  column.has_default = column.default_certain = true;
}

}  // namespace

std::vector<std::string> split_table_id(std::string_view id) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (at < id.size()) {
    if (id[at] != '"') return {};
    std::string& part = parts.emplace_back();
    for (++at;; ++at) {
      if (at >= id.size()) return {};
      if (id[at] == '"' && (++at >= id.size() || id[at] != '"')) break;
      part += id[at];
    }
    if (at < id.size() && id[at++] != '.') return {};
  }
  return parts;
}

Column defined_column(const sdk::JsonTape& tape, uint32_t index, bool natural) {
  Column column;
  column.name = std::string(member_text(tape, index, "name"));
  column.optional = !member_is(tape, index, "optional", Kind::kFalse);
  if (!natural) return column;
  std::string type(member_text(tape, index, "typeName"));
  std::transform(type.begin(), type.end(), type.begin(), upper_case);
  if (type.ends_with(" ZEROFILL")) type.resize(type.size() - 9);
  uint32_t length = 0;
  const std::string_view digits = member_text(tape, index, "length", Kind::kNumber);
  std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (type == "TINYINT" && length == 1) return column;
  const auto found = std::find_if(kNaturalTypes.begin(), kNaturalTypes.end(), [&](const auto& known) { return known.name == type; });
  if (found == kNaturalTypes.end()) return column;
  column.type.kind = static_cast<uint8_t>(found->kind);
  if (found->has_length) column.type.length = length;
  if (const uint32_t expression = tape.find(index, "defaultValueExpression"); expression != 0 && tape[expression].kind == Kind::kString)
    take_default(tape.text(expression), column);
  return column;
}

DdlStatement::DdlStatement(std::string_view text) { read(text); }

void DdlStatement::read(std::string_view text, int depth) {
  std::size_t at = 0;
  const auto end_of_line = [&] { at = std::min(text.find('\n', at), text.size()); };
  while (at < text.size()) {
    const char c = text[at];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++at;
    } else if (c == '#' ||
               (text.substr(at).starts_with("--") && (at + 2 == text.size() || static_cast<unsigned char>(text[at + 2]) <= ' '))) {
      end_of_line();
    } else if (text.substr(at).starts_with("/*")) {
      const std::size_t end = text.find("*/", at + 2);
      std::string_view inside = text.substr(at + 2, end == std::string_view::npos ? end : end - at - 2);
      // /*!40101 what MySQL runs */, and MariaDB's /*M!.
      if (inside.starts_with('M')) inside.remove_prefix(1);
      if (inside.starts_with('!')) {
        inside.remove_prefix(1);
        while (!inside.empty() && inside.front() >= '0' && inside.front() <= '9') inside.remove_prefix(1);
        if (depth == kDeepestComment) is_readable_ = false;
        if (!is_readable_) return;
        read(inside, depth + 1);
      }
      at = end == std::string_view::npos ? text.size() : end + 2;
    } else if (c == '`' || c == '"' || c == '\'') {
      Token token{{}, true};
      for (++at; at < text.size(); ++at) {
        if (text[at] == c && (at + 1 >= text.size() || text[at + 1] != c)) break;
        if (text[at] == c || (text[at] == '\\' && c != '`' && at + 1 < text.size())) ++at;
        token.text += text[at];
      }
      ++at;
      tokens_.push_back(std::move(token));
    } else if (is_name_character(c)) {
      const std::size_t begin = at;
      while (at < text.size() && is_name_character(text[at])) ++at;
      tokens_.push_back({std::string(text.substr(begin, at - begin)), false});
    } else {
      tokens_.push_back({std::string(1, c), false});
      ++at;
    }
  }
}

bool DdlStatement::is(std::size_t place, std::string_view upper) const {
  if (place >= tokens_.size() || tokens_[place].is_quoted || tokens_[place].text.size() != upper.size()) return false;
  return std::equal(upper.begin(), upper.end(), tokens_[place].text.begin(), [](char one, char other) { return one == upper_case(other); });
}

std::optional<DdlStatement::Name> DdlStatement::truncated() const {
  if (!is(0, "TRUNCATE")) return std::nullopt;
  const std::size_t at = is(1, "TABLE") && tokens_.size() > 2 && !is(2, ".") ? 2 : 1;
  if (at >= tokens_.size()) return std::nullopt;
  if (!is(at + 1, ".")) return Name{{}, tokens_[at].text};
  if (at + 2 >= tokens_.size()) return std::nullopt;
  return Name{tokens_[at].text, tokens_[at + 2].text};
}

bool DdlStatement::makes_table() const {
  if (!is(0, "CREATE")) return false;
  // OR REPLACE takes the rows with it.
  const bool replaces = is(1, "OR") && is(2, "REPLACE");
  const std::size_t table = replaces ? 3 : 1;
  return is(table, "TABLE") && !is(table + 1, "IF");
}

bool DdlStatement::is_of_view() const {
  if (!is(0, "CREATE") && !is(0, "ALTER") && !is(0, "DROP")) return false;
  for (std::size_t at = 1; at < tokens_.size() && !is(at, "TABLE") && !is(at, "AS") && !is(at, "("); ++at) {
    if (is(at, "VIEW")) return true;
  }
  return false;
}

bool DdlStatement::drops_rows_of_partitions() const {
  if (!is(0, "ALTER")) return false;
  for (std::size_t at = 1; at < tokens_.size(); ++at) {
    if (is(at + 1, "PARTITION") && (is(at, "DROP") || is(at, "TRUNCATE") || is(at, "EXCHANGE"))) return true;
  }
  return false;
}

}  // namespace cdcrt::debezium
