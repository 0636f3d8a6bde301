// From an event's parts to rows and cells.
#include <algorithm>

#include "cdcrt/sdk/json_text.hpp"
#include "debezium/event_decoder.hpp"
#include "debezium/foreign_format.hpp"
#include "debezium/json_parse.hpp"
#include "debezium/json_scan.hpp"
#include "debezium/numbers.hpp"
#include "debezium/struct_text.hpp"

namespace cdcrt::debezium {

using Kind = sdk::JsonKind;
using sdk::Status;

namespace {

constexpr const char* kNewKey = "__debezium.newkey";
constexpr const char* kOldKey = "__debezium.oldkey";

std::string quoted(std::string_view name) { return sdk::json_string(name); }

bool same_value(const cdcrt_cell& left, const cdcrt_cell& right) {
  if (left.tag != right.tag) return false;
  switch (left.tag) {
    case CDCRT_ABSENT:
    case CDCRT_NULL: return true;
    case CDCRT_DECIMAL: return sdk::text(left) == sdk::text(right);
    default: return left.tag >= CDCRT_STRING ? sdk::text(left) == sdk::text(right) : left.value.integer == right.value.integer;
  }
}

/// What Debezium writes where PostgreSQL sent nothing for a NOT NULL column: zero, epoch, nothing.
bool is_filler(const cdcrt_cell& cell) {
  switch (cell.tag) {
    case CDCRT_ABSENT:
    case CDCRT_NULL: return true;
    case CDCRT_F64: return cell.value.real == 0;
    case CDCRT_DECIMAL:
    case CDCRT_STRING:
    case CDCRT_BYTES:
    case CDCRT_JSON:
    case CDCRT_UUID:
    case CDCRT_ARRAY:
    case CDCRT_INTERVAL: {
      const std::string_view text = sdk::text(cell);
      return text.empty() || text == "{}" || text == "[]" || text == "AA==" || text == "PT0S" || text.starts_with("1970-01-01T00:00:00") ||
             text.find_first_not_of("0.-:Z") == std::string_view::npos;
    }
    default: return cell.value.integer == 0;
  }
}

bool lacks_cells(const cdcrt_cell* row, std::size_t width) {
  return std::any_of(row, row + width, [](const cdcrt_cell& cell) { return cell.tag == CDCRT_ABSENT; });
}

}  // namespace

Status EventDecoder::table_reference(TableReference& table) const {
  table = {source_[SourceField::kDatabase], source_[SourceField::kSchema], source_[SourceField::kTable], source_[SourceField::kName]};
  table.is_of_mysql = is_of_mysql();
  if (is_of_flink()) table.flags = CDCRT_SHAPE_KEY_ELSEWHERE;
  if (table.table.empty()) {
    return Status::bad_record("value: the event's source names no table",
                              "no row can be read from it; leave the topic out of the source's topics");
  }
  return {};
}

Status EventDecoder::flat_table_reference(TableReference& table) {
  table = {source_[SourceField::kDatabase], source_[SourceField::kSchema], source_[SourceField::kTable], source_[SourceField::kName]};
  table.is_of_mysql = is_of_mysql();
  if (!table.table.empty() && !settings_.tombstones_delete() && !settings_.topic_rule.is_given()) return {};
  // Where tombstones delete, rows and tombstones must agree on the table, and a tombstone has only its topic.
  const auto& name = topic_->table(settings_.topic_rule);
  if (!name) {
    return Status::bad_record("value: the row names no table, and topic " + quoted(topic_->topic()) + " does not match table_from_topic",
                              "add \"table\" to the transform's add.fields, or set table_from_topic to a pattern that fits");
  }
  table = {name->database, name->schema, name->table, source_[SourceField::kName], 0, is_of_mysql()};
  return {};
}

Status EventDecoder::layout_of(uint32_t object, const Layout* declared, std::string_view metadata_prefix, const Layout*& layout) {
  layout = declared;
  if (layout != nullptr) return {};
  std::string duplicate;
  layout = topic_->row_layout(tape_, object, metadata_prefix, duplicate);
  if (layout == nullptr) return Status::bad_record("value: column " + quoted(duplicate) + " stands twice in the row");
  return {};
}

Status EventDecoder::bind(const Layout*& layout, const TableReference& table, const BoundShape*& bound) {
  std::string missing;
  bound = topic_->bind(layout, key_.layout, table, *rows_, missing);
  if (bound == nullptr) {
    return Status::bad_record("key: column " + quoted(missing) + " is not in the row of " + quoted(table.table),
                              "set keys = \"ignore\" and give the route's primary_key");
  }
  layout = bound->layout;
  return {};
}

Status EventDecoder::decode_envelope(const Envelope& envelope, const Layout* layout) {
  if (envelope.operation == 0 || tape_[envelope.operation].kind != Kind::kString)
    return Status::bad_record("value: the event has no \"op\"");
  if (envelope.source == 0 || tape_[envelope.source].kind != Kind::kObject) return Status::bad_record("value: the event has no \"source\"");
  if (const uint32_t read = tape_.find(0, "ts_ms"); read != 0 && tape_[read].kind == Kind::kNumber) {
    source_[SourceField::kReadMilliseconds] = tape_.text(read);
  }
  const std::string_view operation = tape_.text(envelope.operation);
  const char code = operation.size() == 1 ? operation[0] : '?';
  if (source_[SourceField::kConnector] == "cassandra") return foreign(kCassandra);
  if (is_of_flink() && message_->has_key() && message_->key().starts_with('{') && tape_.find(0, "ts_us") != 0)
    return foreign(kConnectEvent);
  if (source_[SourceField::kConnector] == "mongodb" && layout == nullptr) return foreign(kDebeziumMongo);
  if (code == 'm' || code == 't') {
    for (const uint32_t image : {envelope.before, envelope.after}) {
      if (image != 0 && tape_[image].kind != Kind::kNull)
        return Status::bad_record("value: operation " + quoted(operation) + " with a row");
    }
    if (code == 'm') return marker();
  }
  TableReference table;
  if (Status status = table_reference(table); !status) return status;
  if (code == 't') {
    const BoundShape* shape = nullptr;
    const Layout* row = layout != nullptr ? layout : topic_->empty_layout();
    if (Status status = bind(row, table, shape); !status) return status;
    const std::string_view order = order_of(CDCRT_TRUNCATE);
    finish(rows_->begin_row(CDCRT_TRUNCATE, message_->index(), shape->id), order);
    return {};
  }
  if (Status status = read_key(); !status) return status;
  switch (code) {
    case 'c': return decode_change(envelope, layout, CDCRT_INSERT, table);
    case 'r': return decode_change(envelope, layout, CDCRT_SNAPSHOT, table);
    case 'u': return decode_change(envelope, layout, CDCRT_UPDATE, table);
    case 'd': return decode_removal(envelope.before, layout, table);
    default:
      return Status::bad_record("value: operation " + quoted(operation) + " is not one of c, r, u, d, t, m",
                                "look at the raw bytes in the dead letter: another kind of program wrote this message");
  }
}

Status EventDecoder::decode_change(const Envelope& envelope, const Layout* declared, cdcrt_operation operation,
                                   const TableReference& table) {
  if (envelope.after == 0 || tape_[envelope.after].kind != Kind::kObject) {
    return Status::bad_record("value: operation " + quoted(tape_.text(envelope.operation)) + " without \"after\"");
  }
  const Layout* layout = nullptr;
  const BoundShape* shape = nullptr;
  if (Status status = layout_of(envelope.after, declared, {}, layout); !status) return status;
  if (layout->columns.empty()) return Status::bad_record("value: a row without columns", "nothing can be written of it");
  if (Status status = bind(layout, table, shape); !status) return status;
  const auto width = static_cast<uint32_t>(layout->columns.size());
  const uint32_t after = rows_->take_cells(width);
  if (Status status = read_row(*layout, in_value(), envelope.after, rows_->cells(after)); !status) return status;
  if (shape->is_routed) {
    if (Status status = complete_key(*shape, after); !status) return status;
  }

  uint32_t before = CDCRT_NO_CELLS;
  const bool has_before = envelope.before != 0 && tape_[envelope.before].kind == Kind::kObject;
  // Without schema the two images may have columns of different times: then only the new one counts.
  if (operation == CDCRT_UPDATE && has_before && !may_be_made_up() && (declared != nullptr || matches(*layout, tape_, envelope.before))) {
    before = rows_->take_cells(width);
    if (Status status = read_row(*layout, in_value(), envelope.before, rows_->cells(before)); !status) return status;
    if (shape->is_routed) {
      if (Status status = complete_key(*shape, before); !status) return status;
    }
    const cdcrt_cell* old_cells = rows_->cells(before);
    const cdcrt_cell* new_cells = rows_->cells(after);
    const bool key_changed = std::any_of(shape->key_columns.begin(), shape->key_columns.end(), [&](uint32_t column) {
      return old_cells[column].tag != CDCRT_ABSENT && !same_value(old_cells[column], new_cells[column]);
    });
    if (!is_full_image(*shape, old_cells)) before = key_changed ? key_only(*shape, before) : CDCRT_NO_CELLS;
  }
  uint32_t other_key = CDCRT_NO_CELLS;
  if (operation == CDCRT_INSERT) {
    if (Status status = read_other_key(kOldKey, *shape, rows_->cells(after), other_key); !status) return status;
  }
  const std::string_view order = order_of(operation);
  cdcrt_row& row = rows_->begin_row(operation, message_->index(), shape->id);
  row.cells = after;
  row.before = before;
  row.other_key = other_key;
  finish(row, order);
  return {};
}

Status EventDecoder::decode_removal(uint32_t before, const Layout* declared, const TableReference& table) {
  const bool has_before = before != 0 && tape_[before].kind == Kind::kObject;
  if (!has_before && (key_.layout == nullptr || key_.layout->columns.empty())) {
    return Status::bad_record("value: the delete says neither the key nor the row that goes",
                              is_of_flink()
                                  ? "give the source table a primary key or REPLICA IDENTITY FULL"
                                  : "let the connector write keys, or give the source table a primary key or REPLICA IDENTITY FULL");
  }
  const Layout* layout = declared != nullptr ? declared : key_.layout;
  if (has_before) {
    if (Status status = layout_of(before, declared, {}, layout); !status) return status;
  }
  const BoundShape* shape = nullptr;
  if (Status status = bind(layout, table, shape); !status) return status;
  const auto width = static_cast<uint32_t>(layout->columns.size());
  const uint32_t image = rows_->take_cells(width);
  const bool made_up = may_be_made_up();
  if (has_before) {
    is_lenient_ = made_up;
    Status status = read_row(*layout, in_value(), before, rows_->cells(image));
    is_lenient_ = false;
    if (!status) return status;
  }
  for (uint32_t i = 0; made_up && i < width; ++i) {
    if (cdcrt_cell& cell = rows_->cells(image)[i]; cell.tag == CDCRT_NULL) cell.tag = CDCRT_ABSENT;
  }
  if (Status status = complete_key(*shape, image); !status) return status;
  // PostgreSQL fills what it was not sent with defaults, which nothing but the schema can tell from values.
  const bool unsure = !layout->declared && !shape->key_columns.empty() && source_[SourceField::kConnector] == "postgresql";
  const bool full = has_before && !made_up && !unsure && is_full_image(*shape, rows_->cells(image));
  const uint32_t cells = shape->key_columns.empty() ? image : key_only(*shape, image);
  uint32_t other_key = CDCRT_NO_CELLS;
  if (Status status = read_other_key(kNewKey, *shape, rows_->cells(cells), other_key); !status) return status;
  const std::string_view order = order_of(CDCRT_DELETE);
  cdcrt_row& row = rows_->begin_row(CDCRT_DELETE, message_->index(), shape->id);
  row.cells = cells;
  row.before = full ? image : CDCRT_NO_CELLS;
  row.other_key = other_key;
  finish(row, order);
  return {};
}

Status EventDecoder::decode_flattened(const Layout* declared) {
  const Layout* layout = nullptr;
  if (Status status = layout_of(0, declared, settings_.metadata_prefix, layout); !status) return status;
  if (layout->may_be_foreign && settings_.events == Events::kAuto) {
    if (const ForeignFormat* format = recognise_foreign(tape_, 0, message_->key())) return foreign(*format);
  }
  if (layout->columns.empty()) return Status::bad_record("value: a row without columns", "nothing can be written of it");
  if (!layout->says_deleted && settings_.tombstones == Tombstones::kAuto && !settings_.topic_rule.is_given()) {
    return Status::bad_record("value: a flattened row without \"" + settings_.metadata_prefix +
                                  "deleted\": deletes of such a stream come as null values, or not at all",
                              "set tombstones = \"delete\" (the transform's default writes them) or \"ignore\" in the format's settings");
  }
  if (Status status = read_key(); !status) return status;
  uint32_t cells = rows_->take_cells(static_cast<uint32_t>(layout->columns.size()));
  if (Status status = read_row(*layout, in_value(), 0, rows_->cells(cells)); !status) return status;
  TableReference table;
  if (Status status = flat_table_reference(table); !status) return status;
  const BoundShape* shape = nullptr;
  if (Status status = bind(layout, table, shape); !status) return status;
  if (shape->is_routed) {
    const uint32_t row = cells;
    cells = rows_->take_cells(static_cast<uint32_t>(layout->columns.size()));
    std::copy_n(rows_->cells(row), layout->columns.size() - 1, rows_->cells(cells));
    if (Status status = complete_key(*shape, cells); !status) return status;
  }
  if (flat_operation_.size() > 1 || std::string_view("cudrt").find(flat_operation_) == std::string_view::npos) {
    return Status::bad_record(
        "value: operation " + quoted(flat_operation_) + " is not one of c, r, u, d, t",
        "where \"" + settings_.metadata_prefix + "op\" is a column of the table, set metadata_prefix in the format's settings");
  }
  if (!flat_deleted_.empty() && flat_deleted_ != "true" && flat_deleted_ != "false") {
    return Status::bad_record("value: \"" + settings_.metadata_prefix + "deleted\" is neither true nor false: " + quoted(flat_deleted_),
                              "where it is a column of the table, set metadata_prefix in the format's settings");
  }
  cdcrt_operation operation = CDCRT_INSERT;
  if (flat_operation_ == "u") operation = CDCRT_UPDATE;
  if (flat_operation_ == "r") operation = CDCRT_SNAPSHOT;
  if (flat_operation_ == "t") operation = CDCRT_TRUNCATE;
  if (flat_operation_ == "d" || flat_deleted_ == "true") operation = CDCRT_DELETE;
  uint32_t other_key = CDCRT_NO_CELLS;
  if (operation == CDCRT_INSERT || operation == CDCRT_DELETE) {
    const char* const header = operation == CDCRT_INSERT ? kOldKey : kNewKey;
    if (Status status = read_other_key(header, *shape, rows_->cells(cells), other_key); !status) return status;
  }
  const uint32_t kept = operation == CDCRT_DELETE && !shape->key_columns.empty() ? key_only(*shape, cells) : cells;
  const std::string_view order = order_of(operation);
  cdcrt_row& row = rows_->begin_row(operation, message_->index(), shape->id);
  row.cells = operation == CDCRT_TRUNCATE ? CDCRT_NO_CELLS : kept;
  row.other_key = other_key;
  finish(row, order);
  return {};
}

Status EventDecoder::decode_tombstone() {
  if (!settings_.tombstones_delete()) return marker();
  const std::string_view topic = topic_->topic();
  if (topic.starts_with("__debezium-heartbeat")) return marker();
  if (Status status = read_key(); !status) return status;
  if (key_.layout == nullptr || key_.layout->columns.empty()) {
    return Status::bad_record(
        "a null value without a key: nothing says which row it deletes",
        settings_.ignore_keys ? "keys = \"ignore\" and deletes by tombstone cannot go together" : "let the connector write keys");
  }
  const auto& name = topic_->table(settings_.topic_rule);
  if (!name) {
    return Status::bad_record("a null value on topic " + quoted(topic) + ", which does not match table_from_topic",
                              "set table_from_topic to a pattern that fits");
  }
  const BoundShape* shape = nullptr;
  const Layout* layout = key_.layout;
  if (Status status = bind(layout, {name->database, name->schema, name->table, {}}, shape); !status) return status;
  const uint32_t cells = rows_->take_cells(static_cast<uint32_t>(key_.layout->columns.size()));
  if (Status status = complete_key(*shape, cells); !status) return status;
  uint32_t other_key = CDCRT_NO_CELLS;
  if (Status status = read_other_key(kNewKey, *shape, rows_->cells(cells), other_key); !status) return status;
  cdcrt_row& row = rows_->begin_row(CDCRT_DELETE, message_->index(), shape->id);
  row.cells = cells;
  row.other_key = other_key;
  return {};
}

Status EventDecoder::read_row(const Layout& layout, const Place& place, uint32_t object, cdcrt_cell* cells) {
  const uint32_t count = place.tape[object].size;
  const std::size_t members = layout.members.size();
  uint32_t name = object + 1;
  uint32_t at = 0;
  for (; at < count && at < members; ++at) {  // as in the last event: no search
    if (place.tape.text(name) != layout.members[at].name) break;
    if (Status status = read_member(layout, layout.members[at], place, name, cells); !status) return status;
    name = place.tape[name + 1].next;
  }
  if (at == count) return {};
  seen_.assign(members, 0);
  std::fill_n(seen_.begin(), at, uint8_t{1});
  for (; at < count; ++at) {
    const std::string_view text = place.tape.text(name);
    const int32_t member = layout.find_member(text);
    const auto where = [&] { return " (byte " + std::to_string(place.tape.offset(name) + place.base) + ")"; };
    if (member < 0)
      return Status::bad_record(std::string(place.part) + ": column " + quoted(text) + " is not in the schema of the row" + where());
    if (seen_[static_cast<std::size_t>(member)]++ != 0) {
      return Status::bad_record(std::string(place.part) + ": column " + quoted(text) + " stands twice in the row" + where());
    }
    if (Status status = read_member(layout, layout.members[static_cast<std::size_t>(member)], place, name, cells); !status) return status;
    name = place.tape[name + 1].next;
  }
  return {};
}

Status EventDecoder::read_member(const Layout& layout, const Member& member, const Place& place, uint32_t name, cdcrt_cell* cells) {
  if (member.column < 0) {
    const sdk::JsonToken& value = place.tape[name + 1];
    const bool scalar = value.kind == Kind::kString || value.kind == Kind::kNumber;
    if (member.flat == FlatField::kDeleted) flat_deleted_ = value.kind == Kind::kTrue ? "true" : scalar ? place.tape.text(name + 1) : "";
    if (member.flat == FlatField::kOperation && scalar) flat_operation_ = place.tape.text(name + 1);
    if (member.flat == FlatField::kSource && scalar) source_[member.source] = place.tape.text(name + 1);
    return {};
  }
  const auto column = static_cast<std::size_t>(member.column);
  if (const Problem problem = converter_.convert(layout.columns[column], place.tape, name, cells[column])) {
    if (is_lenient_) {
      cells[column] = cdcrt_cell{};
      return {};
    }
    return Status::bad_record(std::string(place.part) + ": column " + quoted(member.name) + ": " + problem + " (byte " +
                                  std::to_string(place.tape.offset(name) + place.base) + ")",
                              "the value does not fit what the event's schema declares, or no exact value can be made of it");
  }
  return {};
}

Status EventDecoder::complete_key(const BoundShape& shape, uint32_t cells) {
  bool complete = true;
  for (const uint32_t column : shape.key_columns) complete = complete && rows_->cells(cells)[column].tag != CDCRT_ABSENT;
  if (complete) return {};
  if (Status status = parse_key(); !status) return status;
  const auto base = static_cast<std::size_t>(key_.payload.data() - message_->key().data());
  const Place place{key_tape_, "key", base};
  if (key_tape_[0].kind != Kind::kObject) return Status::bad_record("key: not an object");
  for (const uint32_t column : shape.key_columns) {
    cdcrt_cell& cell = rows_->cells(cells)[column];
    if (cell.tag != CDCRT_ABSENT) continue;
    const std::string& name = shape.layout->columns[column].name;
    const uint32_t value = key_tape_.find(0, name);
    if (value == 0) return Status::bad_record("key: column " + quoted(name) + " is missing");
    Member member;
    member.name = name;
    member.column = static_cast<int32_t>(column);
    if (Status status = read_member(*shape.layout, member, place, value - 1, rows_->cells(cells)); !status) return status;
  }
  return {};
}

Status EventDecoder::read_other_key(const char* header, const BoundShape& shape, const cdcrt_cell* row, uint32_t& cells) {
  if (message_->header_count() == 0 || shape.key_columns.empty()) return {};
  const auto text = message_->header(header);
  if (!text) return {};
  std::string_view payload = *text;
  if (const auto parts = split_converter_message(*text)) payload = parts->payload;
  const Place place{header_tape_, header, static_cast<std::size_t>(payload.data() - text->data())};
  StructText written{{}, false};
  bool is_json = debezium::parse_json(payload, header_tape_);
  if (!is_json) {
    written = json_of_struct_text(payload);
    is_json = debezium::parse_json(written.json, header_tape_);
  }
  if (!is_json || header_tape_[0].kind != Kind::kObject) {
    return Status::bad_record(std::string("header ") + header + ": not a JSON object of key columns",
                              "let the connector write headers with JsonConverter or SimpleHeaderConverter");
  }
  // Such a key cannot be told for certain, and without it both events are changes of their own: a delete, and a create of a whole row.
  if (written.has_bare_times) {
    if (header == kNewKey || !lacks_cells(row, shape.layout->columns.size())) return {};
    return Status::bad_record(
        std::string("header ") + header + ": dates and times of the key stand without quotes, so that the row is not " +
            "known which has the values that this one lacks",
        "let the connector write headers with JsonConverter (header.converter), or set time.precision.mode to another "
        "than connect");
  }
  cells = rows_->take_cells(static_cast<uint32_t>(shape.layout->columns.size()));
  for (const uint32_t column : shape.key_columns) {
    const std::string& name = shape.layout->columns[column].name;
    const uint32_t value = header_tape_.find(0, name);
    if (value == 0 && is_routed(name)) continue;  // the router adds it after the connector wrote the header
    if (value == 0) return Status::bad_record(std::string("header ") + header + ": column " + quoted(name) + " is missing");
    Member member;
    member.name = name;
    member.column = static_cast<int32_t>(column);
    if (Status status = read_member(*shape.layout, member, place, value - 1, rows_->cells(cells)); !status) return status;
  }
  return complete_key(shape, cells);
}

bool EventDecoder::is_full_image(const BoundShape& shape, const cdcrt_cell* cells) const {
  if (shape.key_columns.empty()) return true;
  // PostgreSQL with the default identity sends only the key. Any value that nobody would make up proves a full image.
  for (std::size_t i = 0; i < shape.is_key.size(); ++i) {
    if (shape.is_key[i] != 0 || is_filler(cells[i])) continue;
    const Column& column = shape.layout->columns[i];
    cdcrt_cell filler = column.default_cell;
    if (column.has_default && has_bytes(filler)) filler.value.data = column.default_text.data();
    if (!column.has_default || !same_value(cells[i], filler)) return true;
  }
  return false;
}

uint32_t EventDecoder::key_only(const BoundShape& shape, uint32_t cells) {
  const uint32_t copy = rows_->take_cells(static_cast<uint32_t>(shape.layout->columns.size()));
  for (const uint32_t column : shape.key_columns) rows_->cells(copy)[column] = rows_->cells(cells)[column];
  return copy;
}

std::string_view EventDecoder::order_of(cdcrt_operation operation) {
  if (!is_of_flink()) return source_order(source_, order_, *rows_);
  // Rows that were read in chunks say no time; the older way of reading names the place in the log at which it read all.
  if (operation == CDCRT_SNAPSHOT && source_time_us(source_) == 0) return {};
  return flink_order(source_, operation == CDCRT_DELETE, order_, *rows_);
}

bool EventDecoder::is_of_mysql() const {
  // A flattened row may say no more than where it is in the binlog.
  const std::string_view connector = source_[SourceField::kConnector];
  return connector == "mysql" || connector == "mariadb" || (connector.empty() && !source_[SourceField::kFile].empty());
}

bool EventDecoder::may_be_made_up() const {
  return is_of_flink() && !settings_.full_before && source_[SourceField::kConnector] == "postgresql";
}

Status EventDecoder::foreign(const ForeignFormat& format) const {
  return foreign_status(format, is_of_flink() ? "Flink CDC's JSON" : "Debezium's JSON");
}

void EventDecoder::finish(cdcrt_row& row, std::string_view order) {
  row.source_order = sdk::borrow(order);
  row.source_time_us = source_time_us(source_);
}

}  // namespace cdcrt::debezium
