#include "apply/target_definition.hpp"

#include <algorithm>

#include "apply/table.hpp"
#include "cdcrt/sdk/status.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::apply {
namespace {

// One name in the target, two columns of the source: each would overwrite the other.
Result<void> tell_case_apart(const Sealed& sealed) {
  for (const auto& column : sealed.columns()) {
    for (const auto& other : sealed.columns()) {
      if (&column == &other) break;
      if (!column.active || !other.active || !diagnostics::equal_but_for_case(column.target_name, other.target_name)) continue;
      return make_error(
          CDCRT_BAD_CONFIG,
          "columns '" + other.source_name + "' and '" + column.source_name + "' of table '" + sealed.table->identity().target() +
              "' are one column in the target, which does not tell case apart",
          "give one of them another name in the route: columns." + column.source_name + " = { rename = \"...\" }, or exclude = true");
    }
  }
  return {};
}

}  // namespace

std::string name_of(std::string_view found, bool folds_names, const Sealed& sealed) {
  if (!folds_names) return std::string(found);
  for (const bool dropped : {false, true}) {
    for (const auto& column : sealed.columns()) {
      if (column.active != dropped && diagnostics::equal_but_for_case(column.target_name, found)) return column.target_name;
    }
  }
  return std::string(found);
}

// What the route says of a column overrides what cdcrt would make of it.
const evolution::Column* column_named(const Sealed& sealed, const std::string& target_name) {
  const auto found =
      std::find_if(sealed.columns().begin(), sealed.columns().end(), [&](const auto& column) { return column.target_name == target_name; });
  return found == sealed.columns().end() ? nullptr : &*found;
}

void TargetDefinition::restore(const std::vector<evolution::Column>& kept, const evolution::TableKnowledge& knowledge) {
  std::map<uint32_t, std::string> made_as;
  for (const evolution::Column& column : kept) {
    if (column.active && column.type.kind != CDCRT_TYPE_UNKNOWN) {
      const auto [place, added] = columns_.emplace(column.target_name, column);
      if (added) place->second.default_value = {};  // its bytes are of whoever told
      if (const int32_t slot = knowledge.slot_of(column, kept); slot >= 0) made_as[static_cast<uint32_t>(slot)] = column.target_name;
    }
    if (column.adopted) adopted_.insert(column.target_name);
  }
  // One name, one column: what another process made of ours counts.
  std::erase_if(made_as_, [&](const auto& each) {
    return std::any_of(made_as.begin(), made_as.end(), [&](const auto& other) { return other.second == each.second; });
  });
  for (auto& [slot, name] : made_as) made_as_[slot] = std::move(name);
}

const std::string& TargetDefinition::made_as(uint32_t slot) const {
  static const std::string kNone;
  const auto found = made_as_.find(slot);
  return found == made_as_.end() ? kNone : found->second;
}

void TargetDefinition::rename(uint32_t slot, const std::string& to, const Sealed& sealed) {
  const std::string from = made_as_[slot];  // a copy
  for (auto& [other, name] : made_as_) {
    if (other != slot && name == to) name.clear();
  }
  std::erase_if(made_as_, [](const auto& each) { return each.second.empty(); });
  std::erase(names_, to);
  columns_.erase(to);
  adopted_.erase(to);
  std::replace(names_.begin(), names_.end(), from, to);
  std::replace(key_names_.begin(), key_names_.end(), from, to);
  if (auto moved = columns_.extract(from)) {
    moved.key() = to;
    moved.mapped().target_name = to;
    columns_.insert(std::move(moved));
  }
  if (adopted_.erase(from) > 0) adopted_.insert(to);
  if (kept_.erase(from) > 0) kept_.insert(to);
  made_as_[slot] = to;
  judge_key(sealed);
}

void TargetDefinition::drop(uint32_t slot) {
  const std::string name = made_as_[slot];
  made_as_.erase(slot);
  std::erase(names_, name);
  columns_.erase(name);
  adopted_.erase(name);
  kept_.erase(name);
}

void TargetDefinition::take_from(uint32_t slot, uint32_t other) {
  made_as_[slot] = made_as_[other];
  made_as_.erase(other);
}

