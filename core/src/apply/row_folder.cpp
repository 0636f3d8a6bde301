#include "apply/row_folder.hpp"

#include <algorithm>
#include <optional>

#include "apply/dead_letter_key.hpp"
#include "cdcrt/sdk/status.hpp"
#include "event/log_order.hpp"
#include "types/convert.hpp"

namespace cdcrt::apply {

void RowFolder::forget_row() {
  scratch_.clear();
  before_scratch_.clear();
}

void RowFolder::follow(const evolution::TypeChange& change) {
  for (auto* cells : {&scratch_, &before_scratch_}) {
    // The cell that taught the type has it already.
    if (change.slot >= cells->size() || types::is_ready((*cells)[change.slot], change.to, change.to)) continue;
    if (auto converted = types::convert((*cells)[change.slot], change.from, change.to, converter_.arena()))
      (*cells)[change.slot] = *converted;
  }
}

void RowFolder::fold_truncate(PartitionFold& into, const cdcrt_row& row, int64_t offset) {
  scratch_.clear();
  add_event(into.fold(), row, offset);
}

std::string RowFolder::fold(const Incoming& in, const evolution::ShapeMap& map) {
  const std::size_t refused = in.refusals.size();
  if (identity_.route.mode == route::Mode::kAppend && !identity_.events) {
    fold_appended(in, map);
  } else if (identity_.events || !knowledge_.key().empty()) {
    fold_keyed(in, map);
  } else if (!identity_.route.primary_key.empty() || !identity_.route.fallback_key.empty()) {
    in.refuse("key_missing", make_error(CDCRT_BAD_RECORD,
                                        std::string("the event has no column of ") + (identity_.route.primary_key.empty()
                                                                                          ? "the key that primary_keys gives the table"
                                                                                          : "the route's primary_key"),
                                        key_advice(in.row.operation)));
  } else if (in.shape.key_elsewhere && !knowledge_.key_known()) {
    in.refuse("key_missing", make_error(CDCRT_BAD_RECORD, "the event lacks a column of the key that the table's definition names"));
  } else if (by_source_) {
    return "ordering = \"source\" needs a key, and the table has none: give the route a primary_key, or leave ordering out";
  } else {
    fold_keyless(in, map);
  }
  if (in.refusals.size() > refused && knowledge_.key().empty()) {
    in.into.fold().refuse(kNoKey, in.offset, in.into.last_order(), false, in.into.memory().source);
  }
  return {};
}

bool RowFolder::read_row(const Incoming& in, const evolution::ShapeMap& map, const cdcrt_cell* cells, std::vector<cdcrt_cell>& out,
                         Error& error) {
  if (!converter_.convert_row(in.shape, map, cells, out, error)) return false;
  follow_changes();
  return true;
}

bool RowFolder::read_key(const Incoming& in, const evolution::ShapeMap& map, const cdcrt_cell* cells, std::vector<cdcrt_cell>& out,
                         Error& error) {
  if (!converter_.convert_key(in.shape, map, cells, out, error)) return false;
  follow_changes();
  return true;
}

bool RowFolder::complete_from(const Incoming& in, const evolution::ShapeMap& map, const cdcrt_cell* before, Error& error) {
  if (!converter_.complete(in.shape, map, before, scratch_, error)) return false;
  follow_changes();
  return true;
}

// `scratch_` holds the row; no cells for a truncate.
void RowFolder::add_event(Fold& fold, const cdcrt_row& row, int64_t offset) {
  Entry& entry = fold.add(offset);
  entry.effect = Effect::kEvent;
  entry.operation = row.operation;
  fold.fill(entry, scratch_);
  if (row.operation != CDCRT_TRUNCATE) fold.counts.add(row.operation);
}

bool RowFolder::read_keyed(const Incoming& in, const evolution::ShapeMap& map) {
  const cdcrt_row& row = in.row;
  Error error;
  converter_.clear();
  converter_.learn(identity_.events || row.operation != CDCRT_DELETE);
  // Of a row that is deleted the key is enough: its other values need not fit any more, and may be made up where the event has no image.
  const bool key_alone = row.operation == CDCRT_DELETE && !knowledge_.key().empty() && (!identity_.events || row.before == CDCRT_NO_CELLS);
  const bool is_read =
      key_alone ? read_key(in, map, in.cells(row.cells), scratch_, error) : read_row(in, map, in.cells(row.cells), scratch_, error);
  if (!is_read) {
    in.refuse("value_refused", std::move(error));
    note_refused(in, map);
    return false;
  }
  return true;
}

bool RowFolder::find_key(const Incoming& in, const evolution::ShapeMap& map) {
  const cdcrt_row& row = in.row;
  if (key_of(scratch_, key_scratch_)) return true;
  // The route's key need not be the message's: the row before a delete has it.
  if (row.operation == CDCRT_DELETE && row.before != CDCRT_NO_CELLS) {
    Error error;
    if (!read_key(in, map, in.cells(row.before), scratch_, error)) {
      in.refuse("value_refused", std::move(error));
      return false;
    }
    if (key_of(scratch_, key_scratch_)) return true;
  }
  in.refuse("key_missing", make_error(CDCRT_BAD_RECORD, missing_key(scratch_), key_advice(row.operation)));
  return false;
}

bool RowFolder::fold_old_key(const Incoming& in, const evolution::ShapeMap& map, OldKey& old) {
  Fold& fold = in.into.fold();
  Error error;
  std::string& old_key = image_scratch_;  // used by tables without a key, and behind this
  const cdcrt_cell* const before = in.cells(in.row.before);
  const auto refuse = [&] {
    in.refuse("value_refused", std::move(error));
    note_refused(in, map);
    return false;
  };
  // The old row is found by its key alone: its other values need not fit any more.
  if (!read_key(in, map, before, before_scratch_, error)) return refuse();
  old.is_told = key_of(before_scratch_, old_key);
  if (!old.is_told || old_key == key_scratch_) return true;
  if (!complete_from(in, map, before, error)) return refuse();
  bool added = false;
  Entry* entry = &fold.find_or_add(old_key, in.offset, added);
  if (by_source_) {
    entry = place_by_source(in.into, entry, added, true, false, in.offset);
  } else if (!added && entry->effect == Effect::kPatch) {
    entry = &fold.succeed(*entry, in.offset);
  }
  if (!by_source_) fold.close_refused(old_key);
  if (entry == nullptr) return true;
  fold_delete(fold, *entry, before_scratch_.data(), static_cast<uint32_t>(before_scratch_.size()));
  entry->source = in.into.memory().source;
  fold.date(*entry, order_of(in.into), true);
  old.entry = fold.index_of(*entry);
  return true;
}

void RowFolder::fold_keyed(const Incoming& in, const evolution::ShapeMap& map) {
  const cdcrt_row& row = in.row;
  const int64_t offset = in.offset;
  RowMemory& memory = in.into.memory();
  Fold& fold = in.into.fold();
  Error error;
  if (!read_keyed(in, map)) return;
  const auto width = static_cast<uint32_t>(scratch_.size());
  if (identity_.events) return add_event(fold, row, offset);
  converter_.learn(false);
  note_source(memory, in.shape);
  if (!find_key(in, map)) return;
  // One event that changes the key is the delete of the old row and the upsert of the new one.
  OldKey old;
  if (row.operation == CDCRT_UPDATE && row.before != CDCRT_NO_CELLS && !fold_old_key(in, map, old)) return;
  const std::optional<uint32_t> left = old.entry;
  const bool is_told = row.operation != CDCRT_UPDATE || !knowledge_.has_narrower_message_key() || old.is_told;
  const bool partial = row.operation == CDCRT_UPDATE && std::any_of(map.slots.begin(), map.slots.end(), [&](int32_t slot) {
                         return slot >= 0 && scratch_[static_cast<uint32_t>(slot)].tag == CDCRT_ABSENT;
                       });
  bool added = false;
  Entry* place = &fold.find_or_add(key_scratch_, offset, added);
  if (by_source_) {
    place = place_by_source(in.into, place, added, !partial, row.operation == CDCRT_SNAPSHOT, offset);
    if (place == nullptr) {
      fold.counts.add(row.operation);
      return;
    }
  } else if (!partial) {
    fold.close_refused(key_scratch_);
  } else if (!left && !added && place->effect != Effect::kDelete && fold.is_refused(key_scratch_)) {
    // Where the fold has nothing of the row yet, find_blocked judges when it is written.
    in.refuse("earlier_dead_letter",
              make_error(CDCRT_BAD_RECORD, "it changes a part of a row of which an earlier change is a dead letter"));
    fold.refuse(key_scratch_, offset, order_of(in.into), !partial, memory.source);
    return;
  }
  if (row.other_key != CDCRT_NO_CELLS && !note_key_change(in, map, *place, error)) {
    in.refuse(error.message.empty() ? "key_missing" : "value_refused",
              make_error(CDCRT_BAD_RECORD, "the row had another key before, which cannot be read, and the event lacks values of it" +
                                               (error.message.empty() ? std::string() : ": " + error.message)));
    fold.refuse(key_scratch_, offset, order_of(in.into), !partial, memory.source);
    return;
  }
  if (!added && place->effect == Effect::kPatch && !partial) {
    place = &fold.succeed(*place, offset);
    added = true;
  }
  if (!by_source_ && knowledge_.has_narrower_message_key()) {
    place = after_other_keys(fold, place, added, is_told, memory.source, offset);
  }
  Entry& entry = *place;
  entry.source = memory.source;
  if (!is_told) entry.untold = offset;
  if (left) fold.links.emplace_back(*left, fold.index_of(entry));
  if (row.operation == CDCRT_DELETE) {
    for (uint32_t slot = 0; slot < width; ++slot) {
      if (knowledge_.columns()[slot].key_ordinal == 0) scratch_[slot] = {};
    }
    fold_delete(fold, entry, scratch_.data(), width);
    fold.date(entry, order_of(in.into), true);
    ++fold.counts.deleted;
    return;
  }
  entry.brought = entry.brought || (added && !entry.follows && (left || row.operation != CDCRT_UPDATE));
  if (!partial) {
    fold_full(fold, entry, added, scratch_.data(), width);
  } else if (!fold_partial(fold, entry, added, scratch_.data(), width)) {
    in.refuse("row_missing", make_error(CDCRT_BAD_RECORD, "a partial update follows the delete of its row"));
    fold.refuse(key_scratch_, offset, order_of(in.into), !partial, memory.source);
    return;
  }
  if (in.shape.absent_is_null) fold.leave_nulls_out(entry, width);
  fold.date(entry, order_of(in.into), !partial);
  ++(row.operation == CDCRT_UPDATE ? fold.counts.updated : fold.counts.inserted);
}

Entry* RowFolder::place_by_source(PartitionFold& into, Entry* found, bool& added, bool whole, bool snapshot, int64_t offset) {
  const std::string& order = into.row_order();
  if (!added && whole && found->effect != Effect::kPatch) {
    const event::Order place = event::compare_orders(found->order, order);
    if (place == event::Order::kBefore || (place == event::Order::kSame && snapshot && !found->snapshot)) return nullptr;
    // Which of the two counts is refused when they are written.
    if (place == event::Order::kOtherLog) {
      found = &into.fold().succeed(*found, offset);
      added = true;
    }
  } else if (!added) {
    found = &into.fold().succeed(*found, offset);
    added = true;
  }
  found->snapshot = snapshot;
  return found;
}

}  // namespace cdcrt::apply
