#include "debezium/source_block.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

#include "cdcrt/sdk/digits.hpp"
#include "cdcrt/sdk/source_order.hpp"

namespace cdcrt::debezium {

namespace {

struct Named {
  std::string_view name;
  SourceField field;
};
constexpr std::array kNames{
    Named{"connector", SourceField::kConnector},
    Named{"name", SourceField::kName},
    Named{"db", SourceField::kDatabase},
    Named{"schema", SourceField::kSchema},
    Named{"table", SourceField::kTable},
    Named{"ts_ms", SourceField::kTimeMilliseconds},
    Named{"ts_us", SourceField::kTimeMicroseconds},
    Named{"lsn", SourceField::kLsn},
    Named{"sequence", SourceField::kSequence},
    Named{"file", SourceField::kFile},
    Named{"pos", SourceField::kPosition},
    Named{"row", SourceField::kRow},
    Named{"server_id", SourceField::kServerId},
    Named{"scn", SourceField::kScn},
    Named{"change_lsn", SourceField::kChangeLsn},
    Named{"commit_lsn", SourceField::kCommitLsn},
    Named{"event_serial_no", SourceField::kEventSerial},
    Named{"gtid", SourceField::kGtid},
    Named{"rs_id", SourceField::kRedoRecord},
    Named{"ssn", SourceField::kRedoNumber},
};

using sdk::parse_natural;

/// What a text begins with, where something else follows: some producers lead numbers through doubles.
void parse_beginning(std::string_view text, uint64_t& value) {
  if (!parse_natural(text, value)) std::from_chars(text.data(), text.data() + text.size(), value);
}

bool parse_hexadecimal(std::string_view text, uint64_t& value) {
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value, 16);
  return !text.empty() && parsed.ec == std::errc() && parsed.ptr == end;
}

void append_big_endian(char*& out, uint64_t value, int bytes) {
  sdk::detail::write_big_endian(out, value, bytes);
  out += bytes;
}

/// ["28461992","28462312"] (or [null,"28462312"]): the first, 0 when there is none.
uint64_t last_finished(std::string_view sequence) {
  constexpr std::string_view before = "[\"";
  uint64_t number = 0;
  if (!sequence.starts_with(before)) return 0;
  sequence.remove_prefix(before.size());
  return parse_natural(sequence.substr(0, sequence.find('"')), number) ? number : 0;
}

/// SQL Server's 00000027:00000ac0:0002 as 10 bytes; all zero when there is none.
bool append_sql_server_lsn(char*& out, std::string_view text) {
  if (text.data() == nullptr || text == "NULL") {
    std::memset(out, 0, 10);
    out += 10;
    return true;
  }
  uint64_t parts[3];
  for (int i = 0; i < 3; ++i) {
    const std::size_t colon = text.find(':');
    if ((i < 2) != (colon != std::string_view::npos) || !parse_hexadecimal(text.substr(0, colon), parts[i])) return false;
    text.remove_prefix(i < 2 ? colon + 1 : text.size());
  }
  append_big_endian(out, parts[0], 4);
  append_big_endian(out, parts[1], 4);
  append_big_endian(out, parts[2], 2);
  return true;
}

constexpr std::size_t kLongestOrder = 32;
/// Oracle's redo record " 0x000015.00000156.00a0 " (file, block, byte), and the change's number in it, as 14 bytes; zeros where they are
/// not told, as in a snapshot, which is before what happened at its scn. False: not told.
bool append_redo_record(char*& out, std::string_view record, std::string_view number) {
  constexpr int kBytes[] = {4, 4, 2};
  char* const begin = out;
  record.remove_prefix(std::min(record.find_first_not_of(' '), record.size()));
  record = record.substr(0, record.find(' '));
  if (record.starts_with("0x")) record.remove_prefix(2);
  uint64_t part = 0;
  bool is_told = !record.empty();
  for (int i = 0; i < 3 && is_told; ++i) {
    const std::size_t dot = record.find('.');
    is_told = (i < 2) == (dot != std::string_view::npos) && parse_hexadecimal(record.substr(0, dot), part);
    if (is_told) append_big_endian(out, part, kBytes[i]);
    record.remove_prefix(i < 2 && is_told ? dot + 1 : record.size());
  }
  part = 0;
  if (is_told && (number.empty() || parse_natural(number, part))) {
    append_big_endian(out, part, 4);
    return true;
  }
  std::memset(begin, 0, 14);
  out = begin + 14;
  return false;
}

/// `is_exact`: no other change has the place. Answers how many bytes; 0: the event has no order.
std::size_t write_order(const SourceValues& source, char* buffer, bool& is_exact) {
  is_exact = true;
  char* next = buffer;
  uint64_t number = 0;
  const std::string_view file = source[SourceField::kFile];
  if (parse_natural(source[SourceField::kLsn], number)) {
    const uint64_t finished = last_finished(source[SourceField::kSequence]);
    // A snapshot, and the first transaction after it, name none: they are later than what was sent before them.
    append_big_endian(next, finished != 0 ? finished : number, 8);
    append_big_endian(next, number, 8);
  } else if (!file.empty()) {
    uint64_t position = 0;
    uint64_t row = 0;
    const std::size_t dot = file.rfind('.');
    if (dot == std::string_view::npos || !parse_natural(file.substr(dot + 1), number)) return 0;
    if (!parse_natural(source[SourceField::kPosition], position)) return 0;
    parse_beginning(source[SourceField::kRow], row);
    append_big_endian(next, number, 8);
    append_big_endian(next, position, 8);
    append_big_endian(next, row, 4);
  } else if (source[SourceField::kCommitLsn].data() != nullptr) {
    if (!append_sql_server_lsn(next, source[SourceField::kCommitLsn]) || !append_sql_server_lsn(next, source[SourceField::kChangeLsn]))
      return 0;
    parse_beginning(source[SourceField::kEventSerial], number);
    append_big_endian(next, number, 8);
  } else if (parse_natural(source[SourceField::kScn], number)) {
    append_big_endian(next, number, 8);
    is_exact = append_redo_record(next, source[SourceField::kRedoRecord], source[SourceField::kRedoNumber]);
  } else {
    return 0;
  }
  return static_cast<std::size_t>(next - buffer);
}

void append_log_of(const SourceValues& source, std::string& out) {
  sdk::LogMark mark;
  parse_beginning(source[SourceField::kTimeMilliseconds], mark.time_ms);
  parse_beginning(source[SourceField::kReadMilliseconds], mark.read_ms);
  if (const std::string_view file = source[SourceField::kFile]; source[SourceField::kLsn].data() == nullptr && !file.empty()) {
    mark.files = file.substr(0, file.rfind('.'));
    // Rows of a snapshot name 0.
    if (source[SourceField::kServerId] != "0") mark.server = source[SourceField::kServerId];
    // MySQL's server:number (server:tag:number), MariaDB's domain-server-number, which servers of a domain count on.
    const std::string_view gtid = source[SourceField::kGtid];
    const std::size_t colon = gtid.rfind(':'), dash = gtid.find('-');
    const std::size_t end = colon != std::string_view::npos ? colon : dash;
    const std::size_t number = colon != std::string_view::npos ? colon : gtid.rfind('-');
    if (end != std::string_view::npos && parse_natural(gtid.substr(number + 1), mark.number)) mark.counter = gtid.substr(0, end);
  }
  sdk::append_log(out, mark);
}

}  // namespace

