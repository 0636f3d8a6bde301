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

/// A name that a column had at the source, until a definition at that source order gave it another one.
struct FormerName {
  std::string name, until;
};

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
  std::string type_order;                ///< source order of the shape that last declared its type
  std::vector<FormerName> former_names;  ///< oldest first
  std::string added_at;                  ///< source order of the row that was read first with it; empty: not known
  /// Where definitions tell what becomes of columns: source order of the first row that lacks it, and of the first definition of names
  /// alone that does. It is dropped when both do; until then rows that lack it hold NULL.
  std::string lacked_since, undefined_since;
  /// Rows came before the definition that renamed another column so: what they have is that one's, and no name that this one had is its
  /// own.
  bool came_early = false;
  int32_t merged_into = -1;  ///< the slot of that one, where the target may still have both; not stored
};

/// For rows that are folded a second time: they drop no column that they did not drop when they were read first.
void keep_columns(std::vector<Column>& columns);

/// Where a shape's columns go.
struct ShapeMap {
  static constexpr int32_t kExcluded = -1, kLeftOut = -2, kLate = -3;
  std::vector<int32_t> slots;  ///< per shape column: slot, or below 0 why it has none: kLeftOut by "ignore", kLate for a dropped column
  /// Per shape column: the kind of the column's type, where a cell that is one of that kind without a length is taken as it is, and teaches
  /// nothing, as long as `version` is the knowledge's; 0: it is to be looked at. Columns of thousands of tables are in no cache.
  std::vector<uint8_t> plain;
  std::vector<uint32_t> absent;  ///< slots of active columns that the shape lacks
  std::vector<uint32_t> nulls;   ///< slots that a whole row of it sets to NULL
  bool has_dropped = false;      ///< one of the slots is of a dropped column, or of one that came back
  bool has_former = false;       ///< one of its names was a column's that has another one now: it holds in [`from`, `until`) alone
  std::string from, until;       ///< source orders; `until` empty: for good
  uint64_t version = 0;          ///< of the knowledge it was made for
  std::string max_order;         ///< greatest source order of a row of this shape
  std::string max_definite;      ///< the greatest order of its rows that show which columns the table had; empty: none
};

/// A column's type was widened: cells that were folded before must be converted.
struct TypeChange {
  uint32_t slot;
  cdcrt_type from, to;
};

/// Rows named a column before it was known to be another one, renamed: cells of slot `from` are of slot `into`.
struct Merge {
  uint32_t from, into;
  cdcrt_type type;               ///< of the cells in `from`
  bool keeps_over_null = false;  ///< NULL there is of later rows, which have the value in `into`
};

/// A column that gets another name.
struct Renaming {
  uint32_t slot;
  std::string name;
};

/// Who had a name, up to a source order.
struct Former {
  std::string until;
  uint32_t slot;
};

/// Which name of which column: `place` among its former ones, the present one last.
struct Naming {
  uint32_t slot;
  std::size_t place;
};

/// What a definition at a source order declares a column to be.
struct ToldType {
  cdcrt_type type;
  std::string order;
};

}  // namespace cdcrt::evolution
