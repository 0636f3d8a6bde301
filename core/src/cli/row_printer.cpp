#include "cli/row_printer.hpp"

#include <string_view>

#include "cdcrt/sdk/calendar_write.hpp"
#include "cdcrt/sdk/cell_json.hpp"
#include "cdcrt/sdk/hex.hpp"
#include "cdcrt/sdk/operation.hpp"
#include "cdcrt/sdk/status.hpp"
#include "diagnostics/text.hpp"
#include "types/type.hpp"

namespace cdcrt::cli {
namespace {

using diagnostics::json_string;
using diagnostics::printable;

const char* tag_name(uint8_t tag) {
  constexpr const char* kNames[] = {"ABSENT",    "NULL",        "BOOL",   "I64",   "U64",  "F64",  "DECIMAL", "DATE",    "TIME",
                                    "TIMESTAMP", "TIMESTAMPTZ", "STRING", "BYTES", "JSON", "UUID", "ARRAY",   "INTERVAL"};
  return tag < std::size(kNames) ? kNames[tag] : "?";
}

const char* code_name(cdcrt_code code) {
  switch (code) {
    case CDCRT_BAD_RECORD: return "BAD_RECORD";
    case CDCRT_UNSUPPORTED: return "UNSUPPORTED";
    case CDCRT_BAD_CONFIG: return "BAD_CONFIG";
    default: return "FATAL";
  }
}

std::string table_name(const event::Shape& shape) {
  std::string name;
  for (const std::string* part : {&shape.database, &shape.schema, &shape.table}) {
    if (!part->empty()) name += (name.empty() ? "" : ".") + *part;
  }
  return name;
}

/// name=value of the columns that the event has.
std::string text_cells(const event::Shape& shape, const cdcrt_cell* cells) {
  std::string out;
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    if (cells[i].tag == CDCRT_ABSENT) continue;
    out += " " + shape.columns[i].name + "=";
    if (cells[i].tag == CDCRT_NULL) {
      out += "NULL";
    } else {
      sdk::append_json_cell(out, cells[i]);
    }
  }
  return printable(out);
}

std::string moment(int64_t microseconds) {
  char text[64];
  return {text, sdk::write_timestamptz(text, microseconds, sdk::TextStyle::kIso8601)};
}

}  // namespace

void RowPrinter::shape(const event::Shape& shape) {
  if (!printed_.insert(shape.id).second) return;
  if (json_) {
    std::string line = "{\"shape\":" + std::to_string(shape.id) + ",\"table\":" + json_string(shape.table);
    if (!shape.schema.empty()) line += ",\"schema\":" + json_string(shape.schema);
    if (!shape.database.empty()) line += ",\"database\":" + json_string(shape.database);
    if (!shape.server.empty()) line += ",\"server\":" + json_string(shape.server);
    line += std::string(",\"declared\":") + (shape.declared ? "true" : "false") + ",\"keyed\":" + (shape.keyed ? "true" : "false") +
            (shape.key_in_one_partition ? ",\"key_in_one_partition\":true" : "") + (shape.key_elsewhere ? ",\"key_elsewhere\":true" : "") +
            (shape.absent_is_null ? ",\"absent_is_null\":true" : "") + ",\"columns\":[";
    for (const auto& column : shape.columns) {
      line += (&column == shape.columns.data() ? "{\"name\":" : ",{\"name\":") + json_string(column.name) +
              ",\"type\":" + json_string(types::to_string(column.type));
      if (column.key_ordinal != 0) line += ",\"key\":" + std::to_string(column.key_ordinal);
      if ((column.flags & CDCRT_COLUMN_NOT_NULL) != 0) line += ",\"not_null\":true";
      if ((column.flags & CDCRT_COLUMN_DEFAULT) != 0) {
        line += ",\"default\":";
        sdk::append_json_cell(line, column.default_value);
      }
      line += "}";
    }
    out_ << line << "]}\n";
    return;
  }
  out_ << "shape " << shape.id << ": " << printable(table_name(shape)) << (shape.declared ? ", types declared" : ", types learned")
       << (shape.keyed           ? ""
           : shape.key_elsewhere ? ", key told elsewhere"
                                 : ", key not said")
       << (shape.key_in_one_partition ? ", rows of one key in one partition" : "")
       << (shape.absent_is_null ? ", absent columns are NULL" : "") << "\n";
  for (const auto& column : shape.columns) {
    std::string line = "  " + column.name + " " + types::to_string(column.type);
    if (column.key_ordinal != 0) line += ", key " + std::to_string(column.key_ordinal);
    if ((column.flags & CDCRT_COLUMN_NOT_NULL) != 0) line += ", not null";
    if ((column.flags & CDCRT_COLUMN_DEFAULT) != 0) {
      line += ", default ";
      sdk::append_json_cell(line, column.default_value);
    }
    out_ << printable(line) << "\n";
  }
}

