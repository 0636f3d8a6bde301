// KeyChangeRecord: a pending key change, of which one of its two events (delete under the old key, insert under the new one) has not been
// read yet. Kept in the target (cdcrt.key_changes).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "event/arena.hpp"
#include "evolution/table_knowledge.hpp"
#include "types/cell_text.hpp"

namespace cdcrt::apply {

struct KeyChangeRecord {
  bool is_old_row = false;      ///< true: the delete was read, and this is the row; false: the insert was read
  std::string order;            ///< of a delete: source order of its event
  std::string row;              ///< of a delete: column names and cells in turn, as types::append_text writes them
  std::vector<uint32_t> slots;  ///< of an insert: slots that are still to be filled from the old row
};

/// As stored: columns by name, since every process has slots of its own.
std::string to_text(const KeyChangeRecord& record, const std::vector<evolution::Column>& columns);
/// All that is stored of a table, by new key. Columns that are not known are left out.
std::map<std::string, KeyChangeRecord> key_changes_from(const std::map<std::string, std::string>& stored,
                                                        const std::vector<evolution::Column>& columns);

/// Appends a column's name to the text of an old row; its cell follows.
void append_name(std::string& text, const evolution::Column& column);
/// A name that a column had when the text was written, or has; the number of columns where it is unknown.
uint32_t slot_of_name(std::string_view name, const std::vector<evolution::Column>& columns);
/// Calls `visit` with the slot of each name in turn (the number of columns where it is unknown), and with what follows it, which it takes.
template <class Visit>
void for_each_name(std::string_view& text, const std::vector<evolution::Column>& columns, event::Arena& arena, Visit&& visit) {
  while (!text.empty()) {
    const auto name = types::take_text(text, arena);
    if (!name || name->tag != CDCRT_STRING) return;
    visit(slot_of_name({name->value.data, name->size}, columns), text);
  }
}

}  // namespace cdcrt::apply
