#include "apply/fold.hpp"

#include <algorithm>
#include <functional>
#include <new>
#include <utility>

#include "cdcrt/sdk/fetch_ahead.hpp"
#include "event/log_order.hpp"
#include "event/shape.hpp"

namespace cdcrt::apply {
namespace {

void overlay(Fold& fold, Entry& entry, const cdcrt_cell* cells, uint32_t width) {
  fold.widen(entry, width);
  for (uint32_t slot = 0; slot < width; ++slot) {
    if (cells[slot].tag != CDCRT_ABSENT) entry.cells[slot] = fold.own(cells[slot]);
  }
}

void forget_cells(Entry& entry) { std::fill(entry.cells, entry.cells + entry.width, cdcrt_cell{}); }

}  // namespace

cdcrt_cell* allocate_cells(event::Arena& arena, uint32_t width) {
  // The arena hands out unaligned bytes; cells need eight.
  char* bytes = arena.allocate(width * sizeof(cdcrt_cell) + alignof(cdcrt_cell) - 1);
  const auto address = reinterpret_cast<std::uintptr_t>(bytes);
  const auto aligned = (address + alignof(cdcrt_cell) - 1) & ~(std::uintptr_t{alignof(cdcrt_cell)} - 1);
  auto* cells = reinterpret_cast<cdcrt_cell*>(bytes + (aligned - address));
  for (uint32_t i = 0; i < width; ++i) ::new (static_cast<void*>(cells + i)) cdcrt_cell{};
  return cells;
}

Entry& Fold::find_or_add(std::string_view key, int64_t offset, bool& added) {
  if ((entries_.size() + 1) * 2 > slots_.size()) rehash(slots_.empty() ? 8 : slots_.size() * 2);
  const auto hash = static_cast<uint32_t>(std::hash<std::string_view>{}(key));
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t place = hash & mask;; place = (place + 1) & mask) {
    Slot& slot = slots_[place];
    if (slot.entry == UINT32_MAX) {
      slot = {hash, static_cast<uint32_t>(entries_.size())};
      added = true;
      Entry& entry = add(offset);
      entry.key = arena_.copy(key);
      return entry;
    }
    if (slot.hash == hash && entries_[slot.entry].key == key) {
      added = false;
      Entry& entry = entries_[slot.entry];
      entry.last_offset = offset;
      return entry;
    }
  }
}

void Fold::fetch_ahead() const {
  sdk::fetch_ahead(slots_.data(), slots_.empty() ? 0 : 1);
  sdk::fetch_ahead(entries_.data() + entries_.size(), entries_.empty() ? 0 : sizeof(Entry));
  arena_.fetch_ahead();
}

std::size_t Fold::bytes() const {
  return arena_.reserved() + entries_.capacity() * sizeof(Entry) + slots_.capacity() * sizeof(Slot) +
         last_of_.size() * sizeof(std::pair<void*, decltype(last_of_)::value_type>);
}

Entry& Fold::succeed(const Entry& entry, int64_t offset) {
  const auto index = static_cast<uint32_t>(&entry - entries_.data());
  const std::string_view key = entry.key;
  const int32_t key_insert = entry.key_insert;
  entries_[index].closed = true;
  entries_[index].followers = 1;
  has_long_chains_ = has_long_chains_ || entries_[index].follows;
  std::size_t place = static_cast<uint32_t>(std::hash<std::string_view>{}(key)) & (slots_.size() - 1);
  while (slots_[place].entry != index) place = (place + 1) & (slots_.size() - 1);
  slots_[place].entry = static_cast<uint32_t>(entries_.size());
  Entry& next = add(offset);
  next.key = key;
  next.key_insert = key_insert;
  next.follows = true;
  return next;
}

void Fold::number_chains() {
  if (!std::exchange(has_long_chains_, false)) return;
  std::unordered_map<std::string_view, uint32_t> followers;
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->closed || entry->follows) entry->followers = followers[entry->key]++;
  }
}

uint32_t& Fold::last_of(std::string_view message_key) {
  const auto found = last_of_.find(message_key);
  return found != last_of_.end() ? found->second : last_of_.emplace(arena_.copy(message_key), UINT32_MAX).first->second;
}

namespace {

// Gives bytes of their own in the arena to a cell.
std::string_view overwrite(std::string_view old, std::string_view text, event::Arena& arena) {
  if (old.data() == nullptr || old.size() != text.size()) return arena.copy(text);
  std::copy(text.begin(), text.end(), const_cast<char*>(old.data()));
  return old;
}

}  // namespace

