#include "sql/cell_text.hpp"

#include <charconv>
#include <cmath>

#include "sql/identifier.hpp"

namespace cdcrt::sql {

void append_double(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
  } else {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value);
    out.append(text, end.ptr);
  }
}

namespace {

template <class Integer>
void append_integer(std::string& out, Integer value) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, value);
  out.append(text, end.ptr);
}

}  // namespace

void append_cell_text(std::string& out, const cdcrt_cell& cell, sdk::TextStyle style) {
  char text[48];
  switch (cell.tag) {
    case CDCRT_ABSENT:
    case CDCRT_NULL: return;
    case CDCRT_BOOL: out += cell.value.integer != 0 ? "true" : "false"; return;
    case CDCRT_I64: append_integer(out, cell.value.integer); return;
    case CDCRT_U64: append_integer(out, cell.value.natural); return;
    case CDCRT_F64: append_double(out, cell.value.real); return;
    case CDCRT_DATE: out.append(text, sdk::write_date(text, cell.value.integer, style)); return;
    case CDCRT_TIME: out.append(text, sdk::write_time(text, cell.value.integer)); return;
    case CDCRT_TIMESTAMP: out.append(text, sdk::write_timestamp(text, cell.value.integer, style)); return;
    case CDCRT_TIMESTAMPTZ: out.append(text, sdk::write_timestamptz(text, cell.value.integer, style)); return;
    case CDCRT_BYTES:
      out += "\\x";
      append_hex(out, bytes_of(cell));
      return;
    default: out += bytes_of(cell); return;
  }
}

bool is_integer(uint8_t kind) { return kind >= CDCRT_TYPE_INT8 && kind <= CDCRT_TYPE_UINT64; }
bool is_number(uint8_t kind) { return kind >= CDCRT_TYPE_INT8 && kind <= CDCRT_TYPE_DECIMAL; }

}  // namespace cdcrt::sql
