#include "apply/key_change.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "apply/table.hpp"
#include "apply/table_writer.hpp"
#include "event/log_order.hpp"
#include "types/convert.hpp"

namespace cdcrt::apply {

class KeyChanges {
 public:
  KeyChanges(plugin::Connection& connection, progress::Store& store, Sealed& sealed, SettledEntries& settled,
             const std::vector<const Entry*>* only)
      : connection_(connection), store_(store), sealed_(sealed), settled_(settled), columns_(sealed), is_whole_(only == nullptr) {
    settled_.entries_ = only != nullptr ? *only : entries_of(sealed_);
    for (const Entry* entry : is_whole_ ? std::vector<const Entry*>() : settled_.entries_) keys_.insert(entry->key);
  }

  Result<void> settle() {
    sealed_.attempt.key_changes = sealed_.table->kept().key_changes();
    sealed_.attempt.key_changes_moved = false;
    if (sealed_.clear) {
      // Pending key changes from before the truncate are dropped; later ones are read again with their rows.
      for (const auto& [key, record] : sealed_.attempt.key_changes) changes_[key] = std::nullopt;
      sealed_.attempt.key_changes.clear();
    }
    for (auto& part : sealed_.partitions) {
      for (auto& key_delete : part.fold.key_deletes) {
        if (is_written(key_delete.old_key)) key_deletes_[std::string(key_delete.new_key)].push_back({&part.fold, &key_delete});
      }
    }
    forget_filled();
    if (key_deletes_.empty() && !any_key_insert() && changes_.empty()) return {};
    for (std::size_t i = 0; i < settled_.entries_.size(); ++i) {
      if (!settled_.entries_[i]->closed) places_[settled_.entries_[i]->key] = i;
    }
    earlier_ = sealed_.attempt.key_changes;
    pair_deletes_and_inserts();
    if (auto read = read_old_rows(); !read) return read;
    for (auto& part : sealed_.partitions) {
      for (const auto& key_insert : part.fold.key_inserts) {
        if (is_written(key_insert.new_key)) apply_insert(key_insert);
      }
    }
    // Where a row left for the same new key twice without an insert in between, the last delete counts.
    for (const auto& [new_key, places] : key_deletes_) {
      if (!paired_.contains(places.back().key_delete)) keep_old_row(new_key, places.back());
    }
    sealed_.attempt.key_changes_moved = !changes_.empty();
    return store_.save_key_changes(connection_, sealed_.table->identity().target(), changes_);
  }

 private:
  struct Place {
    Fold* fold = nullptr;
    const KeyDelete* key_delete = nullptr;
  };
  /// The delete that an insert belongs to: one of this batch, else one that an earlier batch stored, else none so far.
  struct Counterpart {
    Place place;
    bool is_stored = false;  ///< by an earlier batch
  };
  using Row = std::vector<cdcrt_cell>;

  [[nodiscard]] bool is_written(std::string_view key) const { return is_whole_ || keys_.contains(key); }

  [[nodiscard]] bool any_key_insert() const {
    return std::any_of(sealed_.partitions.begin(), sealed_.partitions.end(), [this](const auto& part) {
      const auto& key_inserts = part.fold.key_inserts;
      return std::any_of(key_inserts.begin(), key_inserts.end(),
                         [this](const KeyInsert& key_insert) { return is_written(key_insert.new_key); });
    });
  }

  // Finds the delete of each insert. A row may change its key several times in a batch, and the batch may end between the two events.
  void pair_deletes_and_inserts() {
    std::set<std::string_view> taken;
    for (auto& part : sealed_.partitions) {
      for (const KeyInsert& key_insert : part.fold.key_inserts) {
        if (!is_written(key_insert.new_key)) continue;
        Counterpart& counterpart = counterparts_[&key_insert];
        counterpart.place = delete_before(part.fold, key_insert);
        if (counterpart.place.key_delete == nullptr) {
          // A delete that an earlier batch stored is older than those of this batch.
          const auto kept = earlier_.find(std::string(key_insert.new_key));
          const Place elsewhere = delete_elsewhere(part.fold, key_insert);
          counterpart.is_stored = kept != earlier_.end() && kept->second.is_old_row &&
                                  (taken.insert(key_insert.new_key).second || elsewhere.key_delete == nullptr);
          if (!counterpart.is_stored) counterpart.place = elsewhere;
        }
        if (counterpart.place.key_delete != nullptr) paired_.insert(counterpart.place.key_delete);
      }
    }
  }

