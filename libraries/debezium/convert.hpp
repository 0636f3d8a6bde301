// From values of an event to cells.
#pragma once

#include "cdcrt/sdk/json_tape.hpp"
#include "cdcrt/sdk/row_builder.hpp"
#include "debezium/column.hpp"
#include "debezium/unavailable.hpp"

namespace cdcrt::debezium {

/// Why a value is no value of its column: static texts, so that the hot path allocates nothing. nullptr: all is well.
using Problem = const char*;

/// Converts values of one message after the other; used by one thread.
class Converter {
 public:
  explicit Converter(const UnavailableValue& unavailable) : unavailable_(unavailable) {}

  /// Where texts go from now on; must be called before anything else, and outlive what follows.
  void write_to(sdk::RowBuilder& rows) { rows_ = &rows; }

  /// The value whose name is token `name`. `cell` is ABSENT before, and stays so for an unavailable value.
  Problem convert(const Column& column, const sdk::JsonTape& tape, uint32_t name, cdcrt_cell& cell);

  /// Sets the column's default from the schema, where it is a constant: see default_certain.
  void set_default(const ConnectSchema& schema, Column& column);

 private:
  Problem natural(const sdk::JsonTape& tape, uint32_t name, cdcrt_cell& cell);
  Problem number(std::string_view text, cdcrt_cell& cell);
  Problem typed(const Column& column, const sdk::JsonTape& tape, uint32_t value, cdcrt_cell& cell);
  Problem integer_based(const Column& column, const sdk::JsonTape& tape, uint32_t value, cdcrt_cell& cell);
  Problem text_based(const Column& column, std::string_view text, cdcrt_cell& cell);
  Problem decimal_text(std::string_view text, cdcrt_cell& cell);
  /// {"scale":0,"value":"BQ=="} and nothing else: what Debezium writes of a number without a scale of its own.
  static bool looks_like_decimal(const sdk::JsonTape& tape, uint32_t value);
  Problem variable_decimal(const sdk::JsonTape& tape, uint32_t value, cdcrt_cell& cell);
  Problem structured(uint8_t kind, const sdk::JsonTape& tape, uint32_t value, cdcrt_cell& cell);
  /// Which cdcrt_type_kind an object without schema is by the names of all its members; CDCRT_TYPE_UNKNOWN: none.
  static uint8_t structured_kind(const sdk::JsonTape& tape, uint32_t value);
  Problem real(const sdk::JsonTape& tape, uint32_t value, cdcrt_cell& cell);
  Problem nested(const Column& column, const sdk::JsonTape& tape, uint32_t name, cdcrt_cell& cell);
  Problem write_json(const Column* column, const sdk::JsonTape& tape, uint32_t value, std::string& out);
  void write_cell(const cdcrt_cell& cell, std::string& out);
  /// An array without schema whose elements are objects that stand for values, in any number of dimensions. False: it is none.
  bool write_elements(const sdk::JsonTape& tape, uint32_t array, std::string& out);

  const UnavailableValue& unavailable_;
  sdk::RowBuilder* rows_ = nullptr;
  std::string scratch_;
};

}  // namespace cdcrt::debezium
