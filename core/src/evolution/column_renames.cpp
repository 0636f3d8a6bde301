// Columns that get another name at the source: which column a name means depends on when it was used.
#include <algorithm>
#include <set>

#include "cdcrt/sdk/hash.hpp"
#include "diagnostics/text.hpp"
#include "event/log_order.hpp"
#include "evolution/column_rules.hpp"
#include "evolution/table_knowledge.hpp"
#include "types/type.hpp"

namespace cdcrt::evolution {
namespace {

using diagnostics::quote;

// No source has columns of such names.
constexpr std::string_view kHidden = "renamed:";

bool is_hidden(const Column& column) { return is_set_aside_name(column.source_name); }
/// Rows showed another column of its name, and no definition said yet what became of it.
bool is_set_aside(const Column& column) { return column.active && is_hidden(column); }

const std::string& name_at(const Column& column, std::string_view order) {
  const auto former = std::find_if(column.former_names.begin(), column.former_names.end(),
                                   [&](const FormerName& each) { return event::is_after(each.until, order); });
  return former == column.former_names.end() ? column.source_name : former->name;
}

/// It was renamed so already, by this definition or, as it is told several times, by another one.
bool was_told(const Column& column, const std::string& former, const std::string& name) {
  for (std::size_t i = 0; i < column.former_names.size(); ++i) {
    if (column.former_names[i].name == former && next_name(column, i) == name) return true;
  }
  return false;
}

}  // namespace

bool is_set_aside_name(std::string_view name) { return name.starts_with(kHidden); }

std::string set_aside_name(const std::string& name, std::string_view until) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hidden = std::string(kHidden) + name + "@";
  for (const char c : until) {
    hidden += digits[static_cast<unsigned char>(c) >> 4];
    hidden += digits[static_cast<unsigned char>(c) & 15];
  }
  return hidden;
}

// It had been renamed as the other one, and gave up at once the name that it got by that; or it was met after it.
bool seems_early(const Column& column) {
  const auto& names = column.former_names;
  if (column.active || names.empty() || !is_set_aside_name(column.source_name)) return false;
  if (names.size() > 1 && names[names.size() - 1].until == names[names.size() - 2].until) return true;
  return column.added_at != kUnplaced && event::is_after(column.added_at, names.back().until);
}

int32_t TableKnowledge::slot_named(const std::string& name, std::string_view order) const {
  const auto formers = formers_.find(name);
  const Former* best = nullptr;
  const Former* last = nullptr;
  if (formers != formers_.end()) {
    for (const Former& former : formers->second) {
      // Whenever its rows say that they are from.
      if (columns_[former.slot].came_early) continue;
      if (last == nullptr || event::is_after(former.until, last->until)) last = &former;
      if (!order.empty() && event::is_after(former.until, order) && (best == nullptr || event::is_after(best->until, former.until)))
        best = &former;
    }
  }
  if (best != nullptr) return static_cast<int32_t>(best->slot);
  if (const auto found = slots_.find(name); found != slots_.end()) return static_cast<int32_t>(found->second);
  return last == nullptr || !order.empty() ? -1 : static_cast<int32_t>(last->slot);
}

bool TableKnowledge::was_renamed(const std::string& former, std::string_view order) const {
  const auto formers = formers_.find(former);
  return formers != formers_.end() &&
         std::any_of(formers->second.begin(), formers->second.end(), [&](const Former& each) { return each.until == order; });
}

bool TableKnowledge::may_be_renamed(uint32_t slot, const event::Shape& definition, std::string_view order) const {
  return std::any_of(definition.columns.begin(), definition.columns.end(), [&](const auto& each) {
    const auto formers = formers_.find(each.former_name);
    if (each.former_name.empty() || formers == formers_.end()) return false;
    return std::any_of(formers->second.begin(), formers->second.end(), [&](const Former& former) {
      const Column& column = columns_[former.slot];
      if (event::is_after(former.until, order) || column.came_early || column.added_at.empty()) return false;
      // Names alone come in their order: only one that was never met is new there.
      if (is_names_alone(definition)) return column.added_at != kUnplaced && !event::is_after(former.until, column.added_at);
      return column.added_at == kUnplaced || event::is_after(column.added_at, last_seen(slot));
    });
  });
}

