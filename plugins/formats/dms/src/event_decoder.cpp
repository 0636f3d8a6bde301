#include "event_decoder.hpp"

#include <cstring>

#include "cdcrt/sdk/json_parse.hpp"
#include "foreign_message.hpp"
#include "table_definition.hpp"
#include "value.hpp"

namespace cdcrt::dms {

using sdk::JsonKind;
using sdk::RowCells;
using sdk::Status;

namespace {

bool is_told(const cdcrt_cell& cell) { return cell.tag > CDCRT_NULL; }

bool has_text(const cdcrt_cell& cell) { return cell.tag == CDCRT_DECIMAL || cell.tag >= CDCRT_STRING; }

bool equal(const cdcrt_cell& one, const cdcrt_cell& other) {
  if (one.tag != other.tag) return false;
  return has_text(one) ? sdk::text(one) == sdk::text(other) : one.value.integer == other.value.integer;
}

Status with_column(Status status, std::string_view column) {
  return Status::bad_record("column \"" + std::string(column) + "\": " + std::string(status.message()));
}

}  // namespace

Status EventDecoder::decode(const sdk::Message& message, sdk::RowBuilder& rows) {
  if (!message.has_value()) {
    rows.marker(message.index());
    return {};
  }
  if (!sdk::parse_json(message.value(), tape_)) {
    return Status::bad_record("value: " + tape_.error().what + " (byte " + std::to_string(tape_.error().offset) + ")");
  }
  Parts parts;
  if (Status status = find_parts(parts); !status) return status;
  metadata_ = {};
  if (Status status = read_metadata(tape_, parts.metadata, metadata_); !status) return status;
  if (metadata_.is_of_dms()) {
    rows.marker(message.index());
    return {};
  }
  return metadata_.is_data() ? decode_data(message, parts, rows) : decode_control(message, parts, rows);
}

Status EventDecoder::find_parts(Parts& parts) {
  if (tape_[0].kind != JsonKind::kObject) {
    return Status::bad_record(std::string("value: ") + sdk::describe(tape_[0].kind) + " instead of a record of AWS DMS");
  }
  if (const uint32_t metadata = tape_.find(0, "metadata"); metadata == 0 || tape_[metadata].kind != JsonKind::kObject) {
    return foreign_message(tape_);
  }
  std::string_view other;
  uint32_t name = 1;
  for (uint32_t i = 0; i < tape_[0].size; ++i, name = tape_[name + 1].next) {
    const std::string_view text = tape_.text(name);
    const JsonKind kind = tape_[name + 1].kind;
    uint32_t* const part = text == "data"       ? &parts.data
                           : text == "control"  ? &parts.control
                           : text == "metadata" ? &parts.metadata
                                                : nullptr;
    if (part != nullptr) {
      if (*part != 0) return Status::bad_record("\"" + std::string(text) + "\" stands twice in the record");
      if (kind == JsonKind::kObject) *part = name + 1;
      if (kind == JsonKind::kObject || kind == JsonKind::kNull) continue;
      return Status::bad_record("\"" + std::string(text) + "\" is " + sdk::describe(kind) + " instead of an object");
    }
    if (kind == JsonKind::kNull) continue;
    const bool is_image =
        settings_.before_image_field.empty() ? kind == JsonKind::kObject && parts.before == 0 : text == settings_.before_image_field;
    if (!is_image) {
      other = text;
      continue;
    }
    if (parts.before != 0) return Status::bad_record("\"" + std::string(text) + "\" stands twice in the record");
    if (kind != JsonKind::kObject) {
      return Status::bad_record("the row before the change, \"" + std::string(text) + "\", is " + sdk::describe(kind) +
                                " instead of an object");
    }
    parts.before = name + 1;
  }
  if (tape_.find(parts.metadata, "operation") == 0) return foreign_message(tape_);
  if (other.data() == nullptr) return {};
  return Status::bad_record("beside data, control and metadata the record has a member \"" + std::string(other.substr(0, 40)) + "\"",
                            "if it is the row before the change (FieldName of BeforeImageSettings), set before_image_field to its name");
}

Status EventDecoder::decode_data(const sdk::Message& message, const Parts& parts, sdk::RowBuilder& rows) {
  if (metadata_.table.empty()) return Status::bad_record("metadata: table-name is empty");
  if (parts.data == 0 || tape_[parts.data].size == 0) return Status::bad_record("the record has no data");
  const bool is_load = metadata_.operation == Operation::kLoad;
  if (!metadata_.has_time && !(is_load && !settings_.loads_count_by_time)) {
    return Status::bad_record("metadata: there is no timestamp, which is the only order between records of two partitions");
  }
  const uint32_t image = parts.before != 0 && tape_[parts.before].size != 0 ? parts.before : 0;
  const RowLayout* layout = nullptr;
  if (Status status = layouts_.find(metadata_, tape_, parts.data, image, rows, layout); !status) return status;
  const bool removes = metadata_.operation == Operation::kDelete;
  const bool has_before = image != 0 || layout->has_before;
  const RowCells after = rows.take_row(layout->columns);
  const RowCells before = has_before ? rows.take_row(layout->columns) : after;
  if (Status status = read_data(parts.data, *layout, after, before, removes, rows); !status) return status;
  for (const uint32_t column : layout->empty_columns) sdk::set_text(after[column], CDCRT_STRING, rows.copy(""));
  if (image != 0) {
    if (Status status = read_before_image(image, *layout, before, rows); !status) return status;
  }
  constexpr cdcrt_operation kMeanings[] = {CDCRT_SNAPSHOT, CDCRT_INSERT, CDCRT_UPDATE, CDCRT_DELETE};
  if (has_before && (is_load || metadata_.operation == Operation::kInsert)) {
    for (uint32_t column = 0; column < layout->columns; ++column) {
      if (!is_told(before[column])) continue;
      return Status::bad_record("a row before the change in a record of \"" + std::string(metadata_.operation_name) + "\", which has none",
                                "if the table has columns of such names itself, set before_image_prefix = \"\"");
    }
  }
  if (has_before && removes) {
    if (Status status = complete_key(*layout, after, before); !status) return status;
  }
  cdcrt_row& row = rows.begin_row(kMeanings[static_cast<std::size_t>(metadata_.operation)], message.index(), layout->shape, after);
  if (has_before && metadata_.operation == Operation::kUpdate) {
    complete(*layout, before, after, rows);
    row.before = before.first();
  }
  // The row that goes is the whole one: sinks that take every change are told all of it.
  if (removes && settings_.deletes_have_rows) row.before = after.first();
  if (!is_load || settings_.loads_count_by_time) place(row, rows);
  return {};
}

Status EventDecoder::read_data(uint32_t data, const RowLayout& layout, const RowCells& after, const RowCells& before, bool removes,
                               sdk::RowBuilder& rows) {
  uint32_t name = data + 1;
  for (const RowLayout::Member& member : layout.members) {
    cdcrt_cell& cell = member.before ? before[member.column] : after[member.column];
    if (Status status = set_value(cell, tape_, name, rows); !status) return with_column(std::move(status), tape_.text(name));
    // A delete that carries the key alone writes null for what it does not know.
    if (removes && cell.tag == CDCRT_NULL && (member.before || !settings_.deletes_have_rows)) cell.tag = CDCRT_ABSENT;
    name = tape_[name + 1].next;
  }
  if (removes || settings_.includes_nulls) return {};
  for (uint32_t column = 0; column < layout.columns; ++column) {
    if (after[column].tag == CDCRT_ABSENT) sdk::set_null(after[column]);
  }
  return {};
}

Status EventDecoder::read_before_image(uint32_t object, const RowLayout& layout, const RowCells& before, sdk::RowBuilder& rows) {
  uint32_t name = object + 1;
  for (const uint32_t column : layout.before_image) {
    cdcrt_cell value{};
    if (Status status = set_value(value, tape_, name, rows); !status) return with_column(std::move(status), tape_.text(name));
    cdcrt_cell& known = before[column];
    if (is_told(known) && is_told(value) && !equal(known, value)) {
      return Status::bad_record("column \"" + std::string(tape_.text(name)) + "\" has two values before the change, which differ");
    }
    if (!is_told(known)) known = value;
    name = tape_[name + 1].next;
  }
  return {};
}

// Where NULLs and empty texts are left out, nothing tells them from a column that is not in the image: what it held is not known.
void EventDecoder::complete(const RowLayout& layout, const RowCells& before, const RowCells& after, sdk::RowBuilder& rows) {
  if (!settings_.includes_nulls) {
    for (const uint32_t column : layout.empty_before) {
      if (before[column].tag == CDCRT_ABSENT) sdk::set_text(before[column], CDCRT_STRING, rows.copy(""));
    }
    return;
  }
  for (uint32_t column = 0; column < before.size(); ++column) {
    if (before[column].tag == CDCRT_ABSENT) before[column] = after[column];
  }
}

// The row that goes may be told twice.
Status EventDecoder::complete_key(const RowLayout& layout, const RowCells& row, const RowCells& before) {
  for (uint32_t column = 0; column < layout.columns; ++column) {
    if (!is_told(before[column])) continue;
    if (is_told(row[column]) && !equal(row[column], before[column])) {
      return Status::bad_record("a deleted row with two values of one column: data and the row before the change differ");
    }
    row[column] = before[column];
  }
  return {};
}

Status EventDecoder::decode_control(const sdk::Message& message, const Parts& parts, sdk::RowBuilder& rows) {
  sdk::TableShape shape = shape_of(metadata_);
  bool is_known = false;
  // A dropped table's target stays: a task that starts drops and makes each of its tables.
  if (metadata_.operation != Operation::kDropTable && !metadata_.table.empty()) {
    if (Status status = read_definition(metadata_, tape_, parts.control, shape, is_known); !status) return status;
  }
  if (!is_known || !metadata_.has_time) {
    rows.marker(message.index());
    return {};
  }
  place(rows.begin_row(CDCRT_DEFINITION, message.index(), rows.intern(shape.abi())), rows);
  return {};
}

void EventDecoder::place(cdcrt_row& row, sdk::RowBuilder& rows) {
  write_order(metadata_, order_);
  row.source_order = sdk::borrow(rows.copy(order_));
  row.source_time_us = metadata_.commit_time_us;
}

}  // namespace cdcrt::dms
