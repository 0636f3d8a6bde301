#include "apply/left_behind.hpp"

#include <algorithm>
#include <set>

#include "progress/shared_target.hpp"
#include "types/convert.hpp"

namespace cdcrt::apply {

int64_t LeftBehind::untold(const Entry& entry) const {
  if (entry.effect == Effect::kNothing) return -1;
  const bool brings = entry.effect == Effect::kUpsert || entry.effect == Effect::kReplace;
  return entry.untold >= 0 || !late_ || !brings || !sealed_.table->has_one_source() ? entry.untold : entry.last_offset;
}

// The key's bytes as the target stores it: it may spell a uuid or a number in its own way.
std::string LeftBehind::stored_key(const std::vector<uint32_t>& slots, const Entry& entry) {
  std::string key;
  uint64_t overflowed = 0;
  for (const uint32_t slot : slots) {
    const cdcrt_cell cell = slot < entry.width ? entry.cells[slot] : cdcrt_cell{};
    const auto fitting = columns_.fit(slot, cell, arena_, overflowed);
    types::append_key(key, fitting ? *fitting : cell);
  }
  return key;
}

// Reads rows of the target whose columns `by` equal those of `wanted`; their keys, or with `whole` all columns.
Result<void> LeftBehind::read(const std::vector<uint32_t>& by, const std::vector<const Entry*>& wanted, bool whole,
                              std::vector<Standing>& found) {
  if (wanted.empty() || columns_.slots().empty() || !sealed_.table->definition().exists() || sealed_.clear) return {};
  std::vector<uint32_t> slots = by;
  for (const uint32_t slot : whole ? columns_.slots() : sealed_.key) {
    if (std::find(by.begin(), by.end(), slot) == by.end()) slots.push_back(slot);
  }
  std::vector<cdcrt_column> described;
  for (const uint32_t slot : slots) described.push_back(columns_.stored(slot));
  std::vector<cdcrt_cell> keys;
  uint64_t overflowed = 0;
  for (const Entry* entry : wanted) {
    for (const uint32_t slot : by) {
      auto cell = columns_.fit(slot, slot < entry->width ? entry->cells[slot] : cdcrt_cell{}, arena_, overflowed);
      if (!cell) return std::move(cell.error());
      keys.push_back(*cell);
    }
  }
  struct Context {
    LeftBehind* self;
    const std::vector<uint32_t>* slots;
    std::vector<Standing>* found;
  } context{this, &slots, &found};
  cdcrt_read read{};
  read.size = sizeof read;
  read.table = sealed_.table->abi();
  read.columns = described.data();
  read.column_count = static_cast<uint32_t>(described.size());
  read.key_count = static_cast<uint32_t>(by.size());
  read.keys = keys.data();
  read.key_rows = wanted.size();
  read.context = &context;
  read.visit = [](void* opaque, const cdcrt_cell* cells) {
    const Context& told = *static_cast<Context*>(opaque);
    LeftBehind* const self = told.self;
    Standing& row = told.found->emplace_back();
    row.cells.resize(self->sealed_.columns().size());
    const auto append_keys = [&](const std::vector<uint32_t>& key_slots, std::string& key) {
      for (const uint32_t slot : key_slots) {
        const auto place = std::find(told.slots->begin(), told.slots->end(), slot);
        types::append_key(key, cells[place - told.slots->begin()]);
      }
    };
    append_keys(self->sealed_.key, row.key);
    append_keys(self->sealed_.message_key, row.message_key);
    for (std::size_t i = 0; i < told.slots->size(); ++i) {
      // Converted to our type of the column: an adopted column of the target may have another.
      const uint32_t slot = (*told.slots)[i];
      const cdcrt_cell own = event::copy_cell(cells[i], self->arena_);
      auto converted = types::convert(own, {}, self->sealed_.columns()[slot].type, self->arena_);
      row.cells[slot] = converted ? *converted : own;
    }
    return 0;
  };
  return connection_.read(read);
}

LeftBehind::Groups LeftBehind::group(const std::vector<const Entry*>& entries) {
  Groups groups;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = *entries[i];
    if (entry.effect == Effect::kNothing || entry.key.data() == nullptr) continue;
    OfKey& of_key = groups[stored_key(sealed_.message_key, entry)][entry.key];
    if (of_key.entries.empty()) of_key.stored = stored_key(sealed_.key, entry);
    of_key.entries.push_back(i);
    of_key.last = std::max(of_key.last, entry.last_offset);
    of_key.untold = std::max(of_key.untold, untold(entry));
  }
  std::erase_if(groups, [](const auto& each) {
    return std::none_of(each.second.begin(), each.second.end(), [](const auto& of_key) { return of_key.second.untold >= 0; });
  });
  return groups;
}

