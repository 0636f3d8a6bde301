// Which column a name means depends on when it was used.
#include <algorithm>

#include "event/log_order.hpp"
#include "evolution/table_knowledge.hpp"

namespace cdcrt::evolution {

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

// A column that came after the name was given up is another one.
int32_t TableKnowledge::slot_named(const std::string& name, std::string_view order, std::string_view until) const {
  const int32_t slot = slot_named(name, order);
  if (slot < 0) return -1;
  const std::string& added_at = columns_[static_cast<uint32_t>(slot)].added_at;
  return added_at != kUnplaced && event::is_after(added_at, until) ? -1 : slot;
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

}  // namespace cdcrt::evolution