void Fold::date(Entry& entry, std::string_view order, bool whole) {
  const bool is_first = !std::exchange(entry.dated, true);
  if (whole || is_first) {
    entry.order = entry.since = overwrite(entry.order, order, arena_);
  } else if (event::is_after(order, entry.order)) {
    const bool is_shared = entry.order.data() == entry.since.data();
    entry.order = overwrite(is_shared ? std::string_view() : entry.order, order, arena_);
  }
}

// A table of thousands takes one or two rows of a partition each time, and each block is a walk through the allocator.
Fold Fold::after(const Fold& last) {
  constexpr std::size_t kMostBytes = 2 << 10, kMostEntries = 8;
  Fold next;
  next.usual_ = static_cast<uint32_t>(std::min(last.entries_.size(), kMostEntries));
  next.arena_ = event::Arena(32 << 10, std::clamp(last.arena_.used(), event::Arena::kFirstBlock, kMostBytes));
  return next;
}

Entry& Fold::add(int64_t offset) {
  if (entries_.capacity() == 0) entries_.reserve(usual_);
  Entry& entry = entries_.emplace_back();
  entry.effect = Effect::kNothing;
  entry.first_offset = entry.last_offset = offset;
  return entry;
}

void Fold::rehash(std::size_t capacity) {
  std::vector<Slot> grown(capacity);
  for (const Slot& slot : slots_) {
    if (slot.entry == UINT32_MAX) continue;
    std::size_t place = slot.hash & (capacity - 1);
    while (grown[place].entry != UINT32_MAX) place = (place + 1) & (capacity - 1);
    grown[place] = slot;
  }
  slots_ = std::move(grown);
}

void Fold::widen(cdcrt_cell*& cells, uint32_t& had, uint32_t width) {
  if (width <= had) return;
  cdcrt_cell* const wide = allocate_cells(arena_, width);
  std::copy(cells, cells + had, wide);
  cells = wide;
  had = width;
}

void Fold::fill(Entry& entry, const std::vector<cdcrt_cell>& cells) {
  widen(entry, static_cast<uint32_t>(cells.size()));
  for (std::size_t slot = 0; slot < cells.size(); ++slot) entry.cells[slot] = own(cells[slot]);
}

cdcrt_cell* Fold::own_cells(const cdcrt_cell* cells, uint32_t width) {
  cdcrt_cell* copies = allocate_cells(arena_, width);
  for (uint32_t i = 0; i < width; ++i) copies[i] = copy(cells[i]);
  return copies;
}

cdcrt_cell Fold::copy(const cdcrt_cell& cell) { return event::copy_cell(cell, arena_); }

void Fold::write_out_nulls(const std::vector<evolution::Column>& columns) {
  if (!leaves_nulls_out_) return;
  const auto all = static_cast<uint32_t>(columns.size());
  const auto write_out = [&](cdcrt_cell*& cells, uint32_t& width, uint32_t& nulls_from) {
    if (nulls_from >= all) return;
    widen(cells, width, all);
    for (uint32_t slot = std::exchange(nulls_from, all); slot < all; ++slot) {
      if (cells[slot].tag == CDCRT_ABSENT && columns[slot].active) cells[slot].tag = CDCRT_NULL;
    }
  };
  for (Entry& entry : entries_) {
    if (entry.effect != Effect::kDelete) write_out(entry.cells, entry.width, entry.nulls_from);
  }
  for (KeyDelete& key_delete : key_deletes) write_out(key_delete.cells, key_delete.cells_width, key_delete.nulls_from);
}

void fold_full(Fold& fold, Entry& entry, bool added, const cdcrt_cell* cells, uint32_t width) {
  if (!added && entry.effect == Effect::kDelete) {
    forget_cells(entry);
    entry.effect = Effect::kReplace;
  } else if (entry.effect != Effect::kReplace) {
    entry.effect = Effect::kUpsert;
  }
  overlay(fold, entry, cells, width);
}

bool fold_partial(Fold& fold, Entry& entry, bool added, const cdcrt_cell* cells, uint32_t width) {
  if (added || entry.effect == Effect::kNothing) {
    entry.effect = Effect::kPatch;
  } else if (entry.effect == Effect::kDelete) {
    return false;
  }
  overlay(fold, entry, cells, width);
  return true;
}

