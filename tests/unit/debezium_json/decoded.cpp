#include "decoded.hpp"

#include <rapidjson/document.h>
#include <zlib.h>

#include <cmath>
#include <stdexcept>

#include "debezium_json.hpp"
#include "event/row_batch.hpp"
#include "flink_cdc.hpp"

namespace cdcrt::test {

namespace {

const char* tag_name(uint8_t tag) {
  constexpr const char* names[] = {"ABSENT",    "NULL",        "BOOL",   "I64",   "U64",  "F64",  "DECIMAL", "DATE",    "TIME",
                                   "TIMESTAMP", "TIMESTAMPTZ", "STRING", "BYTES", "JSON", "UUID", "ARRAY",   "INTERVAL"};
  return tag < std::size(names) ? names[tag] : "?";
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    out.push_back("0123456789abcdef"[static_cast<unsigned char>(byte) >> 4]);
    out.push_back("0123456789abcdef"[static_cast<unsigned char>(byte) & 15]);
  }
  return out;
}

std::string cell_text(const cdcrt_cell& cell) {
  const std::string tag = tag_name(cell.tag);
  switch (cell.tag) {
    case CDCRT_ABSENT:
    case CDCRT_NULL: return tag;
    case CDCRT_U64: return tag + " " + std::to_string(cell.value.natural);
    case CDCRT_F64: {
      char buffer[64];
      std::snprintf(buffer, sizeof buffer, "%.17g", cell.value.real);
      return tag + " " + buffer;
    }
    case CDCRT_BYTES: return tag + " " + hex({cell.value.data, cell.size});
    default: break;
  }
  if (event::has_bytes(cell)) return tag + " " + std::string(cell.value.data, cell.size);
  return tag + " " + std::to_string(cell.value.integer);
}

std::string type_text(const cdcrt_type& type) {
  constexpr const char* names[] = {"UNKNOWN",     "BOOL",    "INT8",    "INT16", "INT32", "INT64",  "UINT64",
                                   "FLOAT32",     "FLOAT64", "DECIMAL", "DATE",  "TIME",  "TIMETZ", "TIMESTAMP",
                                   "TIMESTAMPTZ", "STRING",  "BYTES",   "JSON",  "UUID",  "ARRAY",  "INTERVAL"};
  if (type.kind == CDCRT_TYPE_ARRAY && type.element != CDCRT_TYPE_UNKNOWN) {
    return type_text(cdcrt_type{type.element, 0, type.scale, type.length}) + "[]";
  }
  std::string text = names[type.kind];
  if (type.kind == CDCRT_TYPE_DECIMAL) return text + "(" + std::to_string(type.length) + "," + std::to_string(type.scale) + ")";
  if (type.length != 0) text += "(" + std::to_string(type.length) + ")";
  return text;
}

/// The manifest's loader does this for real: defaults, then what was given.
class TestConfig {
 public:
  explicit TestConfig(const Options& options)
      : texts_{{"table_from_topic", ""},
               {"tombstones", "auto"},
               {"events", "auto"},
               {"keys", "auto"},
               {"unavailable_value", "__debezium_unavailable_value"},
               {"metadata_prefix", "__"},
               {"replica_identity", "default"}} {
    for (const auto& [key, value] : options) texts_.at(key) = value;
    for (const auto& [key, value] : texts_) {
      cdcrt_option_value option{};
      option.key = key.c_str();
      option.type =
          key == "tombstones" || key == "events" || key == "keys" || key == "replica_identity" ? CDCRT_OPTION_ENUM : CDCRT_OPTION_STRING;
      option.is_set = value.empty() ? 0 : 1;
      option.string = sdk::borrow(value);
      values_.push_back(option);
    }
    config_.size = sizeof config_;
    config_.count = static_cast<uint32_t>(values_.size());
    config_.values = values_.data();
    config_.value_size = sizeof(cdcrt_option_value);
  }
  const cdcrt_config& get() const { return config_; }

