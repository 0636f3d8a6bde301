// Fold: the changes of one partition to one table, one entry per key, until they are written.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cdcrt/abi/value.h"
#include "event/arena.hpp"
#include "evolution/column.hpp"

namespace cdcrt::apply {

/// What an entry does to its row.
enum class Effect : uint8_t {
  kUpsert,   ///< insert, or overwrite the cells that are not ABSENT
  kPatch,    ///< overwrite the cells that are not ABSENT; the row must exist
  kDelete,   ///< delete the row
  kReplace,  ///< delete the row, then insert it: columns without a cell get their defaults
  kNothing,  ///< changes that cancel each other out; never written
  kAppend,   ///< table without key: `copies` more rows of these cells (fewer when negative)
  kEvent     ///< one change of its own, for sinks that take every change in order
};

/// A source's table, with the server whose orders its rows carry.
struct SourceOfRows {
  std::string server, table;
  bool operator==(const SourceOfRows&) const = default;
};

/// The change of one key. Cells, key and order are owned by the fold's arena.
struct Entry {
  Effect effect = Effect::kUpsert;
  uint8_t operation = 0;            ///< kEvent: cdcrt_operation
  uint32_t width = 0;               ///< cells; a slot beyond it is ABSENT
  bool closed = false;              ///< a later entry of the same key takes all further changes
  bool follows = false;             ///< an earlier entry of its fold has the same key
  bool snapshot = false;            ///< a row of a snapshot: any change with the same source order is newer
  bool keeps_dead_letters = false;  ///< its row has a dead letter that is newer at the source: writing this does not close it
  bool after_whole = false;         ///< an older entry of the batch sets the whole row
  bool brought = false;             ///< its first change brought the row, which the target does not have, as a rule
  bool dated = false;               ///< `order` and `since` were set (empty: its changes have no source order)
  uint32_t followers = 0;           ///< entries of the same key in the batch that are written after it
  uint32_t source = 0;              ///< index into Sealed::sources: the source's table
  int32_t copies = 1;
  int32_t needed = 0;           ///< kAppend: copies that have to be there before, as its changes took them away and brought them
  cdcrt_cell* cells = nullptr;  ///< by slot of the table's knowledge
  std::string_view key;         ///< canonical key bytes
  int64_t first_offset = 0, last_offset = 0;
  int64_t untold = -1;      ///< offset of its last update that does not tell whether the row had another key before; -1: none
  int32_t key_insert = -1;  ///< the last key insert under this key (index into Fold::key_inserts); -1: none
  /// Columns from this slot on that have no cell are NULL: an event that leaves NULLs out did not know of them. UINT32_MAX: none did.
  uint32_t nulls_from = UINT32_MAX;
  std::string_view order;  ///< source order of its last change
  std::string_view since;  ///< source order of the oldest change that still counts: the last one that set the whole row, else the first
};

/// A key change in two events is a delete under the old key and an insert under the new one. The delete, with what this batch had done
/// to the row before it.
struct KeyDelete {
  std::string_view old_key, new_key;  ///< canonical key bytes
  cdcrt_cell* old_cells = nullptr;    ///< the old key's cells by slot
  cdcrt_cell* new_cells = nullptr;    ///< the new key's cells by slot
  uint32_t width = 0;                 ///< of both
  Effect effect = Effect::kNothing;   ///< of the entry before the delete; kNothing: the batch had not touched the row
  cdcrt_cell* cells = nullptr;        ///< its cells then, `cells_width` wide
  uint32_t cells_width = 0;
  uint32_t nulls_from = UINT32_MAX;  ///< as Entry::nulls_from, of `cells`
  int32_t key_insert = -1;           ///< the key insert (index) that brought the row under `old_key` in this batch; -1: none
  std::string_view order;            ///< source order of its event
};

/// The insert under the new key. Cells that its event lacks are taken from the row that was deleted under the old key.
struct KeyInsert {
  std::string_view old_key, new_key;
  std::vector<uint32_t> slots;  ///< columns of the table, as it was then, that the event has no value for
  uint32_t deletes_before = 0;  ///< key deletes of this fold that stand before it
  bool over = false;            ///< a later event deleted the row or replaced it: nothing is filled any more
};

/// A message that was refused while it was folded, with the key of its row.
struct RefusedKey {
  std::string_view key;
  int64_t offset = 0;
  bool closed = false;  ///< a later event of the batch changed the row as a whole
  bool whole = false;   ///< it would have changed the row as a whole
  uint32_t source = 0;  ///< as Entry::source
  std::string_view order;
};

/// How many source events of each kind an entry set stands for.
struct EventCounts {
  uint64_t inserted = 0, updated = 0, deleted = 0;
  /// One of that cdcrt_operation, which is no truncate.
  void add(uint8_t operation) { ++(operation == CDCRT_DELETE ? deleted : operation == CDCRT_UPDATE ? updated : inserted); }
  EventCounts& operator+=(const EventCounts& other) {
    inserted += other.inserted;
    updated += other.updated;
    deleted += other.deleted;
    return *this;
  }
};

/// Not thread-safe: the table's lock guards it.
class Fold {
 public:
  Fold() = default;
  /// The next one after `last`: it begins with as much memory as that took, where that is little.
  [[nodiscard]] static Fold after(const Fold& last);
  /// The entry of the key, or a new one (`added`) with effect kNothing and no cells.
  Entry& find_or_add(std::string_view key, int64_t offset, bool& added);
  /// Notes one more change of the entry, with its source order (empty: none); `whole`: it sets the whole row.
  void date(Entry& entry, std::string_view order, bool whole);
  /// Begins a new entry for the key of `entry`, which is written first: a change that needs an existing row must not be merged with
  /// one that inserts it.
  Entry& succeed(const Entry& entry, int64_t offset);
  /// Sets `followers` of entries that follow each other. Called once nothing more is folded.
  void number_chains();
  /// The entry (index) with the last change of the row that a message key names; UINT32_MAX: none so far.
  uint32_t& last_of(std::string_view message_key);
  /// An entry beside all others (kEvent).
  Entry& add(int64_t offset);
  /// Computes the keys of all entries anew, after a column of the key changed its type: `key_of` appends the key to an empty text, or
  /// nothing to keep the old one. Equal keys must stay equal; different ones may become equal where entries are copies of rows (kAppend).
  /// What refers to entries by key follows.
  void rekey(const std::function<void(const cdcrt_cell* cells, uint32_t width, std::string& key)>& key_of);
  /// Where events leave NULLs out, columns that they did not know of become NULL cells, as far as `columns` are known by now.
  void write_out_nulls(const std::vector<evolution::Column>& columns);
  /// Makes room for `width` cells, the new ones ABSENT; `cells` there are `had` of now.
  void widen(cdcrt_cell*& cells, uint32_t& had, uint32_t width);
  void widen(Entry& entry, uint32_t width) { widen(entry.cells, entry.width, width); }
  /// The entry's cells, in place of those it had, are these, with their bytes.
  void fill(Entry& entry, const std::vector<cdcrt_cell>& cells);
  /// `width` cells of its own, with their bytes.
  cdcrt_cell* own_cells(const cdcrt_cell* cells, uint32_t width);
  std::string_view own_key(std::string_view key) { return arena_.copy(key); }
  /// Copies a cell with its bytes.
  cdcrt_cell own(const cdcrt_cell& cell) { return copy(cell); }

