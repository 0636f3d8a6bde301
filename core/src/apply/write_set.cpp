#include "apply/write_set.hpp"

#include <algorithm>
#include <map>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::apply {
namespace {

cdcrt_write_kind kind_of(const Entry& entry) {
  switch (entry.effect) {
    case Effect::kPatch: return CDCRT_WRITE_PATCH;
    case Effect::kDelete: return CDCRT_WRITE_DELETE;
    case Effect::kReplace: return CDCRT_WRITE_REPLACE;
    case Effect::kAppend: return entry.copies < 0 ? CDCRT_WRITE_REMOVE : CDCRT_WRITE_APPEND;
    case Effect::kEvent: return CDCRT_WRITE_APPEND;
    default: return CDCRT_WRITE_UPSERT;
  }
}

int rank(cdcrt_write_kind kind) {
  switch (kind) {
    case CDCRT_WRITE_DELETE: return 0;
    case CDCRT_WRITE_REPLACE: return 1;
    case CDCRT_WRITE_REMOVE: return 3;  // what it removes may have come in this batch
    default: return 2;
  }
}

}  // namespace

TargetColumns::TargetColumns(const Sealed& sealed) : sealed_(&sealed) {
  // A table begins with its key: while a column of it has only been named, nothing is there to write.
  const auto untyped = [&](uint32_t slot) { return sealed.columns[slot].type.kind == CDCRT_TYPE_UNKNOWN; };
  if (std::any_of(sealed.key.begin(), sealed.key.end(), untyped)) return;
  slots_ = sealed.key;
  for (uint32_t slot = 0; slot < sealed.columns.size(); ++slot) {
    const auto& column = sealed.columns[slot];
    if (column.active && column.key_ordinal == 0 && column.type.kind != CDCRT_TYPE_UNKNOWN) slots_.push_back(slot);
  }
}

cdcrt_column TargetColumns::describe(uint32_t slot) const {
  const auto& column = sealed_->columns[slot];
  cdcrt_column result{};
  result.name = sdk::borrow(column.target_name);
  result.type = column.type;
  result.key_ordinal = column.key_ordinal;
  if (column.key_ordinal > 0) result.flags |= CDCRT_COLUMN_NOT_NULL;
  if (column.default_value.tag > CDCRT_NULL) {
    result.flags |= CDCRT_COLUMN_DEFAULT;
    result.default_value = column.default_value;
  }
  // A key that is cut is another key.
  if (column.key_ordinal == 0 && column.on_overflow == manifest::OnOverflow::kTruncate) result.flags |= CDCRT_COLUMN_MAY_CUT;
  if (column.key_ordinal == 0 && column.on_overflow == manifest::OnOverflow::kNull) result.flags |= CDCRT_COLUMN_MAY_NULL;
  if (!column.target_type.empty()) result.target_type = sdk::borrow(column.target_type);
  return result;
}

std::vector<WriteGroup> group(const TargetColumns& columns, const std::vector<const Entry*>& entries) {
  std::vector<WriteGroup> groups;
  std::map<std::pair<int, std::string>, std::size_t> places;
  std::string mask, last_mask;
  cdcrt_write_kind last_kind{};
  std::size_t last = SIZE_MAX;
  for (const Entry* entry : entries) {
    if (entry->effect == Effect::kNothing || (entry->effect == Effect::kAppend && entry->copies == 0)) continue;
    const cdcrt_write_kind kind = kind_of(*entry);
    const bool keys_only = kind == CDCRT_WRITE_DELETE;
    const bool all = entry->effect == Effect::kEvent;
    mask.clear();
    for (std::size_t i = 0; i < columns.slots().size(); ++i) {
      const uint32_t slot = columns.slots()[i];
      const bool is_key = i < columns.key_count();
      const bool present = slot < entry->width && entry->cells[slot].tag != CDCRT_ABSENT;
      mask += (all || (keys_only ? is_key : present)) ? '1' : '0';
    }
    if (last == SIZE_MAX || kind != last_kind || mask != last_mask) {
      const auto [place, added] = places.try_emplace({kind, mask}, groups.size());
      if (added) {
        WriteGroup& created = groups.emplace_back();
        created.kind = kind;
        for (std::size_t i = 0; i < mask.size(); ++i) {
          if (mask[i] != '1') continue;
          created.slots.push_back(columns.slots()[i]);
          created.columns.push_back(columns.describe(columns.slots()[i]));
        }
      }
      last = place->second;
      last_kind = kind;
      last_mask = mask;
    }
    WriteGroup& target = groups[last];
    const int32_t copies = entry->effect == Effect::kAppend ? std::abs(entry->copies) : 1;
    for (int32_t copy = 0; copy < copies; ++copy) {
      for (const uint32_t slot : target.slots) target.cells.push_back(slot < entry->width ? entry->cells[slot] : cdcrt_cell{});
      target.rows.push_back(entry);
      if (all) target.operations.push_back(entry->operation);
    }
  }
  std::stable_sort(groups.begin(), groups.end(), [](const WriteGroup& a, const WriteGroup& b) { return rank(a.kind) < rank(b.kind); });
  return groups;
}

}  // namespace cdcrt::apply
