// RowPrinter: decoded rows as text for people, or as JSON Lines.
#pragma once

#include <cstdint>
#include <ostream>
#include <set>
#include <string>

#include "diagnostics/result.hpp"
#include "event/row_batch.hpp"

namespace cdcrt::cli {

/// Prints a shape where its first row stands.
class RowPrinter {
 public:
  RowPrinter(const event::ShapeRegistry& shapes, bool json, std::ostream& out) : shapes_(shapes), json_(json), out_(out) {}

  /// `line`: where the row's message stands in the input.
  void row(uint64_t line, const cdcrt_row& row, const event::RowBatch& batch);
  /// A message that would become a dead letter.
  void dead_letter(uint64_t line, const Error& error);

 private:
  void shape(const event::Shape& shape);
  void json_cells(const char* name, const event::Shape& shape, const cdcrt_cell* cells, std::string& out) const;

  const event::ShapeRegistry& shapes_;
  const bool json_;
  std::ostream& out_;
  std::set<uint64_t> printed_;
};

}  // namespace cdcrt::cli
