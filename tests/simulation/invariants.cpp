#include "simulation/invariants.hpp"

#include <algorithm>

#include "types/cell_text.hpp"
#include "types/convert.hpp"

namespace cdcrt::simulation {
namespace {

// A committed row by names of columns.
class Reader {
 public:
  Reader(const StoredTable& table, const StoredRow& row) : table_(table), row_(row) {}
  [[nodiscard]] cdcrt_cell cell(std::string_view name) {
    const int column = table_.column(name);
    return column < 0 ? types::null_cell() : *types::from_text(row_.values[static_cast<std::size_t>(column)], arena_);
  }
  /// Of the names of one column, oldest first: what stands under the newest that has a value.
  [[nodiscard]] cdcrt_cell newest(const NamesOfC& names) {
    cdcrt_cell found = types::null_cell();
    for (const StoredColumn& column : table_.columns) {
      // It waits there for the definition that tells what became of it.
      if (!column.name.starts_with("cdcrt_former_")) continue;
      if (const cdcrt_cell each = cell(column.name); each.tag > CDCRT_NULL) found = each;
    }
    for (const char* name : names) {
      if (const cdcrt_cell each = cell(name); each.tag > CDCRT_NULL) found = each;
    }
    return found;
  }
  [[nodiscard]] int64_t integer(std::string_view name) {
    const cdcrt_cell found = cell(name);
    return found.tag <= CDCRT_NULL ? 0 : found.value.integer;
  }
  [[nodiscard]] std::string text(std::string_view name) {
    const cdcrt_cell found = cell(name);
    return found.tag <= CDCRT_NULL ? std::string() : std::string(types::text_of(found));
  }

 private:
  const StoredTable& table_;
  const StoredRow& row_;
  event::Arena arena_{256};
};

std::string show(const Cells& cells) {
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) text += (i == 0 ? "" : " ") + std::string(kColumnNames[i]) + "=" + cells[i].show();
  return "(" + text + ")";
}

}  // namespace

Rows committed_rows(const Target& target, const Workload& workload, std::size_t index) {
  const SourceTable& table = workload.tables[index];
  Rows rows;
  const StoredTable* stored = target.table("shop." + table.name);
  if (stored == nullptr) return rows;
  for (const StoredRow& row : stored->rows) {
    if (!row.exists) continue;
    Reader reader(*stored, row);
    Cells cells(kColumns);
    for (std::size_t i = 0; i < kColumns; ++i) {
      cdcrt_cell cell = reader.cell(kColumnNames[i]);
      // Where rows came before the definition both are there.
      if (i == kColumnC) cell = reader.newest(workload.names_of_c);
      if (cell.tag <= CDCRT_NULL) {
        cells[i].kind = Value::kNull;
      } else if (cell.tag == CDCRT_I64) {
        cells[i].kind = Value::kInteger;
        cells[i].integer = cell.value.integer;
      } else {
        cells[i].kind = Value::kText;
        cells[i].text = types::text_of(cell);
      }
    }
    rows.insert(std::move(cells));
  }
  return rows;
}

std::string difference(const Rows& expected, const Rows& found) {
  if (expected == found) return {};
  std::string text;
  Rows missing, surplus;
  std::set_difference(expected.begin(), expected.end(), found.begin(), found.end(), std::inserter(missing, missing.end()));
  std::set_difference(found.begin(), found.end(), expected.begin(), expected.end(), std::inserter(surplus, surplus.end()));
  for (const Cells& cells : missing) text += "\n  missing " + show(cells);
  for (const Cells& cells : surplus) text += "\n  surplus " + show(cells);
  return text;
}

Invariants::Positions Invariants::positions() const {
  Positions positions;
  for (const StoredTable* table : target_.tables_named("cdcrt.progress")) {
    for (const StoredRow& row : table->rows) {
      if (!row.exists) continue;
      Reader reader(*table, row);
      positions[{reader.text("target"), {broker_.topic_of(reader.text("topic")), static_cast<int32_t>(reader.integer("partition"))}}] =
          reader.integer("next_offset");
    }
  }
  return positions;
}

std::map<Place, int64_t> Invariants::watermarks() const {
  std::map<Place, int64_t> watermarks;
  const StoredTable* table = target_.table("cdcrt.watermarks");
  if (table == nullptr) return watermarks;
  for (const StoredRow& row : table->rows) {
    if (!row.exists) continue;
    Reader reader(*table, row);
    watermarks[{broker_.topic_of(reader.text("topic")), static_cast<int32_t>(reader.integer("partition"))}] = reader.integer("next_offset");
  }
  return watermarks;
}

