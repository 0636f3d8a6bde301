// Layout: the members of a row object in their usual order, and what each becomes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/json_tape.hpp"
#include "debezium/column.hpp"
#include "debezium/convert.hpp"
#include "debezium/schema.hpp"
#include "debezium/source_block.hpp"

namespace cdcrt::debezium {

/// What ExtractNewRecordState adds beside the columns.
enum class FlatField : uint8_t { kColumn, kOperation, kDeleted, kSource, kIgnored };

struct Member {
  std::string name;
  int32_t column = -1;  ///< place in Layout::columns; -1: none
  FlatField flat = FlatField::kColumn;
  SourceField source = SourceField::kOther;
};

/// Immutable once made; shapes, caches and predictions refer to it by address.
struct Layout {
  std::vector<Member> members;
  std::vector<Column> columns;
  bool declared = false;  ///< types come from a schema
  bool says_deleted = false;
  bool may_be_foreign = false;  ///< has names that other tools' messages have

  void add(Column column);
  /// -1: no such column.
  [[nodiscard]] int32_t find_column(std::string_view name) const;
  /// -1: no such member.
  [[nodiscard]] int32_t find_member(std::string_view name) const;
};

/// How a flattened row names its metadata: the prefix of add.fields ("__"); nullptr-like empty for rows of an envelope.
std::unique_ptr<Layout> declared_layout(const ConnectSchema& row, std::string_view metadata_prefix, Converter& converter);

/// Columns by the names of an object without schema. nullptr when a name stands twice, which `duplicate` then is.
std::unique_ptr<Layout> natural_layout(const sdk::JsonTape& tape, uint32_t object, std::string_view metadata_prefix,
                                       std::string& duplicate);

/// What is made of a row does not differ.
bool equal(const Layout& a, const Layout& b);

/// The object's members are exactly the layout's, in its order.
bool matches(const Layout& layout, const sdk::JsonTape& tape, uint32_t object);

}  // namespace cdcrt::debezium
