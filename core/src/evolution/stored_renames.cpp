// Renames that another process was told of: taken over from what it stored, and which column a stored one is here.
#include <algorithm>
#include <map>

#include "event/log_order.hpp"
#include "evolution/column_names.hpp"
#include "evolution/column_rules.hpp"
#include "evolution/table_knowledge.hpp"
#include "types/type.hpp"

namespace cdcrt::evolution {
namespace {

/// How often the column was renamed so.
std::size_t times(const Column& column, const std::string& name, const std::string& next) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < column.former_names.size(); ++i) {
    if (column.former_names[i].name == name && next_name(column, i) == next) ++count;
  }
  return count;
}

/// One of `all` was renamed so, at that order or, as it was told twice, at another one.
bool is_known_there(const std::vector<Column>& all, const std::string& name, const std::string& until, const Column& here) {
  std::string next;
  for (std::size_t i = 0; i < here.former_names.size(); ++i) {
    if (here.former_names[i].name == name && here.former_names[i].until == until) next = next_name(here, i);
  }
  return std::any_of(all.begin(), all.end(), [&](const Column& column) {
    const bool is_same = std::any_of(column.former_names.begin(), column.former_names.end(),
                                     [&](const FormerName& former) { return former.name == name && former.until == until; });
    return is_same || (!next.empty() && times(column, name, next) >= times(here, name, next));
  });
}

/// One of `all` had the name until then or later, and waits under another one for what becomes of it: whoever has the name came after it.
bool waits_since(const std::vector<Column>& all, const std::string& name, const std::string& until) {
  return std::any_of(all.begin(), all.end(), [&](const Column& column) {
    return is_set_aside(column) && column.former_names.back().name == name && !event::is_after(until, column.former_names.back().until);
  });
}

/// Which of the names that `here` had before that of its `place` (the present one is the last) the stored columns have still, beside
/// `stored` of that one: rows of the latter came first there. Null: none.
const FormerName* beside(const Column& here, std::size_t place, const Column& stored, const std::vector<Column>& all) {
  for (std::size_t i = place; i > 0; --i) {
    const FormerName& former = here.former_names[i - 1];
    const bool is_there = std::any_of(all.begin(), all.end(), [&](const Column& column) {
      const bool waits = is_set_aside(column) && column.former_names.back().name == former.name;
      return &column != &stored && (column.source_name == former.name || waits);
    });
    if (is_there && !is_known_there(all, former.name, former.until, here)) return &former;
  }
  return nullptr;
}

}  // namespace

// Which column here a stored one is that no row here had under that former name: one of a later name of its was met.
int32_t TableKnowledge::slot_later(const Column& stored, std::size_t former) const {
  const auto& formers = stored.former_names;
  for (std::size_t later = former + 1; later < formers.size(); ++later) {
    // A name is the column's from the order at which the one before it ended.
    const int32_t slot = slot_named(formers[later].name, formers[later - 1].until, formers[later].until);
    if (slot >= 0) return slot;
  }
  return slot_named(stored.source_name, formers.back().until);
}

