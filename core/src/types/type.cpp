#include "types/type.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

namespace cdcrt::types {
namespace {

constexpr std::array<const char*, CDCRT_TYPE_INTERVAL + 1> kNames = {
    "unknown", "bool",   "int8",      "int16",       "int32",  "int64", "uint64", "float32", "float64", "decimal", "date",
    "time",    "timetz", "timestamp", "timestamptz", "string", "bytes", "json",   "uuid",    "array",   "interval"};

struct Synonym {
  std::string_view name;
  cdcrt_type_kind kind;
};

// No int2 and int4: beside int8, which is 8 bits here and 64 in PostgreSQL, they would be read wrong.
constexpr Synonym kSynonyms[] = {
    {"boolean", CDCRT_TYPE_BOOL},
    {"tinyint", CDCRT_TYPE_INT8},
    {"smallint", CDCRT_TYPE_INT16},
    {"int", CDCRT_TYPE_INT32},
    {"integer", CDCRT_TYPE_INT32},
    {"mediumint", CDCRT_TYPE_INT32},
    {"bigint", CDCRT_TYPE_INT64},
    {"bigint unsigned", CDCRT_TYPE_UINT64},
    {"real", CDCRT_TYPE_FLOAT32},
    {"float4", CDCRT_TYPE_FLOAT32},
    {"float", CDCRT_TYPE_FLOAT64},
    {"float8", CDCRT_TYPE_FLOAT64},
    {"double", CDCRT_TYPE_FLOAT64},
    {"double precision", CDCRT_TYPE_FLOAT64},
    {"numeric", CDCRT_TYPE_DECIMAL},
    {"number", CDCRT_TYPE_DECIMAL},
    {"time without time zone", CDCRT_TYPE_TIME},
    {"time with time zone", CDCRT_TYPE_TIMETZ},
    {"datetime", CDCRT_TYPE_TIMESTAMP},
    {"timestamp without time zone", CDCRT_TYPE_TIMESTAMP},
    {"timestamp with time zone", CDCRT_TYPE_TIMESTAMPTZ},
    {"text", CDCRT_TYPE_STRING},
    {"clob", CDCRT_TYPE_STRING},
    {"char", CDCRT_TYPE_STRING},
    {"character", CDCRT_TYPE_STRING},
    {"varchar", CDCRT_TYPE_STRING},
    {"nvarchar", CDCRT_TYPE_STRING},
    {"character varying", CDCRT_TYPE_STRING},
    {"binary", CDCRT_TYPE_BYTES},
    {"varbinary", CDCRT_TYPE_BYTES},
    {"blob", CDCRT_TYPE_BYTES},
    {"bytea", CDCRT_TYPE_BYTES},
    {"jsonb", CDCRT_TYPE_JSON},
};

cdcrt_type normal(cdcrt_type type) {
  switch (type.kind) {
    case CDCRT_TYPE_ARRAY: return array_type(normal(element_of(type)));
    case CDCRT_TYPE_STRING: return string_type(type.length);
    case CDCRT_TYPE_DECIMAL: return decimal_type(type.length, type.scale);
    default: return type.kind > CDCRT_TYPE_INTERVAL ? type_of(CDCRT_TYPE_UNKNOWN) : cdcrt_type{type.kind, 0, 0, 0};
  }
}

bool is_signed_integer(uint8_t kind) { return kind >= CDCRT_TYPE_INT8 && kind <= CDCRT_TYPE_INT64; }
bool is_integer(uint8_t kind) { return kind >= CDCRT_TYPE_INT8 && kind <= CDCRT_TYPE_UINT64; }
bool is_float(uint8_t kind) { return kind == CDCRT_TYPE_FLOAT32 || kind == CDCRT_TYPE_FLOAT64; }
// A boolean is 0 or 1 where it meets a number (MySQL's tinyint(1)).
bool is_number(uint8_t kind) { return kind >= CDCRT_TYPE_BOOL && kind <= CDCRT_TYPE_DECIMAL; }

/// The decimal that holds every value of a boolean or an integer type.
cdcrt_type decimal_of(cdcrt_type type) {
  switch (type.kind) {
    case CDCRT_TYPE_BOOL: return decimal_type(1, 0);
    case CDCRT_TYPE_INT8: return decimal_type(3, 0);
    case CDCRT_TYPE_INT16: return decimal_type(5, 0);
    case CDCRT_TYPE_INT32: return decimal_type(10, 0);
    case CDCRT_TYPE_INT64: return decimal_type(19, 0);
    case CDCRT_TYPE_UINT64: return decimal_type(20, 0);
    default: return type;
  }
}

cdcrt_type join_decimals(cdcrt_type a, cdcrt_type b) {
  if (a.length == 0 || b.length == 0) return decimal_type(0, 0);
  const auto integer_digits = [](cdcrt_type type) { return static_cast<int64_t>(type.length) - type.scale; };
  const int16_t scale = std::max(a.scale, b.scale);
  const int64_t precision = std::max(integer_digits(a), integer_digits(b)) + scale;
  return precision > UINT32_MAX ? decimal_type(0, 0) : decimal_type(static_cast<uint32_t>(precision), scale);
}

/// `a` and `b` are numbers of different types, `a` of the lower kind (so never the decimal of a pair).
cdcrt_type join_numbers(cdcrt_type a, cdcrt_type b) {
  if (a.kind == CDCRT_TYPE_BOOL && b.kind != CDCRT_TYPE_DECIMAL) return b;
  if (is_signed_integer(a.kind) && is_signed_integer(b.kind)) return b;
  if (is_float(a.kind) && is_float(b.kind)) return type_of(CDCRT_TYPE_FLOAT64);
  if (is_float(b.kind)) {
    if (a.kind <= CDCRT_TYPE_INT16) return b;
    if (a.kind == CDCRT_TYPE_INT32) return type_of(CDCRT_TYPE_FLOAT64);
    return decimal_type(0, 0);
  }
  if (is_float(a.kind)) return decimal_type(0, 0);
  return join_decimals(decimal_of(a), decimal_of(b));
}

/// Values of these are spelled alike as JSON and as texts of a database: an array of any of them can become one of texts.
bool is_plainly_spelled(uint8_t kind) {
  return is_integer(kind) || kind == CDCRT_TYPE_BOOL || kind == CDCRT_TYPE_DECIMAL || kind == CDCRT_TYPE_STRING || kind == CDCRT_TYPE_UUID;
}

bool is_calendar(uint8_t kind) { return kind == CDCRT_TYPE_DATE || kind == CDCRT_TYPE_TIMESTAMP || kind == CDCRT_TYPE_TIMESTAMPTZ; }

/// The least array that holds the elements of both; UNKNOWN: one of any elements.
cdcrt_type join_elements(cdcrt_type a, cdcrt_type b) {
  if (a.kind == CDCRT_TYPE_UNKNOWN || b.kind == CDCRT_TYPE_UNKNOWN) return {};
  const bool alike = a.kind == b.kind || (is_float(a.kind) && is_float(b.kind)) || (is_calendar(a.kind) && is_calendar(b.kind)) ||
                     (is_plainly_spelled(a.kind) && is_plainly_spelled(b.kind));
  return alike ? join(a, b) : cdcrt_type{};
}

void append_number(std::string& out, int64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

/// Lower case, one space for every run of white space, none at the ends or beside ( , ) [ ].
std::string tidy(std::string_view name) {
  std::string out;
  bool space = false;
  for (const char raw : name) {
    if (raw == ' ' || raw == '\t') {
      space = true;
      continue;
    }
    const char c = raw >= 'A' && raw <= 'Z' ? static_cast<char>(raw - 'A' + 'a') : raw;
    const bool mark = c == '(' || c == ')' || c == ',' || c == '[' || c == ']';
    if (space && !out.empty() && !mark && out.back() != '(' && out.back() != ',' && out.back() != '[') out += ' ';
    space = false;
    out += c;
  }
  return out;
}

std::optional<cdcrt_type_kind> kind_of(std::string_view name) {
  for (std::size_t i = 1; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<cdcrt_type_kind>(i);
  }
  for (const auto& synonym : kSynonyms) {
    if (name == synonym.name) return synonym.kind;
  }
  return std::nullopt;
}

/// "12" or "12,2".
bool parse_arguments(std::string_view text, int64_t& first, std::optional<int64_t>& second) {
  const char* end = text.data() + text.size();
  const auto one = std::from_chars(text.data(), end, first);
  if (one.ec != std::errc() || (one.ptr != end && *one.ptr != ',')) return false;
  if (one.ptr == end) return true;
  int64_t value = 0;
  const auto two = std::from_chars(one.ptr + 1, end, value);
  second = value;
  return two.ec == std::errc() && two.ptr == end;
}

}  // namespace

std::string to_string(cdcrt_type type) {
  type = normal(type);
  if (const cdcrt_type element = element_of(type); element.kind != CDCRT_TYPE_UNKNOWN) return to_string(element) + "[]";
  std::string out = kNames[type.kind];
  if (type.length == 0) return out;
  out += '(';
  append_number(out, type.length);
  if (type.kind == CDCRT_TYPE_DECIMAL) {
    out += ',';
    append_number(out, type.scale);
  }
  return out += ')';
}

std::optional<cdcrt_type> parse_type(std::string_view name) {
  const std::string tidied = tidy(name);
  if (tidied.ends_with("[]")) {
    const auto element = parse_type(std::string_view(tidied).substr(0, tidied.size() - 2));
    if (!element || (element->kind == CDCRT_TYPE_ARRAY && element->element == CDCRT_TYPE_UNKNOWN)) return std::nullopt;
    return array_type(*element);
  }
  std::string base = tidied;
  std::string_view arguments;
  const auto open = tidied.find('(');
  if (open != std::string::npos) {
    const auto close = tidied.find(')', open);
    if (close == std::string::npos) return std::nullopt;
    arguments = std::string_view(tidied).substr(open + 1, close - open - 1);
    base = tidied.substr(0, open) + tidied.substr(close + 1);
  }
  const auto kind = kind_of(base);
  if (!kind) return std::nullopt;
  if (open == std::string::npos) return type_of(*kind);
  int64_t first = 0;
  std::optional<int64_t> second;
  if (!parse_arguments(arguments, first, second)) return std::nullopt;
  if (*kind == CDCRT_TYPE_STRING) {
    if (second || first < 1 || first > UINT32_MAX) return std::nullopt;
    return string_type(static_cast<uint32_t>(first));
  }
  if (*kind == CDCRT_TYPE_DECIMAL) {
    const int64_t scale = second.value_or(0);
    if (first < 1 || first > UINT32_MAX || scale < INT16_MIN || scale > INT16_MAX) return std::nullopt;
    return decimal_type(static_cast<uint32_t>(first), static_cast<int16_t>(scale));
  }
  // Fractional digits of a time or a length of bytes change nothing here: values keep what they have.
  const bool has_precision = *kind == CDCRT_TYPE_BYTES || (*kind >= CDCRT_TYPE_TIME && *kind <= CDCRT_TYPE_TIMESTAMPTZ);
  if (!has_precision || second || first < 0) return std::nullopt;
  if (*kind != CDCRT_TYPE_BYTES && first > 6) return std::nullopt;
  return type_of(*kind);
}

const char* const* type_names(std::size_t& count) {
  count = kNames.size() - 1;
  return kNames.data() + 1;
}

bool equal(cdcrt_type a, cdcrt_type b) {
  a = normal(a);
  b = normal(b);
  return a.kind == b.kind && a.element == b.element && a.length == b.length && a.scale == b.scale;
}

cdcrt_type join(cdcrt_type a, cdcrt_type b) {
  a = normal(a);
  b = normal(b);
  if (a.kind == CDCRT_TYPE_UNKNOWN) return b;
  if (b.kind == CDCRT_TYPE_UNKNOWN) return a;
  if (a.kind > b.kind) std::swap(a, b);
  if (a.kind == b.kind) {
    if (a.kind == CDCRT_TYPE_DECIMAL) return join_decimals(a, b);
    if (a.kind == CDCRT_TYPE_ARRAY) return array_type(join_elements(element_of(a), element_of(b)));
    if (a.kind == CDCRT_TYPE_STRING) return a.length == 0 || b.length == 0 ? string_type(0) : string_type(std::max(a.length, b.length));
    return a;
  }
  if (is_number(a.kind) && is_number(b.kind)) return join_numbers(a, b);
  const bool calendar = a.kind == CDCRT_TYPE_DATE || a.kind == CDCRT_TYPE_TIMESTAMP;
  if (calendar && (b.kind == CDCRT_TYPE_TIMESTAMP || b.kind == CDCRT_TYPE_TIMESTAMPTZ)) return b;
  if (a.kind == CDCRT_TYPE_TIME && b.kind == CDCRT_TYPE_INTERVAL) return b;
  if (a.kind == CDCRT_TYPE_JSON && b.kind == CDCRT_TYPE_ARRAY) return a;
  return string_type(0);
}

cdcrt_type evolve(cdcrt_type current, cdcrt_type declared) {
  const cdcrt_type element = element_of(current);
  const cdcrt_type declared_element = element_of(declared);
  if (is_integer(element.kind) && is_float(declared_element.kind)) return array_type(evolve(element, declared_element));
  if (is_integer(current.kind) && is_float(declared.kind)) {
    const cdcrt_type exact = join(current, declared);
    return is_float(exact.kind) ? exact : type_of(CDCRT_TYPE_FLOAT64);
  }
  return join(current, declared);
}

cdcrt_type learned(const cdcrt_cell& cell) {
  switch (cell.tag) {
    case CDCRT_BOOL: return type_of(CDCRT_TYPE_BOOL);
    case CDCRT_I64: return type_of(CDCRT_TYPE_INT64);
    case CDCRT_U64: return type_of(CDCRT_TYPE_UINT64);
    case CDCRT_F64: return type_of(CDCRT_TYPE_FLOAT64);
    case CDCRT_DECIMAL: return decimal_type(0, 0);
    case CDCRT_DATE: return type_of(CDCRT_TYPE_DATE);
    case CDCRT_TIME: return type_of(CDCRT_TYPE_TIME);
    case CDCRT_TIMESTAMP: return type_of(CDCRT_TYPE_TIMESTAMP);
    case CDCRT_TIMESTAMPTZ: return type_of(CDCRT_TYPE_TIMESTAMPTZ);
    case CDCRT_STRING: return string_type(0);
    case CDCRT_BYTES: return type_of(CDCRT_TYPE_BYTES);
    case CDCRT_JSON: return type_of(CDCRT_TYPE_JSON);
    case CDCRT_UUID: return type_of(CDCRT_TYPE_UUID);
    case CDCRT_ARRAY: return type_of(CDCRT_TYPE_ARRAY);
    case CDCRT_INTERVAL: return type_of(CDCRT_TYPE_INTERVAL);
    default: return type_of(CDCRT_TYPE_UNKNOWN);
  }
}

std::string join_table_markdown() {
  std::vector<cdcrt_type> sample;
  for (uint8_t kind = CDCRT_TYPE_BOOL; kind <= CDCRT_TYPE_INTERVAL; ++kind) {
    if (kind == CDCRT_TYPE_DECIMAL) sample.push_back(decimal_type(12, 2));
    if (kind == CDCRT_TYPE_STRING) sample.push_back(string_type(40));
    if (kind == CDCRT_TYPE_ARRAY) {
      for (const auto element : {type_of(CDCRT_TYPE_INT32), type_of(CDCRT_TYPE_FLOAT64), type_of(CDCRT_TYPE_TIMESTAMP), string_type(0)}) {
        sample.push_back(array_type(element));
      }
    }
    sample.push_back(type_of(static_cast<cdcrt_type_kind>(kind)));
  }
  std::string out = "| |";
  std::string rule = "|---|";
  for (const auto type : sample) {
    out += " **" + to_string(type) + "** |";
    rule += "---|";
  }
  out += '\n' + rule + '\n';
  for (const auto row : sample) {
    out += "| **" + to_string(row) + "** |";
    for (const auto column : sample) out += ' ' + to_string(join(row, column)) + " |";
    out += '\n';
  }
  return out;
}

}  // namespace cdcrt::types
