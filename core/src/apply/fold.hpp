// Fold: the changes of one partition to one table, one entry per key, until they are written.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cdcrt/abi/value.h"
#include "event/arena.hpp"

namespace cdcrt::apply {

/// What an entry does to its row.
enum class Effect : uint8_t {
  kUpsert,   ///< insert, or overwrite the cells that are not ABSENT
  kPatch,    ///< overwrite the cells that are not ABSENT; the row must exist
  kDelete,   ///< the row goes
  kReplace,  ///< the row goes, then comes anew: columns without a cell get their defaults
  kNothing,  ///< a delete without effect; kept out of every write
  kAppend,   ///< table without key: `copies` more rows of these cells (fewer when negative)
  kEvent     ///< sinks that take every change in order
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
  bool closed = false;              ///< another entry of the same key follows
  bool follows = false;             ///< another entry of the same key in its fold precedes it
  bool snapshot = false;            ///< a row of a snapshot, at its source order older than any change
  bool keeps_dead_letters = false;  ///< a dead letter of its row came later at the source
  bool after_whole = false;         ///< the batch has an older change of its row as a whole
  bool dated = false;               ///< `order` and `since` are those of its changes; empty: they had none
  uint32_t followers = 0;           ///< entries of the same key in the batch that are written after it
  uint32_t source = 0;              ///< index into Sealed::sources: the source's table
  int32_t copies = 1;
  int32_t needed = 0;           ///< kAppend: copies that have to be there before, as its changes took them away and brought them
  cdcrt_cell* cells = nullptr;  ///< by slot of the table's knowledge
  std::string_view key;         ///< canonical key bytes
  int64_t first_offset = 0, last_offset = 0;
  int64_t untold = -1;     ///< of its last update that does not say whether the row stood under another key; -1: none
  int32_t arrival = -1;    ///< the last arrival under this key (index into Fold::arrivals); -1: none
  std::string_view order;  ///< source order of its last change
  std::string_view since;  ///< of its last change as a whole, else of its first one: nothing in it is older
};

/// First half of a key change in two events: a row leaves its old key. What this batch had done to it before is kept.
struct Departure {
  std::string_view old_key, new_key;  ///< canonical key bytes
  cdcrt_cell* old_cells = nullptr;    ///< the old key's cells by slot
  cdcrt_cell* new_cells = nullptr;    ///< the new key's cells by slot
  uint32_t width = 0;                 ///< of both
  Effect effect = Effect::kNothing;   ///< of the entry before it left; kNothing: the row stood in the target
  cdcrt_cell* cells = nullptr;        ///< its cells then, `cells_width` wide
  uint32_t cells_width = 0;
  int32_t arrival = -1;    ///< under which it had come in this batch
  std::string_view order;  ///< source order of its event
};

/// Second half: a row comes under its new key. Cells that its event lacks are those of the row that left.
struct Arrival {
  std::string_view old_key, new_key;
  std::vector<uint32_t> slots;  ///< columns of the table, as it was then, that the event has no value for
  uint32_t departed = 0;        ///< departures of this fold that were noted before it
  bool over = false;            ///< a later event took the row away, or came under the same key: nothing is filled any more
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
  /// The entry of the key, or a new one (`added`) with effect kNothing and no cells.
  Entry& find_or_add(std::string_view key, int64_t offset, bool& added);
  /// The entry has one more change, at that source order (empty: none); `whole`: of the row as a whole.
  void date(Entry& entry, std::string_view order, bool whole);
  /// A new entry for the key of `entry`, which stays as it is and is written before it: what changed a row that must exist is
  /// not merged into what need not find one.
  Entry& succeed(const Entry& entry, int64_t offset);
  /// Of entries that follow each other: how many follow. Once nothing more is folded.
  void number_chains();
  /// The entry (its index) that changed last what a message's key names; UINT32_MAX: none so far.
  uint32_t& last_of(std::string_view message_key);
  /// An entry beside all others (kEvent).
  Entry& add(int64_t offset);
  /// Every entry that has a key gets the one that `key_of` writes, into an empty text, for its cells; none written: it keeps its own.
  /// Equal keys must stay equal; different ones may become equal where entries are copies of rows (kAppend). What refers to entries
  /// by key follows.
  void rekey(const std::function<void(const cdcrt_cell* cells, uint32_t width, std::string& key)>& key_of);
  /// Makes room for `width` cells, the new ones ABSENT.
  void widen(Entry& entry, uint32_t width);
  /// The entry's cells, in place of those it had, are these, with their bytes.
  void fill(Entry& entry, const std::vector<cdcrt_cell>& cells);
  /// `width` cells of its own, with their bytes.
  cdcrt_cell* own_cells(const cdcrt_cell* cells, uint32_t width);
  std::string_view own_key(std::string_view key) { return arena_.copy(key); }
  /// Copies a cell with its bytes.
  cdcrt_cell own(const cdcrt_cell& cell) { return copy(cell); }

  [[nodiscard]] std::vector<Entry>& entries() { return entries_; }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] uint32_t index_of(const Entry& entry) const { return static_cast<uint32_t>(&entry - entries_.data()); }
  [[nodiscard]] event::Arena& arena() { return arena_; }
  /// Memory held, bytes, about.
  [[nodiscard]] std::size_t bytes() const {
    return arena_.reserved() + entries_.capacity() * sizeof(Entry) + slots_.capacity() * sizeof(Slot) +
           last_of_.size() * sizeof(std::pair<void*, decltype(last_of_)::value_type>);
  }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  EventCounts counts;
  /// Pairs of entries (by index) that one event changed: it is applied to both or to none.
  std::vector<std::pair<uint32_t, uint32_t>> links;
  std::vector<Departure> departures;
  std::vector<RefusedKey> refused;  ///< in order
  void refuse(std::string_view key, int64_t offset, std::string_view order, bool whole, uint32_t source);
  /// A message of this row was refused, and no later event made that good.
  [[nodiscard]] bool is_refused(std::string_view key) const { return !open_refusals_.empty() && open_refusals_.contains(key); }
  void close_refused(std::string_view key);
  std::vector<Arrival> arrivals;

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
  bool has_long_chains_ = false;
  event::Arena arena_{32 << 10};
};

/// `width` ABSENT cells, aligned, that live as long as the arena.
cdcrt_cell* allocate_cells(event::Arena& arena, uint32_t width);

/// The steps of rule 4.3; the caller gives a patch a successor before anything but a partial row follows it. `cells` are converted, by
/// slot, `width` of them; bytes are copied into the fold. A full row: every column of its shape is there.
void fold_full(Fold& fold, Entry& entry, bool added, const cdcrt_cell* cells, uint32_t width);
/// A partial row. False: it follows a delete, there is no row to change (dead letter).
bool fold_partial(Fold& fold, Entry& entry, bool added, const cdcrt_cell* cells, uint32_t width);
void fold_delete(Fold& fold, Entry& entry, const cdcrt_cell* cells, uint32_t width);

}  // namespace cdcrt::apply
