// What the target keeps of a table's columns: put back at a start, and taken over where another process stored it since.
#include <algorithm>

#include "event/log_order.hpp"
#include "evolution/column_names.hpp"
#include "evolution/column_rules.hpp"
#include "evolution/table_knowledge.hpp"
#include "types/type.hpp"

namespace cdcrt::evolution {
namespace {

// So that all processes come to the same one.
void take_earlier(std::string& known, const std::string& stored) {
  if (!stored.empty() && (known.empty() || event::is_after(known, stored))) known = stored;
}

// Once rows lack it, those that have its name have another column.
bool is_lacked_at(const Column& column, std::string_view order) {
  return !column.lacked_since.empty() && !event::is_after(column.lacked_since, order);
}

}  // namespace

void TableKnowledge::restore(Column column) {
  const auto slot = static_cast<uint32_t>(columns_.size());
  slots_.emplace(column.source_name, slot);
  for (const FormerName& former : column.former_names) formers_[former.name].push_back({former.until, slot});
  has_lacked_ = has_lacked_ || !column.lacked_since.empty();
  apply_rules(column);
  if (route_->mode == route::Mode::kAppend) column.key_ordinal = 0;
  has_unplaced_ = has_unplaced_ || column.last_seen == kUnplaced;
  columns_.push_back(std::move(column));
  const uint32_t ordinal = columns_.back().key_ordinal;
  if (ordinal > 0) {
    if (key_.size() < ordinal) key_.resize(ordinal);
    key_[ordinal - 1] = slot;
  }
  restored_ = true;
}

std::vector<uint32_t> TableKnowledge::merge(const std::vector<Column>& stored, bool key_known, std::string_view others) {
  std::vector<uint32_t> returned;
  take_renames(stored);
  for (const Column& column : stored) {
    if (const int32_t found = slot_of(column, stored); found >= 0) {
      const auto slot = static_cast<uint32_t>(found);
      // Where the two disagree it was dropped, for both: a value that goes nowhere is better than one in another's place.
      if (gave_up_its_name(column) && !column.came_early) columns_[slot].came_early = false;
      if (!columns_[slot].came_early && merge_column(slot, column, others)) returned.push_back(slot);
      continue;
    }
    Column added = column;
    if (event::has_bytes(added.default_value)) added.default_value = event::copy_cell(added.default_value, arena_);
    restore(std::move(added));
  }
  if (key_known) key_known_ = true;
  ++version_;
  return returned;
}

bool TableKnowledge::merge_column(uint32_t slot, const Column& stored, std::string_view others) {
  Column& known = columns_[slot];
  const bool returned = stored.active && stored.incarnation > known.incarnation;
  const auto take_over = [&](const Column& from) {
    known.active = from.active;
    known.incarnation = from.incarnation;
    known.dropped_at = from.dropped_at;
    known.type_order = from.type_order;
    known.default_value = event::has_bytes(from.default_value) ? event::copy_cell(from.default_value, arena_) : from.default_value;
  };
  if (stored.incarnation > known.incarnation) {
    // Dropped and made anew elsewhere: what is folded for the old one goes with it.
    drops_.push_back(slot);
    take_over(stored);
    if (!known.typed_by_route) known.type = stored.type;
  } else if (stored.incarnation == known.incarnation) {
    if (!stored.active && known.active) {
      drops_.push_back(slot);
      take_over(stored);
    } else if (stored.active && !known.active && event::is_after(others, known.dropped_at)) {
      known.active = true;
      known.dropped_at = stored.dropped_at;
    } else if (event::is_after(stored.dropped_at, known.dropped_at)) {
      known.dropped_at = stored.dropped_at;
    }
    if (!known.typed_by_route && stored.type.kind != CDCRT_TYPE_UNKNOWN) {
      const bool late = event::is_after(known.type_order, stored.type_order);
      set_type(slot, known.type.kind == CDCRT_TYPE_UNKNOWN
                         ? stored.type
                         : (late ? followed_type(stored.type, known.type) : followed_type(known.type, stored.type)));
      if (!late) known.type_order = stored.type_order;
    }
    if (known.default_value.tag == CDCRT_ABSENT && stored.default_value.tag != CDCRT_ABSENT) {
      known.default_value = event::has_bytes(stored.default_value) ? event::copy_cell(stored.default_value, arena_) : stored.default_value;
    }
  }
  if (stored.former_names.size() == known.former_names.size()) {
    take_earlier(known.lacked_since, stored.lacked_since);
    take_earlier(known.undefined_since, stored.undefined_since);
  }
  has_lacked_ = has_lacked_ || !known.lacked_since.empty();
  event::raise_order(known.last_seen, stored.last_seen);
  has_unplaced_ = has_unplaced_ || known.last_seen == kUnplaced;
  if (known.key_ordinal == 0 && stored.key_ordinal > 0 && !key_known_) {
    known.key_ordinal = stored.key_ordinal;
    if (key_.size() < stored.key_ordinal) key_.resize(stored.key_ordinal);
    key_[stored.key_ordinal - 1] = slot;
  }
  return returned;
}

void keep_columns(std::vector<Column>& columns) {
  for (Column& column : columns) {
    // Not kUnplaced, which gives way to what a row shows.
    if (column.active) column.last_seen.assign(kUnplaced.size() + 1, '\xff');
  }
}

// Not those that are known here alone: whoever wrote rows up to there did not meet them.
void TableKnowledge::restore_sightings(const std::vector<Column>& stored, const std::vector<std::string>& orders) {
  for (const Column& there : stored) {
    const int32_t slot = slot_of(there, stored);
    if (slot < 0 || !there.active || !columns()[static_cast<uint32_t>(slot)].active) continue;
    Column& known = columns_[static_cast<uint32_t>(slot)];
    const bool has_same_names = there.former_names.size() == known.former_names.size();
    for (const std::string& order : orders) {
      if (is_lacked_at(known, order) || (has_same_names && is_lacked_at(there, order))) continue;
      event::raise_order(known.last_seen, order);
    }
  }
}

}  // namespace cdcrt::evolution
