#include "redshift_types.hpp"

#include <algorithm>

namespace cdcrt::sql::redshift {
namespace {

constexpr TypeRow kTypes[] = {
    {CDCRT_TYPE_BOOL, "bool", "BOOLEAN", "BOOLEAN", ""},
    {CDCRT_TYPE_INT8, "int8", "SMALLINT", "SMALLINT", ""},
    {CDCRT_TYPE_INT16, "int16", "SMALLINT", "SMALLINT", ""},
    {CDCRT_TYPE_INT32, "int32", "INTEGER", "INTEGER", ""},
    {CDCRT_TYPE_INT64, "int64", "BIGINT", "BIGINT", ""},
    {CDCRT_TYPE_UINT64, "uint64", "DECIMAL(20,0)", "DECIMAL(20,0)", ""},
    {CDCRT_TYPE_FLOAT32, "float32", "REAL", "REAL", ""},
    {CDCRT_TYPE_FLOAT64, "float64", "DOUBLE PRECISION", "DOUBLE PRECISION", ""},
    {CDCRT_TYPE_DECIMAL, "decimal(p,s)", "DECIMAL({p},{s})", "VARCHAR(1024)",
     "p = 19 becomes 20, since Redshift keeps 19 digits in 64 bits; unbounded also where p > 38 or s > 37: its digits as text, so that nothing is rounded; give `type = \"decimal(38,s)\"` in the route for a "
     "number"},
    {CDCRT_TYPE_DATE, "date", "DATE", "DATE", "infinity is refused as a bad record"},
    {CDCRT_TYPE_TIME, "time", "TIME", "TIME", "0 to 24 h; others are refused as bad records"},
    {CDCRT_TYPE_TIMETZ, "timetz", "TIMETZ", "TIMETZ", ""},
    {CDCRT_TYPE_TIMESTAMP, "timestamp", "TIMESTAMP", "TIMESTAMP", "microseconds; infinity is refused"},
    {CDCRT_TYPE_TIMESTAMPTZ, "timestamptz", "TIMESTAMPTZ", "TIMESTAMPTZ", "kept in UTC"},
    {CDCRT_TYPE_STRING, "string(n)", "VARCHAR({n})", "VARCHAR(65535)",
     "lengths are bytes: n characters become 4n bytes, at most 65535; unbounded text starts at the option `varchar`; widened when a value "
     "needs it"},
    {CDCRT_TYPE_BYTES, "bytes", "VARBYTE(64000)", "VARBYTE(64000)", "widened up to 16777216"},
    {CDCRT_TYPE_JSON, "json", "SUPER", "SUPER", "16 MB a value, 65535 bytes a string inside; key order and number formats are Redshift's"},
    {CDCRT_TYPE_UUID, "uuid", "VARCHAR(36)", "VARCHAR(36)", ""},
    {CDCRT_TYPE_ARRAY, "array", "SUPER", "SUPER", "a JSON array"},
    {CDCRT_TYPE_INTERVAL, "interval", "VARCHAR(256)", "VARCHAR(256)", "ISO 8601: P1Y2M3DT4H5M6.5S"},
};
// STRING lengths are given to type_name() in bytes.
constexpr TypeMapping kMapping{"redshift", kTypes, sizeof kTypes / sizeof kTypes[0], 38, kMaxVarchar};

ColumnType with(Storage storage, std::string name, uint32_t length = 0, uint32_t precision = 0, int16_t scale = 0) {
  return ColumnType{std::move(name), storage, length, precision, scale};
}

std::string with_length(std::string_view name, uint32_t length) { return std::string(name) + "(" + std::to_string(length) + ")"; }

}  // namespace

const TypeMapping& types() { return kMapping; }

ColumnType catalog_type(std::string_view data_type, uint32_t length, uint32_t precision, int16_t scale) {
  const std::string type = parse_type_name(data_type).name;
  if (type == "boolean") return with(Storage::kBool, "BOOLEAN");
  if (type == "smallint") return with(Storage::kInteger, "SMALLINT", 0, 4);
  if (type == "integer") return with(Storage::kInteger, "INTEGER", 0, 9);
  if (type == "bigint") return with(Storage::kInteger, "BIGINT", 0, 18);
  if (type == "real") return with(Storage::kFloat, "REAL", 0, 24);
  if (type == "double precision") return with(Storage::kFloat, "DOUBLE PRECISION", 0, 53);
  if (type == "numeric" || type == "decimal") {
    if (precision == 0) precision = 18, scale = 0;  // what a bare DECIMAL is
    return with(Storage::kDecimal, "DECIMAL(" + std::to_string(precision) + "," + std::to_string(scale) + ")", 0, precision, scale);
  }
  if (type == "date") return with(Storage::kDate, "DATE");
  if (type == "time" || type == "time without time zone") return with(Storage::kTime, "TIME");
  if (type == "timetz" || type == "time with time zone") return with(Storage::kTimetz, "TIMETZ");
  if (type == "timestamp" || type == "timestamp without time zone") return with(Storage::kTimestamp, "TIMESTAMP");
  if (type == "timestamptz" || type == "timestamp with time zone") return with(Storage::kTimestamptz, "TIMESTAMPTZ");
  if (type == "character varying" || type == "varchar" || type == "nvarchar" || type == "text") {
    if (length == 0) length = 256;  // what a bare VARCHAR is
    length = std::min(length, kMaxVarchar);
    return with(Storage::kText, with_length("VARCHAR", length), length);
  }
  if (type == "character" || type == "char" || type == "bpchar" || type == "nchar") {
    if (length == 0) length = type == "bpchar" ? 256 : 1;
    return with(Storage::kText, with_length("CHAR", length), length);
  }
  if (type == "super") return with(Storage::kSuper, "SUPER");
  if (type == "binary varying" || type == "varbyte" || type == "varbinary") {
    if (length == 0) length = 64'000;
    return with(Storage::kBytes, with_length("VARBYTE", length), length);
  }
  return with(Storage::kOther, std::string(data_type));
}

ColumnType written_type(std::string_view name) {
  ParsedTypeName parsed = parse_type_name(name);
  if (parsed.name == "bool") parsed.name = "boolean";
  if (parsed.name == "int2") parsed.name = "smallint";
  if (parsed.name == "int" || parsed.name == "int4") parsed.name = "integer";
  if (parsed.name == "int8") parsed.name = "bigint";
  if (parsed.name == "float4") parsed.name = "real";
  if (parsed.name == "float8" || parsed.name == "float") parsed.name = "double precision";
  auto first = static_cast<uint32_t>(parsed.count > 0 && parsed.first > 0 ? parsed.first : 0);
  if (parsed.count == 0 && name.find("(max)") != std::string_view::npos) first = kMaxVarchar;
  if (parsed.count == 0 && name.find("(MAX)") != std::string_view::npos) first = kMaxVarchar;
  return catalog_type(parsed.name, first, first, static_cast<int16_t>(parsed.second));
}

std::string type_name(cdcrt_type type, uint32_t unbounded_varchar) {
  if (type.kind == CDCRT_TYPE_UNKNOWN) type = make_type(CDCRT_TYPE_STRING);
  if (type.kind == CDCRT_TYPE_STRING) {
    const uint64_t bytes = type.length == 0 ? unbounded_varchar : std::min<uint64_t>(uint64_t{4} * type.length, kMaxVarchar);
    type.length = static_cast<uint32_t>(bytes);
  }
  if (type.kind == CDCRT_TYPE_DECIMAL && type.length > 0) {
    // Sources know negative scales, and more digits after the point than there are.
    const uint64_t whole = type.scale < 0 ? uint64_t{type.length} + static_cast<uint64_t>(-type.scale) : type.length;
    type.scale = std::max<int16_t>(type.scale, 0);
    type.length = static_cast<uint32_t>(std::max<uint64_t>(whole, static_cast<uint64_t>(type.scale)));
    // Kept in eight bytes, which end before nineteen nines do [r_Numeric_types201].
    if (type.length == 19) type.length = 20;
    if (type.scale > kMaxScale) type.length = 0;
  }
  return sql::type_name(kMapping, type);
}

cdcrt_type logical_type(const ColumnType& type) {
  switch (type.storage) {
    case Storage::kBool: return make_type(CDCRT_TYPE_BOOL);
    case Storage::kInteger:
      return make_type(type.precision <= 4 ? CDCRT_TYPE_INT16 : type.precision <= 9 ? CDCRT_TYPE_INT32 : CDCRT_TYPE_INT64);
    case Storage::kFloat: return make_type(type.precision <= 24 ? CDCRT_TYPE_FLOAT32 : CDCRT_TYPE_FLOAT64);
    case Storage::kDecimal: return make_type(CDCRT_TYPE_DECIMAL, type.precision, type.scale);
    case Storage::kText: return make_type(CDCRT_TYPE_STRING, type.length >= kMaxVarchar ? 0 : type.length);
    case Storage::kBytes: return make_type(CDCRT_TYPE_BYTES);
    case Storage::kSuper: return make_type(CDCRT_TYPE_JSON);
    case Storage::kDate: return make_type(CDCRT_TYPE_DATE);
    case Storage::kTime: return make_type(CDCRT_TYPE_TIME);
    case Storage::kTimetz: return make_type(CDCRT_TYPE_TIMETZ);
    case Storage::kTimestamp: return make_type(CDCRT_TYPE_TIMESTAMP);
    case Storage::kTimestamptz: return make_type(CDCRT_TYPE_TIMESTAMPTZ);
    case Storage::kOther: break;
  }
  return make_type(CDCRT_TYPE_UNKNOWN);
}

uint32_t widened_varchar(uint64_t bytes) {
  for (const uint32_t step : {256U, 1024U, 4096U, 16384U, kMaxVarchar}) {
    if (bytes <= step) return step;
  }
  return 0;
}

uint32_t widened_varbyte(uint64_t bytes) {
  for (const uint32_t step : {64'000U, 1'024'000U, kMaxVarbyte}) {
    if (bytes <= step) return step;
  }
  return 0;
}

}  // namespace cdcrt::sql::redshift
