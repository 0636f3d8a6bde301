#include "postgresql/array_parameters.hpp"

#include <algorithm>

#include "postgresql/statement_columns.hpp"
#include "postgresql/value.hpp"

namespace cdcrt::postgresql {

using sdk::Status;

namespace {

// One statement takes at most this much: the driver copies the parameters once and again, for each connection. More is not faster.
constexpr uint64_t kMaxRows = 5'000;
constexpr std::size_t kMaxBytes = 2U << 20;

}  // namespace

void ArrayParameters::Column::begin(BinaryType type) {
  is_binary = type != BinaryType::kNone;
  if (is_binary)
    binary.begin(type);
  else
    text.clear();
}

void ArrayParameters::begin(std::size_t columns, const std::vector<const CatalogColumn*>& targets) {
  if (columns_.size() < columns) columns_.resize(columns);
  finished_.assign(columns, {});
  for (std::size_t i = 0; i < columns; ++i) columns_[i].begin(takes_binary_ ? targets[i]->binary : BinaryType::kNone);
}

void ArrayParameters::finish() {
  for (std::size_t i = 0; i < finished_.size(); ++i)
    finished_[i] = columns_[i].is_binary ? columns_[i].binary.finish() : std::string_view(columns_[i].text.finish());
}

Status ArrayParameters::take_rows(const cdcrt_write& write, const std::vector<uint32_t>& chosen,
                                  const std::vector<const CatalogColumn*>& targets, uint64_t first, uint64_t& next, uint64_t& overflowed) {
  begin(chosen.size(), targets);
  std::size_t bytes = 0;
  for (next = first; next < write.row_count && next - first < kMaxRows && bytes < kMaxBytes; ++next) {
    const cdcrt_cell* const cells = write.cells + next * write.column_count;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      Column& taken = columns_[i];
      const std::size_t before = taken.size();
      const bool was_binary = taken.is_binary;
      const cdcrt_column& column = write.columns[chosen[i]];
      Status status = add(i, cells[chosen[i]], column, *targets[i], overflowed);
      if (was_binary && !taken.is_binary) {
        // One value that goes as text takes those before it along, which were counted then.
        uint64_t counted = 0;
        for (uint64_t row = first; row < next && status; ++row)
          status = add(i, write.cells[row * write.column_count + chosen[i]], column, *targets[i], counted);
        if (status) status = add(i, cells[chosen[i]], column, *targets[i], overflowed);
      }
      if (!status) return status;
      bytes += taken.size() - std::min(taken.size(), before);
    }
  }
  finish();
  return {};
}

Status ArrayParameters::take_keys(const cdcrt_read& read, const std::vector<const CatalogColumn*>& targets) {
  begin(read.key_count, targets);
  Status status;
  for (uint32_t i = 0; i < read.key_count; ++i) {
    Column& taken = columns_[i];
    const auto add_all = [&](auto&& add) {
      for (uint64_t row = 0; row < read.key_rows; ++row) {
        // Spelled as when it was written. A key that the column would not keep is in no row, and is looked for as it is.
        const cdcrt_cell& key = read.keys[row * read.key_count + i];
        cdcrt_cell spelled = key;
        uint64_t changed = 0;
        const bool kept = key.tag <= CDCRT_NULL || (to_native(*targets[i], read.columns[i], spelled, native_, changed) && changed == 0);
        if (!add(kept ? spelled : key)) return false;
      }
      return true;
    };
    if (taken.is_binary && add_all([&](const cdcrt_cell& key) { return taken.binary.add(key, read.columns[i]); })) continue;
    taken.begin(BinaryType::kNone);
    add_all([&](const cdcrt_cell& key) { return static_cast<bool>(status = taken.text.add(key, read.columns[i])); });
    if (!status) return status;
  }
  finish();
  return {};
}

// Where the value cannot go in binary form the column becomes one of texts, without it and those before it.
Status ArrayParameters::add(std::size_t at, cdcrt_cell cell, const cdcrt_column& column, const CatalogColumn& target,
                            uint64_t& overflowed) {
  Status status;
  if (column.key_ordinal > 0) status = check_key(target, column, cell);
  uint64_t changed = 0;
  if (status && cell.tag > CDCRT_NULL) status = to_native(target, column, cell, native_, changed);
  if (!status) return status;
  Column& taken = columns_[at];
  if (taken.is_binary) {
    if (taken.binary.add(cell, column)) {
      overflowed += changed;
      return {};
    }
    taken.begin(BinaryType::kNone);
    return {};
  }
  overflowed += changed;
  return taken.text.add(cell, column);
}

void ArrayParameters::bind(sql::Query& query, const std::vector<uint32_t>& parameters) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::string_view bytes = finished_[parameters[i]];
    if (columns_[parameters[i]].is_binary)
      query.bind_binary(i, bytes);
    else
      query.bind_text(i, bytes);
  }
}

std::size_t ArrayParameters::bytes() const {
  std::size_t bytes = 0;
  for (const std::string_view each : finished_) bytes += each.size();
  return bytes;
}

void ArrayParameters::give_back_large() {
  for (Column& column : columns_) {
    column.text.give_back_large();
    column.binary.give_back_large();
  }
}

}  // namespace cdcrt::postgresql
