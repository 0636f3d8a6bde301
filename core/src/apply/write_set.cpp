#include "apply/write_set.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "cdcrt/sdk/status.hpp"
#include "types/convert.hpp"

namespace cdcrt::apply {
namespace {

cdcrt_write_kind kind_of(const Entry& entry) {
  switch (entry.effect) {
    case Effect::kPatch: return CDCRT_WRITE_PATCH;
    case Effect::kDelete: return CDCRT_WRITE_DELETE;
    case Effect::kReplace: return CDCRT_WRITE_REPLACE;
    case Effect::kAppend: return entry.copies < 0 ? CDCRT_WRITE_REMOVE : CDCRT_WRITE_APPEND;  // unless takes_before()
    case Effect::kEvent: return CDCRT_WRITE_APPEND;
    default: return CDCRT_WRITE_UPSERT;
  }
}

/// More copies were taken away, before others came, than the sum of it all shows: whether they are there is only seen by taking them.
bool takes_before(const Entry& entry) { return entry.effect == Effect::kAppend && entry.needed > std::max(0, -entry.copies); }

/// A part of what an entry does, so many times; 0: nothing.
struct Step {
  cdcrt_write_kind kind = CDCRT_WRITE_UPSERT;
  int32_t copies = 0;
  int rank = 0;  ///< among the groups
};

std::array<Step, 2> steps_of(const Entry& entry) {
  if (takes_before(entry)) {
    // After all others: copies that another image of the batch brought may be the same rows in the target.
    return {Step{CDCRT_WRITE_REMOVE, entry.needed, 4}, Step{CDCRT_WRITE_APPEND, entry.needed + entry.copies, 5}};
  }
  const cdcrt_write_kind kind = kind_of(entry);
  const int32_t copies = entry.effect == Effect::kAppend ? std::abs(entry.copies) : 1;
  switch (kind) {
    case CDCRT_WRITE_DELETE: return {Step{kind, copies, 0}};
    case CDCRT_WRITE_REPLACE: return {Step{kind, copies, 1}};
    case CDCRT_WRITE_REMOVE: return {Step{kind, copies, 3}};  // what it removes may have come in this batch
    default: return {Step{kind, copies, 2}};
  }
}

}  // namespace

TargetColumns::TargetColumns(const Sealed& sealed) : sealed_(&sealed), kept_(sealed.columns().size()) {
  // A table begins with its key: while a column of it has only been named, nothing is there to write.
  const auto untyped = [&](uint32_t slot) { return sealed.columns()[slot].type.kind == CDCRT_TYPE_UNKNOWN; };
  if (std::any_of(sealed.key.begin(), sealed.key.end(), untyped)) return;
  const TargetDefinition& target = sealed.table->definition();
  slots_.reserve(sealed.columns().size());
  slots_ = sealed.key;
  for (uint32_t slot = 0; slot < sealed.columns().size(); ++slot) {
    const auto& column = sealed.columns()[slot];
    if (!column.active || column.key_ordinal > 0) continue;
    // Seen as NULL alone: there is nothing to create, but what was there before may hold a value.
    if (column.type.kind == CDCRT_TYPE_UNKNOWN) {
      const auto* const made = target.find(column.target_name);
      if (made == nullptr || made->type.kind == CDCRT_TYPE_UNKNOWN || made->incarnation != column.incarnation) continue;
    }
    (target.lacks(column.target_name) ? left_out_ : slots_).push_back(slot);
  }
  for (const uint32_t slot : slots_) {
    const auto* const made = target.find(sealed.columns()[slot].target_name);
    if (made == nullptr || (!made->adopted && sealed.columns()[slot].target_type.empty())) continue;
    const cdcrt_type type = made->type;
    if (type.kind != CDCRT_TYPE_UNKNOWN && !types::equal(type, sealed.columns()[slot].type)) kept_[slot] = made;
  }
}

cdcrt_column TargetColumns::describe(uint32_t slot) const {
  const auto& column = sealed_->columns()[slot];
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
  if (column.key_ordinal == 0 && column.on_overflow == types::OnOverflow::kTruncate) result.flags |= CDCRT_COLUMN_MAY_CUT;
  const bool cuts_fractions = column.on_overflow == types::OnOverflow::kDefault || column.on_overflow == types::OnOverflow::kTruncate;
  if (column.key_ordinal == 0 && cuts_fractions) result.flags |= CDCRT_COLUMN_MAY_CUT_FRACTION;
  if (column.key_ordinal == 0 && column.on_overflow == types::OnOverflow::kNull) result.flags |= CDCRT_COLUMN_MAY_NULL;
  if (!column.target_type.empty()) result.target_type = sdk::borrow(column.target_type);
  return result;
}

cdcrt_column TargetColumns::stored(uint32_t slot) const {
  cdcrt_column result = describe(slot);
  if (kept_[slot] != nullptr) result.type = kept_[slot]->type;
  const Table& table = *sealed_->table;
  const bool evolves = table.identity().route.schema_changes == route::SchemaChanges::kEvolve;
  if (!evolves && table.definition().is_adopted(sealed_->columns()[slot].target_name)) result.flags |= CDCRT_COLUMN_KEEP;
  return result;
}

namespace {

bool is_float(cdcrt_type type) { return type.kind == CDCRT_TYPE_FLOAT32 || type.kind == CDCRT_TYPE_FLOAT64; }

// A declared change of the source rounds integers to floats (types::convert); here nobody declared one.
bool is_exact(const cdcrt_cell& cell, const cdcrt_cell& converted, cdcrt_type to) {
  if (!is_float(to) || (cell.tag != CDCRT_I64 && cell.tag != CDCRT_U64)) return true;
  const double real = converted.value.real;
  if (cell.tag == CDCRT_I64) return real >= -0x1p63 && real < 0x1p63 && static_cast<int64_t>(real) == cell.value.integer;
  return real >= 0 && real < 0x1p64 && static_cast<uint64_t>(real) == cell.value.natural;
}

// "007" and "7" are two keys of the source, and would be one in a column of numbers.
bool is_same_key(const cdcrt_cell& cell, const cdcrt_cell& converted, cdcrt_type to, event::Arena& arena) {
  if (cell.tag != CDCRT_STRING || converted.tag == CDCRT_STRING) return true;
  if (to.kind >= CDCRT_TYPE_DATE && to.kind <= CDCRT_TYPE_TIMESTAMPTZ) return true;
  const auto text = types::convert(converted, to, types::string_type(0), arena);
  return text && types::text_of(*text) == types::text_of(cell);
}

}  // namespace

Result<cdcrt_cell> TargetColumns::fit(uint32_t slot, const cdcrt_cell& cell, event::Arena& arena, uint64_t& overflowed) const {
  const evolution::Column* const kept = kept_[slot];
  if (kept == nullptr || cell.tag <= CDCRT_NULL) return cell;
  const auto& column = sealed_->columns()[slot];
  auto fitting = types::convert(cell, column.type, kept->type, arena);
  if (fitting && !is_exact(cell, *fitting, kept->type))
    fitting = make_error(CDCRT_BAD_RECORD, "value is no exact " + types::to_string(kept->type) + ": " + types::display(cell));
  const bool is_key = column.key_ordinal > 0;
  if (fitting && is_key && !is_same_key(cell, *fitting, kept->type, arena)) {
    fitting =
        make_error(CDCRT_BAD_RECORD, "as " + types::to_string(kept->type) + " it would be the key of another row: " + types::display(cell));
  }
  if (fitting) return fitting;
  Error error = std::move(fitting.error());
  if (!is_key && column.on_overflow == types::OnOverflow::kTruncate) {
    const auto text = types::convert(cell, column.type, types::string_type(0), arena);
    if (auto cut = text ? types::truncate(*text, kept->type) : text) {
      ++overflowed;
      return cut;
    }
  }
  if (!is_key && column.on_overflow == types::OnOverflow::kNull) {
    ++overflowed;
    return types::null_cell();
  }
  error.message = "column '" + column.source_name + "' is " +
                  (kept->target_type.empty() ? types::to_string(kept->type) : kept->target_type) + " in the target: " + error.message;
  if (error.hint.empty()) error.hint = "change the target's column by hand, or give the column on_overflow or exclude in the route";
  const bool fails = sealed_->table->identity().route.schema_changes == route::SchemaChanges::kFail;
  error.code = fails && kept->adopted ? CDCRT_UNSUPPORTED : CDCRT_BAD_RECORD;
  if (fails && kept->adopted) error.message += ", and schema_changes is \"fail\"";
  return error;
}

Result<std::vector<WriteGroup>> group(const TargetColumns& columns, const std::vector<const Entry*>& entries) {
  std::vector<WriteGroup> groups;
  std::vector<std::size_t> rows;  // of each group
  std::map<std::pair<int, std::string>, std::size_t> places;
  const std::vector<uint32_t>& slots = columns.slots();
  std::string mask, last_mask;
  int last_rank = -1;
  std::size_t last = SIZE_MAX;
  const auto takes = [&](const Entry& entry, const Step& step, std::size_t i) {
    if (entry.effect == Effect::kEvent) return true;
    if (step.kind == CDCRT_WRITE_DELETE) return i < columns.key_count();
    return slots[i] < entry.width && entry.cells[slots[i]].tag != CDCRT_ABSENT;
  };
  const auto is_like_last = [&](const Entry& entry, const Step& step) {
    if (last == SIZE_MAX || step.rank != last_rank || groups[last].kind != step.kind) return false;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (takes(entry, step, i) != (last_mask[i] == '1')) return false;
    }
    return true;
  };
  const auto group_of = [&](const Entry& entry, const Step& step) {
    if (is_like_last(entry, step)) return last;
    mask.clear();
    for (std::size_t i = 0; i < slots.size(); ++i) mask += takes(entry, step, i) ? '1' : '0';
    const auto [place, added] = places.try_emplace({step.rank * 16 + step.kind, mask}, groups.size());
    if (added) {
      rows.push_back(0);
      WriteGroup& created = groups.emplace_back();
      created.kind = step.kind;
      created.rank = step.rank;
      created.slots.reserve(slots.size());
      created.columns.reserve(slots.size());
      for (std::size_t i = 0; i < mask.size(); ++i) {
        if (mask[i] != '1') continue;
        created.slots.push_back(slots[i]);
        created.columns.push_back(columns.stored(slots[i]));
      }
    }
    last = place->second;
    last_rank = step.rank;
    last_mask = mask;
    return last;
  };
  const auto add = [&](WriteGroup& target, const Entry& entry, int32_t copies) -> Result<void> {
    for (int32_t copy = 0; copy < copies; ++copy) {
      for (const uint32_t slot : target.slots) {
        const cdcrt_cell cell = slot < entry.width ? entry.cells[slot] : cdcrt_cell{};
        if (!columns.has_own_type(slot)) {
          target.cells.push_back(cell);
          continue;
        }
        auto fitting = columns.fit(slot, cell, target.arena, target.overflowed);
        if (!fitting) return std::move(fitting.error());
        target.cells.push_back(*fitting);
      }
      for (const uint32_t slot : columns.left_out()) {
        if (slot < entry.width && entry.cells[slot].tag > CDCRT_NULL) ++target.left_out;
      }
      target.rows.push_back(&entry);
      if (entry.effect == Effect::kEvent) target.operations.push_back(entry.operation);
    }
    return {};
  };
  struct Placed {
    const Entry* entry;
    int32_t copies;
    uint32_t group;
  };
  std::vector<Placed> placed;
  placed.reserve(entries.size());
  for (const Entry* entry : entries) {
    if (entry->effect == Effect::kNothing || (entry->effect == Effect::kAppend && entry->copies == 0 && entry->needed == 0)) continue;
    for (const Step& step : steps_of(*entry)) {
      if (step.copies == 0) continue;
      placed.push_back({entry, step.copies, static_cast<uint32_t>(group_of(*entry, step))});
      rows[placed.back().group] += static_cast<std::size_t>(std::max(step.copies, 0));
    }
  }
  // Each group once at its size: growing would touch twice the memory.
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i].cells.reserve(rows[i] * groups[i].slots.size());
    groups[i].rows.reserve(rows[i]);
  }
  for (const Placed& each : placed) {
    if (auto added = add(groups[each.group], *each.entry, each.copies); !added) return std::move(added.error());
  }
  std::stable_sort(groups.begin(), groups.end(), [](const WriteGroup& a, const WriteGroup& b) { return a.rank < b.rank; });
  return groups;
}

}  // namespace cdcrt::apply