Result<void> LeftBehind::settle(std::vector<const Entry*>& entries) {
  if (sealed_.message_key.empty()) return {};
  if (std::none_of(entries.begin(), entries.end(), [this](const Entry* entry) { return untold(*entry) >= 0; })) return {};
  Groups groups = group(entries);
  std::vector<const Entry*> newest;
  for (auto& [message_key, group] : groups) {
    const OfKey* last = nullptr;
    for (const auto& [key, of_key] : group) {
      if (last == nullptr || of_key.untold > last->untold) last = &of_key;
    }
    newest.push_back(entries[last->entries.front()]);
    for (auto& [key, of_key] : group) of_key.left = &of_key != last && of_key.last < last->untold;
  }
  // First by the table's key, which has an index: most rows have not moved.
  std::vector<Standing> there;
  if (auto done = read(sealed_.key, newest, false, there); !done) return done;
  std::set<std::string_view> found;
  for (const Standing& row : there) found.insert(row.key);
  std::vector<const Entry*> not_found;
  std::size_t number = 0;
  for (const auto& [message_key, group] : groups) {
    const Entry* const entry = newest[number++];
    const bool leaves = std::any_of(group.begin(), group.end(), [](const auto& each) { return each.second.left; });
    if (leaves || !found.contains(group.at(entry->key).stored)) not_found.push_back(entry);
  }
  std::vector<Standing> standing;
  if (auto done = read(sealed_.message_key, not_found, true, standing); !done) return done;
  std::map<std::string, std::vector<Standing>> rows;
  for (Standing& row : standing) rows[row.message_key].push_back(std::move(row));
  for (auto& [message_key, group] : groups) {
    if (auto settled = settle(group, rows[message_key], entries); !settled) return settled;
  }
  std::erase(entries, nullptr);
  return {};
}

// Whether a message key names one row of the target. Only asked before a row is deleted.
Result<bool> LeftBehind::has_one_source() {
  if (has_one_source_) return *has_one_source_;
  has_one_source_ = sealed_.table->has_one_source();
  if (!*has_one_source_) return false;
  auto shared = progress::is_shared(connection_, store_, sealed_.table->identity().target());
  if (!shared) return std::move(shared.error());
  has_one_source_ = !*shared;
  return *has_one_source_;
}

