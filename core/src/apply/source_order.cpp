#include "apply/source_order.hpp"

#include <algorithm>
#include <chrono>

#include "apply/dead_letter_key.hpp"
#include "apply/key_order.hpp"
#include "apply/sealed.hpp"
#include "event/log_order.hpp"

namespace cdcrt::apply {
namespace {

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

class SourceOrdering {
 public:
  SourceOrdering(SourceOrder& decided, Sealed& sealed) : decided_(decided), sealed_(sealed) {
    for (const auto& source : sealed.sources()) {
      servers_.push_back(progress::mark_of(source.server));
      tables_.push_back(progress::mark_of(source.table));
    }
    const auto& route = sealed.identity->route;
    // Who asks for source order says that the source tables share their keys.
    tells_tables_apart_ = route.ordering == route::Ordering::kAuto && route.deletes != route::Deletes::kIgnore;
    for (const auto& part : sealed.partitions) partitions_.push_back(mark_of(part.partition->key()));
  }

  /// Of which rows something is to be known.
  std::vector<std::string> collect() {
    std::size_t count = 0;
    for (const auto& part : sealed_.partitions) count += part.fold.entries().size();
    rows_.reserve(count);
    for (std::size_t part = 0; part < sealed_.partitions.size(); ++part) {
      Fold& fold = sealed_.partitions[part].fold;
      for (Entry& entry : fold.entries()) {
        if (entry.effect == Effect::kNothing || entry.key.data() == nullptr) continue;
        row_of(entry.key).changes.push_back({&entry, nullptr, entry.order, static_cast<uint32_t>(part), entry.source});
      }
      for (RefusedKey& refused : fold.refused) {
        if (!refused.closed && !refused.key.empty()) {
          row_of(refused.key).refused.push_back({nullptr, &refused, refused.order, static_cast<uint32_t>(part), refused.source});
        }
      }
    }
    std::vector<std::string> keys;
    keys.reserve(rows_.size());
    for (Row& row : rows_) keys.push_back(row.stored_key = dead_letter_key(row.key));
    return keys;
  }

  /// False: something does not compare.
  bool settle(progress::RowOrders known, const SourceOrder::Refused& refused) {
    for (Row& row : rows_) {
      progress::RowOrder order;
      if (const auto found = known.find(row.stored_key); found != known.end()) order = std::move(found->second);
      if (const auto found = refused.find(row.stored_key); found != refused.end()) take(order, found->second);
      is_changed_ = false;
      if (!settle(row, order)) return false;
      if (is_changed_) decided_.orders_.emplace(std::move(row.stored_key), std::move(order));
    }
    return true;
  }

  static void take(progress::RowOrder& order, const SourceOrder::RefusedEvent& refused) {
    if (order.order.empty() && order.parts.empty() && order.refused.empty()) order.server = refused.server;
    event::raise_order(order.refused, refused.order);
  }

 private:
  struct Change {
    Entry* entry;
    RefusedKey* refused;
    std::string_view order;
    uint32_t part, source;
    [[nodiscard]] bool is_whole() const { return entry->effect != Effect::kPatch; }
  };
  struct Row {
    std::string_view key;
    std::string stored_key;
    std::vector<Change> changes, refused;
  };

  Row& row_of(std::string_view key) {
    const auto [place, added] = places_.try_emplace(key, rows_.size());
    if (added) rows_.push_back({key, {}, {}, {}});
    return rows_[place->second];
  }

  int64_t server_of(const Change& change) const { return change.source < servers_.size() ? servers_[change.source] : 0; }

  Entry& change(Entry& entry) {
    decided_.before_.push_back({&entry, entry});
    return entry;
  }
  void take_out(Entry& entry) {
    change(entry).effect = Effect::kNothing;
    ++decided_.overtaken_;
  }
  void close(RefusedKey& refused) {
    refused.closed = true;
    decided_.closed_.push_back(&refused);
  }

  static bool is_later(const Change& change, int64_t partition, const progress::RowOrder& than) {
    const bool nothing_is_known = than.order.empty() && !than.snapshot;
    if (nothing_is_known) return true;
    const event::Order place = event::compare_orders(than.order, change.order);
    if (place != event::Order::kSame) return place == event::Order::kAfter;
    if (change.entry->snapshot != than.snapshot) return than.snapshot;
    // Two changes of one order in one partition: the one that it has later.
    return partition == than.partition || than.partition == 0;
  }

