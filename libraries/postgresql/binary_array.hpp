// BinaryArray: the values of one column as an array in PostgreSQL's binary form, which the server takes without parsing text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cdcrt/abi/value.h"

namespace cdcrt::postgresql {

/// Types by the number that every server of PostgreSQL has for them (pg_type.oid).
enum class BinaryType : uint32_t {
  kNone = 0,  ///< the binary form of the type is not known: values go as text
  kBool = 16,
  kBytea = 17,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kJson = 114,
  kFloat4 = 700,
  kFloat8 = 701,
  kBpchar = 1042,
  kVarchar = 1043,
  kDate = 1082,
  kTime = 1083,
  kTimestamp = 1114,
  kTimestamptz = 1184,
  kNumeric = 1700,
  kUuid = 2950,
  kJsonb = 3802
};

/// kNone for a number that is not one of these.
BinaryType binary_type(uint32_t oid);

/// Appends the value as an element of an array and as a field of COPY: its size, then itself; NULL has a size of its own. False, and
/// nothing was appended: only the value's text tells the server what is meant, or that it must be refused. What is appended is stored as
/// its text (sql::append_array_element) would be. `type` is not kNone; `text` is room for a value that is none, on its way into a column of
/// texts.
bool append_binary(std::string& out, BinaryType type, const cdcrt_cell& cell, const cdcrt_column& column, std::string& text);

/// Reusable; keeps its memory. One thread.
class BinaryArray {
 public:
  /// `type` is not kNone.
  void begin(BinaryType type);
  /// As append_binary() says.
  bool add(const cdcrt_cell& cell, const cdcrt_column& column);
  /// Complete; call once, after the last value. Valid until the next begin().
  std::string_view finish();
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  /// After the last use: what large values took is given back.
  void give_back_large();

 private:
  std::string bytes_;
  std::string text_;
  BinaryType type_ = BinaryType::kNone;
  uint32_t count_ = 0;
};

}  // namespace cdcrt::postgresql