bool TableKnowledge::is_route_key_of(const std::string& name, const std::vector<uint32_t>& key) const {
  return std::any_of(key.begin(), key.end(), [&](uint32_t slot) {
    const Column& column = columns_[slot];
    return column.source_name == name || std::any_of(column.former_names.begin(), column.former_names.end(),
                                                     [&](const FormerName& former) { return former.name == name; });
  });
}

bool TableKnowledge::is_route_key(const std::string& column) const {
  const auto& names = route_->primary_key;
  if (std::find(names.begin(), names.end(), column) != names.end()) return true;
  const auto found = slots_.find(column);
  return found != slots_.end() &&
         std::any_of(names.begin(), names.end(), [&](const std::string& name) { return is_route_key_of(name, {found->second}); });
}

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

void TableKnowledge::bound_names(ShapeMap& map, const event::Shape& shape, std::string_view order) const {
  map.has_former = false;
  map.from.clear();
  map.until.clear();
  // Rows that lack a column end its name as well: a later one that has it shows another column.
  for (const int32_t slot : map.slots) {
    if (slot < 0 || columns_[static_cast<uint32_t>(slot)].lacked_since.empty()) continue;
    const std::string& lacked = columns_[static_cast<uint32_t>(slot)].lacked_since;
    if (event::is_after(order, lacked)) continue;
    map.has_former = true;
    if (map.until.empty() || event::is_after(map.until, lacked)) map.until = lacked;
  }
  for (const auto& column : shape.columns) {
    const auto formers = formers_.find(column.name);
    if (formers == formers_.end()) continue;
    map.has_former = true;
    for (const Former& former : formers->second) {
      if (!event::is_after(former.until, order)) {
        event::raise_order(map.from, former.until);
      } else if (map.until.empty() || event::is_after(map.until, former.until)) {
        map.until = former.until;
      }
    }
  }
}

void TableKnowledge::apply_rules(Column& column) const {
  const route::ColumnRule rule = rule_of(*route_, column);
  column.parse = rule.parse;
  column.on_overflow = rule.on_overflow;
  column.target_type = rule.target_type;
  if (!rule.type) return;
  column.typed_by_route = true;
  const bool widened = rule.on_overflow == types::OnOverflow::kWiden && column.type.kind != CDCRT_TYPE_UNKNOWN;
  column.type = widened ? types::join(*rule.type, column.type) : *rule.type;
}

// A name that the route gave the column stays unless it gives the new one another.
std::string TableKnowledge::target_name_for(const Column& column, const std::string& name) const {
  const std::string wanted = rule_for(*route_, name).rename;
  if (!wanted.empty()) return wanted;
  if (is_set_aside_name(name)) return "cdcrt_former_" + std::to_string(sdk::fnv1a(name));
  const std::string given = rule_of(*route_, column).rename;
  return !given.empty() && given == column.target_name ? given : name;
}

Result<void> TableKnowledge::check_targets(const std::vector<Renaming>& renamings) const {
  for (const Renaming& renaming : renamings) {
    const std::string target = target_name_for(columns_[renaming.slot], renaming.name);
    for (uint32_t slot = 0; slot < columns_.size(); ++slot) {
      const Column& other = columns_[slot];
      const bool moves = std::any_of(renamings.begin(), renamings.end(), [&](const Renaming& each) { return each.slot == slot; });
      if (moves || !other.active || other.target_name != target || other.source_name == renaming.name) continue;
      return make_error(CDCRT_BAD_CONFIG,
                        "columns '" + other.source_name + "' and '" + renaming.name + "', which was '" +
                            columns_[renaming.slot].source_name + "', both go to '" + target + "'",
                        "give one of them another name: columns." + renaming.name + " = { rename = \"...\" }");
    }
  }
  return {};
}

