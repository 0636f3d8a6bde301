#include "dead_letters/dead_letter_row.hpp"

#include "cdcrt/sdk/status.hpp"
#include "diagnostics/text.hpp"
#include "types/cell_text.hpp"

namespace cdcrt::dead_letters {
namespace {

cdcrt_cell text(std::string_view value) { return types::text_cell(CDCRT_STRING, value); }
cdcrt_cell integer(int64_t value) { return types::integer_cell(CDCRT_I64, value); }
cdcrt_cell bytes(const std::optional<std::string>& value) { return value ? types::text_cell(CDCRT_BYTES, *value) : types::null_cell(); }

std::string string_of(const cdcrt_cell& cell) { return cell.tag <= CDCRT_NULL ? std::string() : std::string(types::text_of(cell)); }
int64_t integer_of(const cdcrt_cell& cell) { return cell.tag <= CDCRT_NULL ? 0 : cell.value.integer; }
std::optional<std::string> bytes_of(const cdcrt_cell& cell) {
  if (cell.tag <= CDCRT_NULL) return std::nullopt;
  return std::string(types::text_of(cell));
}

// Made before main, on no process's account.
const std::vector<cdcrt_column> kDeadLetterColumns = [] {
  std::vector<cdcrt_column> made;
  const auto add = [&](const char* name, uint8_t kind) {
    cdcrt_column& column = made.emplace_back();
    column.name = sdk::borrow(name);
    column.type.kind = kind;
  };
  for (const char* name : {"id", "reason", "message", "source", "topic"}) add(name, CDCRT_TYPE_STRING);
  for (const char* name : {"partition", "offset"}) add(name, CDCRT_TYPE_INT64);
  for (const char* name : {"sink", "target"}) add(name, CDCRT_TYPE_STRING);
  add("timestamp", CDCRT_TYPE_TIMESTAMPTZ);
  for (const char* name : {"key", "value"}) add(name, CDCRT_TYPE_BYTES);
  for (const char* name : {"headers", "decoded_row"}) add(name, CDCRT_TYPE_STRING);
  return made;
}();

}  // namespace

const std::vector<cdcrt_column>& dead_letter_columns() { return kDeadLetterColumns; }

void append_cells(std::vector<cdcrt_cell>& cells, const StoredDeadLetter& dead_letter, std::deque<std::string>& storage) {
  // Texts of others may hold what a text column cannot.
  const auto safe = [&](const std::string& value) { return text(storage.emplace_back(diagnostics::printable(value))); };
  cells.insert(
      cells.end(),
      {safe(dead_letter.id), text(dead_letter.reason), safe(dead_letter.message), text(dead_letter.source), safe(dead_letter.topic),
       integer(dead_letter.partition), integer(dead_letter.offset), text(dead_letter.sink), safe(dead_letter.table),
       dead_letter.timestamp_ms < 0 ? types::null_cell() : types::integer_cell(CDCRT_TIMESTAMPTZ, dead_letter.timestamp_ms * 1000),
       bytes(dead_letter.key), bytes(dead_letter.value)});
  cells.push_back(dead_letter.has_raw ? text(storage.emplace_back(headers_to_json(dead_letter))) : types::null_cell());
  cells.push_back(dead_letter.has_raw ? types::null_cell() : safe(dead_letter.decoded_row));
}

Result<StoredDeadLetter> dead_letter_from(const cdcrt_cell* cells) {
  StoredDeadLetter dead_letter;
  dead_letter.id = string_of(cells[0]);
  dead_letter.reason = string_of(cells[1]);
  dead_letter.message = string_of(cells[2]);
  dead_letter.source = string_of(cells[3]);
  dead_letter.topic = string_of(cells[4]);
  dead_letter.partition = static_cast<int32_t>(integer_of(cells[5]));
  dead_letter.offset = integer_of(cells[6]);
  dead_letter.sink = string_of(cells[7]);
  dead_letter.table = string_of(cells[8]);
  dead_letter.timestamp_ms = cells[9].tag <= CDCRT_NULL ? -1 : cells[9].value.integer / 1000;
  dead_letter.key = bytes_of(cells[10]);
  dead_letter.value = bytes_of(cells[11]);
  dead_letter.decoded_row = string_of(cells[13]);
  dead_letter.has_raw = cells[12].tag > CDCRT_NULL;
  if (dead_letter.has_raw) {
    if (auto read = headers_from_json(types::text_of(cells[12]), dead_letter); !read) return std::move(read.error());
  }
  return dead_letter;
}

}  // namespace cdcrt::dead_letters
