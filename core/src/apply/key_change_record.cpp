#include "apply/key_change_record.hpp"

#include <algorithm>

#include "progress/stored.hpp"

namespace cdcrt::apply {
namespace {

using progress::kMissingColumns;
using progress::kOldRow;

}  // namespace

void append_name(std::string& text, const evolution::Column& column) {
  types::append_text(text, types::text_cell(CDCRT_STRING, column.source_name));
}

uint32_t slot_of_name(std::string_view name, const std::vector<evolution::Column>& columns) {
  uint32_t slot = 0;
  while (slot < columns.size() && columns[slot].source_name != name) ++slot;
  if (slot < columns.size()) return slot;
  const auto had_name = [&](const evolution::Column& column) {
    return column.active && std::any_of(column.former_names.begin(), column.former_names.end(),
                                        [&](const evolution::FormerName& former) { return former.name == name; });
  };
  return static_cast<uint32_t>(std::find_if(columns.begin(), columns.end(), had_name) - columns.begin());
}

std::string to_text(const KeyChangeRecord& record, const std::vector<evolution::Column>& columns) {
  std::string text(record.is_old_row ? kOldRow : kMissingColumns);
  if (record.is_old_row) {
    // Stored like a column whose name is empty, which no table has.
    if (!record.order.empty()) {
      types::append_text(text, types::text_cell(CDCRT_STRING, {}));
      types::append_text(text, types::text_cell(CDCRT_BYTES, record.order));
    }
    return text + record.row;
  }
  for (const uint32_t slot : record.slots) append_name(text, columns[slot]);
  return text;
}

std::map<std::string, KeyChangeRecord> key_changes_from(const std::map<std::string, std::string>& stored,
                                                        const std::vector<evolution::Column>& columns) {
  std::map<std::string, KeyChangeRecord> records;
  event::Arena arena{1 << 10};
  for (const auto& [key, text] : stored) {
    KeyChangeRecord& record = records[key];
    record.is_old_row = text.starts_with(kOldRow);
    if (record.is_old_row) {
      record.row = text.substr(kOldRow.size());
      std::string_view rest = record.row;
      const auto name = types::take_text(rest, arena);
      if (!name || name->tag != CDCRT_STRING || name->size > 0) continue;
      const auto order = types::take_text(rest, arena);
      if (order) record.order = types::text_of(*order);
      record.row = std::string(rest);
      continue;
    }
    std::string_view rest = std::string_view(text).substr(std::min(text.size(), kMissingColumns.size()));
    for_each_name(rest, columns, arena, [&](uint32_t slot, std::string_view&) {
      if (slot < columns.size()) record.slots.push_back(slot);
    });
  }
  return records;
}

}  // namespace cdcrt::apply
