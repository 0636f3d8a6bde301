// What becomes of columns when one of them gets another name: the names of both, their rules, what was folded for them.
#include <algorithm>
#include <set>

#include "cdcrt/sdk/hash.hpp"
#include "event/log_order.hpp"
#include "evolution/column_names.hpp"
#include "evolution/column_rules.hpp"
#include "evolution/table_knowledge.hpp"
#include "types/type.hpp"

namespace cdcrt::evolution {

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

void TableKnowledge::note_former(uint32_t slot, std::string_view order) {
  Column& column = columns_[slot];
  column.former_names.push_back({column.source_name, std::string(order)});
  formers_[column.source_name].push_back({std::string(order), slot});
}

void TableKnowledge::add_former(uint32_t slot, const FormerName& former) {
  auto& names = columns_[slot].former_names;
  const auto later =
      std::find_if(names.begin(), names.end(), [&](const FormerName& each) { return event::is_after(each.until, former.until); });
  names.insert(later, former);
  formers_[former.name].push_back({former.until, slot});
}

// Its name is another column's from there on.
void TableKnowledge::hide(uint32_t slot, std::string_view order) {
  Column& column = columns_[slot];
  note_former(slot, order);
  column.source_name = column.target_name = set_aside_name(column.source_name, order);
  slots_[column.source_name] = slot;
}

// A definition tells until when it had the name that was taken from it.
void TableKnowledge::bring_back(uint32_t slot) {
  Column& column = columns_[slot];
  const FormerName former = column.former_names.back();
  column.former_names.pop_back();
  std::erase_if(formers_[former.name], [&](const Former& each) { return each.slot == slot && each.until == former.until; });
  column.source_name = former.name;
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

}  // namespace cdcrt::evolution
