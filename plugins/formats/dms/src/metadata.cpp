#include "metadata.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "cdcrt/sdk/calendar.hpp"
#include "cdcrt/sdk/source_order.hpp"

namespace cdcrt::dms {

using sdk::JsonKind;
using sdk::JsonTape;
using sdk::Status;

namespace {

constexpr std::pair<std::string_view, Operation> kOperations[] = {
    {"insert", Operation::kInsert},
    {"update", Operation::kUpdate},
    {"delete", Operation::kDelete},
    {"load", Operation::kLoad},
    {"create-table", Operation::kCreateTable},
    {"drop-table", Operation::kDropTable},
    {"rename-table", Operation::kRenameTable},
    {"add-column", Operation::kAddColumn},
    {"drop-column", Operation::kDropColumn},
    {"rename-column", Operation::kRenameColumn},
    {"change-columns", Operation::kChangeColumns},
    {"column-type-change", Operation::kColumnTypeChange},
};

/// The place of a change in the log of its source: the number of the file and the position in it, or an LSN.
struct LogPlace {
  uint32_t file = 0;
  uint64_t position = 0;
};

template <class Number>
bool take_number(std::string_view& text, Number& number, int base) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (parsed.ec != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return true;
}

/// mysql-bin-changelog.002171:36911:0:36972:9324410911762:mysql-bin-changelog.002171:36910
std::optional<LogPlace> binlog_place(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::size_t dot = text.substr(0, colon).rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  LogPlace place;
  std::string_view rest = text.substr(dot + 1);
  if (!take_number(rest, place.file, 10) || rest.empty() || rest[0] != ':') return std::nullopt;
  rest.remove_prefix(1);
  if (!take_number(rest, place.position, 10)) return std::nullopt;
  return place;
}

/// 00000002/7C007178.3.00000002/7C007178
std::optional<LogPlace> lsn_place(std::string_view text) {
  LogPlace place;
  if (!take_number(text, place.file, 16) || text.empty() || text[0] != '/') return std::nullopt;
  text.remove_prefix(1);
  if (!take_number(text, place.position, 16)) return std::nullopt;
  return place;
}

/// None where nothing is told, or in a way that is not known.
std::optional<LogPlace> place_of(std::string_view stream_position) {
  if (auto place = lsn_place(stream_position)) return place;
  return binlog_place(stream_position);
}

/// None where it is no time, or one before 1970.
std::optional<int64_t> time_of(std::string_view text) {
  auto parsed = sdk::parse_timestamptz(text);
  if (!parsed) parsed = sdk::parse_timestamp(text);
  if (!parsed || *parsed < 0) return std::nullopt;
  return *parsed;
}

}  // namespace

Status read_metadata(const JsonTape& tape, uint32_t object, Metadata& metadata) {
  std::string_view record_type;
  uint32_t name = object + 1;
  for (uint32_t i = 0; i < tape[object].size; ++i, name = tape[name + 1].next) {
    const JsonKind kind = tape[name + 1].kind;
    if (kind != JsonKind::kString && kind != JsonKind::kNumber) continue;
    const std::string_view key = tape.text(name);
    const std::string_view value = tape.text(name + 1);
    if (key == "operation") {
      metadata.operation_name = value;
    } else if (key == "record-type") {
      record_type = value;
    } else if (key == "schema-name") {
      metadata.schema = value;
    } else if (key == "table-name") {
      metadata.table = value;
    } else if (key == "timestamp") {
      const auto time = time_of(value);
      if (!time) return Status::bad_record("metadata: timestamp \"" + std::string(value.substr(0, 40)) + "\" is no time");
      metadata.time_us = *time;
      metadata.has_time = true;
    } else if (key == "commit-timestamp") {
      // Only the lag is told by it.
      metadata.commit_time_us = time_of(value).value_or(0);
    } else if (key == "stream-position") {
      metadata.stream_position = value;
    } else if (key == "transaction-record-id") {
      metadata.record_in_transaction = value;
    }
  }
  const auto* const found =
      std::find_if(std::begin(kOperations), std::end(kOperations), [&](const auto& each) { return each.first == metadata.operation_name; });
  if (found == std::end(kOperations)) {
    return Status::bad_record("metadata: the operation \"" + std::string(metadata.operation_name.substr(0, 40)) +
                              "\" is none that this version knows");
  }
  metadata.operation = found->second;
  if (!record_type.empty() && record_type != (metadata.is_data() ? "data" : "control")) {
    return Status::bad_record("metadata: the operation \"" + std::string(metadata.operation_name) + "\" in a record of type \"" +
                              std::string(record_type.substr(0, 40)) + "\"");
  }
  return {};
}

void write_order(const Metadata& metadata, std::string& order) {
  order.clear();
  if (!metadata.has_time) return;
  // Numbers of records are of one transaction each: without the place of theirs they order nothing.
  const auto known = place_of(metadata.stream_position);
  const LogPlace place = known.value_or(LogPlace{});
  uint64_t record = 0;
  std::string_view digits = metadata.record_in_transaction;
  if (known) take_number(digits, record, 10);
  constexpr uint64_t kLast = std::numeric_limits<uint32_t>::max();
  sdk::append_order(order, static_cast<uint64_t>(metadata.time_us));
  sdk::append_order(order, uint64_t{place.file} << 32U | place.position >> 32U);
  sdk::append_order(order, place.position << 32U | std::min(record, kLast));
}

}  // namespace cdcrt::dms