  bool settle(Row& row, progress::RowOrder& order) {
    std::stable_sort(row.changes.begin(), row.changes.end(), [](const Change& one, const Change& other) {
      if (one.order != other.order) return event::has_lower_place(one.order, other.order);
      return one.entry->snapshot && !other.entry->snapshot;
    });
    if (!compare(row, order) || !are_of_one_log(row, order)) return false;
    const Change* whole = nullptr;
    bool removed_before = false;
    for (const Change& each : row.changes) {
      if (!each.is_whole()) continue;
      if (!is_later(each, partitions_[each.part], order)) {
        take_out(*each.entry);
        continue;
      }
      if (whole != nullptr) {
        removed_before = removed_before || whole->entry->effect == Effect::kDelete || whole->entry->effect == Effect::kReplace;
        take_out(*whole->entry);
      }
      const int64_t table = each.source < tables_.size() ? tables_[each.source] : 0;
      const bool meets = tells_tables_apart_ && order.source_table != 0 && table != order.source_table && !order.removed;
      if (meets && each.entry->effect != Effect::kDelete) {
        refuse(each, "both source tables have a row of that key");
        return false;
      }
      // Of the other table's row.
      if (meets) {
        take_out(*each.entry);
        continue;
      }
      order.source_table = table;
      whole = &each;
      is_changed_ = true;
      order.order = each.order;
      order.snapshot = each.entry->snapshot;
      order.partition = partitions_[each.part];
      order.removed = each.entry->effect == Effect::kDelete;
      order.removed_ms = order.removed ? now_ms() : 0;
      std::erase_if(order.parts, [&](const auto& part) { return !event::is_after(part.second, each.order); });
    }
    if (whole != nullptr) write_whole(*whole, order, removed_before);
    for (const Change& each : row.changes) {
      if (!each.is_whole()) write_part(each, order, whole != nullptr);
    }
    place_dead_letters(row, order);
    number(row);
    return true;
  }

  // A part of the row was changed later, and is there already.
  void write_whole(const Change& whole, progress::RowOrder& order, bool removed_before) {
    Entry& entry = *whole.entry;
    if (removed_before && entry.effect == Effect::kUpsert && order.parts.empty()) change(entry).effect = Effect::kReplace;
    if (order.parts.empty()) return;
    if (entry.effect == Effect::kDelete) {
      // The row was made anew before that, by an event that is still to come.
      take_out(entry);
      order.removed = false;
      order.removed_ms = 0;
      return;
    }
    change(entry).effect = Effect::kUpsert;
    leave_out(whole, [&](const std::string& column) { return order.parts.contains(column); });
  }

  void write_part(const Change& part, progress::RowOrder& order, bool after_whole) {
    Entry& entry = *part.entry;
    if (event::is_after(order.order, part.order)) return take_out(entry);
    bool any = false;
    const auto later = [&](const std::string& column) {
      const auto found = order.parts.find(column);
      if (found != order.parts.end() && event::is_after(found->second, part.order)) return true;
      order.parts[column] = part.order;
      is_changed_ = true;
      any = true;
      return false;
    };
    change(entry).after_whole = after_whole;
    leave_out(part, later);
    if (!any) take_out(entry);
  }

  // The cells of the columns that `is_left_out` holds of become ABSENT.
  template <class IsLeftOut>
  void leave_out(const Change& change, IsLeftOut&& is_left_out) {
    Entry& entry = *change.entry;
    cdcrt_cell* own = nullptr;
    for (uint32_t slot = 0; slot < entry.width && slot < sealed_.columns().size(); ++slot) {
      const auto& column = sealed_.columns()[slot];
      if (column.key_ordinal > 0 || entry.cells[slot].tag == CDCRT_ABSENT || !is_left_out(column.source_name)) continue;
      if (own == nullptr) {
        own = allocate_cells(sealed_.partitions[change.part].fold.arena(), entry.width);
        std::copy(entry.cells, entry.cells + entry.width, own);
        entry.cells = own;
      }
      own[slot] = {};
    }
  }

  // A whole change makes good what was refused before it at the source, and only that.
  void place_dead_letters(Row& row, progress::RowOrder& order) {
    std::string_view last;
    for (const Change& dead_letter : row.refused) {
      if (event::is_after(order.order, dead_letter.order)) {
        close(*dead_letter.refused);
      } else if (event::is_after(dead_letter.order, last)) {
        last = dead_letter.order;
      }
    }
    if (event::is_after(order.order, order.refused)) order.refused.clear();
    if (event::is_after(last, order.refused)) {
      order.refused.assign(last);
      is_changed_ = true;
    }
    if (order.refused.empty()) return;
    for (const Change& each : row.changes) change(*each.entry).keeps_dead_letters = true;
  }

