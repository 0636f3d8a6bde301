// What a definition renames: as it says, or as the columns show that were there before it.
#include <algorithm>

#include "diagnostics/text.hpp"
#include "event/log_order.hpp"
#include "evolution/column_names.hpp"
#include "evolution/column_rules.hpp"
#include "evolution/table_knowledge.hpp"

namespace cdcrt::evolution {
namespace {

const std::string& name_at(const Column& column, std::string_view order) {
  const auto former = std::find_if(column.former_names.begin(), column.former_names.end(),
                                   [&](const FormerName& each) { return event::is_after(each.until, order); });
  return former == column.former_names.end() ? column.source_name : former->name;
}

}  // namespace

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

}  // namespace cdcrt::evolution
