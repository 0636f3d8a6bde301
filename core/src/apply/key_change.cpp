#include "apply/key_change.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "apply/table.hpp"
#include "apply/table_writer.hpp"
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
      // Halves from before the truncate are over; later ones are read again with their rows.
      for (const auto& [key, record] : sealed_.attempt.key_changes) changes_[key] = std::nullopt;
      sealed_.attempt.key_changes.clear();
    }
    for (auto& part : sealed_.partitions) {
      for (auto& departure : part.fold.departures) {
        if (is_written(departure.old_key)) departures_[std::string(departure.new_key)].push_back({&part.fold, &departure});
      }
    }
    for (std::size_t i = 0; i < settled_.entries_.size(); ++i) {
      if (!settled_.entries_[i]->closed) places_[settled_.entries_[i]->key] = i;
    }
    forget_filled();
    if (departures_.empty() && !any_arrival() && changes_.empty()) return {};
    earlier_ = sealed_.attempt.key_changes;
    pair_halves();
    if (auto read = read_departed(); !read) return read;
    for (auto& part : sealed_.partitions) {
      for (const auto& arrival : part.fold.arrivals) {
        if (is_written(arrival.new_key)) arrive(arrival);
      }
    }
    // Of a row that left for the same key twice, and did not come meanwhile, the last time counts.
    for (const auto& [new_key, places] : departures_) {
      if (!arrived_.contains(places.back().departure)) depart(new_key, places.back());
    }
    sealed_.attempt.key_changes_moved = !changes_.empty();
    return store_.save_key_changes(connection_, sealed_.table->identity().target(), changes_);
  }

 private:
  struct Place {
    Fold* fold = nullptr;
    const Departure* departure = nullptr;
  };
  /// What an arrival continues: a departure of this batch, else one that was kept before it, else none so far.
  struct Origin {
    Place place;
    bool kept = false;
  };
  using Row = std::vector<cdcrt_cell>;

  [[nodiscard]] bool is_written(std::string_view key) const { return is_whole_ || keys_.contains(key); }

  [[nodiscard]] bool any_arrival() const {
    return std::any_of(sealed_.partitions.begin(), sealed_.partitions.end(), [this](const auto& part) {
      const auto& arrivals = part.fold.arrivals;
      return std::any_of(arrivals.begin(), arrivals.end(), [this](const Arrival& arrival) { return is_written(arrival.new_key); });
    });
  }

  // The same row may leave and come more than once in a batch, and the batch may end between the two.
  void pair_halves() {
    std::set<std::string_view> taken;
    for (auto& part : sealed_.partitions) {
      for (const Arrival& arrival : part.fold.arrivals) {
        if (!is_written(arrival.new_key)) continue;
        Origin& origin = origins_[&arrival];
        origin.place = departed_before(part.fold, arrival);
        if (origin.place.departure == nullptr) {
          // What was kept is older than what left in this batch.
          const auto kept = earlier_.find(std::string(arrival.new_key));
          const Place elsewhere = departed_elsewhere(part.fold, arrival);
          origin.kept =
              kept != earlier_.end() && kept->second.departed && (taken.insert(arrival.new_key).second || elsewhere.departure == nullptr);
          if (!origin.kept) origin.place = elsewhere;
        }
        if (origin.place.departure != nullptr) arrived_.insert(origin.place.departure);
      }
    }
  }

  // The last departure before it in its own partition.
  [[nodiscard]] Place departed_before(Fold& fold, const Arrival& arrival) const {
    if (!is_written(arrival.old_key)) return {};
    for (std::size_t i = arrival.departed; i-- > 0;) {
      const Departure& departure = fold.departures[i];
      if (departure.new_key == arrival.new_key && departure.old_key == arrival.old_key) return {&fold, &departure};
    }
    return {};
  }

  // The last one in another partition.
  Place departed_elsewhere(const Fold& fold, const Arrival& arrival) const {
    const auto places = departures_.find(std::string(arrival.new_key));
    if (places == departures_.end()) return {};
    for (auto place = places->second.rbegin(); place != places->second.rend(); ++place) {
      if (place->fold != &fold && place->departure->old_key == arrival.old_key) return *place;
    }
    return {};
  }

  // What the source tells of the whole row later makes good also what came under its key and became a dead letter.
  [[nodiscard]] bool is_over(const KeyChangeRecord& record, const Entry& entry) const {
    const bool is_whole = entry.effect == Effect::kUpsert || entry.effect == Effect::kReplace || entry.effect == Effect::kDelete;
    if (!is_whole || record.order.empty() || entry.order <= record.order) return false;
    return std::none_of(sealed_.partitions.begin(), sealed_.partitions.end(), [&](const auto& part) {
      const auto& arrivals = part.fold.arrivals;
      return std::any_of(arrivals.begin(), arrivals.end(), [&](const Arrival& arrival) { return arrival.new_key == entry.key; });
    });
  }

  // A row that came before the one it replaces left: what later events set themselves is not filled any more.
  void forget_filled() {
    if (sealed_.attempt.key_changes.empty()) return;
    for (const Entry* entry : settled_.entries_) {
      const auto waiting = sealed_.attempt.key_changes.find(std::string(entry->key));
      if (waiting == sealed_.attempt.key_changes.end() || entry->arrival >= 0) continue;
      if (waiting->second.departed) {
        if (is_over(waiting->second, *entry)) {
          changes_[waiting->first] = std::nullopt;
          sealed_.attempt.key_changes.erase(waiting);
        }
        continue;
      }
      const bool gone = entry->effect == Effect::kDelete || entry->effect == Effect::kReplace;
      const auto removed = std::erase_if(
          waiting->second.slots, [&](uint32_t slot) { return gone || (slot < entry->width && entry->cells[slot].tag != CDCRT_ABSENT); });
      if (removed > 0) changes_[waiting->first] = to_text(waiting->second, sealed_.columns);
    }
  }

  // The rows as they stand in the target before this batch.
  Result<void> read_departed() {
    std::vector<cdcrt_cell> keys;
    uint64_t rows = 0;
    std::set<std::string_view> read_keys;
    for (const auto& [new_key, places] : departures_) {
      for (const Place& place : places) {
        if (!read_keys.insert(place.departure->old_key).second) continue;
        for (const uint32_t slot : sealed_.key)
          keys.push_back(slot < place.departure->width ? place.departure->old_cells[slot] : cdcrt_cell{});
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
    Row row(sealed_.columns.size());
    std::string key;
    for (std::size_t i = 0; i < columns_.slots().size(); ++i) {
      const cdcrt_cell cell = event::copy_cell(cells[i], settled_.arena_);
      row[columns_.slots()[i]] = cell;
      if (i < sealed_.key.size()) types::append_key(key, cell);
    }
    standing_[key] = std::move(row);
  }

  // The row as it was when it left its old key; empty: it was not there.
  Row departed_row(const Place& place) {
    const Departure& departure = *place.departure;
    Row row(sealed_.columns.size());
    const bool whole = departure.effect == Effect::kUpsert || departure.effect == Effect::kReplace;
    std::copy(departure.cells, departure.cells + departure.cells_width, row.begin());
    if (whole && departure.arrival >= 0) fill(row, place.fold->arrivals[static_cast<std::size_t>(departure.arrival)]);
    // What came anew has nothing of the row that stood there; what was written over it keeps the cells that its events lack.
    const auto standing = standing_.find(std::string(departure.old_key));
    if (!whole && (departure.effect == Effect::kDelete || standing == standing_.end())) return {};
    if (departure.effect == Effect::kReplace || standing == standing_.end()) return row;
    for (std::size_t slot = 0; slot < row.size() && slot < standing->second.size(); ++slot) {
      if (row[slot].tag == CDCRT_ABSENT) row[slot] = standing->second[slot];
    }
    return row;
  }

  enum class Filled : uint8_t {
    kYes,
    kNotYet,  ///< the row that the arrival continues has not left yet
    kNever    ///< it was not there when it left
  };

  // Sets what is ABSENT from the row that the arrival continues.
  Filled fill(Row& row, const Arrival& arrival) {
    Row from;
    if (const Origin& origin = origins_.at(&arrival); origin.place.departure != nullptr) {
      // Rows that changed keys in a ring among partitions have no beginning.
      if (!being_filled_.insert(origin.place.departure).second) return Filled::kNotYet;
      from = departed_row(origin.place);
      being_filled_.erase(origin.place.departure);
    } else if (origin.kept) {
      const KeyChangeRecord& kept = earlier_.at(std::string(arrival.new_key));
      if (!kept.row.empty()) from = row_from(kept.row);
    } else {
      return Filled::kNotYet;
    }
    for (const uint32_t slot : arrival.slots) {
      if (slot < row.size() && slot < from.size() && row[slot].tag == CDCRT_ABSENT) row[slot] = fitted(from[slot], slot);
    }
    return from.empty() ? Filled::kNever : Filled::kYes;
  }

  // A kept cell as the column is now: its type may have grown since.
  cdcrt_cell fitted(const cdcrt_cell& cell, uint32_t slot) {
    auto converted = types::convert(cell, {}, sealed_.columns[slot].type, settled_.arena_);
    // What is no value of the column any more is refused where it is written, not left out.
    return converted ? *converted : cell;
  }

  Row row_from(std::string_view text) {
    Row row(sealed_.columns.size());
    for_each_name(text, sealed_.columns, settled_.arena_, [&](uint32_t slot, std::string_view& rest) {
      const auto cell = types::take_text(rest, settled_.arena_);
      if (cell && slot < row.size()) row[slot] = *cell;
    });
    return row;
  }

  void arrive(const Arrival& arrival) {
    const std::string new_key(arrival.new_key);
    const auto found = place_of(arrival.new_key);
    if (found == settled_.entries_.end()) return;
    const Entry& entry = **found;
    Row row(sealed_.columns.size());
    std::copy(entry.cells, entry.cells + entry.width, row.begin());
    const bool lives = !arrival.over && (entry.effect == Effect::kUpsert || entry.effect == Effect::kReplace);
    const Filled filled = fill(row, arrival);
    // Also where a later event of the batch makes up for it: what is a dead letter does not depend on batches.
    const auto is_active = [&](uint32_t slot) { return slot < sealed_.columns.size() && sealed_.columns[slot].active; };
    if (filled == Filled::kNever && entry.effect != Effect::kNothing &&
        std::any_of(arrival.slots.begin(), arrival.slots.end(), is_active)) {
      if (const Entry* original = settled_.original(&entry); original != nullptr) settled_.missing_.push_back(original);
    }
    if (filled != Filled::kNotYet) {
      if (sealed_.attempt.key_changes.erase(new_key) > 0) changes_[new_key] = std::nullopt;
      if (lives) replace(found, row);
      return;
    }
    KeyChangeRecord record;
    for (const uint32_t slot : arrival.slots) {
      if (lives && slot < row.size() && row[slot].tag == CDCRT_ABSENT) record.slots.push_back(slot);
    }
    changes_[new_key] = to_text(record, sealed_.columns);
    sealed_.attempt.key_changes[new_key] = std::move(record);
  }

  void depart(const std::string& new_key, const Place& place) {
    const Departure& departure = *place.departure;
    const Row row = departed_row(place);
    const auto kept = sealed_.attempt.key_changes.find(new_key);
    if (kept == sealed_.attempt.key_changes.end() || kept->second.departed) {
      KeyChangeRecord record;
      record.departed = true;
      record.order = departure.order;
      for (uint32_t slot = 0; slot < row.size(); ++slot) {
        if (row[slot].tag == CDCRT_ABSENT) continue;
        append_name(record.row, sealed_.columns[slot]);
        types::append_text(record.row, row[slot]);
      }
      changes_[new_key] = to_text(record, sealed_.columns);
      sealed_.attempt.key_changes[new_key] = std::move(record);
      return;
    }
    // The new row came first and waits for these cells.
    Row filled(sealed_.columns.size());
    bool any = false;
    for (const uint32_t slot : kept->second.slots) {
      if (row.empty() && sealed_.columns[slot].active) settled_.never_filled_.insert(sealed_.columns[slot].source_name);
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
      for (const uint32_t slot : sealed_.key) filled[slot] = departure.new_cells[slot];
      Entry& patch = settled_.changed_.emplace_back();
      patch.effect = Effect::kPatch;
      patch.key = departure.new_key;
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
  std::unordered_set<std::string_view> keys_;             ///< unless the batch is written as a whole: of what is written
  std::map<std::string, std::vector<Place>> departures_;  ///< by new key, in the order of their partition
  std::map<const Arrival*, Origin> origins_;
  std::unordered_map<std::string_view, std::size_t> places_;  ///< by key: index of the last entry in settled_.entries_
  std::set<const Departure*> being_filled_;
  std::map<std::string, KeyChangeRecord> earlier_;  // as kept before this batch: a row that came may leave in it as well
  std::set<const Departure*> arrived_;              ///< what left and came in this batch
  std::map<std::string, Row> standing_;
  std::map<std::string, std::optional<std::string>> changes_;
};

Result<void> settle_key_changes(plugin::Connection& connection, progress::Store& store, Sealed& sealed, SettledEntries& settled,
                                const std::vector<const Entry*>* only) {
  return KeyChanges(connection, store, sealed, settled, only).settle();
}

}  // namespace cdcrt::apply
