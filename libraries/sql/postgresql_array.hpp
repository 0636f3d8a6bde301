// PostgreSQL's array constants, and reading its text output.
#pragma once

#include <string>

#include "cdcrt/abi/value.h"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sql {

/// Appends a value as an element of an array constant. BAD_RECORD, naming the column, for text with a NUL character.
sdk::Status append_array_element(std::string& out, const cdcrt_cell& cell, const cdcrt_column& column);

/// {1,NULL,"a\"b"}: the values of one column, to be bound as one text parameter. Reusable; keeps its memory.
class PostgresqlArray {
 public:
  void clear() { text_.assign(1, '{'); }
  sdk::Status add(const cdcrt_cell& cell, const cdcrt_column& column) {
    if (text_.size() > 1) text_ += ',';
    return append_array_element(text_, cell, column);
  }
  /// Complete text; call once, after the last value.
  const std::string& finish() {
    text_ += '}';
    return text_;
  }
  [[nodiscard]] std::size_t size() const { return text_.size(); }
  /// After the last use: what large values took is given back.
  void give_back_large() {
    constexpr std::size_t kKept = 4 << 20;
    if (text_.capacity() > kKept) std::string(1, '{').swap(text_);
  }

 private:
  std::string text_ = "{";
};

/// The server's text of a value (ISO styles, bytea as hex, booleans as true or t) as a cell of the wanted type. Text borrows
/// from `text`, bytes and an array's JSON from `buffer`. What does not parse comes back as STRING.
cdcrt_cell from_postgresql(std::string_view text, cdcrt_type type, std::string& buffer);

}  // namespace cdcrt::sql
