// TableShape: the columns of one source table as an event knows them; ShapeCache: numbers of shapes. Header-only, C++17.
//
//   TableShape shape("orders");
//   shape.schema("shop").declared();
//   const uint32_t id = shape.add("id", type::int64());        // 0: the place of its cell in every row of the shape
//   const uint32_t note = shape.add("note", type::text(40));   // 1
//   if (Status status = shape.set_key({"id"}); !status) return status;
//   const uint32_t number = shapes.get(shape, rows);           // ShapeCache shapes: a member
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/abi/value.h"
#include "cdcrt/sdk/bounded_cache.hpp"
#include "cdcrt/sdk/row_builder.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sdk {

/// Owns its texts, and moves but is not copied: the columns point to them. See cdcrt_shape.
class TableShape {
 public:
  explicit TableShape(std::string_view table) : table_(table) {}
  TableShape(TableShape&&) = default;
  TableShape& operator=(TableShape&&) = default;

  TableShape& schema(std::string_view name) { return keep(schema_, name); }
  TableShape& database(std::string_view name) { return keep(database_, name); }
  /// Which of several servers with tables of one name it is.
  TableShape& server(std::string_view name) { return keep(server_, name); }
  /// Types come from a schema, and a column that is not here does not exist at the source (then): one that the target has is dropped.
  TableShape& declared() {
    flags_ |= CDCRT_SHAPE_DECLARED;
    return *this;
  }

  /// Answers the column's place. `flags`: CDCRT_COLUMN_NOT_NULL.
  uint32_t add(std::string_view name, cdcrt_type type = {}, uint32_t flags = 0) {
    cdcrt_column column{};
    const std::string& kept = texts_.emplace_back(name);
    column.name = borrow(kept);
    column.type = type;
    column.flags = flags;
    columns_.push_back(column);
    return size() - 1;
  }
  /// A constant of the source's definition, borrowed until the shape is interned; `is_certain`: see CDCRT_COLUMN_DEFAULT_CERTAIN.
  void set_default(uint32_t column, const cdcrt_cell& value, bool is_certain = true) {
    columns_[column].default_value = value;
    columns_[column].flags |=
        static_cast<uint32_t>(CDCRT_COLUMN_DEFAULT) | (is_certain ? static_cast<uint32_t>(CDCRT_COLUMN_DEFAULT_CERTAIN) : 0U);
  }
  /// Shape of a definition: the column had this name until now, and keeps its values under the new one.
  void set_former_name(uint32_t column, std::string_view name) { columns_[column].former_name = borrow(texts_.emplace_back(name)); }
  /// The event says what the key is: these columns, in this order; none: the table has no key. Never called: the event does not say.
  template <class Names>
  Status set_key(const Names& names) {
    flags_ |= CDCRT_SHAPE_KEYED;
    for (cdcrt_column& column : columns_) column.key_ordinal = 0;
    uint32_t ordinal = 0;
    for (const auto& name : names) {
      const uint32_t place = find(name);
      if (place == size()) return Status::bad_record("the key column \"" + std::string(name) + "\" is none of the row's columns");
      if (is_key(place)) return Status::bad_record("the key names the column \"" + std::string(name) + "\" twice");
      columns_[place].key_ordinal = ++ordinal;
    }
    return {};
  }
  Status set_key(std::initializer_list<std::string_view> names) { return set_key<std::initializer_list<std::string_view>>(names); }

  /// Rows that are equal in the key's columns come from one partition, as where the producer partitions by them. Only where that is so.
  TableShape& key_in_one_partition() {
    flags_ |= CDCRT_SHAPE_KEY_IN_ONE_PARTITION;
    return *this;
  }

  /// The table has, or may have, a key that this event does not tell: rows wait until a definition or the manifest tells it.
  TableShape& key_elsewhere() {
    flags_ |= CDCRT_SHAPE_KEY_ELSEWHERE;
    return *this;
  }

  /// The producer leaves NULLs out: a column of the table that is not here is NULL in the rows.
  TableShape& absent_is_null() {
    flags_ |= CDCRT_SHAPE_ABSENT_IS_NULL;
    return *this;
  }

