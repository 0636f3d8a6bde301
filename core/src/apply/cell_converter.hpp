// CellConverter: converts the cells of events to the types of a table's columns.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "apply/table_identity.hpp"
#include "evolution/table_knowledge.hpp"

namespace cdcrt::apply {

/// By slot of the table's knowledge. Converted bytes live until release(). Values teach the knowledge their types; the caller
/// converts what was folded before.
class CellConverter {
 public:
  CellConverter(const TableIdentity& identity, evolution::TableKnowledge& knowledge) : identity_(identity), knowledge_(knowledge) {}

  /// True: the next cells are a row to be written, and columns whose type is learned follow them. False: they only say which row is meant.
  void learn(bool learns) { learns_ = learns; }
  bool convert_row(const event::Shape& shape, const evolution::ShapeMap& map, const cdcrt_cell* cells, std::vector<cdcrt_cell>& out,
                   Error& error);
  /// The cells of the key alone.
  bool convert_key(const event::Shape& shape, const evolution::ShapeMap& map, const cdcrt_cell* cells, std::vector<cdcrt_cell>& out,
                   Error& error);
  /// Fills the ABSENT cells of `row` from the image before the change.
  bool complete(const event::Shape& shape, const evolution::ShapeMap& map, const cdcrt_cell* before, std::vector<cdcrt_cell>& row,
                Error& error);

  [[nodiscard]] event::Arena& arena() { return arena_; }
  /// Drops the bytes of converted cells, and keeps the memory for the next ones.
  void clear() { arena_.clear(); }
  /// Drops the bytes and gives a large buffer back.
  void release();

  // Any thread.

  /// Values that were discarded because their column was dropped before they were read.
  [[nodiscard]] uint64_t late() const { return late_; }
  /// Values that were made to fit: cut or made NULL (on_overflow), characters left out; as often as they were read or written.
  [[nodiscard]] uint64_t overflowed() const { return overflowed_; }
  void count_overflowed(uint64_t values) { overflowed_ += values; }
  /// Cells for which the table has no column (schema_changes = "ignore"); as often as they were read or written.
  [[nodiscard]] uint64_t left_out() const { return left_out_; }
  void count_left_out(uint64_t cells) { left_out_ += cells; }

 private:
  [[nodiscard]] bool is_plain(const evolution::ShapeMap& map, std::size_t column, const cdcrt_cell& cell) const;
  bool convert_cell(const cdcrt_cell& cell, const event::ShapeColumn& source, bool declared, uint32_t slot, cdcrt_cell& out, Error& error);
  bool keep_length(uint32_t slot, cdcrt_cell& cell, Error& error);

  const TableIdentity& identity_;
  evolution::TableKnowledge& knowledge_;
  bool learns_ = true;
  event::Arena arena_{16 << 10};
  std::atomic<uint64_t> overflowed_{0}, left_out_{0}, late_{0};
};

}  // namespace cdcrt::apply
