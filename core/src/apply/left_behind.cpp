#include "apply/left_behind.hpp"

#include <algorithm>
#include <set>

#include "apply/write_set.hpp"
#include "types/convert.hpp"

namespace cdcrt::apply {

int64_t LeftBehind::untold(const Entry& entry) const {
  if (entry.effect == Effect::kNothing) return -1;
  const bool brings = entry.effect == Effect::kUpsert || entry.effect == Effect::kReplace;
  return entry.untold >= 0 || !late_ || !brings || !sealed_.table->has_one_source() ? entry.untold : entry.last_offset;
}

std::string LeftBehind::message_key_of(const cdcrt_cell* cells, uint32_t width) const {
  std::string key;
  for (const uint32_t slot : sealed_.message_key) types::append_key(key, slot < width ? cells[slot] : cdcrt_cell{});
  return key;
}

// Reads rows of the target whose columns `by` equal those of `wanted`; their keys, or with `whole` all columns.
Result<void> LeftBehind::read(const std::vector<uint32_t>& by, const std::vector<const Entry*>& wanted, bool whole,
                              std::vector<Standing>& found) {
  const TargetColumns columns(sealed_);
  if (wanted.empty() || columns.slots().empty() || !sealed_.table->definition().exists() || sealed_.clear) return {};
  std::vector<uint32_t> slots = by;
  for (const uint32_t slot : whole ? columns.slots() : sealed_.key) {
    if (std::find(by.begin(), by.end(), slot) == by.end()) slots.push_back(slot);
  }
  std::vector<cdcrt_column> described;
  for (const uint32_t slot : slots) described.push_back(columns.stored(slot));
  std::vector<cdcrt_cell> keys;
  uint64_t overflowed = 0;
  for (const Entry* entry : wanted) {
    for (const uint32_t slot : by) {
      auto cell = columns.fit(slot, slot < entry->width ? entry->cells[slot] : cdcrt_cell{}, arena_, overflowed);
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
    row.cells.resize(self->sealed_.columns.size());
    for (std::size_t i = 0; i < told.slots->size(); ++i) {
      // Converted to our type of the column: an adopted column of the target may have another.
      const uint32_t slot = (*told.slots)[i];
      const cdcrt_cell own = event::copy_cell(cells[i], self->arena_);
      auto converted = types::convert(own, {}, self->sealed_.columns[slot].type, self->arena_);
      row.cells[slot] = converted ? *converted : own;
    }
    for (const uint32_t slot : self->sealed_.key) types::append_key(row.key, row.cells[slot]);
    return 0;
  };
  return connection_.read(read);
}

Result<void> LeftBehind::settle(std::vector<const Entry*>& entries) {
  if (sealed_.message_key.empty()) return {};
  if (std::none_of(entries.begin(), entries.end(), [this](const Entry* entry) { return untold(*entry) >= 0; })) return {};
  std::map<std::string, Group> groups;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = *entries[i];
    if (entry.effect == Effect::kNothing || entry.key.data() == nullptr) continue;
    OfKey& of_key = groups[message_key_of(entry.cells, entry.width)][entry.key];
    of_key.entries.push_back(i);
    of_key.last = std::max(of_key.last, entry.last_offset);
    of_key.untold = std::max(of_key.untold, untold(entry));
  }
  std::erase_if(groups, [](const auto& each) {
    return std::none_of(each.second.begin(), each.second.end(), [](const auto& of_key) { return of_key.second.untold >= 0; });
  });
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
  std::vector<Standing> there, standing;
  if (auto done = read(sealed_.key, newest, false, there); !done) return done;
  std::set<std::string_view> found;
  for (const Standing& row : there) found.insert(row.key);
  std::vector<const Entry*> not_found;
  std::size_t number = 0;
  for (const auto& [message_key, group] : groups) {
    const Entry* const entry = newest[number++];
    const bool leaves = std::any_of(group.begin(), group.end(), [](const auto& each) { return each.second.left; });
    if (leaves || !found.contains(entry->key)) not_found.push_back(entry);
  }
  if (auto done = read(sealed_.message_key, not_found, true, standing); !done) return done;
  std::map<std::string, std::vector<Standing>> rows;
  for (Standing& row : standing) rows[message_key_of(row.cells.data(), static_cast<uint32_t>(row.cells.size()))].push_back(std::move(row));
  for (auto& [message_key, group] : groups) settle(group, rows[message_key], entries);
  std::erase(entries, nullptr);
  return {};
}

void LeftBehind::settle(Group& group, const std::vector<Standing>& standing, std::vector<const Entry*>& entries) {
  const auto newest = std::max_element(group.begin(), group.end(),
                                       [](const auto& one, const auto& other) { return one.second.untold < other.second.untold; });
  const std::size_t first = newest->second.entries.front();
  const Entry& newer = *entries[first];
  const OfKey* before = nullptr;  // what the row was last, of what it leaves
  for (const auto& [key, of_key] : group) {
    if (of_key.left && (before == nullptr || of_key.last > before->last)) before = &of_key;
  }
  std::vector<const Standing*> left;
  for (const Standing& row : standing) {
    const auto of_key = group.find(row.key);
    // A later event of the batch changes that row: its result counts.
    if (row.key != newer.key && (of_key == group.end() || of_key->second.left)) left.push_back(&row);
  }
  if (before == nullptr && left.empty()) return;
  if (!sealed_.table->has_one_source()) {
    is_unsure_ = true;
    return;
  }
  moved_.push_back(&newer);
  Row from = left.empty() ? Row(sealed_.columns.size()) : left.back()->cells;
  // A row that was deleted before, or is only known in parts, has no cells to give.
  const Effect last = before != nullptr ? entries[before->entries.back()]->effect : Effect::kPatch;
  const bool lives = last == Effect::kPatch ? !left.empty() : last != Effect::kDelete;
  std::vector<const Entry*> removed;
  for (const Standing* row : left) removed.push_back(&remove(row->key, row->cells.data(), static_cast<uint32_t>(row->cells.size()), newer));
  if (before != nullptr) {
    for (const std::size_t i : before->entries) from = with(*entries[i], std::move(from));
  }
  for (const auto& [key, of_key] : group) {
    if (!of_key.left) continue;
    const Entry& gone = *entries[of_key.entries.back()];
    removed.push_back(&remove(key, gone.cells, gone.width, newer));
    for (const std::size_t i : of_key.entries) entries[i] = nullptr;
  }
  if (lives && (newer.effect == Effect::kUpsert || newer.effect == Effect::kPatch)) entries[first] = &complete(newer, from);
  entries.insert(entries.end(), removed.begin(), removed.end());
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
  entry.width = static_cast<uint32_t>(sealed_.columns.size());
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
    whole.cells[slot] = is_set ? entry.cells[slot] : sealed_.columns[slot].active ? from[slot] : cdcrt_cell{};
  }
  originals_[&whole] = &entry;
  return whole;
}

}  // namespace cdcrt::apply
