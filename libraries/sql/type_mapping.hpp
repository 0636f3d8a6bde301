// Logical types and what a target calls them: one table per dialect, which is also what `plugin describe` prints.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cdcrt/abi/value.h"

namespace cdcrt::sql {

/// `{n}`, `{p}`, `{s}` stand for length, precision and scale.
struct TypeRow {
  uint8_t kind;           ///< cdcrt_type_kind
  const char* logical;    ///< as manifests write it
  const char* bounded;    ///< where the type has a length or precision that the target can keep
  const char* unbounded;  ///< else
  const char* note;       ///< for the reader
};

struct TypeMapping {
  const char* dialect;
  const TypeRow* rows;
  std::size_t count;
  uint32_t max_precision;  ///< a DECIMAL beyond it is written unbounded
  uint32_t max_string;     ///< a STRING beyond it is written unbounded
  bool arrays = false;     ///< arrays whose elements have a type are arrays of the target
};

/// The target's name of a type; UNKNOWN is written as STRING.
std::string type_name(const TypeMapping& mapping, cdcrt_type type);

/// The table as Markdown.
std::string type_table(const TypeMapping& mapping);

cdcrt_type make_type(uint8_t kind, uint32_t length = 0, int16_t scale = 0);

/// A type name taken apart: "numeric(12,2)" is {"numeric", 12, 2, 2}. The name is in lower case, blanks single.
struct ParsedTypeName {
  std::string name;
  long first = 0, second = 0;
  int count = 0;  ///< numbers in the brackets
};
ParsedTypeName parse_type_name(std::string_view raw);

}  // namespace cdcrt::sql
