// Shapes, interned for as long as they are used.
#pragma once

#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <string>
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
  uint64_t id = 0;  ///< no other shape of the process has it, also of those that are gone
  bool declared = false;
  bool keyed = false;
  bool key_in_one_partition = false;
  bool key_elsewhere = false;   ///< not keyed, and not without key either: something else tells the key
  bool key_for_others = false;  ///< of a definition: the rows of the table do not tell the key
  bool absent_is_null = false;  ///< a column of the table that is not here is NULL in the rows
  bool renamed = false;         ///< a definition after the rename of one column, whose former name is not told
  std::string database, schema, table;
  std::string server;  ///< empty: unknown
  std::vector<ShapeColumn> columns;
};

/// Shapes are kept in generations: where there are too many, a new one begins, and the old one goes with whoever still uses it. Otherwise a
/// source that leaves columns out at random would fill the memory. Thread-safe; must outlive the generations that it gave out.
class ShapeRegistry {
 public:
  static constexpr std::size_t kMaximumBytes = 32 << 20;  ///< of a generation
  static constexpr std::size_t kMaximumShapes = 1 << 16;

  class Generation;
  using Hold = std::shared_ptr<Generation>;

  ShapeRegistry();
  ~ShapeRegistry();
  ShapeRegistry(const ShapeRegistry&) = delete;
  ShapeRegistry& operator=(const ShapeRegistry&) = delete;

  /// The generation in which new shapes are kept, and what is in it while it is held.
  [[nodiscard]] Hold hold();
  /// Of no other generation of this registry.
  static uint64_t number_of(const Hold& generation);
  /// Shape::id of a shape of that generation, by its number there.
  static uint64_t lasting_id(uint64_t generation, uint32_t id);
  /// Equal shapes of a generation get equal ids.
  uint32_t intern(const cdcrt_shape& shape, const Hold& generation);
  /// Valid while its generation is held.
  [[nodiscard]] const Shape& get(uint32_t id) const;
  /// nullptr: no generation that is held has that id.
  [[nodiscard]] const Shape* find(uint32_t id) const;
  /// Of all generations that are held; roughly.
  [[nodiscard]] std::size_t bytes() const;

 private:
  mutable std::shared_mutex mutex_;
  std::vector<Generation*> places_;  ///< by the upper bits of ids
  Hold current_;
  uint64_t count_ = 0;  ///< of generations
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