void fold_delete(Fold& fold, Entry& entry, const cdcrt_cell* cells, uint32_t width) {
  entry.effect = Effect::kDelete;
  fold.note_delete(entry);
  if (entry.key_insert >= 0) fold.key_inserts[static_cast<std::size_t>(std::exchange(entry.key_insert, -1))].over = true;
  forget_cells(entry);
  entry.nulls_from = UINT32_MAX;
  overlay(fold, entry, cells, width);
}

void Fold::refuse(std::string_view key, int64_t offset, std::string_view order, bool whole, uint32_t source) {
  const auto index = static_cast<uint32_t>(refused.size());
  const std::string_view own = arena_.copy(key);
  refused.push_back({own, offset, false, whole, source, arena_.copy(order)});
  open_refusals_[own].push_back(index);
}

void Fold::close_refused(std::string_view key) {
  if (open_refusals_.empty()) return;
  const auto found = open_refusals_.find(key);
  if (found == open_refusals_.end()) return;
  for (const uint32_t index : found->second) refused[index].closed = true;
  open_refusals_.erase(found);
}

void Fold::rekey(const std::function<void(const cdcrt_cell* cells, uint32_t width, std::string& key)>& key_of) {
  std::unordered_map<std::string_view, std::string_view> renamed;
  std::string scratch;
  const auto follow = [&](std::string_view& key, const cdcrt_cell* cells, uint32_t width) {
    auto place = renamed.find(key);
    if (place == renamed.end()) {
      scratch.clear();
      key_of(cells, width, scratch);
      if (scratch.empty()) return;
      place = renamed.emplace(key, scratch == key ? key : arena_.copy(scratch)).first;
    }
    key = place->second;
  };
  for (Entry& entry : entries_) {
    if (entry.key.data() != nullptr) follow(entry.key, entry.cells, entry.width);
  }
  for (KeyDelete& key_delete : key_deletes) {
    follow(key_delete.old_key, key_delete.old_cells, key_delete.width);
    follow(key_delete.new_key, key_delete.new_cells, key_delete.width);
  }
  const auto look_up = [&](std::string_view& key) {
    if (const auto found = renamed.find(key); found != renamed.end()) key = found->second;
  };
  for (KeyInsert& key_insert : key_inserts) {
    look_up(key_insert.old_key);
    look_up(key_insert.new_key);
  }
  open_refusals_.clear();
  for (uint32_t index = 0; index < refused.size(); ++index) {
    look_up(refused[index].key);
    if (!refused[index].closed) open_refusals_[refused[index].key].push_back(index);
  }
  std::fill(slots_.begin(), slots_.end(), Slot{});
  for (uint32_t index = 0; index < entries_.size(); ++index) {
    // A closed entry is not found by key any more: a later one took its place.
    if (entries_[index].key.data() == nullptr || entries_[index].closed) continue;
    const auto hash = static_cast<uint32_t>(std::hash<std::string_view>{}(entries_[index].key));
    std::size_t place = hash & (slots_.size() - 1);
    while (slots_[place].entry != UINT32_MAX && !unite(slots_[place].entry, index)) place = (place + 1) & (slots_.size() - 1);
    if (slots_[place].entry == UINT32_MAX) slots_[place] = {hash, index};
  }
}

// Unites entries of rows without a key that only differed in a column that was dropped.
bool Fold::unite(uint32_t first, uint32_t other) {
  Entry& kept = entries_[first];
  Entry& gone = entries_[other];
  if (kept.key != gone.key || kept.effect != Effect::kAppend) return false;
  // Where one of them lacks a cell the other may have it; a row is deleted by all cells that are known of it.
  widen(kept, gone.width);
  for (uint32_t slot = 0; slot < gone.width; ++slot) {
    if (kept.cells[slot].tag == CDCRT_ABSENT) kept.cells[slot] = gone.cells[slot];
  }
  kept.nulls_from = std::min(kept.nulls_from, gone.nulls_from);
  kept.copies += gone.copies;
  kept.needed += gone.needed;  // each needs copies of its own
  kept.first_offset = std::min(kept.first_offset, gone.first_offset);
  kept.last_offset = std::max(kept.last_offset, gone.last_offset);
  gone.effect = Effect::kNothing;
  gone.key = {};
  for (auto& [removed, appended] : links) {
    if (removed == other) removed = first;
    if (appended == other) appended = first;
  }
  return true;
}

}  // namespace cdcrt::apply
