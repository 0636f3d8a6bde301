#include "evolution/table_knowledge.hpp"

#include <algorithm>

#include "cdcrt/sdk/fetch_ahead.hpp"
#include "event/log_order.hpp"
#include "evolution/column_names.hpp"
#include "evolution/column_rules.hpp"
#include "types/convert.hpp"
#include "types/type.hpp"

namespace cdcrt::evolution {
namespace {

constexpr std::size_t kMaxMaps = 256;

bool is_temporal(cdcrt_type type) { return type.kind >= CDCRT_TYPE_DATE && type.kind <= CDCRT_TYPE_TIMESTAMPTZ; }

// No source has columns of such names.
std::string name_of(route::Metadata item) { return std::string("metadata:") + route::kMetadataNames[static_cast<std::size_t>(item)]; }

cdcrt_type type_of(route::Metadata item) {
  cdcrt_type type{};
  switch (item) {
    case route::Metadata::kOperation: return types::string_type(1);
    case route::Metadata::kTopic: return types::string_type(0);
    case route::Metadata::kPartition: type.kind = CDCRT_TYPE_INT32; break;
    case route::Metadata::kOffset: type.kind = CDCRT_TYPE_INT64; break;
    case route::Metadata::kKafkaTime: type.kind = CDCRT_TYPE_TIMESTAMPTZ; break;
  }
  return type;
}

// A temporal zero stands for now() in Debezium's schemas unless the definition's text says otherwise.
bool is_usable_default(const event::ShapeColumn& column) {
  if ((column.flags & CDCRT_COLUMN_DEFAULT) == 0 || column.default_value.tag <= CDCRT_NULL) return false;
  return !is_temporal(column.type) || (column.flags & CDCRT_COLUMN_DEFAULT_CERTAIN) != 0 || column.default_value.value.integer != 0;
}

// What cells of the kind that a column of `type` has, and that come without a type, teach.
cdcrt_type learned_of(cdcrt_type type) {
  cdcrt_cell natural{};
  if (type.kind < types::kNaturalTags.size()) natural.tag = types::kNaturalTags[type.kind];
  return types::learned(natural);
}

/// `follows`: definitions are followed; else names are taken before the first row alone.
bool may_add_name(const TableKnowledge& knowledge, const cdcrt_limits& limits, const std::string& target_name, bool follows) {
  if (limits.name_bytes > 0 && target_name.size() > limits.name_bytes) return false;
  return std::none_of(knowledge.columns().begin(), knowledge.columns().end(), [&](const Column& column) {
    const bool was_shown = column.type.kind != CDCRT_TYPE_UNKNOWN && !column.typed_by_route;
    return (was_shown && !follows) || column.target_name == target_name;
  });
}

}  // namespace

Result<const ShapeMap*> TableKnowledge::observe(const event::Shape& shape, std::string_view order, bool definite, bool unplaced,
                                                bool definition) {
  const bool names_alone = definition && is_names_alone(shape);
  if (!names_alone && maps_.size() >= kMaxMaps && maps_.find(shape.id) == nullptr) forget_maps();
  other_key_ = false;
  // Names alone make no table known: rows may have others.
  if (names_alone) names_map_ = ShapeMap();
  ShapeMap& map = names_alone ? names_map_ : maps_.of(shape.id);
  const bool lacks_key = !key_known_ && !(route_->primary_key.empty() && route_->fallback_key.empty());
  const bool is_of_other_names =
      map.has_former && (event::is_after(map.from, order) || (!map.until.empty() && !event::is_after(map.until, order)));
  if (map.version != version_ || lacks_key || is_of_other_names || (map.has_dropped && revives(map, order))) {
    auto fits = check_shape(shape, definition);
    if (fits) fits = observe_key(shape, order, definition);
    if (!fits) {
      // Nothing was learned of it: it does not make a table known.
      if (map.version == 0 && !names_alone) maps_.erase(shape.id);
      return std::move(fits.error());
    }
    if (is_of_other_names) note_sightings(map);
    map.slots.clear();
    map.has_dropped = false;
    for (const auto& column : shape.columns) {
      auto slot = slot_for(shape, column, order, unplaced, definition);
      if (!slot) return std::move(slot.error());
      map.slots.push_back(*slot);
    }
    if (!key_known_) {
      if (auto key = observe_key(shape, order, definition); !key) return std::move(key.error());
      if (auto named = check_route_key(shape, definite); !named) return std::move(named.error());
    }
    note_rules(shape);
    if (auto named = check_rules(shape, definite); !named) return std::move(named.error());
    if (auto added = add_metadata(); !added) return std::move(added.error());
    map.absent.clear();
    for (uint32_t slot = 0; slot < columns_.size(); ++slot) {
      const bool present = std::find(map.slots.begin(), map.slots.end(), static_cast<int32_t>(slot)) != map.slots.end();
      if (!present && columns_[slot].active && !is_metadata(slot)) map.absent.push_back(slot);
      if (present && (!columns_[slot].active || !columns_[slot].dropped_at.empty())) map.has_dropped = true;
    }
    bound_names(map, shape, order);
    find_plain(map, shape);
    map.version = version_;
  }
  if (has_unplaced_ && !unplaced && !order.empty()) place_those_of(map, order);
  event::raise_order(map.max_order, order);
  if (definite && shape.declared) event::raise_order(map.max_definite, order);
  if (names_alone) note_sightings(map);
  if (definite && shape.declared && !map.absent.empty() && follows_drops()) {
    if (auto dropped = drop_absent(map, order, definition ? &shape : nullptr); !dropped) return std::move(dropped.error());
    map.version = version_;
    std::erase_if(map.absent, [&](uint32_t slot) { return !columns_[slot].active; });
  }
  map.nulls.clear();
  if (has_lacked_ && definite && shape.declared && !definition) find_nulls(map, order);
  if (map.has_dropped) return discard_late(map, order);
  return &map;
}

void TableKnowledge::show(Column& column, uint32_t slot, std::string_view order, bool unplaced) {
  column.last_seen.assign(unplaced ? std::string_view(kUnplaced) : order);
  column.added_at = column.last_seen;
  column.lacked_since.clear();
  column.undefined_since.clear();
  if (!unplaced) return;
  unplaced_.push_back(slot);
  has_unplaced_ = true;
}

void TableKnowledge::place(const std::vector<uint32_t>& slots, std::string_view order) {
  for (const uint32_t slot : slots) {
    if (columns_[slot].last_seen != kUnplaced) continue;
    columns_[slot].last_seen.assign(order);
    ++version_;
  }
}

// A row with an order shows them as well.
void TableKnowledge::place_those_of(const ShapeMap& map, std::string_view order) {
  has_unplaced_ = false;
  for (uint32_t slot = 0; slot < columns_.size(); ++slot) {
    if (columns_[slot].last_seen != kUnplaced) continue;
    if (std::find(map.slots.begin(), map.slots.end(), static_cast<int32_t>(slot)) != map.slots.end()) {
      place({slot}, order);
    } else {
      has_unplaced_ = true;
    }
  }
}

// What the rows of a shape have shown stays known when its columns are looked up anew.
void TableKnowledge::note_sightings(ShapeMap& map) {
  for (const int32_t slot : map.slots) {
    if (slot >= 0) event::raise_order(columns_[static_cast<uint32_t>(slot)].last_seen, map.max_order);
  }
  map.max_order.clear();
}

// Where every message has a shape of its own.
void TableKnowledge::forget_maps() {
  for (auto& [id, map] : maps_) note_sightings(map);
  maps_.clear();
  forgot_maps_ = true;
}

void TableKnowledge::fetch_map() const {
  sdk::fetch_ahead(&columns_.all(), sizeof(std::vector<Column>));
  sdk::fetch_ahead(maps_.last(), maps_.last() == nullptr ? 0 : sizeof(ShapeMap));
}

void TableKnowledge::fetch_slots() const {
  if (maps_.last() == nullptr) return;
  const ShapeMap& map = *maps_.last();
  sdk::fetch_ahead(map.slots.data(), map.slots.size() * sizeof(int32_t));
  sdk::fetch_ahead(map.plain.data(), map.plain.size());
  sdk::fetch_ahead(map.max_order.data(), map.max_order.size());
}

// What CellConverter would find out for each cell.
void TableKnowledge::find_plain(ShapeMap& map, const event::Shape& shape) const {
  map.plain.assign(map.slots.size(), CDCRT_TYPE_UNKNOWN);
  for (std::size_t i = 0; i < map.slots.size(); ++i) {
    if (map.slots[i] < 0) continue;
    const auto slot = static_cast<uint32_t>(map.slots[i]);
    const Column& column = columns_[slot];
    const event::ShapeColumn& source = shape.columns[i];
    const cdcrt_type to = column.type;
    const bool is_bounded = (to.kind == CDCRT_TYPE_STRING || to.kind == CDCRT_TYPE_DECIMAL) && to.length != 0;
    const bool is_time = to.kind == CDCRT_TYPE_TIME || to.kind == CDCRT_TYPE_TIMETZ;
    if (column.typed_by_route || (source.flags & (CDCRT_COLUMN_ROUNDED | CDCRT_COLUMN_HEX)) != 0 || is_bounded || is_time) continue;
    const bool is_untyped = source.type.kind == CDCRT_TYPE_UNKNOWN;
    if ((source.type.kind == CDCRT_TYPE_FLOAT32) != (to.kind == CDCRT_TYPE_FLOAT32)) continue;
    const cdcrt_type shown = is_untyped ? learned_of(to) : source.type;
    if (!types::equal(types::join(to, shown), to) || !may_hold(slot, shown)) continue;
    map.plain[i] = to.kind;
  }
}

bool TableKnowledge::is_metadata(uint32_t slot) const {
  return std::any_of(metadata_.begin(), metadata_.end(), [slot](const auto& each) { return each.second == slot; });
}

Result<void> TableKnowledge::add_metadata() {
  for (const auto& [item, target] : route_->metadata) {
    if (metadata_.contains(item)) continue;
    const std::string name = name_of(item);
    auto found = slots_.find(name);
    if (found == slots_.end()) {
      for (const Column& other : columns_) {
        if (other.target_name != target) continue;
        return make_error(CDCRT_BAD_CONFIG,
                          "column '" + other.source_name + "' and metadata." + route::kMetadataNames[static_cast<std::size_t>(item)] +
                              " both go to '" + target + "'",
                          "give one of them another name");
      }
      Column& added = columns_.emplace_back();
      added.source_name = name;
      added.target_name = target;
      found = slots_.emplace(name, static_cast<uint32_t>(columns_.size() - 1)).first;
      ++version_;
    }
    Column& column = columns_[found->second];
    column.type = type_of(item);
    column.typed_by_route = true;
    metadata_[item] = found->second;
  }
  return {};
}

Result<int32_t> TableKnowledge::slot_for(const event::Shape& shape, const event::ShapeColumn& column, std::string_view order, bool unplaced,
                                         bool definition) {
  const route::ColumnRule rule = rule_for(*route_, column.name);
  if (rule.exclude) return ShapeMap::kExcluded;
  const int32_t named = slot_named(column.name, order);
  const bool is_name_alone = definition && shape.declared && !shape.keyed && column.type.kind == CDCRT_TYPE_UNKNOWN;
  // A definition that is read before rows tells what later ones rename or drop. Without a type nothing is made of it in the target.
  const std::string& target_name = rule.rename.empty() ? column.name : rule.rename;
  if (is_name_alone && (named >= 0 || !may_add_name(*this, limits_, target_name, follows_definitions()))) {
    return named < 0 ? static_cast<int32_t>(ShapeMap::kLeftOut) : named;
  }
  if (named < 0) {
    if (established() && route_->schema_changes == route::SchemaChanges::kIgnore) return ShapeMap::kLeftOut;
    if (established() && route_->schema_changes == route::SchemaChanges::kFail) {
      return make_error(CDCRT_UNSUPPORTED, "the source added column '" + column.name + "' and schema_changes is \"fail\"",
                        "add the column to the target and set schema_changes = \"evolve\", or exclude it in the route's columns");
    }
    Column added;
    added.source_name = column.name;
    added.target_name = rule.rename.empty() ? column.name : rule.rename;
    for (const Column& other : columns_) {
      if (other.target_name != added.target_name) continue;
      return make_error(CDCRT_BAD_CONFIG,
                        "columns '" + other.source_name + "' and '" + column.name + "' both go to '" + added.target_name + "'",
                        "give one of them another name: columns." + column.name + " = { rename = \"...\" }");
    }
    added.target_type = rule.target_type;
    added.parse = rule.parse;
    added.on_overflow = rule.on_overflow;
    if (rule.type) {
      added.typed_by_route = true;
      added.type = *rule.type;
    }
    const auto slot = static_cast<uint32_t>(columns_.size());
    show(added, slot, order, unplaced);
    // Of a column that may turn out to be another one, renamed, rows that are there have the values: a default must not fill them.
    const bool may_be_renamed = !definition && awaits_definitions() && lacks_known(shape, order);
    if (is_usable_default(column) && !rule.type && !may_be_renamed) added.default_value = event::copy_cell(column.default_value, arena_);
    slots_[column.name] = slot;
    // First seen late: a newer row is known to lack it, so that it was dropped in between, or renamed by a definition that is still to
    // come.
    if (const std::string_view lacked = lacked_at(order); !unplaced && shape.declared && !lacked.empty()) {
      if (awaits_definitions() && !event::is_after(names_map_.max_definite, order)) {
        added.lacked_since.assign(lacked);
        has_lacked_ = true;
      } else {
        added.active = false;
        added.dropped_at.assign(lacked);
      }
    }
    columns_.push_back(std::move(added));
    if (shape.declared && !rule.type && column.type.kind != CDCRT_TYPE_UNKNOWN) {
      columns_.back().type = column.type;
      columns_.back().type_order.assign(order);
    } else if (const auto told = told_types_.find(column.name); told != told_types_.end() && !rule.type) {
      columns_.back().type = told->second.type;
      columns_.back().type_order = told->second.order;
    }
    // Rows of the former name may still come, the first ones of the table among them.
    const std::string& former = column.former_name;
    const bool is_other = slots_.contains(former) || formers_.contains(former) ||
                          std::any_of(shape.columns.begin(), shape.columns.end(), [&](const auto& each) { return each.name == former; });
    if (definition && !former.empty() && !is_other && !rule_for(*route_, former).exclude) {
      columns_.back().former_names.push_back({former, std::string(order)});
      formers_[former].push_back({std::string(order), slot});
    }
    ++version_;
    return static_cast<int32_t>(slot);
  }
  const auto slot = static_cast<uint32_t>(named);
  Column& known = columns_[slot];
  // It was lacked, and is there again: a column of its own. The other one waits under another name for what a definition says of it.
  if (known.active && !definition && !known.lacked_since.empty() && event::is_after(order, known.lacked_since) && known.key_ordinal == 0) {
    std::string target = target_name_for(known, set_aside_name(column.name, known.lacked_since));
    hide(slot, known.lacked_since);
    known.target_name = std::move(target);
    slots_.erase(column.name);
    ++version_;
    return slot_for(shape, column, order, unplaced, definition);
  }
  if (!known.active && event::is_after(order, known.dropped_at) && !known.came_early) {
    known.active = true;
    ++known.incarnation;
    show(known, slot, order, unplaced);
    known.default_value = is_usable_default(column) ? event::copy_cell(column.default_value, arena_) : cdcrt_cell{};
    if (shape.declared && !known.typed_by_route) {
      known.type = column.type;
      known.type_order.assign(order);
    }
    ++version_;
  } else if (shape.declared && known.active && (known.dropped_at.empty() || event::is_after(order, known.dropped_at))) {
    const bool is_first = known.type.kind == CDCRT_TYPE_UNKNOWN;
    if (auto declared = declare_type(slot, column.type, order); !declared) return std::move(declared.error());
    if (known.default_value.tag == CDCRT_ABSENT && is_usable_default(column) && (event::is_after(known.type_order, order) || is_first)) {
      known.default_value = event::copy_cell(column.default_value, arena_);
    }
  }
  return named;
}

void TableKnowledge::tell_types(const event::Shape& shape, std::string_view order) {
  if (!shape.declared || order.empty()) return;
  for (const auto& column : shape.columns) {
    if (column.type.kind != CDCRT_TYPE_UNKNOWN) told_types_.try_emplace(column.name, ToldType{column.type, std::string(order)});
  }
}

Result<void> TableKnowledge::declare_type(uint32_t slot, cdcrt_type declared, std::string_view order) {
  Column& column = columns_[slot];
  if (column.typed_by_route || declared.kind == CDCRT_TYPE_UNKNOWN) return {};
  const bool late = event::is_after(column.type_order, order);
  const cdcrt_type type = late ? followed_type(declared, column.type) : followed_type(column.type, declared);
  if (established() && column.type.kind != CDCRT_TYPE_UNKNOWN && !types::equal(column.type, type)) {
    // "ignore": the target keeps its type, and what does not fit it becomes a dead letter.
    if (route_->schema_changes == route::SchemaChanges::kIgnore) return {};
    if (route_->schema_changes == route::SchemaChanges::kFail) {
      return make_error(CDCRT_UNSUPPORTED,
                        "the source changed the type of column '" + column.source_name + "' from " + types::to_string(column.type) +
                            " to " + types::to_string(declared) + " and schema_changes is \"fail\"",
                        "change the target's column and set schema_changes = \"evolve\", or give the column a type in the route's columns");
    }
  }
  set_type(slot, type);
  if (!late) column.type_order.assign(order);
  return {};
}

void TableKnowledge::set_type(uint32_t slot, cdcrt_type type) {
  if (types::equal(columns()[slot].type, type)) return;
  Column& column = columns_[slot];
  if (column.type.kind != CDCRT_TYPE_UNKNOWN) type_changes_.push_back({slot, column.type, type});
  if (column.default_value.tag > CDCRT_NULL) {
    auto converted = types::convert(column.default_value, column.type, type, arena_);
    column.default_value = converted ? *converted : cdcrt_cell{};
  }
  column.type = type;
  ++version_;
}

void TableKnowledge::learn(uint32_t slot, const cdcrt_cell& cell) {
  set_type(slot, types::join(columns()[slot].type, types::learned(cell)));
}

void TableKnowledge::widen(uint32_t slot, cdcrt_type type) { set_type(slot, types::join(columns()[slot].type, type)); }

void TableKnowledge::type_one_column() {
  const auto typed = [](const Column& column) { return column.active && column.type.kind != CDCRT_TYPE_UNKNOWN; };
  const std::vector<Column>& all = columns();
  if (std::any_of(all.begin(), all.end(), typed)) return;
  const auto first = std::find_if(all.begin(), all.end(), [](const Column& column) { return column.active; });
  if (first != all.end()) set_type(static_cast<uint32_t>(first - all.begin()), types::string_type(0));
}

std::vector<TypeChange> TableKnowledge::take_type_changes() { return std::exchange(type_changes_, {}); }

std::vector<Merge> TableKnowledge::take_merges() {
  const auto since = static_cast<std::ptrdiff_t>(std::exchange(merges_taken_, merges_.size()));
  return {merges_.begin() + since, merges_.end()};
}

}  // namespace cdcrt::evolution
