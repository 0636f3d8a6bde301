#include "debezium/column.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <tuple>

namespace cdcrt::debezium {

namespace {

struct Semantic {
  std::string_view name;
  Conversion conversion;
  cdcrt_type_kind kind;
  std::string_view type;  ///< Connect type it must have; empty: any
};

constexpr std::array kSemantics{
    Semantic{"io.debezium.time.Date", Conversion::kDays, CDCRT_TYPE_DATE, "int32"},
    Semantic{"org.apache.kafka.connect.data.Date", Conversion::kDays, CDCRT_TYPE_DATE, "int32"},
    Semantic{"io.debezium.time.Time", Conversion::kMilliTime, CDCRT_TYPE_TIME, "int32"},
    Semantic{"org.apache.kafka.connect.data.Time", Conversion::kMilliTime, CDCRT_TYPE_TIME, "int32"},
    Semantic{"io.debezium.time.MicroTime", Conversion::kMicroTime, CDCRT_TYPE_TIME, "int64"},
    Semantic{"io.debezium.time.NanoTime", Conversion::kNanoTime, CDCRT_TYPE_TIME, "int64"},
    Semantic{"io.debezium.time.Timestamp", Conversion::kMilliTimestamp, CDCRT_TYPE_TIMESTAMP, "int64"},
    Semantic{"org.apache.kafka.connect.data.Timestamp", Conversion::kMilliTimestamp, CDCRT_TYPE_TIMESTAMP, "int64"},
    Semantic{"io.debezium.time.MicroTimestamp", Conversion::kMicroTimestamp, CDCRT_TYPE_TIMESTAMP, "int64"},
    Semantic{"io.debezium.time.NanoTimestamp", Conversion::kNanoTimestamp, CDCRT_TYPE_TIMESTAMP, "int64"},
    Semantic{"io.debezium.time.ZonedTimestamp", Conversion::kZonedTimestamp, CDCRT_TYPE_TIMESTAMPTZ, "string"},
    Semantic{"io.debezium.time.ZonedTime", Conversion::kText, CDCRT_TYPE_TIMETZ, "string"},
    Semantic{"io.debezium.time.IsoDate", Conversion::kIsoDate, CDCRT_TYPE_DATE, "string"},
    Semantic{"io.debezium.time.IsoTime", Conversion::kIsoTime, CDCRT_TYPE_TIME, "string"},
    Semantic{"io.debezium.time.IsoTimestamp", Conversion::kIsoTimestamp, CDCRT_TYPE_TIMESTAMP, "string"},
    Semantic{"io.debezium.time.Year", Conversion::kInteger, CDCRT_TYPE_INT32, "int32"},
    Semantic{"io.debezium.time.MicroDuration", Conversion::kMicroDuration, CDCRT_TYPE_INTERVAL, "int64"},
    Semantic{"io.debezium.time.NanoDuration", Conversion::kNanoDuration, CDCRT_TYPE_INTERVAL, "int64"},
    Semantic{"io.debezium.time.Interval", Conversion::kInterval, CDCRT_TYPE_INTERVAL, "string"},
    Semantic{"org.apache.kafka.connect.data.Decimal", Conversion::kBinaryDecimal, CDCRT_TYPE_DECIMAL, "bytes"},
    Semantic{"io.debezium.data.VariableScaleDecimal", Conversion::kVariableDecimal, CDCRT_TYPE_DECIMAL, "struct"},
    Semantic{"io.debezium.data.Bits", Conversion::kBits, CDCRT_TYPE_STRING, "bytes"},
    Semantic{"io.debezium.data.Json", Conversion::kJsonText, CDCRT_TYPE_JSON, "string"},
    Semantic{"io.debezium.data.Uuid", Conversion::kUuid, CDCRT_TYPE_UUID, "string"},
    Semantic{"io.debezium.data.Xml", Conversion::kText, CDCRT_TYPE_STRING, "string"},
    Semantic{"io.debezium.data.Enum", Conversion::kEnum, CDCRT_TYPE_STRING, "string"},
    Semantic{"io.debezium.data.EnumSet", Conversion::kText, CDCRT_TYPE_STRING, "string"},
    Semantic{"io.debezium.data.Ltree", Conversion::kText, CDCRT_TYPE_STRING, "string"},
};

struct Structured {
  std::string_view name;
  cdcrt_type_kind kind;
};

constexpr std::array kStructures{
    Structured{"Date", CDCRT_TYPE_DATE},         Structured{"Time", CDCRT_TYPE_TIME},
    Structured{"ZonedTime", CDCRT_TYPE_TIMETZ},  Structured{"Timestamp", CDCRT_TYPE_TIMESTAMP},
    Structured{"Duration", CDCRT_TYPE_INTERVAL}, Structured{"ZonedTimestamp", CDCRT_TYPE_TIMESTAMPTZ},
};

struct Primitive {
  std::string_view type;
  Conversion conversion;
  cdcrt_type_kind kind;
};

constexpr std::array kPrimitives{
    Primitive{"boolean", Conversion::kBoolean, CDCRT_TYPE_BOOL},  Primitive{"int8", Conversion::kInteger, CDCRT_TYPE_INT8},
    Primitive{"int16", Conversion::kInteger, CDCRT_TYPE_INT16},   Primitive{"int32", Conversion::kInteger, CDCRT_TYPE_INT32},
    Primitive{"int64", Conversion::kInteger, CDCRT_TYPE_INT64},   Primitive{"float", Conversion::kFloat, CDCRT_TYPE_FLOAT32},
    Primitive{"float32", Conversion::kFloat, CDCRT_TYPE_FLOAT32}, Primitive{"double", Conversion::kFloat, CDCRT_TYPE_FLOAT64},
    Primitive{"float64", Conversion::kFloat, CDCRT_TYPE_FLOAT64}, Primitive{"string", Conversion::kText, CDCRT_TYPE_STRING},
    Primitive{"bytes", Conversion::kBytes, CDCRT_TYPE_BYTES},     Primitive{"array", Conversion::kArray, CDCRT_TYPE_ARRAY},
    Primitive{"map", Conversion::kStructure, CDCRT_TYPE_JSON},    Primitive{"struct", Conversion::kStructure, CDCRT_TYPE_JSON},
};

int64_t number_parameter(const ConnectSchema& schema, std::string_view key, int64_t absent) {
  const std::string* text = schema.parameter(key);
  int64_t value = 0;
  if (text == nullptr || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc()) return absent;
  return value;
}

/// The scale of a column. PostgreSQL keeps a negative one in eleven bits, which its connector reads as a positive one: -3 comes as 2045,
/// and values with as many zeros after the point. No numeric of PostgreSQL has more than 1,000 digits there.
int32_t declared_scale(int64_t scale) {
  constexpr int64_t most = 1000;
  constexpr int64_t wrap = 2048;
  if (scale > most && scale < wrap) return static_cast<int32_t>(scale - wrap);
  return static_cast<int32_t>(std::clamp<int64_t>(scale, std::numeric_limits<int16_t>::min(), std::numeric_limits<int16_t>::max()));
}

std::string source_type(const ConnectSchema& schema) {
  const std::string* type = schema.parameter("__debezium.source.column.type");
  std::string upper = type == nullptr ? "" : *type;
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

bool holds_text_of_limited_length(std::string_view type) {
  return type == "VARCHAR" || type == "CHAR" || type == "BPCHAR" || type == "NVARCHAR" || type == "NCHAR" || type == "CHARACTER" ||
         type == "CHARACTER VARYING" || type == "VARCHAR2" || type == "NVARCHAR2";
}

/// What column.propagate.source.type adds to a plain string.
void use_source_type(const ConnectSchema& schema, Column& column) {
  const std::string type = source_type(schema);
  const int64_t length = number_parameter(schema, "__debezium.source.column.length", 0);
  if (length <= 0 || length > 1'000'000'000) return;
  if (holds_text_of_limited_length(type)) {
    column.type.length = static_cast<uint32_t>(length);
  } else if ((type == "NUMERIC" || type == "DECIMAL") && length <= 1000) {
    column.conversion = Conversion::kTextDecimal;
    column.type.kind = CDCRT_TYPE_DECIMAL;
    column.type.length = static_cast<uint32_t>(length);
    column.type.scale = static_cast<int16_t>(declared_scale(number_parameter(schema, "__debezium.source.column.scale", 0)));
  }
}

/// What an array knows of its innermost elements; a structure is no element of a database's array.
void use_element_type(const Column& element, cdcrt_type& array) {
  if (element.type.kind == CDCRT_TYPE_ARRAY) {
    array = element.type;
  } else if (element.conversion != Conversion::kStructure) {
    array.element = element.type.kind;
    array.scale = element.type.scale;
    array.length = element.type.length;
  }
}

/// io.debezium.time.StructuredTimestamp; later versions add the precision and the column to the name.
void use_structured_time(const ConnectSchema& schema, Column& column) {
  constexpr std::string_view prefix = "io.debezium.time.Structured";
  std::string_view name = schema.name;
  if (schema.type != "struct" || !name.starts_with(prefix)) return;
  name.remove_prefix(prefix.size());
  for (const auto& structure : kStructures) {
    if (!name.starts_with(structure.name)) continue;
    const std::string_view rest = name.substr(structure.name.size());
    if (!rest.empty() && !rest.starts_with("Precision") && !rest.starts_with("SourceColumn")) continue;
    column.conversion = Conversion::kStructured;
    column.type.kind = structure.kind;
    return;
  }
}

void add_inner(const ConnectSchema& schema, Column& column) {
  if (column.conversion == Conversion::kArray || (column.conversion == Conversion::kStructure && schema.items)) {
    column.inner.push_back(make_column(*schema.items));
    if (column.conversion == Conversion::kArray) use_element_type(column.inner.front(), column.type);
  } else if (column.conversion == Conversion::kStructure) {
    column.inner_by_name = true;
    for (const auto& field : schema.fields) column.inner.push_back(make_column(field));
  }
  column.nested_types = std::any_of(column.inner.begin(), column.inner.end(), is_encoded);
  // Geometry keeps its wkb as produced.
  if (schema.name.starts_with("io.debezium.data.geometry.")) column.nested_types = false;
}

}  // namespace

bool is_encoded(const Column& column) {
  switch (column.conversion) {
    case Conversion::kStructure:
    case Conversion::kArray: return column.nested_types;
    case Conversion::kNatural:
    case Conversion::kBoolean:
    case Conversion::kInteger:
    case Conversion::kFloat:
    case Conversion::kText:
    case Conversion::kEnum:
    case Conversion::kBytes:
    case Conversion::kTextDecimal:
    case Conversion::kInterval:
    case Conversion::kUuid:
    case Conversion::kZonedTimestamp:
    case Conversion::kJsonText: return false;
    default: return true;
  }
}

Column make_column(const ConnectSchema& schema) {
  Column column;
  column.name = schema.field;
  column.optional = schema.optional;
  column.type.kind = CDCRT_TYPE_STRING;
  column.conversion = Conversion::kNatural;
  for (const auto& primitive : kPrimitives) {
    if (primitive.type != schema.type) continue;
    column.conversion = primitive.conversion;
    column.type.kind = primitive.kind;
  }
  if (column.conversion == Conversion::kNatural) column.type.kind = CDCRT_TYPE_UNKNOWN;
  for (const auto& semantic : kSemantics) {
    if (semantic.name != schema.name || semantic.type != schema.type) continue;
    column.conversion = semantic.conversion;
    column.type.kind = semantic.kind;
  }
  if (schema.name.starts_with("io.debezium.data.") && schema.name.ends_with("Vector") && schema.type == "array") {
    column.type.kind = CDCRT_TYPE_ARRAY;
  }
  use_structured_time(schema, column);
  switch (column.conversion) {
    case Conversion::kBinaryDecimal:
      column.scale = static_cast<int32_t>(number_parameter(schema, "scale", 0));
      column.type.scale = static_cast<int16_t>(declared_scale(column.scale));
      column.type.length =
          static_cast<uint32_t>(std::clamp<int64_t>(number_parameter(schema, "connect.decimal.precision", 0), 0, 1'000'000));
      break;
    case Conversion::kBits: {
      const int64_t length = number_parameter(schema, "length", 0);
      // The most that a `bit varying(n)` holds says nothing of a value.
      if (length > 0 && length < 100'000'000 && source_type(schema) != "VARBIT") {
        column.bits = static_cast<uint32_t>(length);
        column.type.length = column.bits;
      }
      break;
    }
    case Conversion::kText:
      if (schema.name.empty()) use_source_type(schema, column);
      break;
    case Conversion::kArray:
    case Conversion::kStructure: add_inner(schema, column); break;
    default: break;
  }
  return column;
}

namespace {

bool equal(const cdcrt_type& a, const cdcrt_type& b) {
  return a.kind == b.kind && a.element == b.element && a.scale == b.scale && a.length == b.length;
}

// The bytes of a text stand in default_text.
bool is_same_default(const Column& a, const Column& b) {
  if (a.has_default != b.has_default || a.default_certain != b.default_certain || a.default_text != b.default_text) return false;
  return a.default_cell.tag == b.default_cell.tag && a.default_cell.size == b.default_cell.size &&
         (has_bytes(a.default_cell) || a.default_cell.value.natural == b.default_cell.value.natural);
}

}  // namespace

bool equal(const Column& a, const Column& b) {
  const auto scalars = [](const Column& column) {
    return std::tie(column.name, column.former_name, column.conversion, column.nested_types, column.optional, column.scale, column.bits,
                    column.inner_by_name);
  };
  return scalars(a) == scalars(b) && equal(a.type, b.type) && is_same_default(a, b) &&
         std::equal(a.inner.begin(), a.inner.end(), b.inner.begin(), b.inner.end(),
                    [](const Column& x, const Column& y) { return equal(x, y); });
}

}  // namespace cdcrt::debezium
