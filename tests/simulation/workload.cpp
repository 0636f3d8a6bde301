#include "simulation/workload.hpp"

#include <algorithm>

#include "cdcrt/abi/value.h"

namespace cdcrt::simulation {
namespace {

Value integer(int64_t value) { return {Value::kInteger, value, {}}; }
Value null() { return {Value::kNull, 0, {}}; }

const char* name_of(uint8_t operation) {
  switch (operation) {
    case CDCRT_INSERT: return "insert";
    case CDCRT_SNAPSHOT: return "snapshot";
    case CDCRT_UPDATE: return "update";
    case CDCRT_DELETE: return "delete";
    case CDCRT_TRUNCATE: return "truncate";
    case CDCRT_DEFINITION: return "definition";
    default: return "?";
  }
}

std::string show(const Cells& cells) {
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].kind != Value::kUnchanged) text += (text.empty() ? "" : " ") + std::string(kColumnNames[i]) + "=" + cells[i].show();
  }
  return "(" + text + ")";
}

}  // namespace

std::string Value::show() const {
  switch (kind) {
    case kUnchanged: return "-";
    case kNull: return "NULL";
    case kInteger: return std::to_string(integer);
    default: return "'" + text + "'";
  }
}

std::string Event::show() const {
  std::string line = "#" + std::to_string(order) + " " + name_of(operation) + " t" + std::to_string(table);
  if (!cells.empty()) line += " " + simulation::show(cells);
  if (!before.empty()) line += " before " + simulation::show(before);
  if (!other_key.empty()) line += " other key " + simulation::show(other_key);
  if (renamed > 0) line += renames ? " RENAMES" : " RENAMED";
  if (renamed > 1) line += " " + std::to_string(renamed);
  return line + (refused ? " REFUSED" : blocked ? " BLOCKED" : "");
}

Workload::Workload() {
  Random& chance = random();
  const Character& own = character();
  const auto topic_count = chance.between(1, 2);
  for (int64_t i = 0; i < topic_count; ++i) {
    Topic& topic = topics.emplace_back();
    topic.name = "topic" + std::to_string(i);
    topic.partitions = static_cast<int32_t>(chance.between(1, own.crowd ? 6 : 3));
    topic.later_partitions = topic.partitions + (own.growth ? 1 : 0);
  }
  const auto table_count = chance.between(1, 2);
  for (int64_t i = 0; i < table_count; ++i) {
    SourceTable& table = tables.emplace_back();
    table.name = "t" + std::to_string(i);
    table.topic = static_cast<int>(chance.below(topic_count));
    table.keyed = !(own.keyless && chance.chance(600));
    if (!table.keyed && chance.chance(700)) {
      table.only_partition = static_cast<int32_t>(chance.below(topics[static_cast<std::size_t>(table.topic)].partitions));
    }
  }
  if (own.told_apart) {
    Topic& topic = topics.emplace_back();
    topic.name = kServer;
  }
  rows_.resize(tables.size());
  keyless_.resize(tables.size());
  const auto count = static_cast<std::size_t>(chance.between(8, 36));
  const auto wide_from = own.late_columns ? static_cast<std::size_t>(chance.below(static_cast<int64_t>(count))) : SIZE_MAX;
  if (own.growth) growth_at = static_cast<std::size_t>(chance.below(static_cast<int64_t>(count)));
  if (own.keys_elsewhere) plan_definitions(count);
  const std::vector<std::size_t> renamed_at = own.renames ? plan_renames(count) : std::vector<std::size_t>();
  // Of definitions that come apart the first one may be the one that is needed.
  if (own.renames && !(own.told_apart && Random(random()).chance(700))) define_everywhere();
  while (events.size() < count || !definitions_.empty()) {
    wide_ = events.size() >= wide_from;
    if (renamed_ < renamed_at.size() && events.size() >= renamed_at[renamed_]) rename();
    grown_ = events.size() >= growth_at;
    add_definitions();
    if (events.size() >= count) continue;
    const auto table = static_cast<int>(chance.below(static_cast<int64_t>(tables.size())));
    if (own.truncates && chance.chance(60)) {
      const SourceTable& of = tables[static_cast<std::size_t>(table)];
      const Topic& topic = topics[static_cast<std::size_t>(of.topic)];
      add(table, CDCRT_TRUNCATE,
          of.only_partition >= 0 ? of.only_partition
                                 : static_cast<int32_t>(chance.below(grown_ ? topic.later_partitions : topic.partitions)));
      truncated_ = true;
      rows_[static_cast<std::size_t>(table)].clear();
      keyless_[static_cast<std::size_t>(table)].clear();
    } else if (tables[static_cast<std::size_t>(table)].keyed) {
      draw_keyed(table);
    } else {
      draw_keyless(table);
    }
  }
  std::map<std::pair<int, int32_t>, int64_t> ends;
  for (Event& event : events) event.offset = ends[{event.topic, event.partition}]++;
}

