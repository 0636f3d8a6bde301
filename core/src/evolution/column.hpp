// Column: what is known of one column of a table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cdcrt/abi/value.h"
#include "types/reading.hpp"

namespace cdcrt::evolution {

/// Later than any source order: a row without one (of an incremental snapshot) showed the column, and nothing that lacks it is known to be
/// later.
inline const std::string kUnplaced(32, '\xff');

/// A column of a table. Its place in TableKnowledge::columns() is its slot, which never changes.
struct Column {
  std::string source_name;
  std::string target_name;
  cdcrt_type type{};           ///< kind UNKNOWN: seen only as NULL, not created yet
  std::string target_type;     ///< raw type of the target; empty: from the type
  cdcrt_cell default_value{};  ///< constant default of the source; tag ABSENT: none
  uint32_t key_ordinal = 0;    ///< place in the key, from 1; 0: not in the key
  bool active = true;          ///< false: dropped at the source
  bool typed_by_route = false;
  bool adopted =
      false;  ///< the target's own: it was there before, or its table was and it is left out; made or altered only under "evolve"
  types::Parse parse = types::Parse::kNone;
  types::OnOverflow on_overflow = types::OnOverflow::kDefault;
  uint32_t incarnation = 0;  ///< raised when a dropped column comes back: the target's is dropped and added anew
  std::string last_seen;     ///< greatest source order at which it was seen, as far as stored; kUnplaced: that is not known
  /// Source order of the last event that showed its absence; empty: never absent. It stays when the column comes back: what is not
  /// later is of the column that was dropped. Where the new one was added is not known, only that it was after this.
  std::string dropped_at;
  std::string type_order;  ///< source order of the shape that last declared its type
};

/// For rows that are folded a second time: they drop no column that they did not drop when they were read first.
void keep_columns(std::vector<Column>& columns);

}  // namespace cdcrt::evolution
