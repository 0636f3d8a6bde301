#include "event/row_batch.hpp"

#include <algorithm>
#include <new>

#include "diagnostics/plugin_error.hpp"

namespace cdcrt::event {

RowBatch::RowBatch(ShapeRegistry& shapes) : shapes_(shapes) {
  rows_.size = sizeof rows_;
  rows_.self = this;
  rows_.grow = &RowBatch::grow;
  rows_.arena_grow = &RowBatch::arena_grow;
  rows_.intern = &RowBatch::intern;
  rows_.reject = &RowBatch::reject;
}

void RowBatch::clear() {
  rows_.row_count = 0;
  rows_.cell_count = 0;
  rows_.arena_next = rows_.arena_end = nullptr;
  arena_.clear();
  rejects_.clear();
}

int RowBatch::grow(cdcrt_rows* rows, uint32_t more_rows, uint32_t more_cells) {
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

uint32_t RowBatch::intern(cdcrt_rows* rows, const cdcrt_shape* shape) { return static_cast<RowBatch*>(rows->self)->shapes_.intern(*shape); }

void RowBatch::reject(cdcrt_rows* rows, uint32_t message, const cdcrt_error* error) {
  auto* self = static_cast<RowBatch*>(rows->self);
  self->rejects_.push_back({message, diagnostics::to_error(*error)});
  // A message counts whole or not at all: what it produced so far goes.
  while (rows->row_count > 0 && rows->rows[rows->row_count - 1].message == message) --rows->row_count;
}

}  // namespace cdcrt::event
