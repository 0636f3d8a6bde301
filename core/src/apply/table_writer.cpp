#include "apply/table_writer.hpp"

#include <algorithm>
#include <functional>
#include <map>

namespace cdcrt::apply {

std::vector<const progress::Partition*> partitions_of(const std::vector<const Sealed*>& batches) {
  std::vector<const progress::Partition*> partitions;
  for (const Sealed* sealed : batches) {
    for (const auto& part : sealed->partitions) partitions.push_back(part.partition);
  }
  std::sort(partitions.begin(), partitions.end());
  partitions.erase(std::unique(partitions.begin(), partitions.end()), partitions.end());
  return partitions;
}

Result<void> write_entries(plugin::Connection& connection, const Sealed& sealed, const std::vector<const Entry*>& entries,
                           std::vector<const Entry*>& missing) {
  const TargetColumns columns(sealed);
  if (columns.slots().empty() && !sealed.table->identity().events) return {};
  std::vector<WriteGroup> groups;
  if (std::none_of(entries.begin(), entries.end(), [](const Entry* entry) { return entry->followers > 0; })) {
    auto grouped = group(columns, entries);
    if (!grouped) return std::move(grouped.error());
    groups = std::move(*grouped);
  } else {
    // Entries that others of their key follow go first.
    std::map<uint32_t, std::vector<const Entry*>, std::greater<>> rounds;
    for (const Entry* entry : entries) rounds[entry->followers].push_back(entry);
    for (const auto& [followers, round] : rounds) {
      auto grouped = group(columns, round);
      if (!grouped) return std::move(grouped.error());
      for (WriteGroup& rows : *grouped) groups.push_back(std::move(rows));
    }
  }
  for (const WriteGroup& rows : groups) {
    struct Context {
      const WriteGroup* group;
      std::vector<const Entry*>* missing;
      Table* table;
    } context{&rows, &missing, sealed.table};
    if (rows.kind == CDCRT_WRITE_REMOVE && rows.columns.empty()) {  // nothing tells which rows are meant
      missing.insert(missing.end(), rows.rows.begin(), rows.rows.end());
      continue;
    }
    cdcrt_write write{};
    write.size = sizeof write;
    write.kind = rows.kind;
    write.table = sealed.table->abi();
    write.columns = rows.columns.data();
    write.column_count = static_cast<uint32_t>(rows.columns.size());
    write.has_unique_key = sealed.table->definition().has_unique_key() ? 1 : 0;
    write.cells = rows.cells.data();
    write.row_count = rows.rows.size();
    write.operations = rows.operations.empty() ? nullptr : rows.operations.data();
    write.missing = [](void* self, uint64_t row) {
      auto* told = static_cast<Context*>(self);
      told->missing->push_back(told->group->rows[row]);
    };
    write.overflowed = [](void* self, uint64_t values) { static_cast<Context*>(self)->table->count_overflowed(values); };
    write.context = &context;
    if (auto written = connection.write(write); !written) return written;
    sealed.table->count_overflowed(rows.overflowed);
    sealed.table->count_left_out(rows.left_out);
  }
  return {};
}

Result<void> clear_table(plugin::Connection& connection, const Sealed& sealed) {
  if (!sealed.table->definition().exists()) return {};
  cdcrt_write write{};
  write.size = sizeof write;
  write.kind = CDCRT_WRITE_CLEAR;
  write.table = sealed.table->abi();
  return connection.write(write);
}

std::vector<const Entry*> entries_of(const Sealed& sealed) {
  std::vector<const Entry*> entries;
  entries.reserve(sealed.rows());
  for (const auto& part : sealed.partitions) {
    for (const Entry& entry : part.fold.entries()) entries.push_back(&entry);
  }
  return entries;
}

}  // namespace cdcrt::apply