  /// Shape of a definition of all columns: one of them has another name now, and which one it had is not told. It is the one that is gone.
  TableShape& renamed() {
    flags_ |= CDCRT_SHAPE_RENAMED;
    return *this;
  }

  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(columns_.size()); }
  /// The column's place; size() when there is none of that name.
  [[nodiscard]] uint32_t find(std::string_view name) const {
    const auto found =
        std::find_if(columns_.begin(), columns_.end(), [&](const cdcrt_column& column) { return view(column.name) == name; });
    return static_cast<uint32_t>(found - columns_.begin());
  }
  [[nodiscard]] std::string_view name(uint32_t column) const { return view(columns_[column].name); }
  [[nodiscard]] cdcrt_type type(uint32_t column) const { return columns_[column].type; }
  [[nodiscard]] bool is_key(uint32_t column) const { return columns_[column].key_ordinal != 0; }

  /// For RowBuilder::intern; borrows from *this.
  [[nodiscard]] cdcrt_shape abi() const {
    cdcrt_shape shape{};
    shape.size = sizeof shape;
    shape.flags = flags_;
    shape.database = optional(database_);
    shape.schema = optional(schema_);
    shape.table = borrow(table_);
    shape.server = optional(server_);
    shape.columns = columns_.data();
    shape.column_count = size();
    shape.column_size = sizeof(cdcrt_column);
    return shape;
  }

 private:
  TableShape& keep(std::string& part, std::string_view name) {
    part = name;
    return *this;
  }
  static cdcrt_string optional(const std::string& part) { return part.empty() ? cdcrt_string{} : borrow(part); }

  std::string table_, schema_, database_, server_;
  std::deque<std::string> texts_;  // a deque never moves what it holds
  std::vector<cdcrt_column> columns_;
  uint32_t flags_ = 0;
};

/// Numbers of shapes. A cache of one instance: forgetting it changes nothing.
class ShapeCache {
 public:
  static constexpr std::size_t kMaximumBytes = 16 << 20;

  /// The number of this shape, told apart from others by all that it says.
  uint32_t get(const TableShape& shape, RowBuilder& rows) {
    const cdcrt_shape given = shape.abi();
    key_.assign(reinterpret_cast<const char*>(&given.flags), sizeof given.flags);
    for (const cdcrt_string& name : {given.server, given.database, given.schema, given.table}) append(name);
    for (uint32_t i = 0; i < given.column_count; ++i) {
      const cdcrt_column& column = given.columns[i];
      append(column.name);
      append(column.former_name);
      for (const uint32_t number : {uint32_t{column.type.kind}, uint32_t{column.type.element}, static_cast<uint32_t>(column.type.scale),
                                    column.type.length, column.flags, column.key_ordinal}) {
        append(number);
      }
      append(column.default_value);
    }
    return get(key_, [&] { return rows.intern(given); });
  }
  /// The number by a shorter `key`, whatever tells the format's shapes apart (a topic, a schema's id). `make()` answers the number of a
  /// new one.
  template <class Make>
  uint32_t get(std::string_view key, Make&& make) {
    std::string text(key);
    if (const uint32_t* const found = numbers_.find(text)) return *found;
    return numbers_.add(text, make());
  }

 private:
  void append(uint32_t number) { key_.append(reinterpret_cast<const char*>(&number), sizeof number); }
  void append(const cdcrt_cell& cell) {
    append(uint32_t{cell.tag});
    const bool is_text = cell.tag == CDCRT_DECIMAL || cell.tag >= CDCRT_STRING;
    append(is_text ? cdcrt_string{cell.value.data, cell.size}
                   : cdcrt_string{reinterpret_cast<const char*>(&cell.value.natural), sizeof cell.value.natural});
  }
  void append(cdcrt_string text) {
    append(static_cast<uint32_t>(text.size));
    key_ += view(text);
  }

  BoundedCache<uint32_t> numbers_{kMaximumBytes};
  std::string key_;
};

}  // namespace cdcrt::sdk