// One or two of a table, the first of them before or after its first row.
void Workload::plan_definitions(std::size_t count) {
  Random chance(random());  // on the side: what else a seed draws stays what it was
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (i > 0 && chance.chance(300)) continue;
    tables[i].key_elsewhere = true;
    for (auto left = chance.between(1, 2); left > 0; --left) {
      definitions_.emplace(static_cast<std::size_t>(chance.below(static_cast<int64_t>(count) + 1)), static_cast<int>(i));
    }
  }
}

void Workload::add_definitions() {
  while (!definitions_.empty() && definitions_.begin()->first <= events.size()) {
    const int table = definitions_.begin()->second;
    definitions_.erase(definitions_.begin());
    const SourceTable& of = tables[static_cast<std::size_t>(table)];
    const Topic& topic = topics[static_cast<std::size_t>(of.topic)];
    Random chance(random());
    // Not in one that was added: it is not read before the older ones are applied (docs/limits.md).
    add(table, CDCRT_DEFINITION, of.only_partition >= 0 ? of.only_partition : static_cast<int32_t>(chance.below(topic.partitions)));
  }
}

// So that whoever reads a partition knows that definitions come before the first row under another name does.
void Workload::define_everywhere() {
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (!tables[i].keyed) continue;
    const Topic& topic = topics[static_cast<std::size_t>(tables[i].topic)];
    for (int32_t partition = 0; partition < topic.partitions; ++partition) define(static_cast<int>(i), partition);
  }
}

Event& Workload::define(int table, int32_t partition) {
  Event& event = add(table, CDCRT_DEFINITION, partition);
  if (character().told_apart) {
    event.topic = static_cast<int>(topics.size()) - 1;
    event.partition = 0;
  }
  return event;
}

std::vector<std::size_t> Workload::plan_renames(std::size_t count) {
  Random chance(random());
  std::vector<std::size_t> at{static_cast<std::size_t>(chance.below(static_cast<int64_t>(count)))};
  if (!character().renames_twice) return at;
  at.push_back(static_cast<std::size_t>(chance.between(static_cast<int64_t>(at.front()), static_cast<int64_t>(count) - 1)));
  if (chance.chance(250)) names_of_c.back() = names_of_c.front();
  return at;
}

void Workload::rename() {
  ++renamed_;
  Random chance(random());
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (!tables[i].keyed) continue;
    const Topic& topic = topics[static_cast<std::size_t>(tables[i].topic)];
    for (auto times = chance.between(1, 2); times > 0; --times) {
      Event& told = define(static_cast<int>(i), static_cast<int32_t>(chance.below(topic.partitions)));
      told.renames = true;
    }
  }
}

// A key keeps the partition where it was seen first: moving keys among partitions is not what growth may do here.
int32_t Workload::partition_of(const SourceTable& table, int64_t key) const {
  if (table.only_partition >= 0) return table.only_partition;
  const Topic& topic = topics[static_cast<std::size_t>(table.topic)];
  if (character().scattered) return static_cast<int32_t>(random().below(grown_ ? topic.later_partitions : topic.partitions));
  if (grown_ && key % topic.later_partitions == topic.partitions) return topic.partitions;
  return static_cast<int32_t>(key % topic.partitions);
}

Event& Workload::add(int table, uint8_t operation, int32_t partition) {
  Event& event = events.emplace_back();
  event.table = table;
  event.operation = operation;
  event.order = static_cast<int64_t>(events.size());
  event.topic = tables[static_cast<std::size_t>(table)].topic;
  event.partition = partition;
  event.wide = wide_;
  event.renamed = tables[static_cast<std::size_t>(table)].keyed ? renamed_ : 0;
  return event;
}

std::string Workload::text() { return "v" + std::to_string(next_text_++); }