void RowPrinter::json_cells(const char* name, const event::Shape& shape, const cdcrt_cell* cells, std::string& out) const {
  std::string tags;
  out += std::string(",\"") + name + "\":{";
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    if (cells[i].tag == CDCRT_ABSENT) continue;
    if (!tags.empty()) out += ',';
    sdk::append_json_string(out, shape.columns[i].name);
    out += ':';
    sdk::append_json_cell(out, cells[i]);
    tags += (tags.empty() ? "" : " ") + std::string(tag_name(cells[i].tag));
  }
  out += std::string("},\"") + name + "_tags\":\"" + tags + "\"";
}

void RowPrinter::row(uint64_t line, const cdcrt_row& row, const event::RowBatch& batch) {
  const bool is_marker = row.operation == CDCRT_MARKER;
  const event::Shape* known = is_marker ? nullptr : &shapes_.get(row.shape);
  if (known != nullptr) shape(*known);
  if (json_) {
    std::string text = "{\"line\":" + std::to_string(line) + ",\"op\":\"" + sdk::operation_name(row.operation) + "\"";
    if (known != nullptr) text += ",\"shape\":" + std::to_string(known->id);
    if (known != nullptr && row.cells != CDCRT_NO_CELLS) json_cells("row", *known, batch.cells(row.cells), text);
    if (known != nullptr && row.before != CDCRT_NO_CELLS) json_cells("before", *known, batch.cells(row.before), text);
    if (known != nullptr && row.other_key != CDCRT_NO_CELLS) json_cells("other_key", *known, batch.cells(row.other_key), text);
    if (row.source_order.data != nullptr) text += ",\"source_order\":\"" + sdk::encode_hex(sdk::view(row.source_order)) + "\"";
    if (row.source_time_us != 0) text += ",\"source_time\":\"" + moment(row.source_time_us) + "\"";
    out_ << text << "}\n";
    return;
  }
  out_ << "line " << line << ": " << sdk::operation_name(row.operation);
  if (known != nullptr) {
    out_ << " " << printable(table_name(*known)) << " (shape " << known->id << ")";
    if (row.cells != CDCRT_NO_CELLS) out_ << text_cells(*known, batch.cells(row.cells));
    if (row.before != CDCRT_NO_CELLS) out_ << "; before:" << text_cells(*known, batch.cells(row.before));
    if (row.other_key != CDCRT_NO_CELLS) out_ << "; other key:" << text_cells(*known, batch.cells(row.other_key));
  }
  if (row.source_order.data != nullptr) out_ << "; source order " << sdk::encode_hex(sdk::view(row.source_order));
  if (row.source_time_us != 0) out_ << "; at " << moment(row.source_time_us);
  out_ << "\n";
}

void RowPrinter::dead_letter(uint64_t line, const Error& error) {
  if (json_) {
    out_ << "{\"line\":" << line << ",\"dead_letter\":\"" << code_name(error.code) << "\",\"message\":" << json_string(error.message);
    if (!error.hint.empty()) out_ << ",\"hint\":" << json_string(error.hint);
    out_ << "}\n";
    return;
  }
  out_ << "line " << line << ": dead letter: " << printable(error.message) << (error.hint.empty() ? "" : " (" + printable(error.hint) + ")")
       << "\n";
}

}  // namespace cdcrt::cli
