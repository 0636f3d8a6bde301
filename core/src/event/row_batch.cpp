#include "event/row_batch.hpp"

#include <algorithm>
#include <new>

#include "cdcrt/abi/plugin.h"
#include "cdcrt/sdk/elements.hpp"
#include "diagnostics/plugin_error.hpp"
#include "event/row_check.hpp"

namespace cdcrt::event {

RowBatch::RowBatch(ShapeRegistry& shapes) : shapes_(shapes), generation_(shapes.hold()) {
  rows_.size = sizeof rows_;
  rows_.self = this;
  rows_.grow = &RowBatch::grow;
  rows_.arena_grow = &RowBatch::arena_grow;
  rows_.intern = &RowBatch::intern;
  rows_.reject = &RowBatch::reject;
}

uint64_t RowBatch::renew_shapes() {
  generation_ = shapes_.hold();
  others_.clear();
  return shape_generation();
}

void RowBatch::give_up_shapes() {
  generation_.reset();
  others_.clear();
}

void RowBatch::keep_shapes_of(const RowBatch& other) {
  if (other.generation_ == generation_ || std::find(others_.begin(), others_.end(), other.generation_) != others_.end()) return;
  others_.push_back(other.generation_);
}

void RowBatch::clear() {
  others_.clear();
  rows_.row_count = rows_.cell_count = 0;
  rows_.rows = row_storage_.data();
  rows_.cells = cell_storage_.data();
  rows_.row_capacity = static_cast<uint32_t>(row_storage_.size());
  rows_.cell_capacity = static_cast<uint32_t>(cell_storage_.size());
  fault_.clear();
  rows_.arena_next = rows_.arena_end = nullptr;
  arena_.clear();
  rejects_.clear();
}

int32_t RowBatch::grow(cdcrt_rows* rows, uint32_t more_rows, uint32_t more_cells) {
  auto* self = static_cast<RowBatch*>(rows->self);
  try {
    const auto needed_rows = std::size_t{rows->row_count} + more_rows;
    if (needed_rows > self->row_storage_.size()) self->row_storage_.resize(std::max(needed_rows, self->row_storage_.size() * 2));
    const auto needed_cells = std::size_t{rows->cell_count} + more_cells;
    if (needed_cells > self->cell_storage_.size()) self->cell_storage_.resize(std::max(needed_cells, self->cell_storage_.size() * 2));
  } catch (const std::exception&) {
    return 1;
  }
  rows->rows = self->row_storage_.data();
  rows->cells = self->cell_storage_.data();
  rows->row_capacity = static_cast<uint32_t>(self->row_storage_.size());
  rows->cell_capacity = static_cast<uint32_t>(self->cell_storage_.size());
  return 0;
}

char* RowBatch::arena_grow(cdcrt_rows* rows, uint64_t bytes) {
  auto* self = static_cast<RowBatch*>(rows->self);
  try {
    // Small requests open a new run for the plugin's inline bump allocator; large ones stand alone.
    constexpr std::size_t kRun = 64 << 10;
    if (bytes >= kRun / 4) return self->arena_.allocate(bytes);
    char* run = self->arena_.allocate(kRun);
    rows->arena_next = run + bytes;
    rows->arena_end = run + kRun;
    return run;
  } catch (const std::exception&) {
    return nullptr;
  }
}

uint32_t RowBatch::intern(cdcrt_rows* rows, const cdcrt_shape* shape) {
  auto* self = static_cast<RowBatch*>(rows->self);
  try {
    if (shape == nullptr) {
      self->fault_ = "a shape at a NULL pointer";
      return UINT32_MAX;
    }
    if (shape->size < CDCRT_SHAPE_SIZE_0_7 || (shape->column_count > 0 && shape->column_size < CDCRT_COLUMN_SIZE_0_7)) {
      self->fault_ = "a shape of " + std::to_string(shape->size) + " bytes with columns of " + std::to_string(shape->column_size) +
                     ", which no version of the ABI has";
      return UINT32_MAX;
    }
    cdcrt_shape own = sdk::own_part(shape);
    if (own.column_count > 0 && own.columns == nullptr) own.column_size = sizeof(cdcrt_column);  // nothing to copy; refused below
    const sdk::Elements<cdcrt_column> columns(own.columns, own.column_count, own.column_size);
    own.columns = columns.data();
    own.column_size = sizeof(cdcrt_column);
    std::string wrong = fault_of(own);
    if (wrong.empty()) return self->shapes_.intern(own, self->generation_);
    if (self->fault_.empty()) self->fault_ = std::move(wrong);
  } catch (const std::exception& exception) {
    self->fault_ = std::string("a shape that the host could not keep: ") + exception.what();
  }
  return UINT32_MAX;
}

void RowBatch::reject(cdcrt_rows* rows, uint32_t message, const cdcrt_error* error) {
  auto* self = static_cast<RowBatch*>(rows->self);
  try {
    if (error == nullptr) {
      self->rejects_.push_back({message, make_error(CDCRT_BAD_RECORD, "the format gave no reason")});
    } else {
      self->rejects_.push_back({message, diagnostics::to_error(*error)});
    }
  } catch (const std::exception& exception) {
    self->fault_ = std::string("a rejection that the host could not keep: ") + exception.what();
  }
  // A message counts whole or not at all: what it produced so far goes. What stands elsewhere goes with settle().
  while (rows->row_count > 0 && rows->rows[rows->row_count - 1].message == message) --rows->row_count;
}

std::string RowBatch::fault() const {
  if (!fault_.empty()) return fault_;
  if (rows_.row_count > row_storage_.size() || rows_.cell_count > cell_storage_.size()) {
    return std::to_string(rows_.row_count) + " rows and " + std::to_string(rows_.cell_count) + " cells, where there was room for " +
           std::to_string(row_storage_.size()) + " and " + std::to_string(cell_storage_.size());
  }
  if (rows_.rows != row_storage_.data() || rows_.cells != cell_storage_.data()) return "rows and cells to a place of its own";
  return {};
}

void RowBatch::settle(uint32_t messages) {
  for (uint32_t i = 0; i < rows_.row_count; ++i) {
    cdcrt_row& row = rows_.rows[i];
    if (row.operation >= CDCRT_TRUNCATE) row.cells = row.before = row.other_key = CDCRT_NO_CELLS;
  }
  if (rejects_.empty()) return;
  std::vector<bool> rejected(messages);
  std::erase_if(rejects_, [&](const Reject& reject) {
    const bool again = rejected[reject.message];
    rejected[reject.message] = true;
    return again;
  });
  const auto* const end =
      std::remove_if(rows_.rows, rows_.rows + rows_.row_count, [&](const cdcrt_row& row) { return rejected[row.message]; });
  rows_.row_count = static_cast<uint32_t>(end - rows_.rows);
}

}  // namespace cdcrt::event
