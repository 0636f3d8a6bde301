#include "apply/rename_plan.hpp"

#include <algorithm>

#include "apply/table.hpp"
#include "cdcrt/sdk/status.hpp"
#include "diagnostics/text.hpp"
#include "types/type.hpp"

namespace cdcrt::apply {

RenamePlan::RenamePlan(Sealed& sealed) : sealed_(sealed), target_(sealed.table->definition()) {}

bool RenamePlan::is_made(uint32_t slot) const {
  const std::string& name = target_.made_as(slot);
  return !name.empty() && target_.find(name) != nullptr;
}

bool RenamePlan::is_needed() const {
  for (uint32_t slot = 0; slot < sealed_.columns().size(); ++slot) {
    if (is_made(slot) && target_.made_as(slot) != sealed_.columns()[slot].target_name) return true;
  }
  return false;
}

bool RenamePlan::has(const std::string& name) const {
  return std::any_of(target_.names().begin(), target_.names().end(), [&](const std::string& other) {
    return target_.folds_names() ? diagnostics::equal_but_for_case(other, name) : other == name;
  });
}

std::string RenamePlan::free_name() const {
  std::string name = "cdcrt_renamed";
  while (has(name)) name += '_';
  return name;
}

void RenamePlan::add(cdcrt_change_kind kind, const cdcrt_column& column, cdcrt_type from) {
  cdcrt_change change{};
  change.kind = kind;
  change.column_count = 1;
  change.columns = &storage_.emplace_back(column);
  change.from = from;
  changes_.push_back(change);
}

// Before values of another column go into it.
void RenamePlan::retype(uint32_t slot, const std::string& name) {
  const auto& column = sealed_.columns()[slot];
  const auto* const made = target_.find(name);
  if (made->adopted || !column.target_type.empty() || made->type.kind == CDCRT_TYPE_UNKNOWN) return;
  const cdcrt_type from = made->type, wanted = types::evolve(from, column.type);
  if (types::equal(wanted, from)) return;
  cdcrt_column altered = TargetColumns(sealed_).describe(slot);
  altered.name = sdk::borrow(names_.emplace_back(name));
  altered.type = wanted;
  add(CDCRT_ALTER_TYPE, altered, from);
  target_.retype(name, wanted);
}

void RenamePlan::rename(uint32_t slot, const std::string& to) {
  cdcrt_column renamed{};
  renamed.former_name = sdk::borrow(names_.emplace_back(target_.made_as(slot)));
  renamed.name = sdk::borrow(names_.emplace_back(to));
  add(CDCRT_RENAME_COLUMN, renamed);
  target_.rename(slot, to, sealed_);
}

void RenamePlan::drop(uint32_t slot) {
  cdcrt_column dropped{};
  dropped.name = sdk::borrow(names_.emplace_back(target_.made_as(slot)));
  add(CDCRT_DROP_COLUMN, dropped);
  target_.drop(slot);
}

// What rows wrote under a column's new name before it was known to be that column's: it is there beside it.
void RenamePlan::merge(uint32_t slot) {
  for (uint32_t other = 0; other < sealed_.columns().size(); ++other) {
    if (sealed_.columns()[other].merged_into != static_cast<int32_t>(slot) || !is_made(other)) continue;
    if (!is_made(slot)) {
      target_.take_from(slot, other);
      continue;
    }
    retype(slot, target_.made_as(slot));
    rename(slot, std::string(target_.made_as(other)));
  }
}

Result<void> RenamePlan::make() {
  std::vector<uint32_t> waiting;
  for (uint32_t slot = 0; slot < sealed_.columns().size(); ++slot) {
    if (sealed_.columns()[slot].active) merge(slot);
  }
  for (uint32_t slot = 0; slot < sealed_.columns().size(); ++slot) {
    const auto& column = sealed_.columns()[slot];
    if (!is_made(slot) || target_.made_as(slot) == column.target_name) continue;
    if (column.active) {
      waiting.push_back(slot);
    } else if (target_.names().size() > 1) {
      drop(slot);
    }
  }
  const auto is_waiting = [&](const std::string& name) {
    return std::any_of(waiting.begin(), waiting.end(), [&](uint32_t slot) {
      return target_.folds_names() ? diagnostics::equal_but_for_case(target_.made_as(slot), name) : target_.made_as(slot) == name;
    });
  };
  while (!waiting.empty()) {
    const auto free = std::find_if(waiting.begin(), waiting.end(), [&](uint32_t slot) {
      const std::string& to = sealed_.columns()[slot].target_name;
      const bool in_other_letters = target_.folds_names() && diagnostics::equal_but_for_case(target_.made_as(slot), to);
      return !has(to) || in_other_letters;
    });
    if (free != waiting.end()) {
      rename(*free, sealed_.columns()[*free].target_name);
      waiting.erase(free);
      continue;
    }
    const auto& column = sealed_.columns()[waiting.front()];
    if (!is_waiting(column.target_name)) {
      return make_error(CDCRT_BAD_CONFIG,
                        "the source renamed column '" + column.former_names.back().name + "' to '" + column.source_name + "', and table '" +
                            sealed_.table->identity().target() + "' has a column '" + column.target_name + "' of its own",
                        "rename or drop that one in the target, or give the source's another name: columns." + column.source_name +
                            " = { rename = \"...\" }; then: cdcrt table resume " + sealed_.table->identity().target());
    }
    // They change places.
    rename(waiting.front(), free_name());
  }
  return {};
}

}  // namespace cdcrt::apply
