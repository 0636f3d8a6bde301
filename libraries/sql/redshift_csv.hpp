// Rows as CSV for Redshift's COPY ... FORMAT AS CSV NULL AS '...': exact numbers, every text quoted, NULL an unguessable word.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "cdcrt/abi/value.h"

namespace cdcrt::sql {

/// What the target column wants to read.
enum class CsvKind : uint8_t {
  kPlain,   ///< the cell's own text
  kNumber,  ///< a BOOL cell is 1 or 0 rather than t or f
  kText,    ///< as a constant of the same value would be: true or false, ISO 8601 with T, bytes as they are
  kSuper    ///< JSON text: STRING, UUID, INTERVAL and times become JSON strings; an empty JSON text becomes the JSON string ""
};

/// Text of NULL in a file: a random word that no value has by chance. Letters and digits only.
std::string make_null_text();

/// Encoder of one file or many; not for two threads at once. Allocates only when `out` grows.
class RedshiftCsv {
 public:
  /// `null_text`: what NULL AS says, letters and digits only.
  explicit RedshiftCsv(std::string null_text) : null_text_(std::move(null_text)) {}

  /// Appends one field without separator. ABSENT is written as NULL. Answers the bytes that a VARCHAR would hold (quotes not counted,
  /// NUL bytes gone; bytes count twice, as hex). Times are ISO 8601 with microseconds and never a zone but +00; bytes are bare hex
  /// (VARBYTE).
  uint32_t append(std::string& out, const cdcrt_cell& cell, CsvKind kind = CsvKind::kPlain);
  /// Appends text that is not a cell's, such as a row's number.
  static void append_number(std::string& out, uint64_t number);

  /// NUL bytes left out of texts since the beginning: Redshift's VARCHAR cannot hold them.
  [[nodiscard]] uint64_t removed_nul_bytes() const { return removed_nul_bytes_; }
  [[nodiscard]] const std::string& null_text() const { return null_text_; }

 private:
  uint32_t append_quoted(std::string& out, std::string_view text);
  uint32_t append_super(std::string& out, const cdcrt_cell& cell);

  std::string null_text_;
  std::string plain_, json_;  ///< memory of what becomes a JSON string
  uint64_t removed_nul_bytes_ = 0;
};

/// Why no Redshift column of the cell's own kind can hold its value (infinite date or timestamp, TIME outside of a day, NaN or infinite
/// DECIMAL, year outside of the range); empty when one can. A VARCHAR can. NaN in a DOUBLE PRECISION: COPY reading it is unverified.
std::string_view why_unstorable(const cdcrt_cell& cell);

}  // namespace cdcrt::sql