  // The last matching delete before the insert in its own partition.
  [[nodiscard]] Place delete_before(Fold& fold, const KeyInsert& key_insert) const {
    if (!is_written(key_insert.old_key)) return {};
    for (std::size_t i = key_insert.deletes_before; i-- > 0;) {
      const KeyDelete& key_delete = fold.key_deletes[i];
      if (key_delete.new_key == key_insert.new_key && key_delete.old_key == key_insert.old_key) return {&fold, &key_delete};
    }
    return {};
  }

  // The last matching delete in another partition.
  Place delete_elsewhere(const Fold& fold, const KeyInsert& key_insert) const {
    const auto places = key_deletes_.find(std::string(key_insert.new_key));
    if (places == key_deletes_.end()) return {};
    for (auto place = places->second.rbegin(); place != places->second.rend(); ++place) {
      if (place->fold != &fold && place->key_delete->old_key == key_insert.old_key) return *place;
    }
    return {};
  }

  // Whether an old row is not wanted any more: its insert became a dead letter, and a later change of the whole row made that good.
  [[nodiscard]] bool is_over(const KeyChangeRecord& record, const Entry& entry) const {
    const bool is_whole = entry.effect == Effect::kUpsert || entry.effect == Effect::kReplace || entry.effect == Effect::kDelete;
    if (!is_whole || record.order.empty() || !event::is_after(entry.order, record.order)) return false;
    return std::none_of(sealed_.partitions.begin(), sealed_.partitions.end(), [&](const auto& part) {
      const auto& key_inserts = part.fold.key_inserts;
      return std::any_of(key_inserts.begin(), key_inserts.end(),
                         [&](const KeyInsert& key_insert) { return key_insert.new_key == entry.key; });
    });
  }

  // Old rows that are over, and inserts of earlier batches that still wait for their delete: cells that later events set need not be
  // filled any more.
  void forget_filled() {
    if (sealed_.attempt.key_changes.empty()) return;
    for (const Entry* entry : settled_.entries_) {
      const auto waiting = sealed_.attempt.key_changes.find(std::string(entry->key));
      if (waiting == sealed_.attempt.key_changes.end() || entry->key_insert >= 0) continue;
      if (waiting->second.is_old_row) {
        if (is_over(waiting->second, *entry)) {
          changes_[waiting->first] = std::nullopt;
          sealed_.attempt.key_changes.erase(waiting);
        }
        continue;
      }
      const bool gone = entry->effect == Effect::kDelete || entry->effect == Effect::kReplace;
      const auto removed = std::erase_if(
          waiting->second.slots, [&](uint32_t slot) { return gone || (slot < entry->width && entry->cells[slot].tag != CDCRT_ABSENT); });
      if (removed > 0) changes_[waiting->first] = to_text(waiting->second, sealed_.columns());
    }
  }

  // Reads the deleted rows as they are in the target before this batch.
  Result<void> read_old_rows() {
    std::vector<cdcrt_cell> keys;
    uint64_t rows = 0;
    std::set<std::string_view> read_keys;
    for (const auto& [new_key, places] : key_deletes_) {
      for (const Place& place : places) {
        if (!read_keys.insert(place.key_delete->old_key).second) continue;
        for (const uint32_t slot : sealed_.key)
          keys.push_back(slot < place.key_delete->width ? place.key_delete->old_cells[slot] : cdcrt_cell{});
        ++rows;
      }
    }
    if (rows == 0 || !sealed_.table->definition().exists() || sealed_.clear) return {};
    std::vector<cdcrt_column> wanted;
    for (const uint32_t slot : columns_.slots()) wanted.push_back(columns_.stored(slot));
    cdcrt_read read{};
    read.size = sizeof read;
    read.table = sealed_.table->abi();
    read.columns = wanted.data();
    read.column_count = static_cast<uint32_t>(wanted.size());
    read.key_count = static_cast<uint32_t>(sealed_.key.size());
    read.keys = keys.data();
    read.key_rows = rows;
    read.context = this;
    read.visit = [](void* context, const cdcrt_cell* cells) {
      static_cast<KeyChanges*>(context)->remember(cells);
      return 0;
    };
    return connection_.read(read);
  }

  void remember(const cdcrt_cell* cells) {
    Row row(sealed_.columns().size());
    std::string key;
    for (std::size_t i = 0; i < columns_.slots().size(); ++i) {
      const cdcrt_cell cell = event::copy_cell(cells[i], settled_.arena_);
      row[columns_.slots()[i]] = cell;
      if (i < sealed_.key.size()) types::append_key(key, cell);
    }
    standing_[key] = std::move(row);
  }

