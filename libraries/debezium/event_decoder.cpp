// From a message to what it is: key, schema, form. Rows are made in row_decoding.cpp.
#include "debezium/event_decoder.hpp"

#include "cdcrt/sdk/json_text.hpp"
#include "debezium/foreign_format.hpp"
#include "debezium/json_parse.hpp"
#include "debezium/json_scan.hpp"

namespace cdcrt::debezium {

using Kind = sdk::JsonKind;
using sdk::Status;

namespace {

constexpr std::string_view kHeartbeatTopic = "__debezium-heartbeat";
constexpr const char* kOtherTopics = "this format reads Debezium's events; leave other topics out of the source's topics";
constexpr const char* kMend = "let the producer write Debezium's events as they are, or leave the topic out of the source's topics";

Status damaged_envelope() {
  return Status::bad_record("value: it looks like an event with an envelope, but its \"op\" or \"source\" is missing or damaged", kMend);
}

Status no_envelope() {
  return Status::bad_record(
      "value: no event of Flink CDC, which has an \"op\" and a \"source\"",
      "let the job write what JsonDebeziumDeserializationSchema gives, or leave the topic out of the source's topics; "
      "rows of Debezium's ExtractNewRecordState are read with format.plugin = \"debezium-json\"");
}

Status not_flattened() {
  return Status::bad_record("value: an event with an envelope, while events = \"flattened\" is set",
                            "leave `events` out of the format's settings: the two kinds are told apart by themselves");
}

Status wrapped_event(std::string_view name) {
  return Status::bad_record("value: " + sdk::json_string(name) + " holds an event or a part of one, so this is no row", kMend);
}

Status not_json(const char* part, const sdk::JsonError& error, std::size_t base) {
  return Status::bad_record(
      std::string(part) + ": " + error.what + " at byte " + std::to_string(error.offset + base),
      "look at the raw bytes in the dead letter; a producer other than Debezium, or a broken one, wrote this message");
}

/// Names of schemas whose messages are about the connector, not about rows.
bool is_marker_schema(std::string_view name) {
  return name.starts_with("io.debezium.connector.") &&
         (name.ends_with(".Heartbeat") || name.ends_with(".TransactionMetadataValue") || name.ends_with(".Notification"));
}

bool is_schema_change_schema(std::string_view name) {
  return name.starts_with("io.debezium.connector.") && name.ends_with(".SchemaChangeValue");
}

/// The schema's name says so, or its whole shape does: columns of a flattened row may have any of these names.
bool is_envelope_schema(const ConnectSchema& schema) {
  const ConnectSchema* operation = schema.find("op");
  const ConnectSchema* source = schema.find("source");
  if (schema.type != "struct" || operation == nullptr || operation->type != "string" || source == nullptr || source->type != "struct")
    return false;
  if (schema.name.ends_with("Envelope")) return true;
  if (source->find("connector") == nullptr || source->find("name") == nullptr) return false;
  return schema.find("before") != nullptr || schema.find("after") != nullptr || schema.find("message") != nullptr;
}

/// A row's schema in which an envelope can still be seen, or that holds one.
bool resembles_envelope_schema(const ConnectSchema& schema) {
  if (schema.name.ends_with("Envelope")) return true;
  for (const ConnectSchema& field : schema.fields) {
    if (field.type != "struct") continue;
    const bool image = field.field == "before" || field.field == "after";
    if (image && !field.name.starts_with("io.debezium.")) return true;
    if (field.field == "source" && field.find("connector") != nullptr) return true;
    if (is_envelope_schema(field) || field.name.ends_with("Envelope")) return true;
  }
  return false;
}

std::string_view without_space(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// A message that begins with a known prefix: what stands between it and the last brace.
std::optional<std::string_view> payload_after(std::string_view message, std::size_t prefix) {
  message = without_space(message);
  if (message.size() <= prefix || message.back() != '}') return std::nullopt;
  const std::string_view payload = without_space(message.substr(prefix, message.size() - 1 - prefix));
  if (payload.empty()) return std::nullopt;
  return payload;
}

/// Counting knows a flat object without escapes, which keys are, quicker than following its strings does.
bool is_flat_object(std::string_view text) {
  if (text.front() != '{' || text.back() != '}') return false;
  uint32_t quotes = 0;
  uint32_t others = 0;
  for (const char c : text) {
    quotes += static_cast<uint32_t>(c == '"');
    others += static_cast<uint32_t>((c == '{') | (c == '}') | (c == '[') | (c == ']') | (c == '\\'));
  }
  return others == 2 && quotes % 2 == 0;
}

bool is_one_value(std::string_view text) { return is_flat_object(text) || sdk::skip_json_value(text, 0) == text.size(); }

}  // namespace

Status EventDecoder::decode(sdk::Messages messages, TopicState& topic, sdk::RowBuilder& rows) {
  return sdk::each_message(messages, rows, [&](const sdk::Message& message) {
    if (topic.is_overfull()) topic.forget();
    Status status = decode(message, topic, rows);
    give_back_large();
    return status;
  });
}

Status EventDecoder::decode(const sdk::Message& message, TopicState& topic, sdk::RowBuilder& rows) {
  converter_.write_to(rows);
  message_ = &message;
  topic_ = &topic;
  rows_ = &rows;
  key_ = Key();
  source_ = SourceValues();
  flat_operation_ = flat_deleted_ = {};
  base_ = 0;
  if (!message.has_value()) return decode_tombstone();
  const std::string_view value = message.value();
  if (const KnownSchema* known = topic.recognise_value(value)) {
    const auto payload = payload_after(value, known->prefix);
    base_ = known->prefix;
    if (payload && debezium::parse_json(*payload, tape_)) return decode_root(known);
    base_ = 0;  // not whole: taken apart as it would be if its schema were new
  }
  const KnownSchema* schema = nullptr;
  std::string_view payload = value;
  if (Status status = find_payload(schema, payload); !status) return status;
  if (!debezium::parse_json(payload, tape_)) {
    if (const ForeignFormat* format = recognise_binary(value)) return foreign(*format);
    return not_json("value", tape_.error(), base_);
  }
  return decode_root(schema);
}

Status EventDecoder::find_payload(const KnownSchema*& schema, std::string_view& payload) {
  const std::string_view value = message_->value();
  const auto parts = split_converter_message(value);
  if (!parts) return {};
  // JsonConverter writes no schema for a map or nothing at all; a row of two columns with these names has other values.
  if (parts->schema == "null" && parts->payload != "null" && parts->payload.front() != '{') return {};
  base_ = static_cast<std::size_t>(parts->payload.data() - value.data());
  payload = parts->payload;
  if (parts->schema == "null") return {};
  schema = topic_->recognise_value(value);
  return schema != nullptr ? Status() : learn_schema(value, parts->schema, parts->prefix, schema);
}

Status EventDecoder::learn_schema(std::string_view value, std::string_view text, std::size_t prefix, const KnownSchema*& known) {
  std::string problem;
  auto schema = parse_schema(text, problem);
  if (!schema) return Status::bad_record("value: the schema cannot be read: " + problem);
  KnownSchema made;
  if (is_marker_schema(schema->name) || (is_of_flink() && schema->find("historyRecord") != nullptr)) {
    made.form = Form::kMarker;
  } else if (is_schema_change_schema(schema->name)) {
    made.form = Form::kSchemaChange;
  } else if (settings_.events == Events::kEnvelope ? schema->find("op") != nullptr : is_envelope_schema(*schema)) {
    if (settings_.events == Events::kFlattened) return not_flattened();
    made.form = Form::kEnvelope;
    const ConnectSchema* after = schema->find("after");
    const ConnectSchema* row = after != nullptr ? after : schema->find("before");
    if (row != nullptr && row->type == "struct") {
      made.layout = topic_->share(declared_layout(*row, {}, converter_));
    } else if (row != nullptr && row->type == "string") {
      return foreign(kDebeziumMongo);
    } else if (schema->find("message") != nullptr) {
      made.form = Form::kMarker;
    } else {
      return Status::bad_record(
          "value: the schema's \"after\" is " + (row == nullptr ? std::string("missing") : "of type " + row->type) + ", not a struct",
          "no row can be read from it; leave the topic out of the source's topics");
    }
  } else if (schema->type == "struct") {
    if (is_of_flink()) return no_envelope();
    if (settings_.events == Events::kEnvelope) {
      return Status::bad_record("value: a row without envelope, while events = \"envelope\" is set",
                                "leave `events` out of the format's settings, or the topic out of the source's topics");
    }
    if (settings_.events == Events::kAuto && resembles_envelope_schema(*schema)) {
      const auto parts = split_converter_message(value);
      const bool readable = parts && debezium::parse_json(parts->payload, tape_) && tape_[0].kind == Kind::kObject;
      const ForeignFormat* format = readable ? recognise_foreign(tape_, 0, message_->key()) : nullptr;
      if (message_->header("ce_specversion")) format = &kCloudEvents;
      return format != nullptr ? foreign(*format) : damaged_envelope();
    }
    made.form = Form::kFlattened;
    auto layout = declared_layout(*schema, settings_.metadata_prefix, converter_);
    // Debezium names the schemas of rows so; who else does is not known.
    if (schema->name.ends_with("Value")) layout->may_be_foreign = false;
    made.layout = topic_->share(std::move(layout));
  } else {
    const auto parts = split_converter_message(value);
    if (schema->type == "string" && parts && debezium::parse_json(parts->payload, tape_) && holds_json_text()) return not_an_object();
    return Status::bad_record("value: the schema is of type " + schema->type + ", not a struct", kOtherTopics);
  }
  known = topic_->learn_value(std::move(made), value.substr(0, prefix));
  return {};
}

bool EventDecoder::holds_json_text() {
  return tape_[0].kind == Kind::kString && debezium::parse_json(tape_.text(0), header_tape_) && header_tape_[0].kind == Kind::kObject;
}

Status EventDecoder::not_an_object() {
  if (holds_json_text()) {
    if (const ForeignFormat* format = recognise_foreign(header_tape_, 0, message_->key())) return foreign(*format);
    return Status::bad_record("value: a text that holds JSON, not an object: it was encoded twice",
                              "let the producer write the JSON as it is: Kafka Connect's StringConverter in place of JsonConverter");
  }
  const bool list = tape_[0].kind == Kind::kArray;
  return Status::bad_record(std::string("value: ") + sdk::describe(tape_[0].kind) + ", not an object",
                            list ? "let the producer write each event as a message of its own" : kOtherTopics);
}

Status EventDecoder::decode_root(const KnownSchema* schema) {
  if (tape_[0].kind == Kind::kNull) return decode_tombstone();
  if (schema != nullptr && schema->form == Form::kMarker) {
    if (!is_of_flink() || tape_[0].kind != Kind::kObject) return marker();
    const uint32_t history = tape_.find(0, "historyRecord");
    if (history == 0 || tape_[history].kind != Kind::kString) return marker();
    if (const uint32_t source = tape_.find(0, "source"); source != 0) read_source(source);
    return decode_history(history, true);
  }
  if (schema != nullptr && schema->form == Form::kSchemaChange) return decode_schema_change();
  if (tape_[0].kind != Kind::kObject) return not_an_object();
  if (schema != nullptr && schema->form == Form::kFlattened) return decode_flattened(schema->layout.get());
  MessageShape shape;
  if (const uint32_t twice = shape.read(tape_); twice != 0) {
    return Status::bad_record("value: \"" + std::string(tape_.text(twice)) + "\" stands twice in the event (byte " +
                              std::to_string(tape_.offset(twice) + base_) + ")");
  }
  if (schema == nullptr) return settings_.events == Events::kFlattened ? decode_natural_row(shape) : decode_natural_root(shape);
  if (shape[Part::kSource] != 0) read_source(shape[Part::kSource]);
  return decode_envelope({shape[Part::kBefore], shape[Part::kAfter], shape[Part::kSource], shape[Part::kOperation]}, schema->layout.get());
}

Status EventDecoder::decode_natural_row(const MessageShape& shape) {
  const bool debezium_source = shape[Part::kSource] != 0 && read_source(shape[Part::kSource]);
  if (debezium_source && shape.resembles_envelope(tape_)) return not_flattened();
  source_ = SourceValues();
  return is_heartbeat() ? marker() : decode_flattened(nullptr);
}

Status EventDecoder::decode_natural_root(const MessageShape& shape) {
  const uint32_t source = shape[Part::kSource];
  const uint32_t operation = shape[Part::kOperation];
  const Envelope envelope{shape[Part::kBefore], shape[Part::kAfter], source, operation};
  const bool says_operation = operation != 0 && tape_[operation].kind == Kind::kString;
  const bool debezium_source = source != 0 && read_source(source);
  if (says_operation && debezium_source) return decode_envelope(envelope, nullptr);
  const bool names_table = source_[SourceField::kTable].data() != nullptr;
  if (shape.is_schema_change(tape_, debezium_source)) {
    const uint32_t history = shape[Part::kHistoryRecord];
    return is_of_flink() && history != 0 ? decode_history(history, false) : decode_schema_change();
  }
  if (shape.is_transaction(tape_, topic_->topic()) || is_heartbeat() || is_notification(tape_)) return marker();
  if (shape.is_bare_envelope(tape_, names_table)) return decode_envelope(envelope, nullptr);
  if (settings_.events == Events::kEnvelope) {
    if (const ForeignFormat* format = recognise_foreign(tape_, 0, message_->key())) return foreign(*format);
    if (is_of_flink() && (operation == 0 || source == 0)) return no_envelope();
    return decode_envelope(envelope, nullptr);
  }
  const uint32_t wrapped = find_wrapped_event(tape_, shape);
  // Whoever writes such a source writes no row: a json column would be text here.
  if (debezium_source || wrapped != 0 || shape.resembles_envelope(tape_)) {
    if (message_->header("ce_specversion")) return foreign(kCloudEvents);
    if (const ForeignFormat* format = recognise_foreign(tape_, 0, message_->key())) return foreign(*format);
    return wrapped != 0 && !debezium_source ? wrapped_event(tape_.text(wrapped)) : damaged_envelope();
  }
  source_ = SourceValues();
  return decode_flattened(nullptr);
}

bool EventDecoder::read_source(uint32_t source) {
  if (tape_[source].kind != Kind::kObject) return false;
  source_reader_.read(tape_, source, source_);
  return !source_[SourceField::kConnector].empty() &&
         (source_[SourceField::kTable].data() != nullptr || source_[SourceField::kDatabase].data() != nullptr ||
          source_[SourceField::kTimeMilliseconds].data() != nullptr);
}

bool EventDecoder::is_heartbeat() {
  if (tape_[0].size != 1 || tape_.text(1) != "ts_ms" || tape_[2].kind != Kind::kNumber) return false;
  if (std::string_view(topic_->topic()).starts_with(kHeartbeatTopic)) return true;
  // A heartbeat topic may have a prefix of its own: then the key, which is the server's name and nothing else, tells.
  std::string_view key = message_->key();
  if (const auto parts = split_converter_message(key)) key = parts->payload;
  return debezium::parse_json(key, header_tape_) && header_tape_[0].kind == Kind::kObject && header_tape_[0].size == 1 &&
         header_tape_.text(1) == "serverName";
}

Status EventDecoder::read_key() {
  if (!message_->has_key() || settings_.ignore_keys) return {};
  const std::string_view key = message_->key();
  if (const KnownSchema* schema = topic_->recognise_key(key)) {
    // The names are known; the values are read only where a row needs them.
    const auto payload = payload_after(key, schema->prefix);
    if (payload && is_one_value(*payload)) {
      key_.layout = schema->layout.get();
      key_.payload = *payload;
      return payload->front() == '{' ? Status() : parse_key();
    }
  }
  key_.payload = key;
  if (const auto parts = split_converter_message(key)) {
    key_.payload = parts->payload;
    if (parts->schema != "null") {
      if (Status status = learn_key_schema(key, parts->schema, parts->prefix); !status) return status;
      return key_.payload.front() == '{' ? Status() : parse_key();
    }
  }
  if (Status status = parse_key(); !status) return status;
  if (key_tape_[0].kind == Kind::kNull) return {};
  std::string duplicate;
  key_.layout = topic_->key_layout(key_tape_, 0, duplicate);
  if (key_.layout == nullptr) return Status::bad_record("key: \"" + duplicate + "\" stands twice");
  return {};
}

Status EventDecoder::learn_key_schema(std::string_view key, std::string_view text, std::size_t prefix) {
  std::string problem;
  const auto schema = parse_schema(text, problem);
  if (!schema) return Status::bad_record("key: the schema cannot be read: " + problem);
  if (schema->type != "struct") {
    return Status::bad_record(
        "key: of type " + schema->type + ", so the names of the key columns are unknown",
        "set keys = \"ignore\" and give the route's primary_key, or drop the transform that takes a field out of the key");
  }
  KnownSchema made;
  auto layout = declared_layout(*schema, {}, converter_);
  // A key alone does not say which other columns the table has.
  layout->declared = false;
  made.layout = topic_->share(std::move(layout));
  key_.layout = topic_->learn_key(std::move(made), key.substr(0, prefix))->layout.get();
  return {};
}

Status EventDecoder::parse_key() {
  if (key_.parsed) return {};
  const std::string_view key = message_->key();
  const std::size_t base = static_cast<std::size_t>(key_.payload.data() - key.data());
  const bool readable = debezium::parse_json(key_.payload, key_tape_);
  if (!readable) {
    if (const ForeignFormat* format = recognise_binary(key)) {
      return Status::bad_record(
          std::string("key: ") + format->name + ", so the names of the key columns are unknown",
          "let the connector write keys with JsonConverter, or set keys = \"ignore\" and give the route's primary_key");
    }
    if (key_.layout != nullptr) return not_json("key", key_tape_.error(), base);
  }
  if (!readable || (key_tape_[0].kind != Kind::kObject && key_tape_[0].kind != Kind::kNull)) {
    return Status::bad_record(std::string("key: ") +
                                  (readable ? std::string(sdk::describe(key_tape_[0].kind)) + ", not an object" : key_tape_.error().what) +
                                  ", so the names of the key columns are unknown",
                              "set keys = \"ignore\" and give the route's primary_key, or let the connector write keys with JsonConverter");
  }
  key_.parsed = true;
  return {};
}

Status EventDecoder::marker() {
  rows_->begin_row(CDCRT_MARKER, message_->index(), 0);
  return {};
}

}  // namespace cdcrt::debezium