Result<void> LeftBehind::settle(Group& group, const std::vector<Standing>& standing, std::vector<const Entry*>& entries) {
  const auto newest = std::max_element(group.begin(), group.end(),
                                       [](const auto& one, const auto& other) { return one.second.untold < other.second.untold; });
  const auto& own = newest->second.entries;
  int64_t turn = -1;  // offset of its last change under another key
  std::vector<std::size_t> way;
  for (const auto& [key, of_key] : group) {
    if (!of_key.left) continue;
    turn = std::max(turn, of_key.last);
    way.insert(way.end(), of_key.entries.begin(), of_key.entries.end());
  }
  auto first = std::find_if(own.begin(), own.end(), [&](std::size_t i) { return entries[i]->first_offset > turn; });
  if (first == own.end()) --first;
  if (turn >= 0) way.insert(way.end(), own.begin(), first);
  std::sort(way.begin(), way.end(), [&](std::size_t i, std::size_t j) { return entries[i]->first_offset < entries[j]->first_offset; });
  std::vector<const Standing*> left;
  const Standing* stays = nullptr;
  for (const Standing& row : standing) {
    if (row.key == newest->second.stored) {
      stays = &row;
      continue;
    }
    const auto of_key = std::find_if(group.begin(), group.end(), [&](const auto& each) { return each.second.stored == row.key; });
    // A later event of the batch changes that row: its result counts.
    if (of_key == group.end() || of_key->second.left) left.push_back(&row);
  }
  if (way.empty() && left.empty()) return {};
  auto one = has_one_source();
  if (!one) return std::move(one.error());
  if (!*one) {
    is_unsure_ = true;
    return {};
  }
  const Entry& newer = *entries[*first];
  moved_.push_back(&newer);
  std::vector<const Entry*> removed;
  for (const Standing* row : left) removed.push_back(&remove(row->key, row->cells.data(), static_cast<uint32_t>(row->cells.size()), newer));
  for (const auto& [key, of_key] : group) {
    const Entry& gone = *entries[of_key.entries.back()];
    if (of_key.left) removed.push_back(&remove(key, gone.cells, gone.width, newer));
  }
  // The row's cells from event to event. A row that was deleted before, or is only known in parts, has no cells to give.
  const Standing* const before = !left.empty() ? left.back() : stays;
  bool lives = before != nullptr, ended = false;
  Row from = lives ? before->cells : Row(sealed_.columns().size());
  for (const std::size_t i : way) {
    const Entry& entry = *entries[i];
    // Stays an entry of its own, and finds no row.
    if (entry.effect == Effect::kPatch && !lives) continue;
    from = with(entry, std::move(from));
    lives = entry.effect != Effect::kDelete;
    ended = ended || entry.effect == Effect::kDelete || entry.effect == Effect::kReplace;
    entries[i] = nullptr;
  }
  if (ended && stays != nullptr) removed.push_back(&remove(newer.key, newer.cells, newer.width, newer));
  if (lives && (newer.effect == Effect::kUpsert || newer.effect == Effect::kPatch)) entries[*first] = &complete(newer, from);
  entries.insert(entries.end(), removed.begin(), removed.end());
  return {};
}

LeftBehind::Row LeftBehind::with(const Entry& entry, Row row) const {
  if (entry.effect == Effect::kReplace || entry.effect == Effect::kDelete) row.assign(row.size(), {});
  for (uint32_t slot = 0; slot < entry.width && slot < row.size(); ++slot) {
    if (entry.cells[slot].tag != CDCRT_ABSENT) row[slot] = entry.cells[slot];
  }
  return row;
}

const Entry& LeftBehind::remove(std::string_view key, const cdcrt_cell* cells, uint32_t width, const Entry& newer) {
  Entry& entry = made_.emplace_back();
  entry.effect = Effect::kDelete;
  entry.key = arena_.copy(key);
  entry.width = static_cast<uint32_t>(sealed_.columns().size());
  entry.cells = allocate_cells(arena_, entry.width);
  for (const uint32_t slot : sealed_.key) entry.cells[slot] = slot < width ? event::copy_cell(cells[slot], arena_) : cdcrt_cell{};
  entry.followers = newer.followers;
  originals_[&entry] = nullptr;
  return entry;
}

const Entry& LeftBehind::complete(const Entry& entry, const Row& from) {
  Entry& whole = made_.emplace_back(entry);
  whole.effect = Effect::kUpsert;
  whole.width = static_cast<uint32_t>(from.size());
  whole.cells = allocate_cells(arena_, whole.width);
  for (uint32_t slot = 0; slot < whole.width; ++slot) {
    const bool is_set = slot < entry.width && entry.cells[slot].tag != CDCRT_ABSENT;
    whole.cells[slot] = is_set ? entry.cells[slot] : sealed_.columns()[slot].active ? from[slot] : cdcrt_cell{};
  }
  originals_[&whole] = &entry;
  return whole;
}

}  // namespace cdcrt::apply
