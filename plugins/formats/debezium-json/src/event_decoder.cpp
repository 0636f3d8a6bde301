// From a message to what it is: key, schema, form. Rows are made in row_decoding.cpp.
#include "event_decoder.hpp"

#include "debezium/json_scan.hpp"

namespace cdcrt::debezium_json {

using debezium::Kind;
using sdk::Status;

namespace {

constexpr std::string_view kHeartbeatTopic = "__debezium-heartbeat";

Status not_json(const char* part, const debezium::JsonError& error, std::size_t base) {
  return Status::bad_record(
      std::string(part) + ": " + error.what + " at byte " + std::to_string(error.offset + base),
      "look at the raw bytes in the dead letter; a producer other than Debezium, or a broken one, wrote this message");
}

/// Names of schemas whose messages are about the connector, not about rows.
bool is_marker_schema(std::string_view name) {
  return name.ends_with("common.Heartbeat") || name.ends_with("TransactionMetadataValue") || name.ends_with("SchemaChangeValue");
}

}  // namespace

Status EventDecoder::decode(const sdk::Message& message, TopicState& topic, sdk::RowBuilder& rows) {
  converter_.write_to(rows);
  message_ = &message;
  topic_ = &topic;
  rows_ = &rows;
  key_ = Key();
  source_ = debezium::SourceValues();
  flat_operation_ = flat_deleted_ = {};
  base_ = 0;
  if (!message.has_value()) return decode_tombstone();

  const std::string_view value = message.value();
  const KnownSchema* schema = topic.recognise_value(value);
  std::string_view payload = value;
  if (schema != nullptr) {
    // The prefix is whole JSON up to the payload: what is left is the payload and one brace.
    std::size_t end = value.find_last_not_of(" \t\r\n");
    if (value[end] != '}')
      return Status::bad_record("value: the JSON text ends too early (truncated?) at byte " + std::to_string(value.size()));
    base_ = schema->prefix.size();
    if (end < base_) return Status::bad_record("value: the JSON text ends too early (truncated?) at byte " + std::to_string(value.size()));
    payload = value.substr(base_, end - base_);
  } else if (const auto parts = debezium::split_converter_message(value)) {
    base_ = static_cast<std::size_t>(parts->payload.data() - value.data());
    payload = parts->payload;
    if (parts->schema != "null") {
      if (Status status = learn_schema(value, parts->schema, parts->prefix, schema); !status) return status;
    }
  }
  if (!tape_.parse(payload)) return not_json("value", tape_.error(), base_);
  return decode_root(schema);
}

Status EventDecoder::learn_schema(std::string_view value, std::string_view text, std::size_t prefix, const KnownSchema*& known) {
  std::string problem;
  auto schema = debezium::parse_schema(text, problem);
  if (!schema) return Status::bad_record("value: the schema cannot be read: " + problem);
  KnownSchema made;
  if (prefix != 0) made.prefix = std::string(value.substr(0, prefix));
  const debezium::ConnectSchema* after = schema->find("after");
  const debezium::ConnectSchema* before = schema->find("before");
  if (is_marker_schema(schema->name)) {
    made.form = Form::kMarker;
  } else if (schema->find("op") != nullptr && schema->find("source") != nullptr) {
    made.form = Form::kEnvelope;
    const debezium::ConnectSchema* row = after != nullptr ? after : before;
    if (row != nullptr && row->type == "struct") {
      made.layout = declared_layout(*row, {}, converter_);
    } else if (schema->find("message") != nullptr) {
      made.form = Form::kMarker;
    } else {
      return Status::bad_record(
          "value: the schema's \"after\" is " + (row == nullptr ? std::string("missing") : "of type " + row->type) + ", not a struct",
          "events of document databases need a format of their own");
    }
  } else if (schema->type == "struct") {
    made.form = Form::kFlattened;
    made.layout = declared_layout(*schema, settings_.metadata_prefix, converter_);
  } else {
    return Status::bad_record("value: the schema is of type " + schema->type + ", not a struct",
                              "this format reads Debezium's events; leave other topics out of the source's topics");
  }
  known = topic_->learn_value(std::move(made));
  return {};
}

Status EventDecoder::decode_root(const KnownSchema* schema) {
  if (tape_[0].kind == Kind::kNull) return decode_tombstone();
  if (tape_[0].kind != Kind::kObject) {
    return Status::bad_record(std::string("value: ") + debezium::describe(tape_[0].kind) + ", not an object",
                              "this format reads Debezium's events; leave other topics out of the source's topics");
  }
  if (schema != nullptr) {
    if (schema->form == Form::kMarker) return marker();
    if (schema->form == Form::kFlattened) return decode_flattened(schema->layout.get());
    Envelope envelope;
    if (Status status = read_envelope(envelope); !status) return status;
    return decode_envelope(envelope, schema->layout.get());
  }
  Envelope envelope;
  if (Status status = read_envelope(envelope); !status) return status;
  const bool has_source = envelope.source != 0 && tape_[envelope.source].kind == Kind::kObject;
  if (has_source && envelope.operation != 0 && tape_[envelope.operation].kind == Kind::kString) return decode_envelope(envelope, nullptr);
  if (has_source && (envelope.has_ddl || envelope.has_history)) return marker();
  if (envelope.has_status && envelope.has_id && envelope.has_event_count) return marker();
  return is_heartbeat() ? marker() : decode_flattened(nullptr);
}

bool EventDecoder::is_heartbeat() const {
  if (tape_[0].size != 1 || tape_.text(1) != "ts_ms" || tape_[2].kind != Kind::kNumber) return false;
  // A heartbeat topic may have a prefix of its own: then the key, which names the server, tells.
  return std::string_view(topic_->topic()).starts_with(kHeartbeatTopic) || message_->key().find("\"serverName\"") != std::string_view::npos;
}

Status EventDecoder::read_envelope(Envelope& envelope) {
  uint32_t name = 1;
  const auto once = [&](uint32_t& member) {
    if (member != 0) return false;
    member = name + 1;
    return true;
  };
  for (uint32_t i = 0; i < tape_[0].size; ++i) {
    const std::string_view text = tape_.text(name);
    bool unique = true;
    switch (text.size()) {
      case 2:
        if (text == "op") unique = once(envelope.operation);
        if (text == "id") envelope.has_id = true;
        break;
      case 3:
        if (text == "ddl") envelope.has_ddl = true;
        break;
      case 5:
        if (text == "after") unique = once(envelope.after);
        break;
      case 6:
        if (text == "before") unique = once(envelope.before);
        if (text == "source") unique = once(envelope.source);
        if (text == "status") envelope.has_status = true;
        break;
      case 11:
        if (text == "event_count") envelope.has_event_count = true;
        break;
      case 12:
        if (text == "tableChanges") envelope.has_ddl = true;
        break;
      case 13:
        if (text == "historyRecord") envelope.has_history = true;
        break;
      default:
        break;
    }
    if (!unique) {
      return Status::bad_record("value: \"" + std::string(text) + "\" stands twice in the event (byte " +
                                std::to_string(tape_.offset(name) + base_) + ")");
    }
    name = tape_[name + 1].next;
  }
  return {};
}

Status EventDecoder::read_key() {
  if (!message_->has_key() || settings_.ignore_keys) return {};
  const std::string_view key = message_->key();
  if (const KnownSchema* schema = topic_->recognise_key(key)) {
    const std::size_t end = key.find_last_not_of(" \t\r\n");
    if (key[end] != '}' || end < schema->prefix.size()) {
      return Status::bad_record("key: the JSON text ends too early (truncated?) at byte " + std::to_string(key.size()));
    }
    key_.layout = schema->layout.get();
    key_.payload = key.substr(schema->prefix.size(), end - schema->prefix.size());
    // The names are known; the values are read only where a row needs them. What does not look whole is looked at now.
    return key_.payload.ends_with('}') ? Status() : parse_key();
  }
  key_.payload = key;
  if (const auto parts = debezium::split_converter_message(key)) {
    key_.payload = parts->payload;
    if (parts->schema != "null") return learn_key_schema(key, parts->schema, parts->prefix);
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
  const auto schema = debezium::parse_schema(text, problem);
  if (!schema) return Status::bad_record("key: the schema cannot be read: " + problem);
  if (schema->type != "struct") {
    return Status::bad_record(
        "key: of type " + schema->type + ", so the names of the key columns are unknown",
        "set keys = \"ignore\" and give the route's primary_key, or drop the transform that takes a field out of the key");
  }
  KnownSchema made;
  if (prefix != 0) made.prefix = std::string(key.substr(0, prefix));
  made.layout = declared_layout(*schema, {}, converter_);
  // A key alone does not say which other columns the table has.
  made.layout->declared = false;
  key_.layout = topic_->learn_key(std::move(made))->layout.get();
  return {};
}

Status EventDecoder::parse_key() {
  if (key_.parsed) return {};
  const std::string_view key = message_->key();
  const std::size_t base = static_cast<std::size_t>(key_.payload.data() - key.data());
  const bool readable = key_tape_.parse(key_.payload);
  if (!readable && key_.layout != nullptr) return not_json("key", key_tape_.error(), base);
  if (!readable || (key_tape_[0].kind != Kind::kObject && key_tape_[0].kind != Kind::kNull)) {
    return Status::bad_record(
        std::string("key: ") +
            (readable ? std::string(debezium::describe(key_tape_[0].kind)) + ", not an object" : key_tape_.error().what) +
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

}  // namespace cdcrt::debezium_json
