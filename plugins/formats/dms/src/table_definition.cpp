#include "table_definition.hpp"

#include <charconv>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/sdk/type.hpp"

namespace cdcrt::dms {

using sdk::JsonKind;
using sdk::JsonTape;
using sdk::Status;
namespace type = sdk::type;

namespace {

uint32_t number_of(const JsonTape& tape, uint32_t object, std::string_view name) {
  const uint32_t found = tape.find(object, name);
  uint32_t number = 0;
  if (found == 0 || tape[found].kind != JsonKind::kNumber) return 0;
  const std::string_view text = tape.text(found);
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() ? number : 0;
}

uint32_t object_at(const JsonTape& tape, uint32_t object, std::string_view name) {
  const uint32_t found = object == 0 ? 0 : tape.find(object, name);
  return found != 0 && tape[found].kind == JsonKind::kObject ? found : 0;
}

void add_column(const JsonTape& tape, uint32_t name, sdk::TableShape& shape) {
  const uint32_t column = name + 1;
  if (tape[column].kind != JsonKind::kObject) {
    shape.add(tape.text(name));
    return;
  }
  const uint32_t type_name = tape.find(column, "type");
  const uint32_t nullable = tape.find(column, "nullable");
  const bool is_named = type_name != 0 && tape[type_name].kind == JsonKind::kString;
  const bool not_null = nullable != 0 && tape[nullable].kind == JsonKind::kFalse;
  const auto scale = static_cast<int16_t>(number_of(tape, column, "scale"));
  shape.add(tape.text(name),
            is_named ? type_named(tape.text(type_name), number_of(tape, column, "length"), number_of(tape, column, "precision"), scale)
                     : type::unknown(),
            not_null ? static_cast<uint32_t>(CDCRT_COLUMN_NOT_NULL) : 0U);
}

}  // namespace

// DMS counts the size of an integer in bytes in its guide (INT1 to INT8) and in bits in its records (INT32): where the two differ, what
// holds both.
cdcrt_type type_named(std::string_view name, uint32_t length, uint32_t precision, int16_t scale) {
  static const std::pair<std::string_view, cdcrt_type> kTypes[] = {
      {"BOOLEAN", type::boolean()}, {"BYTES", type::bytes()},        {"BLOB", type::bytes()},          {"DATE", type::date()},
      {"TIME", type::time()},       {"DATETIME", type::timestamp()}, {"TIMESTAMP", type::timestamp()}, {"INT1", type::int8()},
      {"INT2", type::int16()},      {"INT4", type::int32()},         {"INT8", type::int64()},          {"INT16", type::int16()},
      {"INT32", type::int32()},     {"INT64", type::int64()},        {"UINT1", type::int16()},         {"UINT2", type::int32()},
      {"UINT4", type::int64()},     {"UINT8", type::uint64()},       {"UINT16", type::int32()},        {"UINT32", type::int64()},
      {"UINT64", type::uint64()},   {"REAL4", type::float32()},      {"REAL8", type::float64()},       {"CLOB", type::text()},
      {"NCLOB", type::text()},
  };
  if (name == "STRING" || name == "WSTRING") return type::text(length);
  if (name == "NUMERIC") return precision == 0 ? type::decimal() : type::decimal(precision, scale);
  for (const auto& [known, meaning] : kTypes) {
    if (known == name) return meaning;
  }
  return type::unknown();
}

Status read_definition(const Metadata& metadata, const JsonTape& tape, uint32_t control, sdk::TableShape& shape, bool& is_told) {
  const uint32_t definition = object_at(tape, control, "table-def");
  const uint32_t columns = object_at(tape, definition, "columns");
  is_told = columns != 0 && tape[columns].size != 0;
  if (!is_told) return {};
  uint32_t name = columns + 1;
  for (uint32_t i = 0; i < tape[columns].size; ++i, name = tape[name + 1].next) {
    if (shape.find(tape.text(name)) < shape.size()) {
      return Status::bad_record("the table definition has the column \"" + std::string(tape.text(name)) + "\" twice");
    }
    add_column(tape, name, shape);
  }
  const uint32_t key = tape.find(definition, "primary-key");
  std::vector<std::string_view> names;
  if (key != 0 && tape[key].kind != JsonKind::kNull) {
    if (tape[key].kind != JsonKind::kArray) return Status::bad_record("the table definition's primary-key is no list of names");
    uint32_t element = key + 1;
    for (uint32_t i = 0; i < tape[key].size; ++i, element = tape[element].next) {
      if (tape[element].kind != JsonKind::kString) return Status::bad_record("the table definition's primary-key is no list of names");
      names.push_back(tape.text(element));
    }
  }
  // Which part of the definition a change of columns repeats is not documented. The whole of it has the key; what has none adds columns and
  // drops nothing.
  if (metadata.operation != Operation::kCreateTable && names.empty()) return {};
  shape.declared().key_elsewhere();  // rows do not tell it
  if (metadata.operation == Operation::kRenameColumn) shape.renamed();
  return shape.set_key(names);
}

}  // namespace cdcrt::dms
