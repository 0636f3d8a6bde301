#include "debezium/message_shape.hpp"

#include <algorithm>
#include <cstring>

namespace cdcrt::debezium {

using sdk::JsonTape;
using Kind = sdk::JsonKind;

namespace {

Part part_of(std::string_view name) {
  // Their sizes are equal: the compiler compares words where a view would call.
  const auto is = [text = name.data()]<std::size_t Size>(const char(&known)[Size]) { return std::memcmp(text, known, Size - 1) == 0; };
  switch (name.size()) {
    case 2: return is("op") ? Part::kOperation : is("id") ? Part::kId : Part::kNone;
    case 3: return is("ddl") ? Part::kDdl : Part::kNone;
    case 5:
      if (is("ts_ms") || is("ts_us") || is("ts_ns")) return Part::kTime;
      return is("after") ? Part::kAfter : Part::kNone;
    case 6:
      if (is("before")) return Part::kBefore;
      return is("source") ? Part::kSource : is("status") ? Part::kStatus : Part::kNone;
    case 7: return is("message") ? Part::kMessage : Part::kNone;
    case 8: return is("position") ? Part::kPosition : Part::kNone;
    case 10: return is("schemaName") ? Part::kSchemaName : Part::kNone;
    case 11: return is("transaction") ? Part::kTransaction : is("event_count") ? Part::kEventCount : Part::kNone;
    case 12: return is("tableChanges") ? Part::kTableChanges : is("databaseName") ? Part::kDatabaseName : Part::kNone;
    case 13: return is("historyRecord") ? Part::kHistoryRecord : Part::kNone;
    case 16: return is("data_collections") ? Part::kDataCollections : Part::kNone;
    default: return Part::kNone;
  }
}

/// Members whose second sight makes the event ambiguous.
bool is_unique(Part part) { return part <= Part::kOperation; }

/// [{"data_collection":"shop.public.t","event_count":2}]
bool is_list_of_collections(const JsonTape& tape, uint32_t list) {
  uint32_t element = list + 1;
  for (uint32_t i = 0; i < tape[list].size; ++i) {
    if (tape[element].kind != Kind::kObject || tape.find(element, "data_collection") == 0 || tape.find(element, "event_count") == 0)
      return false;
    element = tape[element].next;
  }
  return true;
}

/// A column's value is an object where it is a number without a scale, a geometry or a structured time, and nowhere else.
bool is_row(const JsonTape& tape, uint32_t value) {
  if (value == 0 || tape[value].kind != Kind::kObject) return false;
  const bool number = tape.find(value, "scale") != 0 && tape.find(value, "value") != 0;
  const bool time = tape.find(value, "specialValue") != 0 || tape.find(value, "nanos") != 0 || tape.find(value, "picoseconds") != 0;
  return !number && !time && tape.find(value, "wkb") == 0;
}

bool is_connect_schema(const JsonTape& tape, uint32_t value) {
  if (tape[value].kind != Kind::kObject) return false;
  const uint32_t type = tape.find(value, "type");
  return type != 0 && tape[type].kind == Kind::kString && (tape.text(type) != "struct" || tape.find(value, "fields") != 0);
}

/// A document may have a source with a connector of its own.
bool is_source(const JsonTape& tape, uint32_t value) {
  const uint32_t connector = tape.find(value, "connector");
  return connector != 0 && tape[connector].kind == Kind::kString &&
         (tape.find(value, "ts_ms") != 0 || tape.find(value, "db") != 0 || tape.find(value, "table") != 0);
}

/// Debezium's block of the source or of the transaction, whatever it is called.
bool is_block(const JsonTape& tape, uint32_t value) {
  if (tape.find(value, "total_order") != 0 && tape.find(value, "data_collection_order") != 0) return true;
  for (const char* name : {"connector", "version", "name"}) {
    const uint32_t member = tape.find(value, name);
    if (member == 0 || tape[member].kind != Kind::kString) return false;
  }
  return tape.find(value, "ts_ms") != 0 || tape.find(value, "db") != 0;
}

/// An event, its source, or a schema and its payload, here or further inside. A column's value may have a before and an after of its own.
bool holds_event(const JsonTape& tape, uint32_t value, int depth) {
  constexpr int kDeepest = 6;
  if (tape[value].kind == Kind::kArray && tape[value].size != 0) return depth < kDeepest && holds_event(tape, value + 1, depth + 1);
  if (tape[value].kind != Kind::kObject) return false;
  MessageShape shape;
  shape.read(tape, value);
  const bool remnant = shape[Part::kBefore] != 0 && shape[Part::kAfter] != 0 && shape[Part::kTime] != 0;
  if (remnant || shape.is_event(tape) || is_block(tape, value)) return true;
  const uint32_t schema = tape.find(value, "schema");
  if (schema != 0 && tape.find(value, "payload") != 0 && is_connect_schema(tape, schema)) return true;
  uint32_t name = value + 1;
  for (uint32_t i = 0; i < tape[value].size && depth < kDeepest; ++i) {
    if (holds_event(tape, name + 1, depth + 1)) return true;
    name = tape[name + 1].next;
  }
  return false;
}

}  // namespace

uint32_t MessageShape::read(const JsonTape& tape, uint32_t object) {
  uint32_t name = object + 1;
  for (uint32_t i = 0; i < tape[object].size; ++i) {
    const Part part = part_of(tape.text(name));
    if (part == Part::kNone) {
      others_ = true;
    } else {
      uint32_t& at = at_[static_cast<std::size_t>(part)];
      if (at != 0 && is_unique(part)) return name;
      at = name + 1;
    }
    name = tape[name + 1].next;
  }
  return 0;
}

bool MessageShape::has_only(std::initializer_list<Part> parts) const {
  if (others_) return false;
  for (std::size_t i = 0; i < at_.size(); ++i) {
    if (at_[i] != 0 && std::find(parts.begin(), parts.end(), static_cast<Part>(i)) == parts.end()) return false;
  }
  return true;
}

bool MessageShape::is_bare_envelope(const JsonTape& tape, bool names_table) const {
  const auto is_image = [&](Part part) { return is(tape, part, Kind::kObject) || is(tape, part, Kind::kNull); };
  return names_table && is(tape, Part::kOperation, Kind::kString) && is(tape, Part::kSource, Kind::kObject) &&
         (is_image(Part::kBefore) || is_image(Part::kAfter) || is_image(Part::kMessage)) &&
         has_only({Part::kBefore, Part::kAfter, Part::kSource, Part::kOperation, Part::kMessage, Part::kTransaction, Part::kTime});
}

bool MessageShape::is_event(const JsonTape& tape) const {
  const bool source = is(tape, Part::kSource, Kind::kObject);
  if (source && is_source(tape, (*this)[Part::kSource])) return true;
  return is(tape, Part::kOperation, Kind::kString) &&
         (source || is_row(tape, (*this)[Part::kBefore]) || is_row(tape, (*this)[Part::kAfter]));
}

bool MessageShape::resembles_envelope(const JsonTape& tape) const {
  if (is_row(tape, (*this)[Part::kBefore]) || is_row(tape, (*this)[Part::kAfter]) || is_event(tape)) return true;
  if (!is(tape, Part::kOperation, Kind::kString) || tape.text((*this)[Part::kOperation]).size() != 1 ||
      (*this)[Part::kBefore] + (*this)[Part::kAfter] == 0 ||
      !has_only({Part::kBefore, Part::kAfter, Part::kSource, Part::kOperation, Part::kTransaction, Part::kTime})) {
    return false;
  }
  if (is(tape, Part::kTime, Kind::kNumber) && (is(tape, Part::kTransaction, Kind::kNull) || is(tape, Part::kTransaction, Kind::kObject)))
    return true;
  return is(tape, Part::kBefore, Kind::kNull) && is(tape, Part::kAfter, Kind::kNull);
}

bool MessageShape::is_transaction(const JsonTape& tape, std::string_view topic) const {
  if (!is(tape, Part::kStatus, Kind::kString) || !is(tape, Part::kId, Kind::kString)) return false;
  if (!has_only({Part::kStatus, Part::kId, Part::kEventCount, Part::kDataCollections, Part::kTime})) return false;
  const std::string_view status = tape.text((*this)[Part::kStatus]);
  if (status == "END") {
    // No column of a table is a list of such objects.
    return is(tape, Part::kEventCount, Kind::kNumber) && is(tape, Part::kDataCollections, Kind::kArray) &&
           is_list_of_collections(tape, (*this)[Part::kDataCollections]);
  }
  if (status != "BEGIN" || !is(tape, Part::kEventCount, Kind::kNull) || !is(tape, Part::kDataCollections, Kind::kNull)) return false;
  const std::string_view id = tape.text((*this)[Part::kId]);
  return topic.ends_with("transaction") || id.find_first_of(":=,") != std::string_view::npos;
}

bool MessageShape::is_schema_change(const JsonTape& tape, bool debezium_source) const {
  if (!is(tape, Part::kSource, Kind::kObject)) return false;
  if (is(tape, Part::kHistoryRecord, Kind::kString)) return debezium_source && has_only({Part::kSource, Part::kHistoryRecord, Part::kTime});
  const bool said = is(tape, Part::kDdl, Kind::kString) || is(tape, Part::kDdl, Kind::kNull) || is(tape, Part::kTableChanges, Kind::kArray);
  return said && (*this)[Part::kDatabaseName] != 0 &&
         (debezium_source || is(tape, Part::kTableChanges, Kind::kArray) || is(tape, Part::kPosition, Kind::kObject)) &&
         has_only({Part::kSource, Part::kPosition, Part::kTime, Part::kDatabaseName, Part::kSchemaName, Part::kDdl, Part::kTableChanges});
}

bool is_notification(const JsonTape& tape) {
  if (tape[0].size != 5) return false;
  const auto has = [&](std::string_view name, Kind kind) {
    const uint32_t value = tape.find(0, name);
    return value != 0 && tape[value].kind == kind;
  };
  // No column of a table is such an object.
  return has("additional_data", Kind::kObject) && has("id", Kind::kString) && has("aggregate_type", Kind::kString) &&
         has("type", Kind::kString) && has("timestamp", Kind::kNumber);
}

uint32_t find_wrapped_event(const JsonTape& tape, const MessageShape& shape) {
  const uint32_t operation = shape[Part::kOperation];
  const bool says_operation = operation != 0 && tape[operation].kind == Kind::kString && tape.text(operation).size() == 1 &&
                              shape[Part::kBefore] + shape[Part::kAfter] != 0;
  uint32_t name = 1;
  bool schema = false;
  uint32_t payload = 0;
  for (uint32_t i = 0; i < tape[0].size; ++i) {
    const uint32_t value = name + 1;
    if (tape[value].kind == Kind::kObject || tape[value].kind == Kind::kArray) {
      const std::string_view text = tape.text(name);
      if (says_operation && is_row(tape, value)) return name;
      if (holds_event(tape, value, 0) || (text == "schema" && is_connect_schema(tape, value))) return name;
      if (text == "payload" && tape[value].kind == Kind::kObject) payload = name;
    }
    if (tape.text(name) == "schema") schema = true;
    name = tape[value].next;
  }
  return schema || tape[0].size == 1 ? payload : 0;
}

}  // namespace cdcrt::debezium
