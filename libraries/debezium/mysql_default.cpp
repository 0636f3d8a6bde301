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

/// Of a column that may not be NULL.
cdcrt_cell implicit_default(const Column& column, std::string& text) {
  cdcrt_cell cell{};
  const auto set = [&](cdcrt_tag tag) { sdk::set_text(cell, tag, text); };
  switch (column.conversion) {
    case Conversion::kBoolean: sdk::set_integer(cell, CDCRT_BOOL, 0); break;
    case Conversion::kInteger: sdk::set_integer(cell, CDCRT_I64, 0); break;
    case Conversion::kFloat: sdk::set_real(cell, 0); break;
    case Conversion::kBinaryDecimal:
    case Conversion::kTextDecimal:
      text = "0";
      if (column.type.scale > 0) text += '.' + std::string(static_cast<std::size_t>(column.type.scale), '0');
      set(CDCRT_DECIMAL);
      break;
    case Conversion::kText:
      if (column.type.kind == CDCRT_TYPE_STRING) set(CDCRT_STRING);
      break;
    case Conversion::kEnum:
      text = literal_text(column.first_value);
      set(CDCRT_STRING);
      break;
    case Conversion::kBits:
      text.assign(column.bits, '0');
      if (column.bits > 0) set(CDCRT_STRING);
      break;
    default: break;  // dates have no zero that an event could carry
  }
  return cell;
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
  if (!column.has_default) return column.optional ? cdcrt_cell{} : implicit_default(column, text);
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
