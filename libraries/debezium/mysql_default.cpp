#include "debezium/mysql_default.hpp"

#include "cdcrt/sdk/row_builder.hpp"

namespace cdcrt::debezium {

namespace {

char escaped(char c) {
  switch (c) {
    case '0': return '\0';
    case 'b': return '\b';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'Z': return '\x1a';
    default: return c;
  }
}

}  // namespace

std::string literal_text(std::string_view literal) {
  std::string text;
  for (std::size_t i = 0; i < literal.size(); ++i) {
    const char c = literal[i];
    const char next = i + 1 < literal.size() ? literal[i + 1] : '\0';
    const bool doubled = c == '\'' && next == '\'';
    // `\%` and `\_` mean themselves.
    const bool escapes = c == '\\' && i + 1 < literal.size() && next != '%' && next != '_';
    if (doubled || escapes) ++i;
    text += doubled ? '\'' : escapes ? escaped(next) : c;
  }
  return text;
}

cdcrt_cell mysql_default(const Column& column, std::string& text) {
  if (!column.has_default) return {};
  cdcrt_cell cell = column.default_cell;
  if (cell.tag == CDCRT_STRING) {
    text = literal_text(column.default_text);
    // No definition of PostgreSQL takes one.
    if (text.find('\0') != std::string::npos) return {};
    sdk::set_text(cell, CDCRT_STRING, text);
  } else if (cell.tag > CDCRT_STRING || cell.tag == CDCRT_DECIMAL) {
    cell.value.data = column.default_text.data();
  }
  return cell;
}

}  // namespace cdcrt::debezium
