// Rows of tables without a key: counted by their whole image.
#include <algorithm>

#include "apply/row_folder.hpp"
#include "types/convert.hpp"

namespace cdcrt::apply {
namespace {

// What the target gives a column that an inserted row lacks.
cdcrt_cell given_when_absent(const evolution::Column& column) {
  return column.default_value.tag > CDCRT_NULL ? column.default_value : types::null_cell();
}

constexpr char kImage = 'i';

}  // namespace

void RowFolder::append_image_key(const cdcrt_cell* cells, uint32_t width, std::string& key) {
  key += kImage;  // a row of which nothing differs from what it would have been given is one as well
  // What a row lacks is what it would have been given: both make one image.
  for (uint32_t slot = 0; slot < width; ++slot) {
    const cdcrt_cell given = given_when_absent(knowledge_.columns()[slot]);
    const cdcrt_cell& cell = cells[slot].tag == CDCRT_ABSENT ? given : cells[slot];
    image_scratch_.clear();
    types::append_key(image_scratch_, given);
    const std::size_t start = key.size();
    types::append_key(key, types::integer_cell(CDCRT_I64, slot));
    const std::size_t value = key.size();
    types::append_key(key, cell);
    if (std::string_view(key).substr(value) == image_scratch_) key.resize(start);
  }
}

uint32_t RowFolder::append_image(Fold& fold, const std::vector<cdcrt_cell>& cells, int64_t offset, int32_t copies) {
  key_scratch_.clear();
  append_image_key(cells.data(), static_cast<uint32_t>(cells.size()), key_scratch_);
  bool added = false;
  Entry& entry = fold.find_or_add(key_scratch_, offset, added);
  if (added) {
    entry.effect = Effect::kAppend;
    entry.copies = 0;
    fold.fill(entry, cells);
  }
  // The row that goes is found by all that is told of it, whatever the event lacked that brought it.
  for (uint32_t slot = 0; copies < 0 && slot < cells.size(); ++slot) {
    if (cells[slot].tag == CDCRT_ABSENT || (slot < entry.width && entry.cells[slot].tag != CDCRT_ABSENT)) continue;
    fold.widen(entry, static_cast<uint32_t>(cells.size()));
    entry.cells[slot] = fold.own(cells[slot]);
  }
  entry.copies += copies;
  entry.needed = std::max(entry.needed, -entry.copies);
  return fold.index_of(entry);
}

void RowFolder::fold_keyless(const Incoming& in, const evolution::ShapeMap& map) {
  const cdcrt_row& row = in.row;
  const int64_t offset = in.offset;
  Fold& fold = in.into.fold();
  Error error;
  converter_.clear();
  const auto refuse = [&](const char* reason, std::string message, std::string hint) {
    in.refuse(reason, make_error(CDCRT_BAD_RECORD, std::move(message), std::move(hint)));
  };
  const bool inserts = row.operation == CDCRT_INSERT || row.operation == CDCRT_SNAPSHOT;
  converter_.learn(false);
  if (!inserts) {
    const uint32_t image = row.before != CDCRT_NO_CELLS ? row.before : (row.operation == CDCRT_DELETE ? row.cells : CDCRT_NO_CELLS);
    if (image != CDCRT_NO_CELLS && !read_row(in, map, in.cells(image), before_scratch_, error)) {
      in.refuse("value_refused", std::move(error));
      return;
    }
    if (image != CDCRT_NO_CELLS && in.shape.declared) {
      for (uint32_t slot = 0; slot < before_scratch_.size(); ++slot) {
        const bool listed = std::find(map.slots.begin(), map.slots.end(), static_cast<int32_t>(slot)) != map.slots.end();
        if (!listed && knowledge_.columns()[slot].active) before_scratch_[slot] = given_when_absent(knowledge_.columns()[slot]);
      }
    }
    const bool is_empty =
        std::all_of(before_scratch_.begin(), before_scratch_.end(), [](const auto& cell) { return cell.tag == CDCRT_ABSENT; });
    // A delete may carry no more than a key that the table does not have.
    const bool is_part = in.shape.key_elsewhere && (row.before == CDCRT_NO_CELLS || row.before == row.cells) && !in.shape.declared &&
                         !in.shape.absent_is_null && !map.absent.empty();
    const bool complete =
        image != CDCRT_NO_CELLS && !is_empty && !is_part && std::none_of(map.slots.begin(), map.slots.end(), [&](int32_t slot) {
          return slot >= 0 && before_scratch_[static_cast<uint32_t>(slot)].tag == CDCRT_ABSENT;
        });
    if (!complete) {
      refuse("before_image_missing", "the table has no key and the event has no complete image of the row before the change",
             "set REPLICA IDENTITY FULL (or its like) at the source, or give the route a primary_key");
      return;
    }
    if (!in.is_only_partition) {
      refuse("keyless_across_partitions", "the table has no key and its rows come from several partitions: order among them is unknown",
             "send the table to one partition, or give the route a primary_key");
      return;
    }
  }
  if (row.operation != CDCRT_DELETE) {
    converter_.learn(true);
    if (!read_row(in, map, in.cells(row.cells), scratch_, error)) {
      in.refuse("value_refused", std::move(error));
      return;
    }
    if (!inserts) {
      for (std::size_t slot = 0; slot < scratch_.size(); ++slot) {
        if (scratch_[slot].tag == CDCRT_ABSENT && slot < before_scratch_.size()) scratch_[slot] = before_scratch_[slot];
      }
    }
  }
  std::optional<uint32_t> removed, appended;
  if (!inserts) removed = append_image(fold, before_scratch_, offset, -1);
  if (row.operation != CDCRT_DELETE) appended = append_image(fold, scratch_, offset, 1);
  for (const auto& image : {removed, appended}) {
    if (!image || !in.shape.absent_is_null) continue;
    Entry& entry = fold.entries()[*image];
    fold.leave_nulls_out(entry, entry.width);
  }
  if (removed && appended) fold.links.emplace_back(*removed, *appended);
  fold.counts.add(row.operation);
}

}  // namespace cdcrt::apply
