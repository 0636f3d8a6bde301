// Columns that rows or definitions lack: dropped at the source, or renamed by a definition that is still to come; what late rows have of
// them.
#include <algorithm>

#include "event/log_order.hpp"
#include "evolution/column_names.hpp"
#include "evolution/column_rules.hpp"
#include "evolution/table_knowledge.hpp"

namespace cdcrt::evolution {

void TableKnowledge::expect_definitions() {
  if (has_definitions_) return;
  has_definitions_ = true;
  ++version_;
}

// Without a key the whole row says which one is meant: what a column may turn out to be would change that.
bool TableKnowledge::follows_definitions() const {
  return keyed_ && key_known_ && !key_.empty() && route_->schema_changes == route::SchemaChanges::kEvolve;
}

bool TableKnowledge::was_there_before(uint32_t slot, std::string_view order) const {
  const Column& column = columns_[slot];
  return column.active && column.key_ordinal == 0 && !is_metadata(slot) && event::is_after(order, last_seen(slot));
}

bool TableKnowledge::lacks_known(const event::Shape& shape, std::string_view order) const {
  for (uint32_t slot = 0; slot < columns_.size(); ++slot) {
    if (!was_there_before(slot, order)) continue;
    // Definitions alone have shown it: no row has values of it.
    if (columns_[slot].type.kind == CDCRT_TYPE_UNKNOWN && !columns_[slot].typed_by_route) continue;
    // A definition lacks it as well, and named no other column after it: it is gone.
    const std::string& undefined = columns_[slot].undefined_since;
    if (!undefined.empty() && !event::is_after(undefined, order)) continue;
    const bool has = std::any_of(shape.columns.begin(), shape.columns.end(),
                                 [&](const auto& each) { return slot_named(each.name, order) == static_cast<int32_t>(slot); });
    if (!has) return true;
  }
  return false;
}

void TableKnowledge::find_nulls(ShapeMap& map, std::string_view order) const {
  for (const uint32_t slot : map.absent) {
    const Column& column = columns_[slot];
    // One that only a definition names was never the source's to write: a connector may leave it out of rows.
    if (!column.active || column.type.kind == CDCRT_TYPE_UNKNOWN || column.lacked_since.empty()) continue;
    if (!event::is_after(column.lacked_since, order)) map.nulls.push_back(slot);
  }
}

bool TableKnowledge::may_be_renamed(uint32_t slot, const event::Shape& definition, std::string_view order) const {
  return std::any_of(definition.columns.begin(), definition.columns.end(), [&](const auto& each) {
    const auto formers = formers_.find(each.former_name);
    if (each.former_name.empty() || formers == formers_.end()) return false;
    return std::any_of(formers->second.begin(), formers->second.end(), [&](const Former& former) {
      const Column& column = columns_[former.slot];
      // It may be told twice, and the later time be read first: `until` is after this order then.
      const bool is_of_it = !event::is_after(former.until, order) || was_told(column, each.former_name, each.name);
      if (!is_of_it || column.came_early || column.added_at.empty()) return false;
      // Names alone come in their order: only one that was never met is new there.
      if (is_names_alone(definition)) return column.added_at != kUnplaced && !event::is_after(former.until, column.added_at);
      return column.added_at == kUnplaced || event::is_after(column.added_at, last_seen(slot));
    });
  });
}

bool TableKnowledge::follows_drops() const {
  return route_->schema_changes == route::SchemaChanges::kEvolve || route_->schema_changes == route::SchemaChanges::kFail;
}

std::string_view TableKnowledge::lacked_at(std::string_view order) const {
  std::string_view lacked;
  if (order.empty() || !follows_drops()) return lacked;
  for (const auto& [id, map] : maps_) {
    if (event::is_after(map.max_definite, order) && event::is_after(map.max_definite, lacked)) lacked = map.max_definite;
  }
  return lacked;
}

std::string_view TableKnowledge::last_seen(uint32_t slot) const {
  std::string_view seen = columns_[slot].last_seen;
  for (const auto& [id, map] : maps_) {
    const bool has = std::find(map.slots.begin(), map.slots.end(), static_cast<int32_t>(slot)) != map.slots.end();
    if (has && event::is_after(map.max_order, seen)) seen = map.max_order;
  }
  return seen;
}

bool TableKnowledge::would_drop(const event::Shape& shape, std::string_view order) const {
  if (has_definitions_ || !shape.declared || !follows_definitions()) return false;
  const ShapeMap* const map = maps_.find(shape.id);
  if (map != nullptr && map->version == version_) {
    const auto& absent = map->absent;
    return std::any_of(absent.begin(), absent.end(), [&](uint32_t slot) { return was_there_before(slot, order); });
  }
  if (lacks_known(shape, order)) return true;
  // One that is first seen late is taken as dropped at once, as newer rows lack it.
  return !lacked_at(order).empty() && std::any_of(shape.columns.begin(), shape.columns.end(), [&](const auto& each) {
    return slot_named(each.name, order) < 0 && !rule_for(*route_, each.name).exclude;
  });
}

Result<void> TableKnowledge::drop_absent(const ShapeMap& map, std::string_view order, const event::Shape* definition) {
  const bool names_alone = definition != nullptr && is_names_alone(*definition);
  for (const uint32_t slot : map.absent) {
    Column& column = columns_[slot];
    if (!column.active || column.key_ordinal > 0) continue;
    const std::string_view seen = last_seen(slot);
    if (!event::is_after(order, seen)) continue;
    if (definition != nullptr && may_be_renamed(slot, *definition, order)) continue;
    // Rows had lacked it before: another definition, still to come, tells why. Names alone come in their order.
    if (definition != nullptr && !names_alone && !column.lacked_since.empty() && !event::is_after(column.lacked_since, order)) continue;
    // Either alone does not say it: a row, because the column may have been renamed; a definition of names, because rows may have others.
    if (names_alone && column.lacked_since.empty()) {
      if (column.undefined_since.empty()) column.undefined_since.assign(order), ++version_;
      continue;
    }
    if (definition == nullptr && awaits_definitions() && column.undefined_since.empty()) {
      // Partitions are read at their own pace: the first row that lacks it may come later.
      if (column.lacked_since.empty() || event::is_after(column.lacked_since, order)) {
        column.last_seen.assign(seen);
        column.lacked_since.assign(order);
        ++version_;
      }
      has_lacked_ = true;
      continue;
    }
    if (route_->schema_changes == route::SchemaChanges::kFail) {
      return make_error(CDCRT_UNSUPPORTED, "the source dropped column '" + column.source_name + "' and schema_changes is \"fail\"",
                        "drop the column from the target and set schema_changes = \"evolve\", or \"add_only\" to keep it");
    }
    column.last_seen.assign(seen);
    column.active = false;
    column.dropped_at.assign(order);
    drops_.push_back(slot);
    ++version_;
  }
  return {};
}

// A shape that was made for what it was before the drop speaks of the column that came back, or brings it back.
bool TableKnowledge::revives(const ShapeMap& map, std::string_view order) const {
  return std::any_of(map.slots.begin(), map.slots.end(), [&](int32_t slot) {
    if (slot < 0) return false;
    const Column& column = columns_[static_cast<uint32_t>(slot)];
    return !column.dropped_at.empty() && event::is_after(order, column.dropped_at) &&
           (!column.active || !event::is_after(map.max_order, column.dropped_at));
  });
}

// The first event that was read with a column that came back need not be the first one that has it: other partitions lag.
bool TableKnowledge::is_late(int32_t slot, std::string_view order) const {
  if (slot < 0) return false;
  const Column& column = columns_[static_cast<uint32_t>(slot)];
  return (!column.active || !order.empty()) && !event::is_after(order, column.dropped_at) && !(column.active && column.dropped_at.empty());
}

const ShapeMap* TableKnowledge::discard_late(const ShapeMap& map, std::string_view order) {
  if (std::none_of(map.slots.begin(), map.slots.end(), [&](int32_t slot) { return is_late(slot, order); })) return &map;
  late_map_.slots = map.slots;
  late_map_.absent = map.absent;
  late_map_.nulls = map.nulls;
  for (int32_t& slot : late_map_.slots) {
    if (is_late(slot, order)) slot = ShapeMap::kLate;
  }
  return &late_map_;
}

}  // namespace cdcrt::evolution