// What another process renamed, in the order in which it happened.
void TableKnowledge::take_renames(const std::vector<Column>& stored) {
  std::map<std::string, std::vector<Renaming>> by_order;
  for (const Column& column : stored) {
    if (gave_up_its_name(column)) continue;
    for (std::size_t i = 0; i < column.former_names.size(); ++i) {
      const FormerName& former = column.former_names[i];
      if (was_renamed(former.name, former.until) || is_known_there(columns(), former.name, former.until, column)) continue;
      if (is_set_aside_name(next_name(column, i)) && naming_of(column, stored)) continue;
      by_order[former.until].push_back({static_cast<uint32_t>(&column - stored.data()), next_name(column, i)});
    }
  }
  for (auto& [order, renamings] : by_order) {
    std::erase_if(renamings, [&, &order = order](Renaming& renaming) {
      const Column& theirs = stored[renaming.slot];
      const auto& formers = theirs.former_names;
      const auto former = std::find_if(formers.begin(), formers.end(), [&](const FormerName& each) { return each.until == order; });
      const int32_t slot = slot_named(former->name, order, order);
      // Rows of the former name may still come here.
      if (const int32_t later = slot_later(theirs, static_cast<std::size_t>(former - formers.begin())); slot < 0 && later >= 0) {
        add_former(static_cast<uint32_t>(later), *former);
      }
      if (slot < 0 || columns_[static_cast<uint32_t>(slot)].source_name == renaming.name) return true;
      renaming.slot = static_cast<uint32_t>(slot);
      return false;
    });
    apply(renamings, order);
    follow(renamings, order);
  }
  for (const Column& column : stored) {
    if (!column.active || slot_of(column, stored) >= 0) continue;
    const auto naming = naming_of(column, stored);
    if (!naming) continue;
    const uint32_t slot = naming->slot;
    const FormerName* const former = beside(columns_[slot], naming->place, column, stored);
    if (former == nullptr) continue;
    // As apply() does where rows of the new name came first here.
    Column taken = column;
    const std::string until = former->until;
    taken.default_value = {};
    taken.key_ordinal = 0;
    taken.lacked_since.clear();
    taken.undefined_since.clear();
    taken.active = false;
    taken.dropped_at = until;
    taken.came_early = true;
    taken.merged_into = static_cast<int32_t>(slot);
    taken.former_names = {{column.source_name, until}};
    taken.source_name = taken.target_name = set_aside_name(column.source_name, until);
    if (!columns_[slot].typed_by_route && taken.type.kind != CDCRT_TYPE_UNKNOWN) {
      const cdcrt_type type = columns_[slot].type;
      set_type(slot, type.kind == CDCRT_TYPE_UNKNOWN ? taken.type : types::evolve(type, taken.type));
    }
    restore(std::move(taken));
  }
}

// Theirs may not know yet of a rename that is known here.
std::optional<Naming> TableKnowledge::naming_of(const Column& stored, const std::vector<Column>& all) const {
  if (is_set_aside_name(stored.source_name)) {
    if (const auto found = slots_.find(stored.source_name); found != slots_.end()) return Naming{found->second, 0};
    if (!stored.active) return {};
    // Here it may be known what became of it.
    const FormerName& given_up = stored.former_names.back();
    const Former* last = nullptr;
    const auto formers = formers_.find(given_up.name);
    if (formers == formers_.end()) return {};
    for (const Former& former : formers->second) {
      const bool is_known = is_known_there(all, given_up.name, former.until, columns_[former.slot]);
      if (is_known || event::is_after(former.until, given_up.until) || columns_[former.slot].came_early) continue;
      if (last == nullptr || event::is_after(former.until, last->until)) last = &former;
    }
    return last == nullptr ? std::nullopt : std::optional(Naming{last->slot, 0});
  }
  const Former* first = nullptr;
  if (const auto formers = formers_.find(stored.source_name); formers != formers_.end()) {
    for (const Former& former : formers->second) {
      const bool is_known = is_known_there(all, stored.source_name, former.until, columns_[former.slot]);
      const bool is_early = columns_[former.slot].came_early;
      const bool is_named_later =
          !is_early && !stored.former_names.empty() && !event::is_after(former.until, stored.former_names.back().until);
      if (is_known || is_named_later || waits_since(all, stored.source_name, former.until)) continue;
      // One that was told of the rename first has the name no longer than the one that it turned out to be.
      const bool is_one_with = first != nullptr && first->until == former.until && columns_[first->slot].came_early;
      if (first == nullptr || event::is_after(first->until, former.until) || is_one_with) first = &former;
    }
  }
  if (first != nullptr) {
    const auto& names = columns_[first->slot].former_names;
    const auto name = std::find_if(names.begin(), names.end(), [&](const FormerName& each) { return each.until == first->until; });
    return Naming{first->slot, static_cast<std::size_t>(name - names.begin())};
  }
  const auto found = slots_.find(stored.source_name);
  if (found == slots_.end()) return {};
  return Naming{found->second, columns_[found->second].former_names.size()};
}

int32_t TableKnowledge::slot_of(const Column& stored, const std::vector<Column>& all) const {
  const auto naming = naming_of(stored, all);
  if (!naming) return -1;
  const FormerName* const former = beside(columns_[naming->slot], naming->place, stored, all);
  if (former == nullptr) return static_cast<int32_t>(naming->slot);
  const auto hidden = slots_.find(set_aside_name(stored.source_name, former->until));
  return hidden == slots_.end() ? -1 : static_cast<int32_t>(hidden->second);
}

}  // namespace cdcrt::evolution
