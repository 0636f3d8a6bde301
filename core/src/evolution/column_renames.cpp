// Columns that get another name at the source: which column a name means depends on when it was used.
#include <algorithm>
#include <map>

#include "diagnostics/text.hpp"
#include "evolution/column_rules.hpp"
#include "evolution/table_knowledge.hpp"
#include "types/type.hpp"

namespace cdcrt::evolution {
namespace {

using diagnostics::quote;

// No source has columns of such names.
constexpr std::string_view kHidden = "renamed:";

bool is_hidden(const Column& column) { return column.source_name.starts_with(kHidden); }

std::string hidden_name(const std::string& name, std::string_view order) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hidden = std::string(kHidden) + name + "@";
  for (const char c : order) {
    hidden += digits[static_cast<unsigned char>(c) >> 4];
    hidden += digits[static_cast<unsigned char>(c) & 15];
  }
  return hidden;
}

}  // namespace

int32_t TableKnowledge::slot_named(const std::string& name, std::string_view order) const {
  const auto formers = formers_.find(name);
  const Former* best = nullptr;
  if (formers != formers_.end() && !order.empty()) {
    for (const Former& former : formers->second) {
      if (order < former.until && (best == nullptr || former.until < best->until)) best = &former;
    }
  }
  if (best != nullptr) return static_cast<int32_t>(best->slot);
  if (const auto found = slots_.find(name); found != slots_.end()) return static_cast<int32_t>(found->second);
  if (formers == formers_.end() || !order.empty()) return -1;
  const auto last =
      std::max_element(formers->second.begin(), formers->second.end(), [](const Former& a, const Former& b) { return a.until < b.until; });
  return static_cast<int32_t>(last->slot);
}