// No row could be found by its key: the column is dropped and added.
void TableKnowledge::leave_out_impossible(std::vector<Renaming>& renamings) const {
  const auto is_impossible = [&](const Renaming& renaming) {
    if (limits_.name_bytes > 0 && target_name_for(columns_[renaming.slot], renaming.name).size() > limits_.name_bytes) return true;
    const auto found = slots_.find(renaming.name);
    if (found == slots_.end()) return false;
    const bool moves = std::any_of(renamings.begin(), renamings.end(), [&](const Renaming& each) { return each.slot == found->second; });
    const Column& other = columns_[found->second];
    return !moves && other.active && other.key_ordinal > 0;
  };
  // One that goes may have been another one's reason to be possible.
  for (auto wrong = std::find_if(renamings.begin(), renamings.end(), is_impossible); wrong != renamings.end();
       wrong = std::find_if(renamings.begin(), renamings.end(), is_impossible)) {
    renamings.erase(wrong);
  }
}

bool TableKnowledge::came_after(const Column& column, const Column& other, std::string_view order) const {
  if (column.added_at != kUnplaced) return event::is_after(column.added_at, order);
  // A snapshot showed it: columns that stand in one row are two.
  const auto has = [](const ShapeMap& map, const Column* each, const std::vector<Column>& all) {
    return std::find(map.slots.begin(), map.slots.end(), static_cast<int32_t>(each - all.data())) != map.slots.end();
  };
  return std::none_of(maps_.begin(), maps_.end(),
                      [&](const auto& map) { return has(map.second, &column, columns()) && has(map.second, &other, columns()); });
}

// Of the columns that were there before it, the definition lacks one, and it has one that was not there. Where it is later than definitions
// that are still to be read, it may do so of more: a rename keeps the type.
std::optional<Renaming> TableKnowledge::untold_renaming(const event::Shape& definition, std::string_view order) const {
  // It is read again. What was not dropped meanwhile is not the one that it lacked.
  for (const auto& [name, formers] : formers_) {
    if (std::any_of(formers.begin(), formers.end(), [&](const Former& former) { return former.until == order; })) return std::nullopt;
  }
  std::vector<bool> named(columns_.size());
  for (const auto& column : definition.columns) {
    if (const int32_t slot = slot_named(column.name, order); slot >= 0) named[static_cast<uint32_t>(slot)] = true;
  }
  std::vector<Renaming> pairs, alike;
  for (uint32_t slot = 0; slot < columns_.size(); ++slot) {
    const Column& gone = columns_[slot];
    const bool is_later = gone.added_at != kUnplaced && event::is_after(gone.added_at, order);
    if (named[slot] || !gone.active || is_metadata(slot) || is_later) continue;
    for (const auto& column : definition.columns) {
      if (rule_for(*route_, column.name).exclude) continue;
      if (const int32_t other = slot_named(column.name, order); other >= 0) {
        const Column& known = columns_[static_cast<uint32_t>(other)];
        if (!known.active || !came_after(known, gone, order)) continue;
      }
      pairs.push_back({slot, column.name});
      const bool is_declared = !gone.type_order.empty() && !gone.typed_by_route && column.type.kind != CDCRT_TYPE_UNKNOWN;
      if (!is_declared || gone.type.kind == column.type.kind) alike.push_back({slot, column.name});
    }
  }
  if (pairs.size() != 1) std::swap(pairs, alike);
  // Rows that were read first may have shown columns of later definitions too. The one before this one tells which were there.
  const auto& [last, names] = last_definition_;
  if (pairs.size() != 1 && !last.empty() && event::is_after(order, last)) {
    const auto had = [&names = names](const std::string& name) { return std::find(names.begin(), names.end(), name) != names.end(); };
    const auto had_gone = [&](const Renaming& each) { return had(name_at(columns_[each.slot], order)); };
    // That was there before this one, and not in the last one: there are others between the two, which are still to be read.
    const auto came_between = [&](const Renaming& each) { return !had_gone(each) && columns_[each.slot].added_at != kUnplaced; };
    if (std::any_of(pairs.begin(), pairs.end(), came_between) || std::any_of(alike.begin(), alike.end(), came_between)) return std::nullopt;
    for (auto* of : {&pairs, &alike}) std::erase_if(*of, [&](const Renaming& each) { return had(each.name) || !had_gone(each); });
    if (alike.size() == 1) std::swap(pairs, alike);
  }
  return pairs.size() == 1 ? std::optional(std::move(pairs.front())) : std::nullopt;
}

