// Arrays, maps and structures as JSON text: as produced where nothing inside is encoded, else value by value.
#include <algorithm>
#include <charconv>

#include "cdcrt/sdk/calendar.hpp"
#include "cdcrt/sdk/json_text.hpp"
#include "debezium/convert.hpp"
#include "debezium/json_parse.hpp"

namespace cdcrt::debezium {

namespace {

bool is_temporal(uint8_t kind) {
  return kind == CDCRT_TYPE_DATE || kind == CDCRT_TYPE_TIME || kind == CDCRT_TYPE_TIMETZ || kind == CDCRT_TYPE_TIMESTAMP ||
         kind == CDCRT_TYPE_TIMESTAMPTZ;
}

bool is_zero_time(const cdcrt_cell& cell) {
  return cell.tag == CDCRT_STRING ? sdk::text(cell).substr(0, 8) == "00:00:00" : cell.value.integer == 0;
}

}  // namespace

Problem Converter::nested(const Column& column, const sdk::JsonTape& tape, uint32_t name, cdcrt_cell& cell) {
  const sdk::JsonKind kind = tape[name + 1].kind;
  const bool array = column.conversion == Conversion::kArray;
  if (array && kind != sdk::JsonKind::kArray) return "not an array";
  // JsonConverter writes a map with keys other than strings as an array of pairs.
  if (!array && kind != sdk::JsonKind::kObject && kind != sdk::JsonKind::kArray) return "not an object";
  const cdcrt_tag tag = array ? CDCRT_ARRAY : CDCRT_JSON;
  if (!column.nested_types) {
    sdk::set_text(cell, tag, rows_->copy(tape.raw_value(name)));
    return nullptr;
  }
  scratch_.clear();
  if (Problem problem = write_json(&column, tape, name + 1, scratch_)) return problem;
  sdk::set_text(cell, tag, rows_->copy(scratch_));
  return nullptr;
}

Problem Converter::write_json(const Column* column, const sdk::JsonTape& tape, uint32_t value, std::string& out) {
  const sdk::JsonToken& token = tape[value];
  switch (token.kind) {
    case sdk::JsonKind::kNull: out += "null"; return nullptr;
    case sdk::JsonKind::kFalse: out += "false"; return nullptr;
    case sdk::JsonKind::kTrue: out += "true"; return nullptr;
    default: break;
  }
  if (column != nullptr && is_encoded(*column) && column->inner.empty()) {
    cdcrt_cell cell{};
    if (Problem problem = typed(*column, tape, value, cell)) return problem;
    write_cell(cell, out);
    return nullptr;
  }
  if (token.kind == sdk::JsonKind::kNumber) {
    const std::string_view text = tape.text(value);
    const bool bare_word = text.find_first_of("NI") != std::string_view::npos;
    if (bare_word) {
      sdk::append_json_string(out, text);
    } else {
      out += text;
    }
    return nullptr;
  }
  if (token.kind == sdk::JsonKind::kString) {
    sdk::append_json_string(out, tape.text(value));
    return nullptr;
  }
  const bool object = token.kind == sdk::JsonKind::kObject;
  out.push_back(object ? '{' : '[');
  uint32_t at = value + 1;
  for (uint32_t i = 0; i < token.size; ++i) {
    if (i != 0) out.push_back(',');
    const Column* inner = column == nullptr || column->inner.empty() ? nullptr : &column->inner.front();
    if (object) {
      const std::string_view name = tape.text(at);
      sdk::append_json_string(out, name);
      out.push_back(':');
      if (column != nullptr && column->inner_by_name) {
        const auto found =
            std::find_if(column->inner.begin(), column->inner.end(), [&](const Column& field) { return field.name == name; });
        inner = found == column->inner.end() ? nullptr : &*found;
      }
      ++at;
    } else if (column != nullptr && column->inner_by_name) {
      inner = nullptr;
    }
    if (Problem problem = write_json(inner, tape, at, out)) return problem;
    at = tape[at].next;
  }
  out.push_back(object ? '}' : ']');
  return nullptr;
}

bool Converter::write_elements(const sdk::JsonTape& tape, uint32_t array, std::string& out) {
  out.push_back('[');
  bool any = false;
  uint32_t at = array + 1;
  for (uint32_t i = 0; i < tape[array].size; ++i, at = tape[at].next) {
    if (i != 0) out.push_back(',');
    cdcrt_cell cell{};
    switch (tape[at].kind) {
      case sdk::JsonKind::kNull: out += "null"; continue;
      case sdk::JsonKind::kArray:
        if (!write_elements(tape, at, out)) return false;
        break;
      case sdk::JsonKind::kObject: {
        const uint8_t kind = structured_kind(tape, at);
        const bool decimal = looks_like_decimal(tape, at) && variable_decimal(tape, at, cell) == nullptr;
        if (!decimal && (kind == CDCRT_TYPE_UNKNOWN || structured(kind, tape, at, cell) != nullptr)) return false;
        if (cell.tag <= CDCRT_NULL) return false;
        write_cell(cell, out);
        break;
      }
      default: return false;
    }
    any = true;
  }
  out.push_back(']');
  return any;
}

void Converter::write_cell(const cdcrt_cell& cell, std::string& out) {
  char buffer[64];
  const auto quoted = [&](std::size_t size) { sdk::append_json_string(out, {buffer, size}); };
  switch (cell.tag) {
    case CDCRT_ABSENT:
    case CDCRT_NULL: out += "null"; return;
    case CDCRT_BOOL: out += cell.value.integer != 0 ? "true" : "false"; return;
    case CDCRT_I64: out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, cell.value.integer).ptr); return;
    case CDCRT_DATE: return quoted(sdk::write_date(buffer, cell.value.integer, sdk::TextStyle::kIso8601));
    case CDCRT_TIME: return quoted(sdk::write_time(buffer, cell.value.integer));
    case CDCRT_TIMESTAMP: return quoted(sdk::write_timestamp(buffer, cell.value.integer, sdk::TextStyle::kIso8601));
    case CDCRT_TIMESTAMPTZ: return quoted(sdk::write_timestamptz(buffer, cell.value.integer, sdk::TextStyle::kIso8601));
    case CDCRT_DECIMAL:
      if (const std::string_view text = sdk::text(cell); text.find_first_of("NI") == std::string_view::npos) {
        out += text;
        return;
      }
      return sdk::append_json_string(out, sdk::text(cell));
    default: return sdk::append_json_string(out, sdk::text(cell));
  }
}

void Converter::set_default(const ConnectSchema& schema, Column& column) {
  if (!schema.default_json) return;
  const std::string wrapped = "{\"\":" + *schema.default_json + "}";
  sdk::JsonTape tape;
  cdcrt_cell cell{};
  if (!debezium::parse_json(wrapped, tape) || convert(column, tape, 1, cell) != nullptr) return;
  if (cell.tag == CDCRT_ABSENT || cell.tag == CDCRT_NULL) return;
  // Debezium writes the epoch for now() and the like: a zero time says nothing.
  if (is_temporal(column.type.kind) && is_zero_time(cell)) return;
  column.has_default = true;
  column.default_certain = !is_temporal(column.type.kind);
  column.default_cell = cell;
  if (has_bytes(cell)) column.default_text = std::string(sdk::text(cell));
}

}  // namespace cdcrt::debezium
