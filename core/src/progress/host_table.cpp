#include "progress/host_table.hpp"

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::progress {

std::vector<cdcrt_column> columns_of(const HostTable& table, std::size_t count) {
  std::vector<cdcrt_column> result(count);
  for (std::size_t i = 0; i < count; ++i) {
    result[i].name = sdk::borrow(table.columns[i].name);
    result[i].type.kind = table.columns[i].kind;
    result[i].flags = table.is_large ? 0 : CDCRT_COLUMN_OF_HOST;
    if (i < table.key_count) result[i].key_ordinal = static_cast<uint32_t>(i + 1);
  }
  return result;
}

Keys keys_of(const std::vector<PartitionKey>& partitions) {
  Keys keys{3};
  for (const auto& key : partitions) keys.cells.insert(keys.cells.end(), {text(key.source), text(key.topic), integer(key.number)});
  return keys;
}

}  // namespace cdcrt::progress