Result<void> TableKnowledge::rename(const event::Shape& definition, std::string_view order) {
  std::vector<Renaming> renamings;
  const bool is_told =
      std::any_of(definition.columns.begin(), definition.columns.end(), [](const auto& column) { return !column.former_name.empty(); });
  if (definition.renamed && !is_told) {
    if (auto renaming = untold_renaming(definition, order)) renamings.push_back(std::move(*renaming));
  }
  if (auto& [last, names] = last_definition_; !is_names_alone(definition) && (last.empty() || !event::is_after(last, order))) {
    last = order;
    // One that is not declared tells some of the columns.
    if (definition.declared) names.clear();
    for (const auto& column : definition.columns) names.push_back(column.name);
  }
  const bool has_any_order = !is_names_alone(definition) && follows_definitions();
  std::vector<Renaming> aside;
  for (const auto& column : definition.columns) {
    const std::string& former = column.former_name;
    if (former.empty() || former == column.name || was_renamed(former, order)) continue;
    if (rule_for(*route_, former).exclude || rule_for(*route_, column.name).exclude) continue;
    int32_t slot = slot_named(former, order);
    if (slot < 0) {
      // The statement may have written it in other letters; only one column can be meant.
      for (uint32_t i = 0; i < columns_.size(); ++i) {
        if (columns_[i].active && diagnostics::equal_but_for_case(columns_[i].source_name, former)) slot = static_cast<int32_t>(i);
      }
    }
    // Rows of the new name alone were met so far. Those of the former one may still come, here or in another process.
    if (const auto found = slots_.find(column.name); slot < 0 && found != slots_.end()) {
      const Column& later = columns_[found->second];
      const bool came_later = later.added_at == kUnplaced || event::is_after(later.added_at, order);
      const bool is_other = formers_.contains(former) || std::any_of(definition.columns.begin(), definition.columns.end(),
                                                                     [&](const auto& each) { return each.name == former; });
      if (later.active && came_later && !is_other && route_->schema_changes == route::SchemaChanges::kEvolve) {
        add_former(found->second, {former, std::string(order)});
        ++version_;
      }
      // It was there before, and gave its name up: an earlier definition, still to come, tells what became of it.
      const bool was_there = later.active && !later.added_at.empty() && event::is_after(order, later.added_at);
      if (was_there && later.key_ordinal == 0 && has_any_order && !was_told(later, former, column.name))
        aside.push_back({found->second, set_aside_name(column.name, order)});
    }
    if (slot < 0) continue;
    const Column& known = columns_[static_cast<uint32_t>(slot)];
    if (!known.active || known.source_name == column.name || was_renamed(known.source_name, order)) continue;
    if (was_told(known, former, column.name) && !event::is_after(order, known.former_names.back().until)) continue;
    // It has another name since, had another one then, or is one that came after it.
    const std::string& present = is_set_aside(known) ? known.former_names.back().name : known.source_name;
    if (!is_set_aside(known) && !diagnostics::equal_but_for_case(name_at(known, order), former)) continue;
    if (!diagnostics::equal_but_for_case(present, former) || (known.added_at != kUnplaced && event::is_after(known.added_at, order)))
      continue;
    renamings.push_back({static_cast<uint32_t>(slot), column.name});
  }
  // What the same definition renames need not wait.
  std::erase_if(aside, [&](const Renaming& each) {
    return std::any_of(renamings.begin(), renamings.end(), [&](const Renaming& other) { return other.slot == each.slot; });
  });
  renamings.insert(renamings.end(), aside.begin(), aside.end());
  if (renamings.empty()) return {};
  if (route_->schema_changes == route::SchemaChanges::kFail) {
    const std::string& former = columns_[renamings.front().slot].source_name;
    return make_error(CDCRT_UNSUPPORTED,
                      "the source renamed column '" + former + "' to '" + renamings.front().name + "' and schema_changes is \"fail\"",
                      "rename the target's column and set schema_changes = \"evolve\"");
  }
  if (route_->schema_changes != route::SchemaChanges::kEvolve) return {};
  leave_out_impossible(renamings);
  if (has_any_order) set_holders_aside(renamings, order);
  if (auto checked = check_targets(renamings); !checked) return checked;
  apply(renamings, order);
  follow(renamings, order);
  return {};
}