void TargetDefinition::judge_key(const Sealed& sealed) {
  std::vector<std::string> wanted, made = key_names_;
  for (const uint32_t slot : sealed.key) wanted.push_back(sealed.columns()[slot].target_name);
  std::sort(made.begin(), made.end());
  std::sort(wanted.begin(), wanted.end());
  has_unique_key_ = exists_ && !wanted.empty() && made == wanted;
}

const evolution::Column* TargetDefinition::find(const std::string& name) const {
  const auto found = columns_.find(name);
  return found == columns_.end() ? nullptr : &found->second;
}

void TargetDefinition::leave_out(const std::string& name) {
  left_out_.insert(name);
  adopted_.insert(name);
}

// A column that is to be renamed has its former name still.
std::string TargetDefinition::known_name(std::string_view found, const Sealed& sealed) const {
  for (const auto& [slot, name] : made_as_) {
    if (folds_names_ && diagnostics::equal_but_for_case(name, found)) return name;
  }
  return name_of(found, folds_names_, sealed);
}

Result<void> TargetDefinition::take(const cdcrt_table_description& found, const Sealed& sealed) {
  const auto& identity = sealed.table->identity();
  if (found.is_view != 0) {
    return make_error(CDCRT_BAD_CONFIG, "'" + identity.target() + "' is a view; a sink writes to tables",
                      "name a table in the route: table = \"...\"");
  }
  if (found.exists == 0 && !identity.route.create_tables) {
    return make_error(CDCRT_BAD_CONFIG, "table '" + identity.target() + "' does not exist and create_tables is false",
                      "create it, or set create_tables = true");
  }
  exists_ = found.exists != 0;
  folds_names_ = found.folds_names != 0;
  names_.clear();
  kept_.clear();
  std::vector<std::string> key(found.column_count);
  std::size_t keys = 0;
  for (uint32_t i = 0; i < found.column_count; ++i) {
    names_.push_back(known_name(sdk::view(found.columns[i].name), sealed));
    const uint32_t ordinal = found.columns[i].key_ordinal;
    if (ordinal > 0 && ordinal <= key.size()) {
      key[ordinal - 1] = names_.back();
      ++keys;
    }
    // A column that was made by hand or by another job is taken as it is.
    const std::string& name = names_.back();
    const evolution::Column* const column = column_named(sealed, name);
    auto [place, added] = columns_.try_emplace(name);
    evolution::Column& made = place->second;
    if (added) {
      made.target_name = name;
      made.incarnation = column != nullptr ? column->incarnation : 0;
      adopted_.insert(name);
    }
    made.adopted = adopted_.contains(name);
    if ((found.columns[i].flags & CDCRT_COLUMN_KEEP) != 0) kept_.insert(name);
    if (made.adopted || (column != nullptr && !column->target_type.empty())) {
      made.type = found.columns[i].type;
      made.target_type = sdk::view(found.columns[i].target_type);
    }
  }
  key.resize(keys);
  std::erase_if(columns_, [&](const auto& made) { return std::find(names_.begin(), names_.end(), made.first) == names_.end(); });
  if (folds_names_) {
    if (auto told = tell_case_apart(sealed); !told) return told;
  }
  key_names_ = std::move(key);
  judge_key(sealed);
  is_described_ = true;
  return {};
}

void TargetDefinition::take(const Sealed& sealed, const Changed& changed) {
  schema_changes_ += changed.source_changes;
  if (changed.creates) {
    has_unique_key_ = !sealed.key.empty();
    exists_ = true;
  }
  Columns before;
  for (const auto& column : sealed.columns()) {
    if (auto made = columns_.extract(column.target_name)) before.insert(std::move(made));
  }
  std::erase_if(made_as_, [&](const auto& each) { return !sealed.columns()[each.first].active; });
  for (const uint32_t slot : changed.slots) {
    const auto& column = sealed.columns()[slot];
    evolution::Column& made = columns_[column.target_name] = column;
    made_as_[slot] = column.target_name;
    const auto own = before.find(column.target_name);
    made.adopted = adopted_.contains(column.target_name);
    if (const auto raw = changed.raw_types.find(column.target_name); raw != changed.raw_types.end()) {
      made.type = raw->second;
    } else if (own != before.end() && (made.adopted || !column.target_type.empty())) {
      made.type = own->second.type;
      made.target_type = own->second.target_type;
      if (const auto altered = changed.altered.find(column.target_name); altered != changed.altered.end())
        made.type = altered->second, made.target_type.clear();
    }
  }
}

}  // namespace cdcrt::apply
