// Logical types of columns: their names, and the least type that holds the values of two of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cdcrt/abi/value.h"

namespace cdcrt::types {

/// A type without length, precision or scale.
constexpr cdcrt_type type_of(cdcrt_type_kind kind) { return cdcrt_type{static_cast<uint8_t>(kind), 0, 0, 0}; }
/// `characters` 0: unbounded.
constexpr cdcrt_type string_type(uint32_t characters) { return cdcrt_type{CDCRT_TYPE_STRING, 0, 0, characters}; }
/// `precision` 0: unbounded, whatever the scale.
constexpr cdcrt_type decimal_type(uint32_t precision, int16_t scale) {
  return cdcrt_type{CDCRT_TYPE_DECIMAL, 0, precision == 0 ? int16_t{0} : scale, precision};
}

/// Of elements of one scalar type, in any number of dimensions; UNKNOWN, or an array: of any elements.
constexpr cdcrt_type array_type(cdcrt_type element) {
  return element.kind == CDCRT_TYPE_ARRAY ? element : cdcrt_type{CDCRT_TYPE_ARRAY, element.kind, element.scale, element.length};
}
/// The type of an array's elements; UNKNOWN where they are of any, and of what is no array.
constexpr cdcrt_type element_of(cdcrt_type type) {
  return type.kind == CDCRT_TYPE_ARRAY && type.element != CDCRT_TYPE_UNKNOWN ? cdcrt_type{type.element, 0, type.scale, type.length}
                                                                             : cdcrt_type{};
}

/// The canonical name: "int64", "decimal(12,2)", "decimal", "string(40)", "string", "timestamptz", "int64[]", "array", "unknown", ...
std::string to_string(cdcrt_type type);

/// The type of a name, any case: canonical names and those that databases use (bigint, varchar(n), numeric(p,s), double
/// precision, timestamp with time zone, text[], ...). int8 is 8 bits. nullopt: no such type, or a length that is none.
std::optional<cdcrt_type> parse_type(std::string_view name);

/// All canonical names without lengths, for "did you mean".
const char* const* type_names(std::size_t& count);

/// Same type. Members that mean nothing for the kind do not count.
bool equal(cdcrt_type a, cdcrt_type b);

/// The least type that holds every value of both, exactly. UNKNOWN is neutral; commutative, associative, idempotent.
///
/// bool < int8 < int16 < int32 < int64 < decimal | uint64 < decimal(20,0) | float32 < float64 < decimal | bool < every number |
/// int8, int16 < float32 | int32 < float64 | decimal(p,s) keeps the integer digits and the scale of both |
/// date < timestamp < timestamptz | time < interval | int32[] < int64[], text[] < array < json | string(n) < string(m) < string |
/// everything < string.
cdcrt_type join(cdcrt_type a, cdcrt_type b);

/// What a column of type `current` becomes when a later definition of the source declares `declared`: their join, except that
/// an integer column declared as a float follows the source (join would give a decimal), also inside arrays. Never narrower.
cdcrt_type evolve(cdcrt_type current, cdcrt_type declared);

/// The type that a value without a schema teaches; UNKNOWN for NULL and ABSENT.
cdcrt_type learned(const cdcrt_cell& cell);

/// The join of every pair, as a Markdown table.
std::string join_table_markdown();

}  // namespace cdcrt::types