// The name was free at the source. Where definitions come in any order, one that is still to come tells what became of its column.
void TableKnowledge::set_holders_aside(std::vector<Renaming>& renamings, std::string_view order) const {
  for (std::size_t i = 0, count = renamings.size(); i < count; ++i) {
    const auto found = slots_.find(renamings[i].name);
    if (found == slots_.end() || !columns_[found->second].active || came_after(columns_[found->second], columns_[renamings[i].slot], order))
      continue;
    const bool moves = std::any_of(renamings.begin(), renamings.end(), [&](const Renaming& each) { return each.slot == found->second; });
    if (!moves) renamings.push_back({found->second, set_aside_name(renamings[i].name, order)});
  }
}

// Later renames of them were told before.
void TableKnowledge::follow(const std::vector<Renaming>& renamings, std::string_view order) {
  for (const Renaming& renaming : renamings) {
    const auto formers = formers_.find(renaming.name);
    if (formers == formers_.end() || columns_[renaming.slot].source_name != renaming.name) continue;
    const Former* first = nullptr;
    for (const Former& former : formers->second) {
      const bool is_later = event::is_after(former.until, order) && former.slot != renaming.slot && columns_[former.slot].active;
      if (is_later && (first == nullptr || event::is_after(first->until, former.until))) first = &former;
    }
    if (first == nullptr) continue;
    const auto& names = columns_[first->slot].former_names;
    const auto found = std::find_if(names.begin(), names.end(), [&](const FormerName& each) { return each.until == first->until; });
    const Renaming last{renaming.slot, next_name(columns_[first->slot], static_cast<std::size_t>(found - names.begin()))};
    const std::string until = first->until;
    apply({last}, until);
    follow({last}, until);
  }
}

void TableKnowledge::note_former(uint32_t slot, std::string_view order) {
  Column& column = columns_[slot];
  column.former_names.push_back({column.source_name, std::string(order)});
  formers_[column.source_name].push_back({std::string(order), slot});
}

// Its name is another column's from there on.
void TableKnowledge::hide(uint32_t slot, std::string_view order) {
  Column& column = columns_[slot];
  note_former(slot, order);
  column.source_name = column.target_name = set_aside_name(column.source_name, order);
  slots_[column.source_name] = slot;
}

// Rows of the new shape came first, and their values are those of the column that had the name before.
bool TableKnowledge::mixes(const std::vector<Renaming>& renamings, std::string_view order) const {
  return std::any_of(renamings.begin(), renamings.end(), [&](const Renaming& renaming) {
    const auto found = slots_.find(renaming.name);
    if (found == slots_.end() || found->second == renaming.slot) return false;
    const Column& other = columns_[found->second];
    const std::string_view seen = last_seen(found->second);
    return other.active && seen != kUnplaced && event::is_after(seen, order) && !came_after(other, columns_[renaming.slot], order);
  });
}