  void fetch_ahead() const;  ///< asks for the memory that one more entry touches
  [[nodiscard]] std::vector<Entry>& entries() { return entries_; }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] uint32_t index_of(const Entry& entry) const { return static_cast<uint32_t>(&entry - entries_.data()); }
  [[nodiscard]] event::Arena& arena() { return arena_; }
  /// Memory held, bytes, about.
  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  /// The event of the entry leaves NULLs out: columns from `slot` on that it has no cell for are NULL.
  void leave_nulls_out(Entry& entry, uint32_t slot) {
    entry.nulls_from = std::min(entry.nulls_from, slot);
    leaves_nulls_out_ = true;
  }
  void note_delete(const Entry& entry) { takes_back_ = takes_back_ || entry.brought; }
  [[nodiscard]] bool takes_back_rows() const { return takes_back_; }            ///< it deletes some that it brought
  [[nodiscard]] bool may_leave_nulls_out() const { return leaves_nulls_out_; }  ///< false: no entry does
  EventCounts counts;
  /// Pairs of entries (by index) that one event changed: it is applied to both or to none.
  std::vector<std::pair<uint32_t, uint32_t>> links;
  std::vector<KeyDelete> key_deletes;
  std::vector<RefusedKey> refused;  ///< in order
  void refuse(std::string_view key, int64_t offset, std::string_view order, bool whole, uint32_t source);
  /// A message of this row was refused, and no later event made that good.
  [[nodiscard]] bool is_refused(std::string_view key) const { return !open_refusals_.empty() && open_refusals_.contains(key); }
  void close_refused(std::string_view key);
  std::vector<KeyInsert> key_inserts;

 private:
  cdcrt_cell copy(const cdcrt_cell& cell);
  void rehash(std::size_t capacity);
  /// True: they are copies of one row, and `first` stands for both.
  bool unite(uint32_t first, uint32_t other);
  struct Slot {
    uint32_t hash = 0;
    uint32_t entry = UINT32_MAX;
  };
  std::vector<Entry> entries_;
  std::vector<Slot> slots_;
  std::unordered_map<std::string_view, std::vector<uint32_t>> open_refusals_;  ///< indexes into `refused`
  std::unordered_map<std::string_view, uint32_t> last_of_;
  bool has_long_chains_ = false, leaves_nulls_out_ = false, takes_back_ = false;
  uint32_t usual_ = 0;  ///< entries that are likely to come
  event::Arena arena_{32 << 10};
};

/// `width` ABSENT cells, aligned, that live as long as the arena.
cdcrt_cell* allocate_cells(event::Arena& arena, uint32_t width);

/// The steps of guarantee 3; the caller gives a patch a successor before anything but a partial row follows it. `cells` are converted, by
/// slot, `width` of them; bytes are copied into the fold. A full row: every column of its shape is there.
void fold_full(Fold& fold, Entry& entry, bool added, const cdcrt_cell* cells, uint32_t width);
/// A partial row. False: it follows a delete, there is no row to change (dead letter).
bool fold_partial(Fold& fold, Entry& entry, bool added, const cdcrt_cell* cells, uint32_t width);
void fold_delete(Fold& fold, Entry& entry, const cdcrt_cell* cells, uint32_t width);

}  // namespace cdcrt::apply