bool TableKnowledge::was_renamed(const std::string& former, std::string_view order) const {
  const auto formers = formers_.find(former);
  return formers != formers_.end() &&
         std::any_of(formers->second.begin(), formers->second.end(), [&](const Former& each) { return each.until == order; });
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
bool TableKnowledge::awaits_definitions() const {
  return has_definitions_ && keyed_ && key_known_ && !key_.empty() && route_->schema_changes == route::SchemaChanges::kEvolve;
}

bool TableKnowledge::lacks_known(const event::Shape& shape, std::string_view order) const {
  for (uint32_t slot = 0; slot < columns_.size(); ++slot) {
    const Column& column = columns_[slot];
    if (!column.active || column.key_ordinal > 0 || is_metadata(slot) || order <= last_seen(slot)) continue;
    const bool has = std::any_of(shape.columns.begin(), shape.columns.end(),
                                 [&](const auto& each) { return slot_named(each.name, order) == static_cast<int32_t>(slot); });
    if (!has) return true;
  }
  return false;
}

void TableKnowledge::find_nulls(ShapeMap& map, std::string_view order) const {
  for (const uint32_t slot : map.absent) {
    const Column& column = columns_[slot];
    if (column.active && !column.lacked_since.empty() && order >= column.lacked_since) map.nulls.push_back(slot);
  }
}

void TableKnowledge::bound_names(ShapeMap& map, const event::Shape& shape, std::string_view order) const {
  map.has_former = false;
  map.from.clear();
  map.until.clear();
  if (formers_.empty()) return;
  for (const auto& column : shape.columns) {
    const auto formers = formers_.find(column.name);
    if (formers == formers_.end()) continue;
    map.has_former = true;
    for (const Former& former : formers->second) {
      if (order >= former.until) {
        map.from = std::max(map.from, former.until);
      } else if (map.until.empty() || former.until < map.until) {
        map.until = former.until;
      }
    }
  }
}

void TableKnowledge::apply_rules(Column& column) const {
  const route::ColumnRule rule = rule_for(*route_, column.source_name);
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
  const std::string given = rule_for(*route_, column.source_name).rename;
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

// Where another column has the name and had it before, what the definition says is not what is known: the column is dropped and added.
void TableKnowledge::leave_out_impossible(std::vector<Renaming>& renamings, std::string_view order) const {
  const auto is_impossible = [&](const Renaming& renaming) {
    if (limits_.name_bytes > 0 && target_name_for(columns_[renaming.slot], renaming.name).size() > limits_.name_bytes) return true;
    const auto found = slots_.find(renaming.name);
    if (found == slots_.end()) return false;
    const bool moves = std::any_of(renamings.begin(), renamings.end(), [&](const Renaming& each) { return each.slot == found->second; });
    const Column& other = columns_[found->second];
    return !moves && other.active && (other.key_ordinal > 0 || other.added_at.empty() || other.added_at <= order);
  };
  // One that goes may have been another one's reason to be possible.
  for (auto wrong = std::find_if(renamings.begin(), renamings.end(), is_impossible); wrong != renamings.end();
       wrong = std::find_if(renamings.begin(), renamings.end(), is_impossible)) {
    renamings.erase(wrong);
  }
}

Result<void> TableKnowledge::rename(const event::Shape& definition, std::string_view order) {
  std::vector<Renaming> renamings;
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
    if (slot < 0) continue;
    const Column& known = columns_[static_cast<uint32_t>(slot)];
    if (!known.active || known.source_name == column.name || was_renamed(known.source_name, order)) continue;
    // It has another name since, or is one that came after it.
    if (!diagnostics::equal_but_for_case(known.source_name, former) || (known.added_at > order && known.added_at != kUnplaced)) continue;
    renamings.push_back({static_cast<uint32_t>(slot), column.name});
  }
  if (renamings.empty()) return {};
  if (route_->schema_changes == route::SchemaChanges::kFail) {
    const std::string& former = columns_[renamings.front().slot].source_name;
    return make_error(CDCRT_UNSUPPORTED,
                      "the source renamed column '" + former + "' to '" + renamings.front().name + "' and schema_changes is \"fail\"",
                      "rename the target's column and set schema_changes = \"evolve\"");
  }
  if (route_->schema_changes != route::SchemaChanges::kEvolve) return {};
  leave_out_impossible(renamings, order);
  if (auto checked = check_targets(renamings); !checked) return checked;
  apply(renamings, order);
  return {};
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
  column.source_name = column.target_name = hidden_name(column.source_name, order);
  slots_[column.source_name] = slot;
}

void TableKnowledge::apply(const std::vector<Renaming>& renamings, std::string_view order) {
  if (renamings.empty()) return;
  forget_maps();
  for (const Renaming& renaming : renamings) {
    const std::string& name = columns_[renaming.slot].source_name;
    if (const auto found = slots_.find(name); found != slots_.end() && found->second == renaming.slot) slots_.erase(found);
  }
  for (const Renaming& renaming : renamings) {
    Column& column = columns_[renaming.slot];
    column.lacked_since.clear();
    column.undefined_since.clear();
    const std::string target = target_name_for(column, renaming.name);
    if (const auto found = slots_.find(renaming.name); found != slots_.end()) {
      const uint32_t other = found->second;
      if (columns_[other].active) {
        // Rows that are later came first.
        Column& taken = columns_[other];
        merges_.push_back({other, renaming.slot, taken.type});
        column.lacked_since = taken.lacked_since;
        column.undefined_since = taken.undefined_since;
        column.last_seen = std::max(column.last_seen, taken.last_seen);
        if (!column.typed_by_route && taken.type.kind != CDCRT_TYPE_UNKNOWN) {
          set_type(renaming.slot, column.type.kind == CDCRT_TYPE_UNKNOWN ? taken.type : types::evolve(column.type, taken.type));
        }
        column.type_order = std::max(column.type_order, taken.type_order);
        taken.active = false;
        taken.dropped_at = std::string(order);
        taken.merged_into = static_cast<int32_t>(renaming.slot);
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

// What another process renamed, in the order in which it happened.
void TableKnowledge::take_renames(const std::vector<Column>& stored) {
  std::map<std::string, std::vector<Renaming>> by_order;
  for (const Column& column : stored) {
    if (is_hidden(column)) continue;
    for (std::size_t i = 0; i < column.former_names.size(); ++i) {
      const FormerName& former = column.former_names[i];
      if (was_renamed(former.name, former.until)) continue;
      by_order[former.until].push_back({static_cast<uint32_t>(&column - stored.data()),
                                        i + 1 < column.former_names.size() ? column.former_names[i + 1].name : column.source_name});
    }
  }
  for (auto& [order, renamings] : by_order) {
    std::erase_if(renamings, [&, &order = order](Renaming& renaming) {
      const auto& formers = stored[renaming.slot].former_names;
      const auto former = std::find_if(formers.begin(), formers.end(), [&](const FormerName& each) { return each.until == order; });
      const int32_t slot = slot_named(former->name, order);
      if (slot < 0) return true;
      renaming.slot = static_cast<uint32_t>(slot);
      return false;
    });
    apply(renamings, order);
  }
}

// Theirs may not know yet of a rename that is known here.
int32_t TableKnowledge::slot_of(const Column& stored, const std::vector<Column>& all) const {
  const auto is_known_there = [&](const std::string& name, const std::string& until) {
    return std::any_of(all.begin(), all.end(), [&](const Column& column) {
      return std::any_of(column.former_names.begin(), column.former_names.end(),
                         [&](const FormerName& former) { return former.name == name && former.until == until; });
    });
  };
  const Former* first = nullptr;
  if (const auto formers = formers_.find(stored.source_name); formers != formers_.end()) {
    for (const Former& former : formers->second) {
      if (!is_known_there(stored.source_name, former.until) && (first == nullptr || former.until < first->until)) first = &former;
    }
  }
  if (first != nullptr) return static_cast<int32_t>(first->slot);
  const auto found = slots_.find(stored.source_name);
  return found == slots_.end() ? -1 : static_cast<int32_t>(found->second);
}

}  // namespace cdcrt::evolution
