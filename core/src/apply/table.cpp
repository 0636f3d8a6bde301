#include "apply/table.hpp"

#include <algorithm>

#include "apply/letter_key.hpp"
#include "cdcrt/sdk/status.hpp"
#include "types/convert.hpp"
#include "types/type.hpp"

namespace cdcrt::apply {
namespace {

// Places that a truncate of another partition may send a partition back to: where they lie further apart, it reads a little more again.
constexpr std::size_t kMaxMarks = 64;
// What a table keeps for its next row, bytes.
constexpr std::size_t kKeptForConversion = 2 << 10;

std::string paused_text(const std::string& reason) {
  return progress::is_own_reason(reason) ? reason : "paused by an operator" + (reason.empty() ? "" : ": " + reason);
}

bool is_definite(uint8_t operation) {
  return operation == CDCRT_SNAPSHOT || operation == CDCRT_INSERT || operation == CDCRT_UPDATE || operation == CDCRT_DEFINITION;
}

}  // namespace

Table::Table(TableIdentity identity) : identity_(std::move(identity)), knowledge_(identity_.route, identity_.limits, !identity_.events),
      by_source_(identity_.keeps_rows() && identity_.route.ordering == route::Ordering::kSource) {}

cdcrt_table Table::abi() const {
  return {identity_.schema.empty() ? cdcrt_string{nullptr, 0} : sdk::borrow(identity_.schema), sdk::borrow(identity_.name)};
}

void Table::restore(const progress::StoredTable& stored) {
  const std::lock_guard lock(mutex_);
  for (evolution::Column column : stored.columns) {
    if (event::has_bytes(column.default_value)) column.default_value = event::copy_cell(column.default_value, knowledge_.arena());
    if (column.active && column.type.kind != CDCRT_TYPE_UNKNOWN) target.made.emplace(column.target_name, column);
    if (column.adopted) target.adopted.insert(column.target_name);
    knowledge_.restore(std::move(column));
  }
  if (stored.key_known) knowledge_.restore_key_known();
  floor_ = stored_floor_ = stored.floor;
  if (stored.by_source && identity_.route.ordering != route::Ordering::kPartition) by_source_ = identity_.keeps_rows();
  skipped_ = stored.state == progress::TableState::kSkipped;
  if (stored.state == progress::TableState::kPaused) detached_ = paused_text(stored.reason);
  target.row = stored;
  target.row.columns.clear();
  target.row_known = true;
  target.key_changes = key_changes_from(stored.key_changes, knowledge_.columns());
  target.letters_known = target.dead_letters_whole = stored.has_no_letters;
  target.stored_version = knowledge_.version();
  count_foreign(stored);
  paused_ = stored.state == progress::TableState::kPaused;
  if (!detached_.empty()) tell_trouble();
}

void Table::restore_progress(progress::Partition& partition, int64_t next_offset, const std::string& order) {
  const std::lock_guard lock(mutex_);
  PartitionState& state = state_of(partition);
  state.fresh = false;
  state.session = partition.session();
  state.unordered = order.empty() && next_offset > 0;
  if (next_offset == 0) next_offset = partition.began_at();
  state.next = state.stored_next = next_offset;
  state.max_order = state.stored_order = order;
  state.last_order = order == progress::kSentBack ? std::string() : order;
  state.marks.emplace_back(order, next_offset);
  knowledge_.restore_sighting(order);
  // A truncate that was read, and is not in the target yet, takes what this partition has written after it as well.
  if (floor_by_ != nullptr && floor_by_ != &partition && order > floor_) rewind_past(state, floor_);
}

Table::PartitionState& Table::state_of(progress::Partition& partition) {
  auto [place, added] = partitions_.try_emplace(&partition);
  if (added) {
    place->second.partition = &partition;
    place->second.session = partition.session();
    place->second.apart = !detached_.empty();
    if (identity_.observer != nullptr) identity_.observer->reads(*this, partition);
    std::erase(foreign_partitions_, partition.key());
  }
  return place->second;
}

void Table::forget(const progress::Partition& partition) {
  const std::lock_guard lock(mutex_);
  const auto found = partitions_.find(&partition);
  if (found == partitions_.end()) return;
  forgets_keys = true;
  PartitionState state;
  state.partition = found->second.partition;
  state.session = partition.session();
  state.min_generation = partition.generation();
  state.apart = !detached_.empty();
  found->second = std::move(state);
  if (cleared_by_ == &partition) {
    clear_ = false;
    cleared_by_ = nullptr;
    // What the truncate dropped or sent back goes on where it is durable, or surely will be.
    for (auto& [other, kept] : partitions_) {
      if (other != &partition && stopped_.empty()) drop_unstored(kept);
    }
  }
  // Whoever reads its truncate next must not take it for done.
  if (floor_by_ == &partition) {
    floor_ = stored_floor_;
    floor_by_ = nullptr;
  }
  account();
  tell_ready();
}

void Table::accept(const Batch& batch, const uint32_t* rows, std::size_t count, const RefusalHandler& refused) {
  if (count == 0) return;
  const std::lock_guard lock(mutex_);
  // What was read before the partition was lost may come as late as this.
  if (!batch.partition.accepts(batch.messages.generation)) return;
  PartitionState& state = state_of(batch.partition);
  if (skipped_ || batch.messages.generation < state.min_generation || batch.next_offset <= state.next) return;
  const int64_t first = std::max(state.next, batch.messages.messages[batch.rows.rows()[rows[0]].message].offset);
  if (std::exchange(state.fresh, false)) {
    state.next = state.stored_next = first;
    state.marks.emplace_back(std::string(), first);
  }
  if (!stopped_.empty() || state.apart) {
    state.missed_next = std::max(state.missed_next, batch.next_offset);
    if (state.first_held < 0) state.first_held = first;
    return;
  }
  if (state.first_held < 0) state.first_held = first;
  fold_rows(batch, state, rows, count, refused);
}

void Table::fold_rows(const Batch& batch, PartitionState& state, const uint32_t* rows, std::size_t count, const RefusalHandler& refused) {
  const uint32_t generation = state.min_generation;
  const int64_t began = state.next;  // a truncate may send the partition back
  std::vector<Refusal> refusals;
  for (std::size_t i = 0; i < count && stopped_.empty() && state.min_generation == generation && state.next == began; ++i) {
    const cdcrt_row& row = batch.rows.rows()[rows[i]];
    if (batch.messages.messages[row.message].offset >= state.next) accept_row(batch, state, row, refusals);
  }
  for (const Refusal& refusal : refusals) refused(refusal);
  if (stopped_.empty() && state.min_generation == generation && state.next == began) {
    state.next = batch.next_offset;
    mark(state);
    if (!dirty_) {
      dirty_ = true;
      dirty_since_ = std::chrono::steady_clock::now();
    }
  }
  conversion_.clear();
  if (conversion_.reserved() > kKeptForConversion) conversion_.release();
  account();
  tell_ready();
}

void Table::mark(PartitionState& state) {
  auto& marks = state.marks;
  if (!marks.empty() && marks.back().first == state.max_order) {
    marks.back().second = state.next;
    return;
  }
  if (marks.size() >= kMaxMarks) {
    // Every second one goes: the older they are, the further apart they stand.
    std::size_t kept = 0;
    for (std::size_t i = 0; i < marks.size(); i += 2) std::swap(marks[kept++], marks[i]);
    marks.resize(kept);
  }
  marks.emplace_back(state.max_order, state.next);
}

void Table::tell_ready() {
  if (identity_.observer == nullptr || !dirty_ || writing_ || !stopped_.empty() || !detached_.empty()) return;
  Waiting waiting{dirty_since_, last_sealed_};
  for (const auto& [partition, state] : partitions_) waiting.rows += state.fold.entries().size();
  waiting.bytes = accounted_;
  identity_.observer->ready(*this, waiting);
}

void Table::tell_trouble() {
  if (identity_.observer == nullptr) return;
  if (!stopped_.empty()) return identity_.observer->troubled(*this, Trouble::kStopped, stopped_);
  identity_.observer->troubled(*this, paused_ ? Trouble::kPaused : Trouble::kDetached, detached_);
}

void Table::accept_row(const Batch& batch, PartitionState& state, const cdcrt_row& row, std::vector<Refusal>& refusals) {
  const int64_t offset = batch.messages.messages[row.message].offset;
  if (row.source_order.data != nullptr) state.last_order.assign(row.source_order.data, row.source_order.size);
  const std::string_view order = state.last_order;
  if (state.max_order == progress::kSentBack) {
    // Of what came after the truncate nothing is missing as long as the log still reaches back to it.
    state.max_order.clear();
    if (!floor_.empty() && order > floor_ && state.partition->log_begins_at() > 0) {
      stop_locked("a truncate in another partition sends " + state.partition->name() + " back, and its log begins at offset " +
                  std::to_string(state.partition->log_begins_at()) + " by now: rows that came after the truncate may have been deleted by retention. " +
                  "Take a new snapshot of the table at the source and run: cdcrt progress rewind --table " + identity_.target() +
                  " --to earliest --empty; the same command without a snapshot accepts the gap");
      return;
    }
  }
  if (by_source_ && !take_row_order(state, row, offset)) return;
  // A partition that has passed the floor (the truncate's own among them) has no rows from before it any more.
  if (!by_source_ && !floor_.empty() && state.max_order < floor_ && order <= floor_) {
    if (order.empty()) {
      stop_locked("rows at " + state.partition->name() + " offset " + std::to_string(offset) +
                  " carry no source order, and another partition had a truncate: which came first is unknown");
      return;
    }
    if (order > state.max_order && order < floor_) state.max_order.assign(order);
    return;
  }
  if (order > state.max_order) state.max_order.assign(order);
  if (order.empty() && !by_source_) state.unordered = true;
  if (row.operation == CDCRT_TRUNCATE) {
    if (identity_.events) {
      scratch_.clear();
      accept_event(state, row, offset);
    } else if (identity_.route.mode != route::Mode::kAppend) {
      truncate(state, order, offset);
    }
    return;
  }
  // The last row's cells may be gone; a type change must not touch them.
  scratch_.clear();
  before_scratch_.clear();
  const event::Shape& shape = batch.shapes.get(row.shape);
  auto map = knowledge_.observe(shape, order, is_definite(row.operation));
  if (!map) {
    if (map.error().code == CDCRT_BAD_RECORD) {
      refuse_shape(state, row, offset, batch, std::move(map.error()), refusals);
    } else {
      stop_locked(explain(map.error()));
    }
    return;
  }
  if (shape.keyed) state.other_keys = 0;
  follow_schema_changes();
  if (row.operation == CDCRT_DEFINITION) return;
  // A delete that is half of a key change is no delete of the source's row.
  if (row.operation == CDCRT_DELETE && row.other_key == CDCRT_NO_CELLS && identity_.route.deletes == route::Deletes::kIgnore) return;
  if (!by_source_ && knowledge_.key_crosses_partitions() && identity_.route.ordering == route::Ordering::kAuto) {
    const bool is_ordered = identity_.keeps_rows() && (row.source_order.data != nullptr || row.operation == CDCRT_SNAPSHOT);
    const bool is_one = partitions_.size() + foreign_partitions_.size() < 2;
    if (is_ordered && (!is_one || state.partition->may_have_siblings())) {
      begin_source_order(state);
      if (!take_row_order(state, row, offset)) return;
    } else if (!is_one) {
      stop_locked("rows of one key may come from several partitions, since " +
                  std::string(shape.key_in_one_partition || !shape.keyed ? "the route's primary_key does not contain the message key"
                                                                         : "the format does not say that a key stays in one") +
                  ", and they carry no source order by which the newer one could be told");
      return;
    }
  }
  const std::size_t refused = refusals.size();
  if (identity_.route.mode == route::Mode::kAppend && !identity_.events) {
    accept_append(state, row, offset, batch, **map, refusals);
  } else if (identity_.events || !knowledge_.key().empty()) {
    accept_keyed(state, row, offset, batch, **map, refusals);
  } else if (!identity_.route.primary_key.empty()) {
    refusals.push_back({row.message, "key_missing",
                        make_error(CDCRT_BAD_RECORD, "the event has no column of the route's primary_key", key_advice(row.operation))});
  } else if (by_source_) {
    stop_locked("ordering = \"source\" needs a key, and the table has none: give the route a primary_key, or leave ordering out");
  } else {
    accept_keyless(state, row, offset, batch, **map, refusals);
  }
  if (refusals.size() > refused && knowledge_.key().empty()) state.fold.refuse(kNoKey, offset, state.last_order, false, state.source);
}

bool Table::convert_row(const event::Shape& shape, const evolution::ShapeMap& map, const cdcrt_cell* cells, std::vector<cdcrt_cell>& out,
                        Error& error) {
  out.assign(knowledge_.columns().size(), cdcrt_cell{});
  for (std::size_t i = 0; i < map.slots.size(); ++i) {
    if (map.slots[i] < 0) {
      if (cells[i].tag > CDCRT_NULL && map.slots[i] == evolution::ShapeMap::kLate) ++late_;
      if (cells[i].tag > CDCRT_NULL && map.slots[i] == evolution::ShapeMap::kLeftOut) ++left_out_;
      continue;
    }
    const auto slot = static_cast<uint32_t>(map.slots[i]);
    if (cells[i].tag <= CDCRT_NULL) {
      out[slot] = cells[i];
    } else if (!convert_cell(cells[i], shape.columns[i].type, shape.declared, slot, out[slot], error)) {
      return false;
    }
  }
  follow_schema_changes();
  return true;
}

bool Table::convert_cell(const cdcrt_cell& cell, cdcrt_type from, bool declared, uint32_t slot, cdcrt_cell& out, Error& error) {
  const evolution::Column& column = knowledge_.columns()[slot];
  // What only tells which row is meant teaches nothing: a row that the column cannot hold is not there.
  if (!column.typed_by_route && (learns_ || column.type.kind == CDCRT_TYPE_UNKNOWN)) {
    const cdcrt_type shown = from.kind == CDCRT_TYPE_UNKNOWN ? types::learned(cell) : from;
    if (!knowledge_.may_hold(slot, shown)) {
      error = make_error(CDCRT_BAD_RECORD,
                         "column '" + column.source_name + "': a value of type " + types::to_string(shown) + ", of which the target can make no key",
                         "give the column a type in the route's columns, or the route another primary_key");
      return false;
    }
    if (from.kind == CDCRT_TYPE_UNKNOWN) {
      knowledge_.learn(slot, cell);
    } else if (!declared) {
      knowledge_.widen(slot, from);
    }
  }
  const bool read = column.typed_by_route && !declared;
  if (!read && types::is_ready(cell, from, column.type)) {
    out = cell;
    return cell.tag != CDCRT_TIME || keep_length(slot, out, error);
  }
  const auto convert = [&] {
    return read ? types::read_as(cell, column.parse, column.type, conversion_) : types::convert(cell, from, column.type, conversion_);
  };
  auto converted = convert();
  const bool overflows = !converted;
  // A key that is cut is another row's.
  const bool is_key = column.key_ordinal > 0;
  if (!converted && !is_key && column.on_overflow == types::OnOverflow::kNull) converted = types::null_cell();
  const bool cuts = column.on_overflow == types::OnOverflow::kTruncate;
  if (!converted && !is_key && cuts) {
    if (auto cut = types::truncate(cell, column.type)) converted = *cut;
  }
  if (!converted && !is_key && (cuts || column.on_overflow == types::OnOverflow::kDefault)) {
    if (auto cut = types::cut_fraction(cell, read ? column.parse : types::Parse::kNone, column.type, conversion_)) converted = *cut;
  }
  if (!converted && column.on_overflow == types::OnOverflow::kWiden) {
    // A moment that came as text is one that its declared type does not hold.
    const bool as_it_came = from.kind == CDCRT_TYPE_UNKNOWN ||
                            (cell.tag == CDCRT_STRING && from.kind >= CDCRT_TYPE_DATE && from.kind <= CDCRT_TYPE_TIMESTAMPTZ);
    knowledge_.widen(slot, as_it_came ? types::learned(cell) : from);
    converted = convert();
  }
  if (converted) {
    if (overflows && column.on_overflow != types::OnOverflow::kWiden) ++overflowed_;
    out = *converted;
    return out.tag != CDCRT_TIME || keep_length(slot, out, error);
  }
  error = std::move(converted.error());
  error.message = "column '" + column.source_name + "': " + error.message;
  return false;
}

// A time that is a length (MySQL's TIME) makes its column an interval where the target's time ends at 24 h.
bool Table::keep_length(uint32_t slot, cdcrt_cell& cell, Error& error) {
  const int64_t longest = identity_.limits.time_us;
  const evolution::Column& column = knowledge_.columns()[slot];
  if (longest == 0 || column.type.kind != CDCRT_TYPE_TIME || (cell.value.integer >= 0 && cell.value.integer <= longest)) return true;
  const auto changes = identity_.route.schema_changes;
  const bool evolves = changes == route::SchemaChanges::kEvolve || changes == route::SchemaChanges::kAddOnly;
  const bool free = evolves && !column.typed_by_route && column.target_type.empty() && column.on_overflow == types::OnOverflow::kDefault;
  if (free || column.on_overflow == types::OnOverflow::kWiden) {
    knowledge_.widen(slot, types::type_of(CDCRT_TYPE_INTERVAL));
    if (auto interval = types::convert(cell, types::type_of(CDCRT_TYPE_TIME), column.type, conversion_)) {
      cell = *interval;
      return true;
    }
  }
  if (column.on_overflow == types::OnOverflow::kNull && column.key_ordinal == 0) {
    cell = types::null_cell();
    ++overflowed_;
    return true;
  }
  error = make_error(CDCRT_BAD_RECORD,
                     "column '" + column.source_name + "': a length of time, and the target's time ends at 24 h: " + types::display(cell),
                     "give the column type = \"interval\" in the route");
  return false;
}

// `scratch_` holds the row; no cells for a truncate.
void Table::accept_event(PartitionState& state, const cdcrt_row& row, int64_t offset) {
  Entry& entry = state.fold.add(offset);
  entry.effect = Effect::kEvent;
  entry.operation = row.operation;
  state.fold.fill(entry, scratch_);
  if (row.operation != CDCRT_TRUNCATE) state.fold.counts.add(row.operation);
}

void Table::accept_keyed(PartitionState& state, const cdcrt_row& row, int64_t offset, const Batch& batch, const evolution::ShapeMap& map,
                         std::vector<Refusal>& refusals) {
  const event::Shape& shape = batch.shapes.get(row.shape);
  Error error;
  conversion_.clear();
  learns_ = identity_.events || row.operation != CDCRT_DELETE;
  if (!convert_row(shape, map, batch.rows.cells(row.cells), scratch_, error)) {
    refusals.push_back({row.message, "value_refused", std::move(error)});
    note_refused(state, row, offset, batch, map);
    return;
  }
  const auto width = static_cast<uint32_t>(scratch_.size());
  if (identity_.events) return accept_event(state, row, offset);
  learns_ = false;
  note_source(state, shape);
  bool has_key = key_of(scratch_, key_scratch_);
  // The route's key need not be the message's: the row that went has it.
  if (!has_key && row.operation == CDCRT_DELETE && row.before != CDCRT_NO_CELLS) {
    if (!convert_key(shape, map, batch.rows.cells(row.before), scratch_, error)) {
      refusals.push_back({row.message, "value_refused", std::move(error)});
      return;
    }
    has_key = key_of(scratch_, key_scratch_);
  }
  if (!has_key) {
    refusals.push_back({row.message, "key_missing",
                        make_error(CDCRT_BAD_RECORD, missing_key(scratch_), key_advice(row.operation))});
    return;
  }
  // One event that changes the key is the delete of the old row and the upsert of the new one.
  std::optional<uint32_t> left;
  bool is_told = row.operation != CDCRT_UPDATE || !knowledge_.has_narrower_message_key();
  if (row.operation == CDCRT_UPDATE && row.before != CDCRT_NO_CELLS) {
    std::string old_key;
    const cdcrt_cell* const before = batch.rows.cells(row.before);
    const auto refuse = [&] {
      refusals.push_back({row.message, "value_refused", std::move(error)});
      note_refused(state, row, offset, batch, map);
    };
    // The row that leaves is found by its key alone: what else it held need not fit any more.
    if (!convert_key(shape, map, before, before_scratch_, error)) return refuse();
    const bool has_old_key = key_of(before_scratch_, old_key);
    is_told = is_told || has_old_key;
    if (has_old_key && old_key != key_scratch_) {
      if (!complete_from(shape, map, before, error)) return refuse();
      bool added = false;
      Entry* old_entry = &state.fold.find_or_add(old_key, offset, added);
      if (by_source_) {
        old_entry = place_by_source(state, old_entry, added, true, false, offset);
      } else if (!added && old_entry->effect == Effect::kPatch) {
        old_entry = &state.fold.succeed(*old_entry, offset);
      }
      if (!by_source_) state.fold.close_refused(old_key);
      if (old_entry != nullptr) {
        fold_delete(state.fold, *old_entry, before_scratch_.data(), static_cast<uint32_t>(before_scratch_.size()));
        old_entry->source = state.source;
        state.fold.date(*old_entry, order_of(state), true);
        left = state.fold.index_of(*old_entry);
      }
    }
  }
  const bool partial = row.operation == CDCRT_UPDATE &&
                       std::any_of(map.slots.begin(), map.slots.end(), [&](int32_t slot) {
                         return slot >= 0 && scratch_[static_cast<uint32_t>(slot)].tag == CDCRT_ABSENT;
                       });
  bool added = false;
  Entry* place = &state.fold.find_or_add(key_scratch_, offset, added);
  if (by_source_) {
    place = place_by_source(state, place, added, !partial, row.operation == CDCRT_SNAPSHOT, offset);
    if (place == nullptr) {
      state.fold.counts.add(row.operation);
      return;
    }
  } else if (!partial) {
    state.fold.close_refused(key_scratch_);
  } else if (!left && !added && place->effect != Effect::kDelete && state.fold.is_refused(key_scratch_)) {
    // Where the fold has nothing of the row yet, find_blocked judges when it is written.
    refusals.push_back({row.message, "earlier_dead_letter", make_error(CDCRT_BAD_RECORD, "it changes a part of a row of which an earlier change is a dead letter")});
    state.fold.refuse(key_scratch_, offset, order_of(state), !partial, state.source);
    return;
  }
  if (row.other_key != CDCRT_NO_CELLS && !note_key_change(state, row, batch, map, *place, error)) {
    refusals.push_back({row.message, error.message.empty() ? "key_missing" : "value_refused",
                        make_error(CDCRT_BAD_RECORD, "the row had another key before, which cannot be read, and the event lacks values of it" +
                                                         (error.message.empty() ? std::string() : ": " + error.message))});
    state.fold.refuse(key_scratch_, offset, order_of(state), !partial, state.source);
    return;
  }
  if (!added && place->effect == Effect::kPatch && !partial) {
    place = &state.fold.succeed(*place, offset);
    added = true;
  }
  Entry& entry = *place;
  entry.source = state.source;
  if (!is_told) entry.untold = offset;
  if (left) state.fold.links.emplace_back(*left, state.fold.index_of(entry));
  if (row.operation == CDCRT_DELETE) {
    for (uint32_t slot = 0; slot < width; ++slot) {
      if (knowledge_.columns()[slot].key_ordinal == 0) scratch_[slot] = {};
    }
    fold_delete(state.fold, entry, scratch_.data(), width);
    state.fold.date(entry, order_of(state), true);
    ++state.fold.counts.deleted;
    return;
  }
  if (!partial) {
    fold_full(state.fold, entry, added, scratch_.data(), width);
  } else if (!fold_partial(state.fold, entry, added, scratch_.data(), width)) {
    refusals.push_back({row.message, "row_missing", make_error(CDCRT_BAD_RECORD, "a partial update follows the delete of its row")});
    state.fold.refuse(key_scratch_, offset, order_of(state), !partial, state.source);
    return;
  }
  state.fold.date(entry, order_of(state), !partial);
  ++(row.operation == CDCRT_UPDATE ? state.fold.counts.updated : state.fold.counts.inserted);
}

void Table::account() {
  const std::size_t now = held_bytes_locked();
  if (identity_.memory != nullptr) identity_.memory->fetch_add(static_cast<int64_t>(now) - static_cast<int64_t>(accounted_));
  accounted_ = now;
}

std::size_t Table::held_bytes_locked() const {
  std::size_t bytes = 0;
  for (const auto& [partition, state] : partitions_) bytes += state.fold.bytes();
  return bytes;
}

bool Table::ready() const {
  const std::lock_guard lock(mutex_);
  return dirty_ && !writing_ && stopped_.empty() && detached_.empty();
}

std::chrono::steady_clock::time_point Table::last_sealed() const {
  const std::lock_guard lock(mutex_);
  return last_sealed_;
}

std::chrono::steady_clock::time_point Table::waiting_since() const {
  const std::lock_guard lock(mutex_);
  return dirty_since_;
}

std::size_t Table::held_bytes() const {
  const std::lock_guard lock(mutex_);
  return held_bytes_locked();
}

std::size_t Table::held_rows() const {
  const std::lock_guard lock(mutex_);
  std::size_t rows = 0;
  for (const auto& [partition, state] : partitions_) rows += state.fold.entries().size();
  return rows;
}

std::optional<Sealed> Table::seal(bool apart) {
  const std::lock_guard lock(mutex_);
  if (!dirty_ || writing_ || !stopped_.empty() || detached_.empty() == apart) return std::nullopt;
  last_sealed_ = std::chrono::steady_clock::now();
  Sealed sealed;
  sealed.table = this;
  sealed.identity = &identity_;
  sealed.clear = clear_;
  sealed.cleared_by = std::exchange(cleared_by_, nullptr);
  sealed.floor = floor_;
  sealed.bytes = accounted_;
  if (!identity_.events && std::any_of(partitions_.begin(), partitions_.end(), [](const auto& each) { return !each.second.fold.empty(); })) {
    knowledge_.type_one_column();
  }
  for (auto& [partition, state] : partitions_) {
    const int64_t held_back = state.apart && state.missed_next > state.next ? state.next : -1;
    if (state.next == state.stored_next && state.fold.empty()) {
      // A truncate sent it back there: to store the place of a partition that has no order yet would tell of rows before it.
      state.first_held = held_back;
      continue;
    }
    SealedPartition part;
    part.partition = state.partition;
    part.session = state.session;
    part.fold = std::exchange(state.fold, Fold());
    part.next_offset = state.next;
    part.first_offset = state.first_held < 0 ? state.next : state.first_held;
    part.order = state.max_order;
    part.stored_order = state.stored_order;
    state.first_sealed = state.first_held;
    state.sealed_next = part.next_offset;
    state.sealed_order = part.order;
    state.first_held = held_back;
    sealed.partitions.push_back(std::move(part));
  }
  accounted_ = held_bytes_locked();  // what was sealed is given back by complete() or stop()
  sealed.columns = knowledge_.columns();
  sealed.key = knowledge_.key();
  sealed.message_key = knowledge_.message_key();
  sealed.key_known = knowledge_.key_known();
  sealed.by_source = by_source_ && !sealed.key.empty();
  sealed.version = knowledge_.version();
  sealed.sources = sources_;
  sealed.key_changes = target.key_changes;
  clear_ = false;
  dirty_ = false;
  if (sealed.empty()) return std::nullopt;
  writing_ = true;
  return sealed;
}

void Table::complete(const Sealed& sealed) {
  const std::lock_guard lock(mutex_);
  writing_ = false;
  if (identity_.memory != nullptr) identity_.memory->fetch_sub(static_cast<int64_t>(sealed.bytes));
  const auto without = [](uint64_t all, uint64_t refused) { return all - std::min(all, refused); };
  const EventCounts counts = sealed.counts();
  applied_.inserted += without(counts.inserted, sealed.refused.inserted);
  applied_.updated += without(counts.updated, sealed.refused.updated);
  applied_.deleted += without(counts.deleted, sealed.refused.deleted);
  target.key_changes = sealed.key_changes;
  for (const auto& part : sealed.partitions) {
    if (part.session != part.partition->session()) continue;
    PartitionState& state = partitions_[part.partition];
    state.stored_next = part.next_offset;
    state.stored_order = part.order;
    state.sealed_next.reset();
    state.first_sealed = -1;
  }
  if (sealed.clear) {
    stored_floor_ = std::max(stored_floor_, sealed.floor);
    if (sealed.floor > floor_) raise_floor(sealed.floor);
    if (floor_ == stored_floor_) floor_by_ = nullptr;
  }
  if (!sealed.empty()) {
    ++times_written_;
    if (identity_.observer != nullptr) identity_.observer->written(*this);
  }
  tell_ready();
}

void Table::advance(const Sealed& portion) {
  const std::lock_guard lock(mutex_);
  target.key_changes = portion.key_changes;
  for (const auto& part : portion.partitions) {
    if (part.session != part.partition->session()) continue;
    PartitionState& state = partitions_[part.partition];
    state.stored_next = part.next_offset;
    state.stored_order = part.order;
    if (state.first_sealed >= 0) state.first_sealed = part.next_offset;
  }
  if (portion.clear) stored_floor_ = std::max(stored_floor_, portion.floor);
}

std::size_t Table::partition_count() const {
  const std::lock_guard lock(mutex_);
  return partitions_.size();
}

// The truncate's partition was given up while it was written: what came since was folded as if it had not been.
void Table::raise_floor(const std::string& floor) {
  floor_ = floor;
  for (auto& [partition, state] : partitions_) {
    if (state.next == state.stored_next) continue;
    if (state.max_order > floor) {
      drop_unstored(state);
    } else {
      state.fold = Fold();
    }
  }
  account();
}

void Table::stop(const std::string& reason, const Sealed* sealed) {
  const std::lock_guard lock(mutex_);
  if (sealed != nullptr) {
    writing_ = false;
    if (identity_.memory != nullptr) identity_.memory->fetch_sub(static_cast<int64_t>(sealed->bytes));
    for (const auto& part : sealed->partitions) {
      PartitionState& state = partitions_[part.partition];
      if (part.session != state.session) continue;
      state.first_held = part.first_offset;
      state.first_sealed = -1;
    }
  }
  stop_locked(reason);
}

void Table::stop_locked(const std::string& reason) {
  if (stopped_.empty()) stopped_ = reason;
  for (auto& [partition, state] : partitions_) {
    state.fold = Fold();
    if (state.first_held < 0) state.first_held = state.stored_next;
  }
  account();
  dirty_ = false;
  tell_trouble();
}

std::string Table::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

std::optional<int64_t> Table::first_unapplied(const progress::Partition& partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = partitions_.find(&partition);
  if (found == partitions_.end()) return std::nullopt;
  const PartitionState& state = found->second;
  if (state.first_sealed >= 0 && state.first_held >= 0) return std::min(state.first_sealed, state.first_held);
  if (state.first_sealed >= 0) return state.first_sealed;
  if (state.first_held >= 0) return state.first_held;
  return std::nullopt;
}

EventCounts Table::applied() const {
  const std::lock_guard lock(mutex_);
  return applied_;
}

}  // namespace cdcrt::apply
