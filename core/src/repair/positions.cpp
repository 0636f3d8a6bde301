#include "repair/positions.hpp"

#include <algorithm>
#include <set>

namespace cdcrt::repair {

std::optional<int64_t> PartitionPosition::lag() const {
  if (!bounds) return std::nullopt;
  return std::max<int64_t>(0, bounds->end - std::max(kept.next_offset, bounds->first));
}

int64_t PartitionPosition::deleted() const {
  if (!bounds || (kept.next_offset == 0 && !kept.exact)) return 0;  // from the beginning of what is there
  return std::max<int64_t>(0, bounds->first - kept.next_offset);
}

bool has_key(const progress::StoredTable& table) {
  return std::any_of(table.columns.begin(), table.columns.end(), [](const auto& column) { return column.key_ordinal > 0; });
}

bool TablePosition::has_key() const { return repair::has_key(*kept); }

std::string TablePosition::key() const {
  std::map<uint32_t, std::string> names;
  for (const auto& column : kept->columns) {
    if (column.key_ordinal > 0) names[column.key_ordinal] = column.target_name;
  }
  std::string joined;
  for (const auto& [ordinal, column] : names) joined += (joined.empty() ? "" : ", ") + column;
  return joined;
}

Positions positions_of(Session& session, const Target& target) {
  Positions positions;
  std::map<progress::PartitionKey, const PartitionPosition*> by_key;
  for (const auto& [key, kept] : target.stored.partitions) {
    if (key.is_note()) continue;
    PartitionPosition& position = positions.partitions.emplace_back();
    position.key = key;
    position.kept = kept;
    if (Log* log = session.log(key.source)) position.bounds = log->bounds(key.topic, key.number);
  }
  for (const auto& position : positions.partitions) by_key[position.key] = &position;
  for (const auto& [name, kept] : target.stored.tables) {
    TablePosition& table = positions.tables.emplace_back();
    table.name = name;
    table.kept = &kept;
    if (const auto trouble = target.stored.troubles.find(name); trouble != target.stored.troubles.end()) table.trouble = &trouble->second;
    std::set<progress::OpenDeadLetter> dead_letters;
    for (const auto& [key, open] : kept.open_dead_letters) dead_letters.insert(open.begin(), open.end());
    table.open_dead_letters = dead_letters.size();
    int64_t lag = 0;
    bool known = true;
    for (const auto& [key, position] : kept.progress) {
      auto& part = table.parts.emplace_back();
      part.key = key;
      part.next_offset = part.applied = position.next_offset;
      const auto found = by_key.find(key);
      if (found == by_key.end()) {
        known = false;
        continue;
      }
      const PartitionPosition& partition = *found->second;
      // Below the watermark nothing is left for any table.
      part.applied = std::max(position.next_offset, partition.kept.next_offset);
      if (partition.bounds) part.lag = std::max<int64_t>(0, partition.bounds->end - std::max(part.applied, partition.bounds->first));
      if (partition.deleted() > 0 && kept.state != progress::TableState::kSkipped)
        part.deleted = std::max<int64_t>(0, partition.bounds->first - part.applied);
      known = known && part.lag;
      lag += part.lag.value_or(0);
      const auto& last = partition.kept.last;
      if (last.offset >= 0 && last.offset < partition.kept.next_offset && last.timestamp_ms >= 0) {
        table.last_message_ms = std::max(table.last_message_ms.value_or(0), last.timestamp_ms);
      }
    }
    if (known) table.lag = lag;
  }
  // One that was refused before anything of it was stored.
  static const progress::StoredTable nothing;
  for (const auto& [name, trouble] : target.stored.troubles) {
    if (target.stored.tables.contains(name)) continue;
    TablePosition& table = positions.tables.emplace_back();
    table.name = name;
    table.kept = &nothing;
    table.trouble = &trouble;
  }
  return positions;
}

}  // namespace cdcrt::repair