Cells Workload::full(int64_t id) {
  Cells cells(kColumns);
  cells[0] = integer(id);
  cells[kColumnA] = {Value::kText, 0, text()};
  cells[kColumnB] = random().chance(100) ? null() : integer(random().below(5));
  cells[kColumnC] = random().chance(200) ? null() : Value{Value::kText, 0, text()};
  if (wide_) cells[kColumnD] = random().chance(200) ? null() : Value{Value::kText, 0, text()};
  return cells;
}

void Workload::draw_keyed(int index) {
  Random& chance = random();
  const Character& own = character();
  const SourceTable& table = tables[static_cast<std::size_t>(index)];
  auto& rows = rows_[static_cast<std::size_t>(index)];
  const int64_t key = chance.below(6);
  const auto found = rows.find(key);
  if (found == rows.end()) {
    Event& event = add(index, CDCRT_INSERT, partition_of(table, key));
    event.cells = full(key);
    rows[key].cells = event.cells;
    if (own.scattered && !truncated_ && met_.insert({index, key}).second && chance.chance(600)) {
      event.operation = CDCRT_SNAPSHOT;
      // Without an order it is older than everything, and so is its shape.
      event.unordered = !wide_ && chance.chance(500);
    }
    return;
  }
  Row& row = found->second;
  const auto dice = chance.below(100);
  if (dice < 15) {
    Event& event = add(index, CDCRT_DELETE, partition_of(table, key));
    event.cells = Cells(kColumns);
    event.cells[0] = integer(key);
    rows.erase(found);
  } else if (dice < 30 && own.key_changes && !row.tainted && chance.chance(own.split_key_changes ? 500 : 1000)) {
    // In one event: both keys belong to one partition.
    const int32_t partition = partition_of(table, key);
    int64_t to = next_key_++;
    while (partition_of(table, to) != partition) to = next_key_++;
    Event& event = add(index, CDCRT_UPDATE, partition);
    event.cells = full(to);
    event.before = Cells(kColumns);
    event.before[0] = integer(key);
    rows.erase(key);
    rows[to].cells = event.cells;
  } else if (dice < 40 && own.split_key_changes && !row.tainted) {
    const int64_t to = next_key_++;
    const Cells left = row.cells;
    {
      Event& leaves = add(index, CDCRT_DELETE, partition_of(table, key));
      leaves.cells = left;
      if (!wide_) leaves.cells[kColumnD] = {};
      leaves.other_key = Cells(kColumns);
      leaves.other_key[0] = integer(to);
    }
    Event& comes = add(index, CDCRT_INSERT, partition_of(table, to));
    comes.cells = left;
    comes.cells[0] = integer(to);
    if (!wide_) comes.cells[kColumnD] = {};
    comes.cells[kColumnB] = integer(chance.below(5));
    comes.other_key = Cells(kColumns);
    comes.other_key[0] = integer(key);
    Cells whole = comes.cells;
    if (wide_ && whole[kColumnD].kind == Value::kUnchanged) comes.cells[kColumnD] = whole[kColumnD] = null();
    if (own.partial && chance.chance(700)) comes.cells[kColumnC] = {};
    rows.erase(key);
    rows[to].cells = whole;
  } else if (dice < 60 && own.partial) {
    // Never of column a: whether a refused value was passed over must not change what later events do.
    Event& event = add(index, CDCRT_UPDATE, partition_of(table, key));
    event.cells = full(key);
    event.blocked = row.tainted;
    event.cells[kColumnA] = {};
    if (chance.chance(500)) event.cells[kColumnC] = {};
    for (std::size_t i = 0; i < kColumns; ++i) {
      if (event.cells[i].kind != Value::kUnchanged) row.cells[i] = event.cells[i];
    }
  } else {
    Event& event = add(index, CDCRT_UPDATE, partition_of(table, key));
    event.cells = full(key);
    row.tainted = false;
    if (own.bad_values && chance.chance(300)) {
      event.cells[kColumnA] = {Value::kText, 0, std::string(kRefused)};
      event.refused = row.tainted = true;
    } else {
      row.cells = event.cells;
    }
  }
}