  // The row as it was when it was deleted under its old key; empty: there was none.
  Row old_row(const Place& place) {
    const KeyDelete& key_delete = *place.key_delete;
    Row row(sealed_.columns().size());
    const bool whole = key_delete.effect == Effect::kUpsert || key_delete.effect == Effect::kReplace;
    std::copy(key_delete.cells, key_delete.cells + key_delete.cells_width, row.begin());
    if (whole && key_delete.key_insert >= 0) fill(row, place.fold->key_inserts[static_cast<std::size_t>(key_delete.key_insert)]);
    // An insert has nothing of the row that stood there before; an update keeps the cells that its events lack.
    const auto standing = standing_.find(std::string(key_delete.old_key));
    if (!whole && (key_delete.effect == Effect::kDelete || standing == standing_.end())) return {};
    if (key_delete.effect == Effect::kReplace || standing == standing_.end()) return row;
    for (std::size_t slot = 0; slot < row.size() && slot < standing->second.size(); ++slot) {
      if (row[slot].tag == CDCRT_ABSENT) row[slot] = standing->second[slot];
    }
    return row;
  }

  enum class Filled : uint8_t {
    kYes,
    kNotYet,  ///< the delete under the old key has not been read yet
    kNever    ///< the delete was read, and there was no such row
  };

  // Sets ABSENT cells from the row that was deleted under the old key.
  Filled fill(Row& row, const KeyInsert& key_insert) {
    Row from;
    if (const Counterpart& counterpart = counterparts_.at(&key_insert); counterpart.place.key_delete != nullptr) {
      // Rows that swapped their keys in a ring across partitions: no one of them is the first.
      if (!being_filled_.insert(counterpart.place.key_delete).second) return Filled::kNotYet;
      from = old_row(counterpart.place);
      being_filled_.erase(counterpart.place.key_delete);
    } else if (counterpart.is_stored) {
      const KeyChangeRecord& kept = earlier_.at(std::string(key_insert.new_key));
      if (!kept.row.empty()) from = row_from(kept.row);
    } else {
      return Filled::kNotYet;
    }
    for (const uint32_t slot : key_insert.slots) {
      if (slot < row.size() && slot < from.size() && row[slot].tag == CDCRT_ABSENT) row[slot] = fitted(from[slot], slot);
    }
    return from.empty() ? Filled::kNever : Filled::kYes;
  }

  // A stored cell as a value of the column's current type, which may have been widened since.
  cdcrt_cell fitted(const cdcrt_cell& cell, uint32_t slot) {
    auto converted = types::convert(cell, {}, sealed_.columns()[slot].type, settled_.arena_);
    // A value that does not fit any more is refused when it is written, not left out.
    return converted ? *converted : cell;
  }

  Row row_from(std::string_view text) {
    Row row(sealed_.columns().size());
    for_each_name(text, sealed_.columns(), settled_.arena_, [&](uint32_t slot, std::string_view& rest) {
      const auto cell = types::take_text(rest, settled_.arena_);
      if (cell && slot < row.size()) row[slot] = *cell;
    });
    return row;
  }

  void apply_insert(const KeyInsert& key_insert) {
    const std::string new_key(key_insert.new_key);
    const auto found = place_of(key_insert.new_key);
    if (found == settled_.entries_.end()) return;
    const Entry& entry = **found;
    Row row(sealed_.columns().size());
    std::copy(entry.cells, entry.cells + entry.width, row.begin());
    const bool lives = !key_insert.over && (entry.effect == Effect::kUpsert || entry.effect == Effect::kReplace);
    const Filled filled = fill(row, key_insert);
    // Also where a later event of the batch sets those cells: whether it is a dead letter must not depend on where batches end.
    const auto is_active = [&](uint32_t slot) { return slot < sealed_.columns().size() && sealed_.columns()[slot].active; };
    if (filled == Filled::kNever && entry.effect != Effect::kNothing &&
        std::any_of(key_insert.slots.begin(), key_insert.slots.end(), is_active)) {
      if (const Entry* original = settled_.original(&entry); original != nullptr) settled_.missing_.push_back(original);
    }
    if (filled != Filled::kNotYet) {
      if (sealed_.attempt.key_changes.erase(new_key) > 0) changes_[new_key] = std::nullopt;
      if (lives) replace(found, row);
      return;
    }
    KeyChangeRecord record;
    for (const uint32_t slot : key_insert.slots) {
      if (lives && slot < row.size() && row[slot].tag == CDCRT_ABSENT) record.slots.push_back(slot);
    }
    changes_[new_key] = to_text(record, sealed_.columns());
    sealed_.attempt.key_changes[new_key] = std::move(record);
  }

