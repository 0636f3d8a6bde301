// Redshift's types: what a logical type becomes, what the catalog's names mean, and how text columns grow. Pure text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cdcrt/abi/value.h"
#include "sql/type_mapping.hpp"

namespace cdcrt::sql::redshift {

constexpr uint32_t kMaxVarchar = 65'535;      ///< bytes
constexpr uint32_t kMaxVarbyte = 16'777'216;  ///< bytes
constexpr int16_t kMaxScale = 37;             ///< of a DECIMAL [r_Numeric_types201]
constexpr std::size_t kNameLimit = 127;       ///< bytes
constexpr uint64_t kMaxRow = 4U << 20;        ///< bytes of one row that COPY reads

/// How the values of a column are written in statements and compared.
enum class Storage : uint8_t {
  kBool,
  kInteger,
  kDecimal,
  kFloat,
  kText,
  kBytes,
  kSuper,
  kDate,
  kTime,
  kTimetz,
  kTimestamp,
  kTimestamptz,
  kOther
};

/// A column's type as the catalog has it.
struct ColumnType {
  std::string name;  ///< ready to be pasted into a definition: character varying(400)
  Storage storage = Storage::kOther;
  uint32_t length = 0;  ///< bytes, of VARCHAR, CHAR and VARBYTE
  uint32_t precision = 0;
  int16_t scale = 0;
  bool duration = false;  ///< of text: ISO 8601 durations
};

/// From information_schema.columns: data_type, character_maximum_length, numeric_precision, numeric_scale (0 where NULL).
ColumnType catalog_type(std::string_view data_type, uint32_t length, uint32_t precision, int16_t scale);
/// From a written type name: "varchar(40)", "DECIMAL(12,2)".
ColumnType written_type(std::string_view name);

/// The type's name for a new column. `unbounded_varchar`: bytes of a text without a length.
std::string type_name(cdcrt_type type, uint32_t unbounded_varchar);
/// The nearest logical type; UNKNOWN where there is none. A VARCHAR of the greatest length is unbounded, a shorter one is as many
/// characters as it has bytes: what is longer in bytes widens it.
cdcrt_type logical_type(const ColumnType& type);

/// Bytes of the smallest step that holds `bytes`: 256, 1024, 4096, 16384, 65535 for text. 0: no column holds it.
uint32_t widened_varchar(uint64_t bytes);
uint32_t widened_varbyte(uint64_t bytes);

/// The mapping for `plugin describe`.
const TypeMapping& types();

}  // namespace cdcrt::sql::redshift