void Workload::draw_keyless(int index) {
  Random& chance = random();
  const SourceTable& table = tables[static_cast<std::size_t>(index)];
  const Topic& topic = topics[static_cast<std::size_t>(table.topic)];
  auto& rows = keyless_[static_cast<std::size_t>(index)];
  const int32_t partition = table.only_partition >= 0 ? table.only_partition : static_cast<int32_t>(chance.below(topic.partitions));
  const auto dice = chance.below(100);
  // What changes rows needs them all in one partition.
  if (rows.empty() || dice < 60 || table.only_partition < 0) {
    Event& event = add(index, CDCRT_INSERT, partition);
    // Few different rows, so that there are copies.
    event.cells = Cells(kColumns);
    event.cells[0] = integer(chance.below(2));
    event.cells[kColumnA] = {Value::kText, 0, "v" + std::to_string(chance.below(2))};
    event.cells[kColumnB] = null();
    event.cells[kColumnC] = null();
    if (wide_) event.cells[kColumnD] = chance.chance(500) ? null() : Value{Value::kText, 0, "w"};
    if (character().bad_values && chance.chance(150)) {
      event.cells[kColumnA] = {Value::kText, 0, std::string(kRefused)};
      event.refused = true;
    } else {
      rows.push_back(event.cells);
    }
    return;
  }
  const auto place = rows.begin() + chance.below(static_cast<int64_t>(rows.size()));
  Cells before = *place;
  if (wide_ && before[kColumnD].kind == Value::kUnchanged) before[kColumnD] = null();
  rows.erase(place);
  if (dice < 80) {
    Event& event = add(index, CDCRT_DELETE, partition);
    event.cells = event.before = before;
    return;
  }
  Event& event = add(index, CDCRT_UPDATE, partition);
  event.before = before;
  event.cells = before;
  event.cells[kColumnB] = integer(chance.below(3));
  rows.push_back(event.cells);
}

Rows Workload::expected(int index, const std::function<bool(const Event&)>& applies) const {
  std::map<int64_t, Cells> keyed;
  Rows rows;
  const auto whole = [](Cells cells) {
    for (Value& value : cells) {
      if (value.kind == Value::kUnchanged) value = null();
    }
    return cells;
  };
  for (const Event& event : events) {
    if (event.table != index || !event.good() || (applies && !applies(event))) continue;
    if (event.operation == CDCRT_DEFINITION) continue;
    if (event.operation == CDCRT_TRUNCATE) {
      keyed.clear();
      rows.clear();
    } else if (!tables[static_cast<std::size_t>(index)].keyed) {
      if (event.operation != CDCRT_INSERT) {
        if (const auto found = rows.find(whole(event.before)); found != rows.end()) rows.erase(found);
      }
      if (event.operation != CDCRT_DELETE) rows.insert(whole(event.cells));
    } else if (event.operation == CDCRT_DELETE) {
      // Half of a key change: the row is kept for the other half.
      if (event.other_key.empty()) keyed.erase(event.cells[0].integer);
    } else {
      Cells from(kColumns);
      if (!event.before.empty()) keyed.erase(event.before[0].integer);
      if (!event.other_key.empty()) {
        from = keyed[event.other_key[0].integer];
        keyed.erase(event.other_key[0].integer);
      } else if (const auto stands = keyed.find(event.cells[0].integer); stands != keyed.end()) {
        from = stands->second;
      }
      from.resize(kColumns);
      for (std::size_t i = 0; i < kColumns; ++i) {
        if (event.cells[i].kind != Value::kUnchanged) from[i] = event.cells[i];
      }
      keyed[event.cells[0].integer] = whole(from);
    }
  }
  for (const auto& [key, cells] : keyed) rows.insert(cells);
  return rows;
}

std::string Workload::describe() const {
  std::string text;
  for (const Topic& topic : topics) {
    text += topic.name + ": " + std::to_string(topic.partitions) + " partition(s)" +
            (topic.later_partitions > topic.partitions ? ", one more later" : "") + "\n";
  }
  for (const SourceTable& table : tables)
    text += table.name + (table.keyed ? " with" : " without") + (table.key_elsewhere ? " a key told elsewhere in " : " key in ") +
            topics[static_cast<std::size_t>(table.topic)].name + "\n";
  for (const Event& event : events) {
    text += topics[static_cast<std::size_t>(event.topic)].name + "[" + std::to_string(event.partition) + "] " + event.show() + "\n";
  }
  return text;
}

}  // namespace cdcrt::simulation
