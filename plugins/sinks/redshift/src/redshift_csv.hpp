// Rows as CSV for Redshift's COPY ... FORMAT AS CSV NULL AS '...': exact numbers, every text quoted, NULL an unguessable word.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "cdcrt/abi/value.h"
#include "redshift_types.hpp"

namespace cdcrt::sql {

/// Text of NULL in a file: a random word that no value has by chance. Letters and digits only.
std::string make_null_text();

/// Encoder of one file or many; not for two threads at once. Allocates only when `out` grows.
class RedshiftCsv {
 public:
  /// `null_text`: what NULL AS says, letters and digits only.
  explicit RedshiftCsv(std::string null_text) : null_text_(std::move(null_text)) {}

  /// Appends one field without separator, as stored_value() says. ABSENT is written as NULL, NUL is left out of texts. Whatever may be
  /// empty is quoted: to COPY an empty field between two delimiters is NULL where the column is no text [copy-parameters-data-conversion].
  void append(std::string& out, const cdcrt_cell& cell, redshift::Storage storage);
  /// Appends text that is not a cell's, such as a row's number.
  static void append_number(std::string& out, uint64_t number);

  /// NUL bytes left out of texts since the beginning: Redshift's VARCHAR cannot hold them.
  [[nodiscard]] uint64_t removed_nul_bytes() const { return removed_nul_bytes_; }
  [[nodiscard]] const std::string& null_text() const { return null_text_; }

 private:
  void append_quoted(std::string& out, std::string_view text);

  std::string null_text_;
  std::string buffer_;
  uint64_t removed_nul_bytes_ = 0;
};

}  // namespace cdcrt::sql
