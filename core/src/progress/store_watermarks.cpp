// Low watermarks, and sending partitions back.
#include <algorithm>

#include "event/log_order.hpp"
#include "progress/store.hpp"
#include "progress/table_rows.hpp"

namespace cdcrt::progress {

Result<Leases> Store::read_watermarks(plugin::Connection& connection, const std::vector<PartitionKey>& keys) {
  Leases watermarks;
  const Visit visit = [&](const Row& row) { watermark_into(row, watermarks[row.partition(kWatermarks.partition)]); };
  auto done = tables_.read(connection, kWatermarks, CDCRT_LOCK_NONE, visit, keys.empty() ? Keys() : keys_of(keys));
  if (!done) return std::move(done.error());
  return watermarks;
}

Result<std::map<PartitionKey, StoredPartition>> Store::read_watermarks(plugin::Connection& connection) {
  return read_watermarks(connection, {});
}

Result<void> Store::write_watermarks(plugin::Connection& connection, const Leases& watermarks) {
  Rows rows = rows_of(kWatermarks);
  for (const auto& [key, watermark] : watermarks) {
    auto row = tables_.add(rows);
    row.set(kWatermarks.partition, key);
    row[kWatermarks.next_offset] = integer(watermark.next_offset);
    if (watermark.last.offset < 0) {
      if (watermark.exact) row[kWatermarks.last_offset] = integer(-1);
      continue;
    }
    row[kWatermarks.last_offset] = integer(watermark.last.offset);
    row[kWatermarks.last_timestamp_ms] = integer(watermark.last.timestamp_ms);
    row[kWatermarks.last_hash] = integer(static_cast<int64_t>(watermark.last.hash));
  }
  return tables_.write(connection, rows);
}

Result<void> Store::save_watermarks(plugin::Connection& connection, const std::vector<Watermark>& watermarks) {
  Leases rows;
  for (const auto& [partition, next, last, session] : watermarks) {
    StoredPartition& row = rows[partition->key()];
    row.next_offset = next;
    row.last = last;
  }
  return write_watermarks(connection, rows);
}

Result<void> Store::lower_watermarks(plugin::Connection& connection, const std::map<PartitionKey, int64_t>& places) {
  if (places.empty()) return {};
  std::vector<PartitionKey> keys;
  for (const auto& [key, next] : places) keys.push_back(key);
  auto watermarks = read_watermarks(connection, keys);
  if (!watermarks) return std::move(watermarks.error());
  std::erase_if(*watermarks, [&](const auto& watermark) { return places.at(watermark.first) >= watermark.second.next_offset; });
  for (auto& [key, watermark] : *watermarks) watermark.next_offset = places.at(key);
  {
    const std::lock_guard lock(mutex_);
    lowered_.insert(keys.begin(), keys.end());
  }
  return write_watermarks(connection, *watermarks);
}

bool Store::take_lowered(const Partition& partition) {
  const std::lock_guard lock(mutex_);
  return lowered_.erase(partition.key()) > 0;
}

Result<void> Store::send_others_back(plugin::Connection& connection, const std::string& target, const std::string& floor,
                                     const std::vector<const Partition*>& own) {
  StoredTable table;
  event::Arena arena{1 << 10};
  if (auto done = read_table(connection, target, table, arena); !done) return done;
  std::set<PartitionKey> kept;
  for (const Partition* partition : own) kept.insert(partition->key());
  std::map<PartitionKey, int64_t> places;
  for (const auto& [key, position] : table.progress) {
    if (!kept.contains(key) && event::may_be_after(position.order, floor)) places[key] = 0;
  }
  SendBack back{places, {{target, places}}};
  back.by_truncate = true;
  return send_back(connection, back);
}

Result<void> Store::send_back(plugin::Connection& connection, const SendBack& back) {
  if (back.partitions.empty()) return {};
  std::vector<PartitionKey> keys;
  for (const auto& [key, next] : back.partitions) keys.push_back(key);
  auto leases = read_leases(connection, tables_, keys, CDCRT_LOCK_UPDATE);
  if (!leases) return std::move(leases.error());
  auto watermarks = read_watermarks(connection, keys);
  if (!watermarks) return std::move(watermarks.error());
  for (const auto& [key, next] : back.partitions) {
    // By two: the owner, who raises by one, may not know whether that happened, and must not take this for its own.
    (*leases)[key].epoch += 2;
    StoredPartition& watermark = (*watermarks)[key];
    watermark.next_offset = std::min(next, watermark.next_offset);
    if (const auto first = back.firsts.find(key); first != back.firsts.end()) {
      watermark.next_offset = std::max(watermark.next_offset, first->second);
      watermark.exact = true;
    } else if (back.forget_last) {
      watermark.exact = false;
    }
    if (back.forget_last) watermark.last = {};
  }
  if (auto saved = write_leases(connection, *leases); !saved) return saved;
  if (auto saved = write_watermarks(connection, *watermarks); !saved) return saved;
  PositionsByTarget positions;
  for (const auto& [target, places] : back.tables) {
    for (const auto& [key, next] : places) positions[target][key] = {next, back.by_truncate ? std::string(kSentBack) : std::string()};
  }
  return write_positions(connection, positions, CDCRT_WRITE_UPSERT);
}

}  // namespace cdcrt::progress