void TableKnowledge::apply(const std::vector<Renaming>& renamings, std::string_view order) {
  if (renamings.empty()) return;
  if (mixes(renamings, order)) is_mixed_ = true;
  for (const Renaming& renaming : renamings) {
    const std::string& name = columns_[renaming.slot].source_name;
    if (const auto found = slots_.find(name); found != slots_.end() && found->second == renaming.slot) slots_.erase(found);
  }
  // Another column of the new name.
  std::set<uint32_t> dropped;
  for (const Renaming& renaming : renamings) {
    const auto found = slots_.find(renaming.name);
    if (found == slots_.end()) continue;
    const Column& other = columns_[found->second];
    // It was told of this rename before, as the only one of the two that was known.
    const bool is_same = std::any_of(other.former_names.begin(), other.former_names.end(), [&](const FormerName& former) {
      return former.until == order && former.name == columns_[renaming.slot].source_name;
    });
    if (!is_same && !came_after(other, columns_[renaming.slot], order)) dropped.insert(found->second);
  }
  forget_maps();
  for (const Renaming& renaming : renamings) {
    Column& column = columns_[renaming.slot];
    if (is_set_aside(column)) bring_back(renaming.slot);
    const bool is_aside = is_set_aside_name(renaming.name);
    // A row without it that is later has it under no name.
    if (!event::is_after(column.lacked_since, order) && !is_aside) column.lacked_since.clear();
    if (!is_aside) column.undefined_since.clear();
    if (is_aside) column.lacked_since.assign(order);
    // Rows that came before the definition showed it by that name, which it had before as well.
    const bool had_name = std::any_of(column.former_names.begin(), column.former_names.end(),
                                      [&](const FormerName& former) { return former.name == renaming.name; });
    if (had_name && !event::is_after(column.lacked_since, column.last_seen)) column.lacked_since.clear();
    const std::string target = target_name_for(column, renaming.name);
    if (const auto found = slots_.find(renaming.name); found != slots_.end()) {
      const uint32_t other = found->second;
      Column& taken = columns_[other];
      const bool was_dropped_before = !taken.active && !event::is_after(taken.dropped_at, order);
      taken.came_early = !dropped.contains(other) && !was_dropped_before;
      if (taken.active && dropped.contains(other)) {
        // The name was free at the source: that one was dropped before, whether that was told or not.
        taken.active = false;
        taken.dropped_at = std::string(order);
        drops_.push_back(other);
        column.lacked_since.clear();
      } else if (taken.active) {
        // Rows that are later came first.
        // Later rows lack it, and have the former name again: the one that a rename still to come gives back.
        const bool has_name_again = !taken.lacked_since.empty() && !event::is_after(taken.lacked_since, column.last_seen);
        merges_.push_back({other, renaming.slot, taken.type, has_name_again});
        column.lacked_since = taken.lacked_since;
        column.undefined_since = taken.undefined_since;
        event::raise_order(column.last_seen, taken.last_seen);
        if (!column.typed_by_route && taken.type.kind != CDCRT_TYPE_UNKNOWN) {
          set_type(renaming.slot, column.type.kind == CDCRT_TYPE_UNKNOWN ? taken.type : types::evolve(column.type, taken.type));
        }
        event::raise_order(column.type_order, taken.type_order);
        taken.active = false;
        taken.dropped_at = std::string(order);
        taken.merged_into = static_cast<int32_t>(renaming.slot);
        taken.lacked_since.clear();
        taken.undefined_since.clear();
      }
      hide(other, order);
    }
    note_former(renaming.slot, order);
    column.source_name = renaming.name;
    column.target_name = target;
    column.typed_by_route = false;
    apply_rules(column);
    slots_[renaming.name] = renaming.slot;
  }
  ++version_;
}

// A definition tells until when it had the name that was taken from it.
void TableKnowledge::bring_back(uint32_t slot) {
  Column& column = columns_[slot];
  const FormerName former = column.former_names.back();
  column.former_names.pop_back();
  std::erase_if(formers_[former.name], [&](const Former& each) { return each.slot == slot && each.until == former.until; });
  column.source_name = former.name;
}

void TableKnowledge::add_former(uint32_t slot, const FormerName& former) {
  auto& names = columns_[slot].former_names;
  const auto later =
      std::find_if(names.begin(), names.end(), [&](const FormerName& each) { return event::is_after(each.until, former.until); });
  names.insert(later, former);
  formers_[former.name].push_back({former.until, slot});
}

// A column that came after the name was given up is another one.
int32_t TableKnowledge::slot_named(const std::string& name, std::string_view order, std::string_view until) const {
  const int32_t slot = slot_named(name, order);
  if (slot < 0) return -1;
  const std::string& added_at = columns_[static_cast<uint32_t>(slot)].added_at;
  return added_at != kUnplaced && event::is_after(added_at, until) ? -1 : slot;
}

}  // namespace cdcrt::evolution
