// Shapes, interned for the life of the process.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "cdcrt/abi/value.h"
#include "event/arena.hpp"

namespace cdcrt::event {

struct ShapeColumn {
  std::string name;
  cdcrt_type type{};
  uint32_t flags = 0;
  uint32_t key_ordinal = 0;
  cdcrt_cell default_value{};  ///< bytes owned by the registry
  std::string former_name;     ///< of a definition: its name until now; empty: the same
};

/// An owned copy of a cdcrt_shape. Immutable once interned.
struct Shape {
  uint32_t id = 0;
  bool declared = false;
  bool keyed = false;
  bool key_in_one_partition = false;
  bool key_elsewhere = false;   ///< not keyed, and not without key either: something else tells the key
  bool absent_is_null = false;  ///< a column of the table that is not here is NULL in the rows
  bool renamed = false;         ///< a definition after the rename of one column, whose former name is not told
  std::string database, schema, table;
  std::string server;  ///< empty: unknown
  std::vector<ShapeColumn> columns;
};

/// Equal shapes get equal ids. Thread-safe; nothing is ever removed, so references stay valid.
class ShapeRegistry {
 public:
  uint32_t intern(const cdcrt_shape& shape);
  [[nodiscard]] const Shape& get(uint32_t id) const;
  /// nullptr: intern() never gave that id.
  [[nodiscard]] const Shape* find(uint32_t id) const;

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, uint32_t> ids_;
  std::deque<Shape> shapes_;
  Arena defaults_;
};

/// True for tags whose bytes stand at cell.value.data.
inline bool has_bytes(const cdcrt_cell& cell) { return cell.tag == CDCRT_DECIMAL || cell.tag >= CDCRT_STRING; }

/// The cell with its bytes copied into `arena`.
inline cdcrt_cell copy_cell(const cdcrt_cell& cell, Arena& arena) {
  cdcrt_cell copy = cell;
  if (has_bytes(cell)) copy.value.data = arena.copy({cell.value.data, cell.size}).data();
  return copy;
}

}  // namespace cdcrt::event
