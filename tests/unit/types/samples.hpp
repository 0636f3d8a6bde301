// Sample types, and values of each, for the laws that hold for all of them.
#pragma once

#include <cmath>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "types/cell_text.hpp"
#include "types/type.hpp"

namespace samples {

using namespace cdcrt::types;

inline std::vector<cdcrt_type> types() {
  std::vector<cdcrt_type> all;
  for (int kind = CDCRT_TYPE_UNKNOWN; kind <= CDCRT_TYPE_INTERVAL; ++kind) all.push_back(type_of(static_cast<cdcrt_type_kind>(kind)));
  for (const auto& [precision, scale] : {std::pair{3, 0}, {5, 2}, {12, 2}, {19, 0}, {20, 0}, {38, 10}, {3, 5}, {2, -3}, {1, 1}}) {
    all.push_back(decimal_type(static_cast<uint32_t>(precision), static_cast<int16_t>(scale)));
  }
  all.push_back(string_type(1));
  all.push_back(string_type(40));
  all.push_back(string_type(65'535));
  for (const auto element : {type_of(CDCRT_TYPE_BOOL), type_of(CDCRT_TYPE_INT16), type_of(CDCRT_TYPE_INT64), type_of(CDCRT_TYPE_UINT64),
                             type_of(CDCRT_TYPE_FLOAT32), type_of(CDCRT_TYPE_FLOAT64), decimal_type(0, 0), decimal_type(12, 2),
                             type_of(CDCRT_TYPE_DATE), type_of(CDCRT_TYPE_TIMESTAMPTZ), type_of(CDCRT_TYPE_TIME), string_type(0),
                             string_type(40), type_of(CDCRT_TYPE_BYTES), type_of(CDCRT_TYPE_JSON), type_of(CDCRT_TYPE_UUID)}) {
    all.push_back(array_type(element));
  }
  return all;
}

/// Values of a column of `type`, the extreme ones first.
inline std::vector<cdcrt_cell> values(cdcrt_type type) {
  const auto integers = [](cdcrt_tag tag, std::initializer_list<int64_t> list) {
    std::vector<cdcrt_cell> cells;
    for (const int64_t value : list) cells.push_back(integer_cell(tag, value));
    return cells;
  };
  const auto texts = [](cdcrt_tag tag, std::initializer_list<std::string_view> list) {
    std::vector<cdcrt_cell> cells;
    for (const std::string_view value : list) cells.push_back(text_cell(tag, value));
    return cells;
  };
  const auto reals = [](std::initializer_list<double> list) {
    std::vector<cdcrt_cell> cells;
    for (const double value : list) cells.push_back(real_cell(value));
    return cells;
  };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  switch (type.kind) {
    case CDCRT_TYPE_BOOL: return integers(CDCRT_BOOL, {0, 1});
    case CDCRT_TYPE_INT8: return integers(CDCRT_I64, {INT8_MIN, INT8_MAX, 0, -1, 1});
    case CDCRT_TYPE_INT16: return integers(CDCRT_I64, {INT16_MIN, INT16_MAX, 0, 10});
    case CDCRT_TYPE_INT32: return integers(CDCRT_I64, {INT32_MIN, INT32_MAX, 0, 16'777'217});
    case CDCRT_TYPE_INT64: return integers(CDCRT_I64, {INT64_MIN, INT64_MAX, 0, 9'007'199'254'740'993});
    case CDCRT_TYPE_UINT64: return {natural_cell(UINT64_MAX), natural_cell(0), natural_cell(1ULL << 63)};
    case CDCRT_TYPE_FLOAT32:
      return reals({static_cast<double>(1.1F), static_cast<double>(std::numeric_limits<float>::max()),
                    static_cast<double>(std::numeric_limits<float>::denorm_min()), 0.0, -2.5, infinity, -infinity, std::nan("")});
    case CDCRT_TYPE_FLOAT64:
      return reals({0.1, std::numeric_limits<double>::max(), std::numeric_limits<double>::denorm_min(), 1e23, 0x1p60, -1.5, infinity,
                    -infinity, std::nan("")});
    case CDCRT_TYPE_DECIMAL:
      if (type.length == 0)
        return texts(CDCRT_DECIMAL,
                     {"123456789012345678901234567890.123456789", "-0.000000000000000000001", "0", "NaN", "Infinity", "-Infinity"});
      if (type.scale == -3) return texts(CDCRT_DECIMAL, {"99000", "-1000", "0"});
      if (type.scale == 5) return texts(CDCRT_DECIMAL, {"0.00999", "-0.00001", "0.00000"});
      if (type.length == 1) return texts(CDCRT_DECIMAL, {"0.9", "-0.1", "0"});
      if (type.length == 3) return texts(CDCRT_DECIMAL, {"999", "-999", "0", "NaN"});
      if (type.length == 5) return texts(CDCRT_DECIMAL, {"999.99", "-999.99", "0.00", "1.5"});
      if (type.length == 12) return texts(CDCRT_DECIMAL, {"9999999999.99", "-0.01"});
      if (type.length == 19) return texts(CDCRT_DECIMAL, {"9999999999999999999", "-1"});
      if (type.length == 20) return texts(CDCRT_DECIMAL, {"99999999999999999999", "-1"});
      return texts(CDCRT_DECIMAL, {"1234567890123456789012345678.0123456789", "0.1000000000"});
    case CDCRT_TYPE_DATE: return integers(CDCRT_DATE, {INT64_MAX, INT64_MIN, 0, -719'529, 19'782, 2'932'896});
    case CDCRT_TYPE_TIME: return integers(CDCRT_TIME, {0, 86'399'999'999, -3'020'399'000'000});
    case CDCRT_TYPE_TIMETZ: return texts(CDCRT_STRING, {"07:04:56.789Z", "12:34:56+05:30"});
    case CDCRT_TYPE_TIMESTAMP: return integers(CDCRT_TIMESTAMP, {INT64_MAX, INT64_MIN, 0, -1, 946'684'799'999'999});
    case CDCRT_TYPE_TIMESTAMPTZ: return integers(CDCRT_TIMESTAMPTZ, {INT64_MAX, INT64_MIN, 0, -1, 1'709'175'600'123'456});
    case CDCRT_TYPE_STRING:
      if (type.length == 1) return texts(CDCRT_STRING, {"", "a", "\xF0\x9F\x98\x80"});
      return texts(CDCRT_STRING, {"", "tab\tnl\nquote\" back\\", "\xC3\xA9\xE6\xBC\xA2\xF0\x9F\x98\x80", std::string_view("a\0b", 3)});
    case CDCRT_TYPE_BYTES: return texts(CDCRT_BYTES, {"", std::string_view("\x00\xFF\x10", 3), "text"});
    case CDCRT_TYPE_JSON: return texts(CDCRT_JSON, {"{\"a\": 1.50, \"b\":[null,true]}", "null", "1e400", "[1]"});
    case CDCRT_TYPE_UUID: return texts(CDCRT_UUID, {"6f1b1ad0-0000-4000-8000-00000000abcd"});
    case CDCRT_TYPE_ARRAY: return texts(CDCRT_ARRAY, {"[]", "[1,null,\"x\"]"});
    case CDCRT_TYPE_INTERVAL: return texts(CDCRT_INTERVAL, {"P1Y2M3DT4H5M6.5S", "PT-3.5S"});
    default: return {integer_cell(CDCRT_ABSENT, 0), null_cell()};
  }
}

/// Every cell of every sample type.
inline std::vector<cdcrt_cell> all_values() {
  std::vector<cdcrt_cell> all;
  for (const auto type : types()) {
    for (const auto& cell : values(type)) all.push_back(cell);
  }
  return all;
}

}  // namespace samples
