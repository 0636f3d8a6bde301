// Which partition's fold is where, and what all of them hold.
#include <algorithm>
#include <cassert>
#include <functional>
#include <utility>

#include "apply/table_fold.hpp"
#include "cdcrt/sdk/fetch_ahead.hpp"

namespace cdcrt::apply {

PartitionFold& TableFold::partition(progress::Partition& partition, bool is_detached) {
  if (PartitionFold* const found = known(partition)) return *found;
  PartitionFold& made = partitions_.try_emplace(&partition, partition, folding_, is_detached).first->second;
  places_.clear();
  places_.reserve(partitions_.size());
  for (auto& [each, of] : partitions_) places_.push_back({each, &of});
  if (!foreign_partitions_.empty()) std::erase(foreign_partitions_, partition.key());
  return made;
}

PartitionFold* TableFold::known(const progress::Partition& partition) const {
  if (last_.partition == &partition) return last_.fold;
  const auto is_before = [](const Place& place, const progress::Partition* wanted) {
    return std::less<const progress::Partition*>()(place.partition, wanted);
  };
  const auto place = std::lower_bound(places_.begin(), places_.end(), &partition, is_before);
  if (place == places_.end() || place->partition != &partition) return nullptr;
  last_ = *place;
  return place->fold;
}

PartitionFold* TableFold::find(const progress::Partition& partition) {
  is_counted_ = false;  // the caller may change what it holds
  return known(partition);
}

void TableFold::fetch_partition(const progress::Partition& partition) const {
  knowledge_.fetch_map();
  if (const PartitionFold* const of = known(partition)) sdk::fetch_ahead(of, sizeof *of);
}

void TableFold::fetch_rows(const progress::Partition& partition) const {
  knowledge_.fetch_slots();
  if (const PartitionFold* const of = known(partition)) of->fetch_rows();
}

TableFold::Held TableFold::count() const {
  Held all;
  for (const auto& [partition, of] : partitions_) {
    const Held each = held_by(of);
    all.bytes += each.bytes;
    all.rows += each.rows;
  }
  return all;
}

const TableFold::Held& TableFold::held() const {
  if (!std::exchange(is_counted_, true)) held_ = count();
  assert(held_ == count());
  return held_;
}

void TableFold::count_again(const PartitionFold& of, const Held& before) {
  if (!is_counted_) return;
  const Held now = held_by(of);
  held_.bytes += now.bytes - before.bytes;
  held_.rows += now.rows - before.rows;
}

}  // namespace cdcrt::apply
