// What sends a pipeline back, and its dead letters (design 4.10, 4.12).
#include <algorithm>

#include "progress/host_tables.hpp"
#include "types/convert.hpp"

namespace cdcrt::progress {

Result<void> Store::send_back(plugin::Connection& connection, const SendBack& back) {
  if (back.partitions.empty()) return {};
  std::vector<cdcrt_cell> keys;
  for (const auto& [key, next] : back.partitions) append_key(keys, key);
  std::map<PartitionKey, StoredPartition> leases;
  auto ok = read(
      connection, kLeases, CDCRT_LOCK_UPDATE, [&](const cdcrt_cell* cells) { leases[key_of(cells)] = lease_of(cells); }, keys, 3);
  if (!ok) return ok;
  std::map<PartitionKey, StoredPartition> watermarks;
  ok = read(
      connection, kWatermarks, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { watermark_into(cells, watermarks[key_of(cells)]); }, keys,
      3);
  if (!ok) return ok;
  for (const auto& [key, next] : back.partitions) {
    StoredPartition& lease = leases[key];
    ++lease.epoch;
    if (auto saved = save_lease(connection, key, lease); !saved) return saved;
    const StoredPartition& watermark = watermarks[key];
    std::vector<cdcrt_cell> cells{text(pipeline_), text(sink_)};
    append_key(cells, key);
    cells.push_back(integer(std::min(next, watermark.next_offset)));
    if (watermark.last.offset < 0 || back.forget_last) {
      cells.insert(cells.end(), 3, types::null_cell());
    } else {
      cells.insert(cells.end(), {integer(watermark.last.offset), integer(watermark.last.timestamp_ms),
                                 integer(static_cast<int64_t>(watermark.last.hash))});
    }
    if (auto saved = write(connection, kWatermarks, cells); !saved) return saved;
  }
  for (const auto& [target, places] : back.tables) {
    std::map<PartitionKey, StoredTable::Position> positions;
    for (const auto& [key, next] : places) positions[key] = {next, {}};
    if (auto saved = write_positions(connection, target, positions); !saved) return saved;
  }
  return {};
}

Result<std::map<PartitionKey, StoredPartition>> Store::read_watermarks(plugin::Connection& connection) {
  std::map<PartitionKey, StoredPartition> watermarks;
  auto ok =
      read(connection, kWatermarks, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { watermark_into(cells, watermarks[key_of(cells)]); });
  if (!ok) return std::move(ok.error());
  return watermarks;
}

Result<void> Store::forget_waiting(plugin::Connection& connection, const std::string& target, const StoredTable& table) {
  std::map<std::string, std::optional<std::string>> halves;
  for (const auto& [key, record] : table.key_changes) halves[key] = std::nullopt;
  if (auto saved = save_key_changes(connection, target, halves); !saved) return saved;
  return save_open_letters(connection, target, table.open_letters, {});
}

Result<void> Store::save_open_letters(plugin::Connection& connection, const std::string& target, const LettersByKey& closed,
                                      const LettersByKey& opened) {
  for (const auto& [letters, kind] : {std::pair{&closed, CDCRT_WRITE_DELETE}, std::pair{&opened, CDCRT_WRITE_UPSERT}}) {
    std::vector<cdcrt_cell> cells;
    for (const auto& [key, positions] : *letters) {
      for (const OpenLetter& letter : positions) {
        cells.insert(cells.end(), {text(pipeline_), text(sink_), text(target)});
        append_key(cells, letter.partition);
        cells.insert(cells.end(), {integer(letter.offset), bytes(key)});
      }
    }
    if (auto written = write(connection, kOpenLetters, cells, kind); !written) return written;
  }
  return {};
}

}  // namespace cdcrt::progress
