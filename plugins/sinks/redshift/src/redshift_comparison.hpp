// Whether two values of a Redshift column are the same one: exactly, by nothing but equalities, which every join allows. Pure text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/abi/value.h"
#include "cdcrt/sdk/status.hpp"
#include "redshift_types.hpp"

namespace cdcrt::sql::redshift {

/// Neither is NULL. Redshift's `=` takes VARCHARs that differ by blanks at their end for equal [r_Character_types], OCTET_LENGTH counts
/// these [r_OCTET_LENGTH]. A CHAR has no such blanks. VARBYTEs have operators of their own [r_VARBYTE_OPERATORS]; a SUPER is compared as
/// its JSON text in a VARBYTE [JSON_SERIALIZE_TO_VARBYTE], which unlike JSON_SERIALIZE's holds any.
std::string same(std::string_view left, std::string_view right, const ColumnType& type);
/// NULL is the same as NULL, and nothing else's.
std::string same_or_null(std::string_view left, std::string_view right, const ColumnType& type);

/// Keys in a statement's condition.
struct KeySet {
  struct Column {
    std::string name;  ///< quoted
    ColumnType type;
    std::string_view shown;  ///< for messages
    uint32_t cell = 0;       ///< within a row
  };
  std::vector<Column> columns;
  const cdcrt_cell* cells = nullptr;
  uint64_t stride = 0;

  /// How many rows one condition may name: alternatives of several columns nest.
  static constexpr uint64_t kMaxListed = 500, kMaxAlternatives = 64;
  /// The one of several columns in which these rows differ; nullopt: there is no such one.
  [[nodiscard]] std::optional<std::size_t> only_difference(const std::vector<uint64_t>& rows, uint64_t first, uint64_t last) const;
  /// The end of those of `rows` from `first` on that one condition may name, at least one: its text is bounded as well.
  [[nodiscard]] uint64_t end_of(const std::vector<uint64_t>& rows, uint64_t first) const;
};

/// The rows [first, last) of `rows`. What follows a length that repeats: a condition names 1, 2, 4, 8, ... keys, the last one
/// several times, so that the server has seen its shape before.
sdk::Status append_key_condition(std::string& out, const KeySet& keys, const std::vector<uint64_t>& rows, uint64_t first, uint64_t last);

}  // namespace cdcrt::sql::redshift