  // What is left is written one after the other.
  void number(Row& row) {
    uint32_t left = 0;
    for (auto each = row.changes.rbegin(); each != row.changes.rend(); ++each) {
      Entry& entry = *each->entry;
      const uint32_t followers = entry.effect == Effect::kNothing ? 0 : left++;
      if (entry.followers == followers && entry.closed == (followers > 0)) continue;
      change(entry).followers = followers;
      entry.closed = followers > 0;
    }
  }

  // Where the server is not told, the kind of an order shows in its length.
  bool compare(const Row& row, progress::RowOrder& order) {
    std::size_t length = order.order.empty() ? order.refused.size() : order.order.size();
    if (length == 0 && !order.parts.empty()) length = order.parts.begin()->second.size();
    for (const auto* changes : {&row.changes, &row.refused}) {
      for (const Change& each : *changes) {
        if (each.order.empty()) continue;
        const int64_t server = server_of(each);
        if (length > 0 && (order.server != server || (server == 0 && length != each.order.size()))) {
          refuse(each, "the orders of two servers or of two kinds do not compare, so which change is newer cannot be told");
          return false;
        }
        order.server = server;
        length = each.order.size();
      }
    }
    return true;
  }

  // The changes are sorted by their places: where the log began anew, one of the old log comes after one of the new one.
  bool are_of_one_log(const Row& row, const progress::RowOrder& order) {
    for (const auto* changes : {&row.changes, &row.refused}) {
      const Change* before = nullptr;
      for (const Change& each : *changes) {
        const auto is_other = [&](std::string_view known) { return !known.empty() && !event::are_of_one_log(known, each.order); };
        const bool began_anew =
            is_other(order.order) || is_other(order.refused) || (before != nullptr && is_other(before->order)) ||
            std::any_of(order.parts.begin(), order.parts.end(), [&](const auto& part) { return is_other(part.second); });
        if (began_anew) {
          refuse(each, event::kLogBeganAnew);
          return false;
        }
        before = &each;
      }
    }
    return true;
  }

  void refuse(const Change& change, const char* why) {
    const progress::Partition& from = *sealed_.partitions[change.part].partition;
    std::string place = from.name();
    if (change.source < sealed_.sources().size()) {
      const SourceOfRows& rows = sealed_.sources()[change.source];
      place += " (" + rows.table + (rows.server.empty() ? "" : " of server " + rows.server) + ")";
    }
    const std::string at = change.entry != nullptr ? " up to offset " + std::to_string(change.entry->last_offset) : std::string();
    sealed_.refusal = "changes of one key come from " + place + at + " and from elsewhere: " + why;
  }

  SourceOrder& decided_;
  Sealed& sealed_;
  std::vector<int64_t> servers_, tables_, partitions_;
  bool tells_tables_apart_ = false;
  std::vector<Row> rows_;
  std::unordered_map<std::string_view, std::size_t> places_;
  bool is_changed_ = false;  ///< what is kept of the row that is looked at
};

Result<void> SourceOrder::decide(plugin::Connection& connection, progress::Store& store, Sealed& sealed, const Refused& refused) {
  take_back();
  SourceOrdering ordering(*this, sealed);
  const auto keys = ordering.collect();
  progress::RowOrders known;
  if (!sealed.clear && !keys.empty()) {
    auto found = store.find_row_orders(connection, sealed.identity->target(), keys);
    if (!found) return std::move(found.error());
    known = std::move(*found);
  }
  if (ordering.settle(std::move(known), refused)) return {};
  return make_error(CDCRT_BAD_CONFIG, sealed.refusal);
}

Result<void> SourceOrder::save(plugin::Connection& connection, progress::Store& store, const Sealed& sealed) const {
  return store.save_row_orders(connection, sealed.identity->target(), orders_);
}

void SourceOrder::take_back() {
  for (auto each = before_.rbegin(); each != before_.rend(); ++each) *each->entry = each->value;
  for (RefusedKey* refused : closed_) refused->closed = false;
  before_.clear();
  closed_.clear();
  orders_.clear();
  overtaken_ = 0;
}

Result<void> save_refused_orders(plugin::Connection& connection, progress::Store& store, const std::string& target,
                                 const SourceOrder::Refused& refused) {
  if (refused.empty()) return {};
  std::vector<std::string> keys;
  for (const auto& [key, event] : refused) keys.push_back(key);
  auto known = store.find_row_orders(connection, target, keys);
  if (!known) return std::move(known.error());
  for (const auto& [key, event] : refused) SourceOrdering::take((*known)[key], event);
  return store.save_row_orders(connection, target, *known);
}

}  // namespace cdcrt::apply
