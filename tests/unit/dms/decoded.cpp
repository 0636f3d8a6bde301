#include "decoded.hpp"

#include <cstdio>
#include <stdexcept>

#include "cdcrt/sdk/hex.hpp"
#include "dms.hpp"
#include "event/row_batch.hpp"

namespace cdcrt::test {

namespace {

std::string cell_text(const cdcrt_cell& cell) {
  switch (cell.tag) {
    case CDCRT_NULL: return "NULL";
    case CDCRT_BOOL: return cell.value.integer != 0 ? "true" : "false";
    case CDCRT_I64: return std::to_string(cell.value.integer);
    case CDCRT_U64: return std::to_string(cell.value.natural) + "u";
    case CDCRT_F64: {
      char text[64];
      std::snprintf(text, sizeof text, "~%.17g", cell.value.real);
      return text;
    }
    case CDCRT_DECIMAL: return std::string(sdk::text(cell));
    case CDCRT_STRING: return "'" + std::string(sdk::text(cell)) + "'";
    case CDCRT_JSON: return "json " + std::string(sdk::text(cell));
    case CDCRT_ARRAY: return "array " + std::string(sdk::text(cell));
    default: return "tag " + std::to_string(cell.tag);
  }
}

std::string type_text(cdcrt_type type) {
  constexpr const char* names[] = {"unknown",     "bool",    "int8",    "int16", "int32", "int64",  "uint64",
                                   "float32",     "float64", "decimal", "date",  "time",  "timetz", "timestamp",
                                   "timestamptz", "text",    "bytes",   "json",  "uuid",  "array",  "interval"};
  std::string text = names[type.kind];
  if (type.length != 0)
    text += "(" + std::to_string(type.length) + (type.kind == CDCRT_TYPE_DECIMAL ? "," + std::to_string(type.scale) : "") + ")";
  return text;
}

std::string row_text(const cdcrt_row& row, const event::RowBatch& batch, const event::ShapeRegistry& shapes) {
  constexpr const char* operations[] = {"?", "SNAPSHOT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "DEFINITION", "MARKER"};
  std::string out = operations[row.operation];
  if (row.operation == CDCRT_MARKER) return out;
  const event::Shape& shape = shapes.get(row.shape);
  out += " " + (shape.schema.empty() ? "" : shape.schema + ".") + shape.table;
  if (row.operation == CDCRT_DEFINITION) {
    out += std::string(shape.declared ? " declared" : "") + (shape.keyed ? " keyed" : "") + (shape.renamed ? " renamed" : "");
    for (const auto& column : shape.columns) {
      out += " " + column.name + ":" + type_text(column.type) + ((column.flags & CDCRT_COLUMN_NOT_NULL) != 0 ? "!" : "") +
             (column.key_ordinal != 0 ? "#" + std::to_string(column.key_ordinal) : "");
    }
    return out;
  }
  const auto append = [&](uint32_t first) {
    for (std::size_t i = 0; i < shape.columns.size(); ++i) {
      const cdcrt_cell& cell = batch.cells(first)[i];
      if (cell.tag != CDCRT_ABSENT) out += " " + shape.columns[i].name + "=" + cell_text(cell);
    }
  };
  append(row.cells);
  if (shape.absent_is_null) out += " ...";
  if (row.before == CDCRT_NO_CELLS) return out;
  out += " before";
  append(row.before);
  return out;
}

/// The manifest's loader does this for real: defaults, then what was given.
class DmsConfig {
 public:
  explicit DmsConfig(const DmsOptions& options) {
    texts_ = {{"include_null_and_empty", "false"}, {"before_image_field", ""}, {"before_image_prefix", "BI_"},
              {"before_image_suffix", ""},         {"deletes", "key"},         {"loads", "oldest"}};
    std::vector<std::string> empties;
    for (const auto& [key, value] : options) {
      if (key == "empty_when_absent") {
        items_.push_back(value);
      } else {
        texts_.at(key) = value;
      }
    }
    for (const auto& item : items_) item_views_.push_back(sdk::borrow(item));
    for (const auto& [key, value] : texts_) {
      cdcrt_option_value option{};
      option.key = key.c_str();
      option.type = key == "include_null_and_empty"      ? CDCRT_OPTION_BOOLEAN
                    : key == "deletes" || key == "loads" ? CDCRT_OPTION_ENUM
                                                         : CDCRT_OPTION_STRING;
      option.is_set = 1;
      option.string = sdk::borrow(value);
      option.integer = value == "true" ? 1 : 0;
      values_.push_back(option);
    }
    cdcrt_option_value list{};
    list.key = "empty_when_absent";
    list.type = CDCRT_OPTION_LIST;
    list.is_set = item_views_.empty() ? 0 : 1;
    list.count = static_cast<uint32_t>(item_views_.size());
    list.strings = item_views_.data();
    values_.push_back(list);
    config_.size = sizeof config_;
    config_.count = static_cast<uint32_t>(values_.size());
    config_.values = values_.data();
    config_.value_size = sizeof(cdcrt_option_value);
  }
  [[nodiscard]] const cdcrt_config& get() const { return config_; }

 private:
  std::map<std::string, std::string> texts_;
  std::vector<std::string> items_;
  std::vector<cdcrt_string> item_views_;
  std::vector<cdcrt_option_value> values_;
  cdcrt_config config_{};
};

struct Line {
  std::string text, order;
};

std::vector<Line> decode(const std::vector<std::optional<std::string>>& values, const DmsOptions& options) {
  const DmsConfig config(options);
  dms::Dms format;
  if (const sdk::Status status = format.configure(sdk::Config(config.get())); !status)
    throw std::runtime_error(std::string(status.message()));
  event::ShapeRegistry shapes;
  event::RowBatch batch(shapes);
  std::vector<cdcrt_message> messages(values.size());
  std::vector<std::unique_ptr<char[]>> bytes;
  for (std::size_t i = 0; i < values.size(); ++i) {
    messages[i].offset = static_cast<int64_t>(i);
    if (!values[i]) continue;
    // An exact copy, so that a sanitizer sees a read beyond the message.
    bytes.emplace_back(new char[values[i]->size()]);
    std::copy(values[i]->begin(), values[i]->end(), bytes.back().get());
    messages[i].value = {bytes.back().get(), values[i]->size()};
  }
  cdcrt_messages call{};
  call.size = sizeof call;
  call.topic = sdk::borrow("dms");
  call.messages = messages.data();
  call.message_size = sizeof(cdcrt_message);
  call.count = static_cast<uint32_t>(messages.size());
  sdk::RowBuilder rows(*batch.abi());
  if (const sdk::Status status = format.decode(sdk::Messages(call), rows); !status) throw std::runtime_error(std::string(status.message()));
  std::map<uint32_t, std::string> rejected;
  for (const auto& reject : batch.rejects()) {
    rejected[reject.message] = "dead letter: " + reject.error.message + (reject.error.hint.empty() ? "" : " | " + reject.error.hint);
  }
  std::vector<Line> lines;
  uint32_t row = 0;
  for (uint32_t message = 0; message < values.size(); ++message) {
    if (const auto found = rejected.find(message); found != rejected.end()) lines.push_back({found->second, {}});
    for (; row < batch.size() && batch.rows()[row].message == message; ++row) {
      if (rejected.count(message) != 0) continue;
      lines.push_back({row_text(batch.rows()[row], batch, shapes), sdk::encode_hex(sdk::view(batch.rows()[row].source_order))});
    }
  }
  return lines;
}

}  // namespace

std::vector<std::string> decode_dms(const std::vector<std::optional<std::string>>& values, const DmsOptions& options) {
  std::vector<std::string> texts;
  for (auto& line : decode(values, options)) texts.push_back(std::move(line.text));
  return texts;
}

std::string decode_dms(const std::string& value, const DmsOptions& options) {
  std::string text;
  for (const auto& line : decode({value}, options)) text += (text.empty() ? "" : "\n") + line.text;
  return text;
}

std::vector<std::string> orders_of(const std::vector<std::string>& values, const DmsOptions& options) {
  std::vector<std::string> orders;
  for (auto& line : decode({values.begin(), values.end()}, options)) orders.push_back(std::move(line.order));
  return orders;
}

namespace {

int asked_for = 0;
uint32_t (*intern_there)(cdcrt_rows*, const cdcrt_shape*) = nullptr;

uint32_t count_and_intern(cdcrt_rows* rows, const cdcrt_shape* shape) {
  ++asked_for;
  return intern_there(rows, shape);
}

}  // namespace

int shapes_asked_for_again(const std::vector<std::string>& values) {
  const DmsConfig config({});
  dms::Dms format;
  if (!format.configure(sdk::Config(config.get()))) throw std::runtime_error("the settings are refused");
  event::ShapeRegistry shapes;
  event::RowBatch batch(shapes);
  intern_there = batch.abi()->intern;
  batch.abi()->intern = &count_and_intern;
  for (int round = 0; round < 2; ++round) {
    asked_for = 0;
    for (const std::string& value : values) {
      cdcrt_message message{};
      message.value = sdk::borrow(value);
      cdcrt_messages call{};
      call.size = sizeof call;
      call.topic = sdk::borrow("dms");
      call.messages = &message;
      call.message_size = sizeof message;
      call.count = 1;
      batch.clear();
      sdk::RowBuilder rows(*batch.abi());
      if (!format.decode(sdk::Messages(call), rows) || batch.size() != 1) throw std::runtime_error("a record is refused");
    }
  }
  return asked_for;
}

std::string dms_record(const std::string& operation, const std::string& data, const std::string& more, const std::string& beside) {
  return "{" + beside + "\"data\":" + data +
         R"(,"metadata":{"timestamp":"2025-06-10T11:28:04.550604Z","record-type":"data","operation":")" + operation +
         R"(","partition-key-type":"schema-table","schema-name":"shop","table-name":"customer")" + more + "}}";
}

std::string dms_control(const std::string& operation, const std::string& control, const std::string& table) {
  return "{" + (control.empty() ? "" : "\"control\":" + control + ",") +
         R"("metadata":{"timestamp":"2025-06-10T11:28:04.550604Z","record-type":"control","operation":")" + operation +
         R"(","partition-key-type":"task-id","schema-name":"shop","table-name":")" + table + "\"}}";
}

}  // namespace cdcrt::test