  void keep_old_row(const std::string& new_key, const Place& place) {
    const KeyDelete& key_delete = *place.key_delete;
    const Row row = old_row(place);
    const auto kept = sealed_.attempt.key_changes.find(new_key);
    if (kept == sealed_.attempt.key_changes.end() || kept->second.is_old_row) {
      KeyChangeRecord record;
      record.is_old_row = true;
      record.order = key_delete.order;
      for (uint32_t slot = 0; slot < row.size(); ++slot) {
        if (row[slot].tag == CDCRT_ABSENT) continue;
        append_name(record.row, sealed_.columns()[slot]);
        types::append_text(record.row, row[slot]);
      }
      changes_[new_key] = to_text(record, sealed_.columns());
      sealed_.attempt.key_changes[new_key] = std::move(record);
      return;
    }
    // The insert was written by an earlier batch and waits for these cells.
    Row filled(sealed_.columns().size());
    bool any = false;
    for (const uint32_t slot : kept->second.slots) {
      if (row.empty() && sealed_.columns()[slot].active) settled_.never_filled_.insert(sealed_.columns()[slot].source_name);
      if (slot >= row.size() || row[slot].tag == CDCRT_ABSENT) continue;
      filled[slot] = fitted(row[slot], slot);
      any = true;
    }
    const auto found = place_of(new_key);
    if (any && found != settled_.entries_.end()) {
      for (uint32_t slot = 0; slot < (*found)->width; ++slot) {
        if ((*found)->cells[slot].tag != CDCRT_ABSENT) filled[slot] = (*found)->cells[slot];
      }
      if ((*found)->effect != Effect::kDelete) replace(found, filled);
    } else if (any) {
      for (const uint32_t slot : sealed_.key) filled[slot] = key_delete.new_cells[slot];
      Entry& patch = settled_.changed_.emplace_back();
      patch.effect = Effect::kPatch;
      patch.key = key_delete.new_key;
      set_cells(patch, filled);
      settled_.originals_[&patch] = nullptr;
      settled_.entries_.push_back(&patch);
    }
    sealed_.attempt.key_changes.erase(new_key);
    changes_[new_key] = std::nullopt;
  }

  std::vector<const Entry*>::iterator place_of(std::string_view key) {
    const auto place = places_.find(key);
    return place == places_.end() ? settled_.entries_.end() : settled_.entries_.begin() + static_cast<std::ptrdiff_t>(place->second);
  }

  void replace(std::vector<const Entry*>::iterator place, const Row& row) {
    Entry& copy = settled_.changed_.emplace_back(**place);
    set_cells(copy, row);
    settled_.originals_[&copy] = settled_.original(*place);
    *place = &copy;
  }

  void set_cells(Entry& entry, const Row& row) {
    entry.width = static_cast<uint32_t>(row.size());
    entry.cells = allocate_cells(settled_.arena_, entry.width);
    std::copy(row.begin(), row.end(), entry.cells);
  }

  plugin::Connection& connection_;
  progress::Store& store_;
  Sealed& sealed_;
  SettledEntries& settled_;
  TargetColumns columns_;
  const bool is_whole_;
  std::unordered_set<std::string_view> keys_;              ///< those of the entries, where only a part of the batch is written
  std::map<std::string, std::vector<Place>> key_deletes_;  ///< by new key, in the order of their partition
  std::map<const KeyInsert*, Counterpart> counterparts_;
  std::unordered_map<std::string_view, std::size_t> places_;  ///< by key: index of the last entry in settled_.entries_
  std::set<const KeyDelete*> being_filled_;
  std::map<std::string, KeyChangeRecord> earlier_;  // as stored before this batch: one row may change its key again in it
  std::set<const KeyDelete*> paired_;               ///< deletes whose insert is in this batch
  std::map<std::string, Row> standing_;             ///< rows as they are in the target, by old key
  std::map<std::string, std::optional<std::string>> changes_;
};

Result<void> settle_key_changes(plugin::Connection& connection, progress::Store& store, Sealed& sealed, SettledEntries& settled,
                                const std::vector<const Entry*>* only) {
  return KeyChanges(connection, store, sealed, settled, only).settle();
}

}  // namespace cdcrt::apply