std::map<Place, Invariants::Lease> Invariants::leases() const {
  std::map<Place, Lease> leases;
  const StoredTable* table = target_.table("cdcrt.leases");
  if (table == nullptr) return leases;
  for (const StoredRow& row : table->rows) {
    if (!row.exists) continue;
    Reader reader(*table, row);
    leases[{broker_.topic_of(reader.text("topic")), static_cast<int32_t>(reader.integer("partition"))}] = {reader.integer("epoch"),
                                                                                                           reader.text("owner")};
  }
  return leases;
}

void Invariants::check(const Transaction& committed) {
  const auto wrote = [&](const char* table) { return committed.tables_written.contains(table); };
  const auto next = committed.tables_written.lower_bound("cdcrt.progress");
  const bool wrote_progress = next != committed.tables_written.end() && next->starts_with("cdcrt.progress");
  if (!wrote("cdcrt.leases") && !wrote_progress && !wrote("cdcrt.watermarks") && !wrote("shop.t0") && !wrote("shop.t1")) return;
  const Positions now = positions();
  check_owners(committed, now);
  check_watermarks(now);
  check_rows(now);
  before_ = now;
}

// Progress is moved by who holds the lease with the epoch that it claimed, or by who raises the epoch in the same transaction.
void Invariants::check_owners(const Transaction& committed, const Positions& now) {
  const auto leases = this->leases();
  const std::string owner = "process-" + std::to_string(committed.process);
  for (const auto& [place, lease] : leases) {
    const auto before = leases_before_.find(place);
    const bool raised = before == leases_before_.end() || before->second.epoch != lease.epoch;
    if (raised && before != leases_before_.end() && lease.epoch < before->second.epoch) fail("the epoch of a lease was lowered");
    if (raised && lease.owner == owner) claimed_[{owner, place}] = lease.epoch;
  }
  for (const auto& [key, offset] : now) {
    const auto before = before_.find(key);
    if (before != before_.end() && before->second == offset) continue;
    const Place place = key.second;
    const auto lease = leases.find(place);
    const auto lease_before = leases_before_.find(place);
    const bool raised = lease != leases.end() && lease_before != leases_before_.end() && lease->second.epoch > lease_before->second.epoch;
    if (raised) continue;
    // There a claim waits for the tables after it raised the epoch.
    if (character().table_locks) continue;
    if (lease == leases.end() || lease->second.owner != owner || claimed_[{owner, place}] != lease->second.epoch) {
      fail("progress of " + key.first + " in partition " + std::to_string(place.second) + " of topic " + std::to_string(place.first) +
           " was moved to " + std::to_string(offset) + " by " + owner + ", which does not hold its lease");
    }
  }
  leases_before_ = leases;
}

void Invariants::check_watermarks(const Positions& now) {
  const Workload& workload = broker_.workload();
  const auto watermarks = this->watermarks();
  for (const Event& event : workload.events) {
    const auto low = watermarks.find({event.topic, event.partition});
    if (low == watermarks.end() || event.offset >= low->second) continue;
    const std::string table = "shop." + workload.tables[static_cast<std::size_t>(event.table)].name;
    const auto position = now.find({table, {event.topic, event.partition}});
    const int64_t next = position == now.end() ? 0 : position->second;
    if (event.offset < next) continue;
    // What a truncate that is known already is about to delete may be passed over.
    const bool goes = std::any_of(workload.events.begin(), workload.events.end(), [&](const Event& later) {
      return later.table == event.table && later.order > event.order && later.operation == CDCRT_TRUNCATE;
    });
    if (goes) continue;
    fail("the low watermark " + std::to_string(low->second) + " of " + workload.topics[static_cast<std::size_t>(event.topic)].name + "[" +
         std::to_string(event.partition) + "] is past offset " + std::to_string(event.offset) + ", which " + table + " has not applied");
    return;
  }
}

// Where no row leaves its partition, the rows stand exactly for the progress beside them.
void Invariants::check_rows(const Positions& now) {
  const Character& own = character();
  if (own.truncates || own.split_key_changes) return;
  const Workload& workload = broker_.workload();
  for (std::size_t i = 0; i < workload.tables.size(); ++i) {
    const std::string name = "shop." + workload.tables[i].name;
    const Rows expected = workload.expected(static_cast<int>(i), [&](const Event& event) {
      const auto position = now.find({name, {event.topic, event.partition}});
      return position != now.end() && event.offset < position->second;
    });
    const std::string differs = difference(expected, committed_rows(target_, workload, i));
    if (differs.empty()) continue;
    std::string places;
    for (const auto& [key, offset] : now) {
      if (key.first == name)
        places += " " + std::to_string(key.second.first) + "[" + std::to_string(key.second.second) + "]:" + std::to_string(offset);
    }
    fail("the rows of " + name + " are not what its progress (" + places + " ) says:" + differs);
    return;
  }
}

}  // namespace cdcrt::simulation