SourceField source_field(std::string_view name) {
  for (const auto& named : kNames) {
    if (named.name == name) return named.field;
  }
  return SourceField::kOther;
}

void SourceReader::read(const sdk::JsonTape& tape, uint32_t object, SourceValues& out) {
  const uint32_t count = tape[object].size;
  if (expected_.size() != count) expected_.assign(count, {std::string(), SourceField::kOther});
  uint32_t name = object + 1;
  for (uint32_t i = 0; i < count; ++i) {
    auto& [expected, field] = expected_[i];
    if (tape.text(name) != expected) {
      expected = std::string(tape.text(name));
      field = source_field(expected);
    }
    const sdk::JsonToken& value = tape[name + 1];
    if (field != SourceField::kOther && (value.kind == sdk::JsonKind::kString || value.kind == sdk::JsonKind::kNumber))
      out[field] = tape.text(name + 1);
    name = value.next;
  }
}

std::string_view source_order(const SourceValues& source, std::string& scratch, sdk::RowBuilder& rows) {
  char buffer[kLongestOrder];
  bool is_exact = true;
  const std::size_t size = write_order(source, buffer, is_exact);
  if (size == 0) return {};
  scratch.assign(buffer, size);
  append_log_of(source, scratch);
  return rows.copy(scratch);
}

std::string_view flink_order(const SourceValues& source, bool is_delete, std::string& scratch, sdk::RowBuilder& rows) {
  char buffer[kLongestOrder];
  uint64_t number = 0;
  for (const SourceField field : {SourceField::kLsn, SourceField::kScn}) {
    if (parse_natural(source[field], number) && number == 0) return {};
  }
  bool is_exact = true;
  const std::size_t size = write_order(source, buffer, is_exact);
  if (size == 0) return {};
  scratch.assign(buffer, size);
  // An scn is that of many changes of a row: the delete among them need not be the first.
  scratch += is_delete && is_exact ? '\0' : '\1';
  append_log_of(source, scratch);
  return rows.copy(scratch);
}

int64_t source_time_us(const SourceValues& source) {
  uint64_t time = 0;
  constexpr uint64_t last = std::numeric_limits<int64_t>::max();
  if (parse_natural(source[SourceField::kTimeMicroseconds], time) && time <= last) return static_cast<int64_t>(time);
  if (parse_natural(source[SourceField::kTimeMilliseconds], time) && time <= last / 1000) return static_cast<int64_t>(time) * 1000;
  return 0;
}

}  // namespace cdcrt::debezium
