// Decimal texts: -?digits[.digits], NaN, Infinity, -Infinity. Exact, of any length, without arithmetic on floats.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cdcrt/abi/value.h"

namespace cdcrt::types {

/// A decimal text taken apart. Borrows from the text.
struct Decimal {
  enum class Kind : uint8_t { kFinite, kNaN, kInfinity };
  Kind kind = Kind::kFinite;
  bool negative = false;      ///< never for zero or NaN
  std::string_view integer;   ///< without leading zeros; empty: 0
  std::string_view fraction;  ///< without trailing zeros; empty: none

  [[nodiscard]] bool is_integral() const { return kind == Kind::kFinite && fraction.empty(); }
};

/// nullopt: not a decimal text in the form above.
std::optional<Decimal> parse_decimal(std::string_view text);

/// A number as people and programs write it (leading '+', ".5", "5.", exponents, NaN and Infinity in any case) as a decimal
/// text with the digits it has ("12.50" stays). nullopt: not a number, or an exponent that takes more than 20,000 digits.
std::optional<std::string> decimal_text(std::string_view number);

/// The one text of the value: no needless zeros, no "-0".
void append_canonical(std::string& out, const Decimal& decimal);

/// Whether a decimal(precision,scale) holds the value without rounding. NaN fits every decimal, infinities only an unbounded one.
bool fits(const Decimal& decimal, cdcrt_type type);

/// nullopt: a fraction, or out of range.
std::optional<int64_t> to_int64(const Decimal& decimal);
std::optional<uint64_t> to_uint64(const Decimal& decimal);

/// Big-endian two's complement divided by 10^scale, as Kafka Connect writes decimals; no byte at all is 0. At most 4,096 bytes,
/// else nullopt.
std::optional<std::string> decimal_from_twos_complement(std::string_view bytes, int scale);

/// A decimal text that reads back as `value` (`single`: as a float32): the shortest fraction; whole numbers digit for digit.
/// Zero is "0" whatever its sign; NaN, Infinity, -Infinity.
std::string decimal_from_double(double value, bool single);

/// The nearest double (`single`: float32) if it still tells the digits of `text`; nullopt when it does not, or is out of range.
/// `text`: a decimal text. "-0" gives -0.0.
std::optional<double> double_from_decimal(std::string_view text, bool single);

}  // namespace cdcrt::types
