#include "apply/schema_plan.hpp"

#include <algorithm>

#include "apply/table.hpp"
#include "apply/table_writer.hpp"
#include "cdcrt/sdk/status.hpp"
#include "types/type.hpp"

namespace cdcrt::apply {
namespace {

bool is_exact_number(cdcrt_type type) { return type.kind >= CDCRT_TYPE_INT8 && type.kind <= CDCRT_TYPE_UINT64; }

/// A wider number is the same column, and a time that turns out to be a length; anything else would be another one, which is the operator's
/// to decide.
bool may_grow(cdcrt_type from, cdcrt_type to) {
  if (from.kind == CDCRT_TYPE_FLOAT32 && to.kind == CDCRT_TYPE_FLOAT64) return true;
  if (from.kind == CDCRT_TYPE_TIME && to.kind == CDCRT_TYPE_INTERVAL) return true;
  const auto exact = [](cdcrt_type type) { return is_exact_number(type) || type.kind == CDCRT_TYPE_DECIMAL; };
  return exact(from) && exact(to);
}

/// An adopted column that is to grow: under "evolve", for a value of this batch that does not fit it and that no policy makes fit.
bool has_to_grow(const Sealed& sealed, const TargetColumns& columns, uint32_t slot) {
  const auto& column = sealed.columns()[slot];
  if (!columns.has_own_type(slot) || sealed.table->identity().route.schema_changes != route::SchemaChanges::kEvolve) return false;
  if (column.on_overflow == types::OnOverflow::kTruncate || column.on_overflow == types::OnOverflow::kNull) return false;
  const TargetDefinition& target = sealed.table->definition();
  const auto& made = *target.find(column.target_name);
  if (!made.adopted || !column.target_type.empty() || target.keeps(column.target_name) ||
      !may_grow(made.type, types::evolve(made.type, column.type)))
    return false;
  event::Arena arena(1 << 10);
  uint64_t ignored = 0;
  for (const Entry* entry : entries_of(sealed)) {
    if (slot >= entry->width || entry->effect == Effect::kNothing) continue;
    if (!columns.fit(slot, entry->cells[slot], arena, ignored)) return true;
    arena.clear();
  }
  return false;
}

}  // namespace

bool any_has_to_grow(const Sealed& sealed) {
  const TargetColumns columns(sealed);
  return std::any_of(columns.slots().begin(), columns.slots().end(), [&](uint32_t slot) { return has_to_grow(sealed, columns, slot); });
}

Result<void> judge_lacking(const Sealed& sealed, const TargetColumns& columns, bool first_contact) {
  TargetDefinition& target = sealed.table->definition();
  const auto policy = sealed.table->identity().route.schema_changes;
  const bool is_own = !target.exists() || (!first_contact && !target.adopts_any());
  if (is_own || policy == route::SchemaChanges::kEvolve || policy == route::SchemaChanges::kAddOnly) return {};
  for (const uint32_t slot : columns.slots()) {
    const auto& column = sealed.columns()[slot];
    if (target.find(column.target_name) != nullptr) continue;
    const bool ignores = policy == route::SchemaChanges::kIgnore;
    if (ignores && column.key_ordinal == 0) {
      target.leave_out(column.target_name);
      continue;
    }
    return make_error(CDCRT_UNSUPPORTED,
                      "table '" + sealed.table->identity().target() + "' was there before and has no column '" + column.target_name +
                          "', and schema_changes is \"" + (ignores ? "ignore" : "fail") + "\"",
                      "add the column to the target, exclude it in the route's columns, or set schema_changes = \"add_only\"");
  }
  return {};
}

void SchemaPlan::add(cdcrt_change_kind kind, const cdcrt_column& column, cdcrt_type from) {
  storage_.push_back(column);
  cdcrt_change change{};
  change.kind = kind;
  change.column_count = 1;
  change.columns = &storage_.back();
  change.from = from;
  changes_.push_back(change);
}

void SchemaPlan::create(const TargetColumns& columns, const plugin::Options& layout) {
  // In the source's order, not keys first: it is what people look at.
  std::vector<uint32_t> slots = columns.slots();
  std::sort(slots.begin(), slots.end());
  for (const uint32_t slot : slots) storage_.push_back(columns.describe(slot));
  cdcrt_change change{};
  change.kind = CDCRT_CREATE_TABLE;
  change.columns = storage_.data();
  change.column_count = static_cast<uint32_t>(storage_.size());
  change.layout = layout.values().empty() ? nullptr : layout.abi();
  changes_.push_back(change);
}

void SchemaPlan::change(const Sealed& sealed, const TargetColumns& columns) {
  const TargetDefinition& target = sealed.table->definition();
  // What is new comes before what goes: a table's last column cannot be dropped everywhere.
  for (const uint32_t slot : columns.slots()) {
    if (target.find(sealed.columns()[slot].target_name) != nullptr) continue;
    add(CDCRT_ADD_COLUMN, columns.describe(slot));
    ++source_changes_;
  }
  for (const auto& column : sealed.columns()) {
    const auto* const made = target.find(column.target_name);
    if (made == nullptr) continue;
    const bool comes_back = column.active && made->incarnation != column.incarnation;
    if (column.active && !comes_back) continue;
    cdcrt_column dropped{};
    dropped.name = sdk::borrow(column.target_name);
    add(CDCRT_DROP_COLUMN, dropped);
    ++source_changes_;
  }
  for (const uint32_t slot : columns.slots()) {
    const auto& column = sealed.columns()[slot];
    const auto* const made = target.find(column.target_name);
    if (made == nullptr) continue;
    if (made->incarnation != column.incarnation) {
      add(CDCRT_ADD_COLUMN, columns.describe(slot));
      ++source_changes_;
    } else if (!types::equal(made->type, column.type) && column.target_type.empty()) {
      // An adopted column stays as it is while it holds the values, and then becomes what holds both.
      if (made->adopted && !has_to_grow(sealed, columns, slot)) continue;
      const cdcrt_type wanted = types::evolve(made->type, column.type);
      if (made->type.kind == CDCRT_TYPE_UNKNOWN || types::equal(wanted, made->type)) continue;
      cdcrt_column altered = columns.describe(slot);
      altered.type = wanted;
      add(CDCRT_ALTER_TYPE, altered, made->type);
      ++source_changes_;
    }
  }
}

}  // namespace cdcrt::apply
