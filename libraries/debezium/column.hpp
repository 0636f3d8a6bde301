// Column: how the values of one field become cells, decided once per schema.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cdcrt/abi/value.h"
#include "debezium/schema.hpp"

namespace cdcrt::debezium {

/// From the JSON that Debezium writes to a cell. Named after what stands in the event.
enum class Conversion : uint8_t {
  kNatural,  ///< no schema: by the JSON itself
  kBoolean,
  kInteger,  ///< range by the column's type
  kFloat,
  kText,
  kEnum,             ///< text; the commas of what came from a binlog are written `\,`
  kBytes,            ///< base64
  kBinaryDecimal,    ///< base64 of the unscaled value, scale in the schema
  kVariableDecimal,  ///< {"scale":2,"value":"..."}
  kTextDecimal,
  kDays,
  kMilliTime,
  kMicroTime,
  kNanoTime,
  kMilliTimestamp,
  kMicroTimestamp,
  kNanoTimestamp,
  kZonedTimestamp,  ///< ISO text with a zone
  kIsoDate,
  kIsoTime,
  kIsoTimestamp,
  kMicroDuration,
  kNanoDuration,
  kInterval,    ///< ISO 8601 duration text
  kStructured,  ///< an object of year, month, day, hour ..: which of them, by the column's type
  kBits,        ///< base64, little-endian
  kUuid,
  kJsonText,   ///< a string that holds JSON
  kStructure,  ///< object, map or array of the event itself, carried as JSON text
  kArray
};

struct Column {
  std::string name;
  std::string former_name;  ///< of a definition: the name until now; empty: the same
  Conversion conversion = Conversion::kNatural;
  bool nested_types = false;  ///< kStructure, kArray: values inside need a conversion of their own
  bool optional = true;
  bool has_default = false;  ///< default_cell holds it; only constants that the schema really tells
  bool default_certain = false;
  cdcrt_type type{};
  int32_t scale = 0;  ///< kBinaryDecimal
  uint32_t bits = 0;  ///< kBits: digits; 0: not known
  cdcrt_cell default_cell{};
  std::string default_text;    ///< what default_cell borrows
  std::vector<Column> inner;   ///< struct: its fields; array, map: one, for every value
  bool inner_by_name = false;  ///< `inner` are the fields of a struct
};

/// The cell borrows bytes.
inline bool has_bytes(const cdcrt_cell& cell) { return cell.tag == CDCRT_DECIMAL || cell.tag >= CDCRT_STRING; }

/// Values of both become the same cells, under the same name.
bool equal(const Column& a, const Column& b);

/// JSON does not show the column's values as they are: times as numbers, decimals as bytes, or such values somewhere inside.
bool is_encoded(const Column& column);

/// The column of a struct's field. Types that are not known fall back to what carries them whole: text or JSON.
Column make_column(const ConnectSchema& field);

}  // namespace cdcrt::debezium
