// One key, several partitions: its changes are placed by source order, or the table stops (design 4.5, decision 0016).
#include <algorithm>
#include <utility>

#include "apply/table.hpp"

namespace cdcrt::apply {
namespace {

std::string source_table_of(const event::Shape& shape) {
  std::string name;
  for (const std::string* part : {&shape.database, &shape.schema, &shape.table}) {
    if (!part->empty()) name += (name.empty() ? "" : ".") + *part;
  }
  return name;
}

std::string advice() {
  return "; the table stops, the others go on. Give the route a primary_key that tells such rows apart, or send all changes of a key to one "
         "partition; then empty the table and read it again: cdcrt progress rewind --table ... --to earliest --empty";
}

progress::PartitionKey partition_key(const progress::Partition& partition) { return {partition.source(), partition.topic(), partition.number()}; }

}  // namespace

// False: the change counts for nothing, or the table has stopped.
bool Table::takes(PartitionState& state, const event::Shape& shape, const std::string& key, int64_t offset, bool whole, bool removes) {
  if (state.place_shape != shape.id) {
    state.place = keys_.place(partition_key(*state.partition), source_table_of(shape));
    state.place_shape = shape.id;
  }
  switch (keys_.judge(key, {state.place, state.last_order, whole, removes})) {
    case KeyOrder::Verdict::kTake: return true;
    case KeyOrder::Verdict::kMoves: {
      const bool local = std::any_of(partitions_.begin(), partitions_.end(),
                                     [&](const auto& each) { return each.first->owned() && keys_.took_from(partition_key(*each.first)); });
      // How far another process has come since we looked is asked before this is written.
      if (!local) asks_row_ = true;
      move_entry(state, key, offset, whole);
      return true;
    }
    case KeyOrder::Verdict::kOlder: return false;
    case KeyOrder::Verdict::kRefuse: break;
  }
  const std::string reason = keys_.why() + ": " + state.partition->name() + " offset " + std::to_string(offset) + advice();
  if (keys_.is_incomplete()) keys_.give_up(reason);
  stop_locked(reason);
  return false;
}

// What is folded of the key where it was goes on here, so that no batch holds a key twice.
void Table::move_entry(PartitionState& state, const std::string& key, int64_t offset, bool whole) {
  for (auto& [partition, other] : partitions_) {
    if (&other == &state) continue;
    if (whole) other.fold.close_refused(key);
    Entry* from = other.fold.find(key);
    if (from == nullptr || from->effect == Effect::kNothing) continue;
    bool added = false;
    Entry& to = state.fold.find_or_add(key, offset, added);
    to.effect = std::exchange(from->effect, Effect::kNothing);
    to.closed = false;
    from->closed = true;
    to.cells = state.fold.own_cells(from->cells, from->width);
    to.width = from->width;
  }
}

bool Table::is_refused_elsewhere(const PartitionState& state, const std::string& key) const {
  return partitions_.size() > 1 && std::any_of(partitions_.begin(), partitions_.end(), [&](const auto& each) {
    return &each.second != &state && each.second.fold.is_refused(key);
  });
}

// Of a table with more keys than are remembered; the rest never meet in one batch.
void Table::seal_keys(Sealed& sealed) {
  if (std::exchange(asks_row_, false)) target.row_known = false;
  if (keys_.is_incomplete() && keys_.given_up().empty()) {
    if (const SealedPartition* twice = sealed.first_with_key_twice()) {
      keys_.give_up("changes of one key come from " + twice->partition->name() + " and from another partition, and cdcrt compares them for the first " +
                    std::to_string(KeyOrder::kRemembered) + " keys of a table only" + advice());
    }
  }
  sealed.refusal = keys_.given_up();
  sealed.keys_version = keys_.version();
  sealed.keys_changed = keys_.version() != stored_keys_;
  if (sealed.keys_changed) sealed.keys = keys_.to_text();
}

const SealedPartition* Sealed::first_with_key_twice() const {
  std::size_t count = 0, filled = 0;
  for (const auto& part : partitions) {
    count += part.fold.entries().size();
    filled += part.fold.empty() ? 0 : 1;
  }
  if (filled < 2) return nullptr;
  struct Slot {
    uint64_t hash = 0;
    const SealedPartition* part = nullptr;
  };
  std::size_t capacity = 64;
  while (capacity < 2 * count) capacity *= 2;
  std::vector<Slot> slots(capacity);
  for (const auto& part : partitions) {
    for (const Entry& entry : part.fold.entries()) {
      if (entry.key.empty() || entry.effect == Effect::kNothing) continue;
      const uint64_t hash = std::hash<std::string_view>{}(entry.key);
      std::size_t place = hash & (capacity - 1);
      while (slots[place].part != nullptr && (slots[place].hash != hash || slots[place].part->fold.find(entry.key) == nullptr)) {
        place = (place + 1) & (capacity - 1);
      }
      if (slots[place].part != nullptr && slots[place].part != &part) return &part;
      slots[place] = {hash, &part};
    }
  }
  return nullptr;
}

// Two processes met one key, each in its own partition.
void Table::merge_keys(const progress::StoredTable& stored, Sealed& sealed) {
  KeyOrder theirs;
  theirs.restore(stored.keys, stored.progress);
  const auto drop_entries = [](Fold& fold, uint64_t hash) {
    bool any = false;
    for (Entry& entry : fold.entries()) {
      if (entry.effect == Effect::kNothing || KeyOrder::hash_of(entry.key) != hash) continue;
      entry.effect = Effect::kNothing;
      any = true;
    }
    return any;
  };
  for (const auto& conflict : keys_.merge(theirs)) {
    if (conflict.verdict == KeyOrder::Verdict::kTake) continue;
    bool pending = false;
    for (auto& part : sealed.partitions) {
      if (partition_key(*part.partition) == conflict.partition) pending = drop_entries(part.fold, conflict.hash) || pending;
    }
    for (auto& [partition, state] : partitions_) {
      if (partition_key(*partition) == conflict.partition) pending = drop_entries(state.fold, conflict.hash) || pending;
    }
    if (pending && conflict.verdict == KeyOrder::Verdict::kRefuse) keys_.give_up(keys_.why() + advice());
  }
  sealed.refusal = keys_.given_up();
  sealed.keys_version = keys_.version();
  sealed.keys = keys_.to_text();
  sealed.keys_changed = sealed.keys != stored.keys;
}

}  // namespace cdcrt::apply