 private:
  std::map<std::string, std::string> texts_;
  std::vector<cdcrt_option_value> values_;
  cdcrt_config config_{};
};

TestRow make_row(const cdcrt_row& row, const event::RowBatch& batch, const event::ShapeRegistry& shapes, uint32_t first_message) {
  TestRow out;
  constexpr const char* operations[] = {"?", "SNAPSHOT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "DEFINITION", "MARKER"};
  out.message = row.message + first_message;
  out.operation = operations[row.operation];
  if (row.operation == CDCRT_MARKER) return out;
  const event::Shape& shape = shapes.get(row.shape);
  const auto part = [](const std::string& text) { return text.empty() ? std::string("-") : text; };
  out.table = part(shape.database) + "." + part(shape.schema) + "." + part(shape.table);
  out.declared = shape.declared;
  out.keyed = shape.keyed;
  out.key_elsewhere = shape.key_elsewhere;
  for (const auto& column : shape.columns) {
    out.names.push_back(column.name);
    TestColumn test;
    test.type = type_text(column.type);
    test.not_null = (column.flags & CDCRT_COLUMN_NOT_NULL) != 0;
    test.key_ordinal = column.key_ordinal;
    test.former_name = column.former_name;
    if ((column.flags & CDCRT_COLUMN_DEFAULT) != 0) {
      test.default_value = cell_text(column.default_value) + ((column.flags & CDCRT_COLUMN_DEFAULT_CERTAIN) != 0 ? "" : "?");
    }
    out.columns[column.name] = test;
  }
  const auto read = [&](uint32_t first, std::map<std::string, std::string>& cells) {
    if (first == CDCRT_NO_CELLS) return false;
    for (std::size_t i = 0; i < shape.columns.size(); ++i) {
      const cdcrt_cell& cell = batch.cells(first)[i];
      if (cell.tag != CDCRT_ABSENT) cells[shape.columns[i].name] = cell_text(cell);
    }
    return true;
  };
  read(row.cells, out.cells);
  out.has_before = read(row.before, out.before);
  out.has_other_key = read(row.other_key, out.other_key);
  out.order = hex(sdk::view(row.source_order));
  out.time_us = row.source_time_us;
  return out;
}

std::string text_of(const std::map<std::string, std::string>& cells) {
  std::string out = "{";
  for (const auto& [name, value] : cells) out += name + "=" + value + ";";
  return out + "}";
}

std::string read_file(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error("cannot open " + path);
  std::string text;
  char buffer[65536];
  for (int count = 0; (count = gzread(file, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(count));
  gzclose(file);
  return text;
}

}  // namespace

std::string TestRow::text() const {
  std::string out = std::to_string(message) + " " + operation + " " + table + (declared ? " declared" : "") + (keyed ? " keyed" : "");
  for (const auto& name : names) {
    const TestColumn& column = columns.at(name);
    out += " " + name + ":" + column.type + (column.not_null ? "!" : "") +
           (column.key_ordinal != 0 ? "#" + std::to_string(column.key_ordinal) : "") +
           (column.default_value.empty() ? "" : "=" + column.default_value);
  }
  out += " " + text_of(cells);
  if (has_before) out += " before" + text_of(before);
  if (has_other_key) out += " other" + text_of(other_key);
  return out + " order=" + order + " time=" + std::to_string(time_us);
}

namespace {

Decoded decode_by(const cdcrt_format& functions, const std::vector<TestMessage>& messages, const std::string& topic, const Options& options,
                  std::size_t batch_size) {
  const TestConfig config(options);
  event::ShapeRegistry shapes;
  cdcrt_error error{};
  error.size = sizeof error;
  void* self = nullptr;
  if (functions.create(nullptr, &config.get(), &self, &error) != CDCRT_OK) {
    const std::string message = std::string(error.config_key == nullptr ? "" : error.config_key) + ": " + error.message;
    if (error.release != nullptr) error.release(&error);
    throw std::runtime_error(message);
  }
  Decoded out;
  event::RowBatch batch(shapes);
  if (batch_size == 0) batch_size = messages.empty() ? 1 : messages.size();
  for (std::size_t first = 0; first < messages.size(); first += batch_size) {
    const std::size_t count = std::min(batch_size, messages.size() - first);
    // Exact-size copies, so that a sanitizer sees a read beyond a message.
    std::vector<std::unique_ptr<char[]>> bytes;
    std::vector<std::vector<cdcrt_header>> headers(count);
    std::vector<cdcrt_message> views(count);
    const auto own = [&](const std::string& text) {
      bytes.emplace_back(new char[text.size()]);
      std::copy(text.begin(), text.end(), bytes.back().get());
      return cdcrt_string{bytes.back().get(), text.size()};
    };
    for (std::size_t i = 0; i < count; ++i) {
      const TestMessage& message = messages[first + i];
      if (message.key) views[i].key = own(*message.key);
      if (message.value) views[i].value = own(*message.value);
      for (const auto& [name, value] : message.headers) headers[i].push_back({own(name), own(value)});
      views[i].headers = headers[i].data();
      views[i].header_count = static_cast<uint32_t>(headers[i].size());
      views[i].offset = static_cast<int64_t>(first + i);
    }
    cdcrt_messages call{};
    call.size = sizeof call;
    call.topic = sdk::borrow(topic);
    call.messages = views.data();
    call.message_size = sizeof(cdcrt_message);
    call.count = static_cast<uint32_t>(count);
    batch.clear();
    if (functions.decode(self, &call, batch.abi(), &error) != CDCRT_OK) throw std::runtime_error(error.message);
    for (const auto& reject : batch.rejects()) {
      out.rejects.push_back({reject.message + static_cast<uint32_t>(first), static_cast<int32_t>(reject.error.code), reject.error.message,
                             reject.error.hint});
    }
    for (uint32_t i = 0; i < batch.size(); ++i) {
      bool rejected = false;
      for (const auto& reject : batch.rejects()) rejected = rejected || reject.message == batch.rows()[i].message;
      if (!rejected) out.rows.push_back(make_row(batch.rows()[i], batch, shapes, static_cast<uint32_t>(first)));
    }
  }
  functions.destroy(self);
  return out;
}

}  // namespace

Decoded decode(const std::vector<TestMessage>& messages, const std::string& topic, const Options& options, std::size_t batch_size) {
  return decode_by(sdk::detail::format_functions<debezium_json::DebeziumJson>(), messages, topic, options, batch_size);
}

Decoded decode_flink(const std::vector<TestMessage>& messages, const Options& options, std::size_t batch_size) {
  return decode_by(sdk::detail::format_functions<flink_cdc::FlinkCdc>(), messages, "events", options, batch_size);
}

std::map<std::string, std::vector<TestMessage>> read_events(const std::string& path) {
  const std::string text = read_file(path);
  std::map<std::string, std::vector<TestMessage>> topics;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    rapidjson::Document line;
    line.Parse(text.data() + at, end - at);
    at = end + 1;
    if (!line.IsObject()) continue;
    TestMessage message;
    const auto optional_text = [&](const char* name) -> std::optional<std::string> {
      const auto found = line.FindMember(name);
      if (found == line.MemberEnd() || !found->value.IsString()) return std::nullopt;
      return std::string(found->value.GetString(), found->value.GetStringLength());
    };
    message.key = optional_text("key");
    message.value = optional_text("payload");
    if (const auto headers = line.FindMember("headers"); headers != line.MemberEnd() && headers->value.IsArray()) {
      for (rapidjson::SizeType i = 0; i + 1 < headers->value.Size(); i += 2) {
        if (headers->value[i + 1].IsString())
          message.headers.emplace_back(headers->value[i].GetString(), headers->value[i + 1].GetString());
      }
    }
    topics[line["topic"].GetString()].push_back(std::move(message));
  }
  return topics;
}

namespace {

const char* const kSource =
    R"({"version":"3.2.0.Final","connector":"postgresql","name":"pg","ts_ms":1700000000123,"snapshot":"false","db":"shop","ts_us":1700000000123456,"schema":"public","table":"t","txId":7,"lsn":258})";

std::string payload(const std::string& value, const std::string& operation) {
  const std::string row = R"({"id":1,"v":)" + value + "}";
  const bool removed = operation == "d";
  return R"({"before":)" + (removed ? row : "null") + R"(,"after":)" + (removed || operation == "t" ? "null" : row) + R"(,"source":)" +
         kSource + R"(,"op":")" + operation + R"(","ts_ms":1700000000999,"transaction":null})";
}

}  // namespace

TestMessage with_schema(const std::string& field, const std::string& value, const std::string& operation) {
  const std::string row = R"({"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"field":"v",)" + field +
                          R"(}],"optional":true,"name":"pg.public.t.Value","field":")";
  TestMessage message;
  message.key =
      R"({"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"}],"optional":false,"name":"pg.public.t.Key"},"payload":{"id":1}})";
  message.value =
      R"({"schema":{"type":"struct","fields":[)" + row + R"(before"},)" + row +
      R"(after"},{"type":"struct","fields":[{"type":"string","optional":false,"field":"table"}],"optional":false,"field":"source"},{"type":"string","optional":false,"field":"op"}],"optional":false,"name":"pg.public.t.Envelope"},"payload":)" +
      payload(value, operation) + "}";
  return message;
}

TestMessage without_schema(const std::string& value, const std::string& operation) {
  return TestMessage{R"({"id":1})", payload(value, operation), {}};
}

}  // namespace cdcrt::test
