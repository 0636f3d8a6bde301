#include "apply/table_fold.hpp"

#include <algorithm>
#include <utility>

#include "cdcrt/sdk/status.hpp"
#include "event/arena.hpp"
#include "event/log_order.hpp"

namespace cdcrt::apply {
namespace {

bool is_definite(uint8_t operation) {
  return operation == CDCRT_SNAPSHOT || operation == CDCRT_INSERT || operation == CDCRT_UPDATE || operation == CDCRT_DEFINITION;
}

bool has_unknown_column(const std::vector<evolution::Column>& columns, const event::Shape& shape) {
  return std::any_of(shape.columns.begin(), shape.columns.end(), [&](const auto& named) {
    return std::none_of(columns.begin(), columns.end(), [&](const auto& known) { return known.source_name == named.name; });
  });
}

}  // namespace

TableFold::TableFold(const TableIdentity& identity, Folding folding)
    : identity_(identity), folding_(folding), knowledge_(identity.route, identity.limits, !identity.events),
      folder_(identity, knowledge_, [this] { follow_schema_changes(); }) {
  set_by_source(identity.keeps_rows() && identity.route.ordering == route::Ordering::kSource);
}

void TableFold::set_by_source(bool by_source) {
  by_source_ = by_source;
  folder_.keep_by_source(by_source);
}

void TableFold::restore(const progress::StoredTable& stored) {
  for (evolution::Column column : stored.columns) {
    if (event::has_bytes(column.default_value)) column.default_value = event::copy_cell(column.default_value, knowledge_.arena());
    knowledge_.restore(std::move(column));
  }
  if (stored.key_known) knowledge_.restore_key_known();
  if (stored.told_keyless) knowledge_.restore_told_keyless();
  take_definition_topic(stored);
  truncation_.restore(stored.floor);
  if (stored.by_source && identity_.route.ordering != route::Ordering::kPartition) set_by_source(identity_.keeps_rows());
  count_foreign(stored);
  restore_sightings(stored);
}

// Partitions that other processes read have written rows as well.
void TableFold::restore_sightings(const progress::StoredTable& stored) {
  std::vector<std::string> orders;
  for (const auto& [key, position] : stored.progress) orders.push_back(position.order);
  knowledge_.restore_sightings(stored.columns, orders);
}

void TableFold::restore_progress(PartitionFold& into, int64_t next_offset, const std::string& order) {
  is_counted_ = false;
  into.restore(next_offset, order);
  // A truncate that was read, and is not in the target yet, takes what this partition has written after it as well.
  if (truncation_.takes_back(into.partition(), order)) into.rewind_past(truncation_.floor());
}

void TableFold::begin_at(const progress::PartitionKey& key, int64_t first) {
  for (auto& [partition, of] : each_partition()) {
    if (partition->key() == key) of.begin_at(first);
  }
}

void TableFold::forget(PartitionFold& of, bool is_detached) {
  is_counted_ = false;
  of.begin_again(is_detached);
  if (truncation_.cancel(of.partition())) {
    // What the truncate dropped or sent back goes on where it is durable, or surely will be.
    for (auto& [other, kept] : each_partition()) {
      if (&kept != &of && stopped_.empty()) drop_unstored(kept);
    }
  }
  truncation_.forget(of.partition());
}

void TableFold::note_dirty() {
  if (!std::exchange(is_dirty_, true)) dirty_since_ = Clock::now();
}

void TableFold::stop(const std::string& reason) {
  if (stopped_.empty()) stopped_ = reason;
  lacks_key_.clear();
  lacks_definitions_.clear();
  for (auto& [partition, of] : each_partition()) of.stop();
  is_dirty_ = false;
}

void TableFold::fold(const Decoded& batch, PartitionFold& into, const uint32_t* rows, std::size_t count, const RefusalHandler& refused) {
  const auto began = into.place();  // a truncate may send the partition back
  const Held before = held_by(into);
  const auto goes_on = [&] { return stopped_.empty() && lacks_key_.empty() && lacks_definitions_.empty() && into.place() == began; };
  (void)learn_key(batch, rows, count);
  std::vector<Refusal> refusals;
  const event::Shape* shape = batch.first_shape;
  uint32_t shape_of_last = shape != nullptr ? batch.rows.rows()[rows[0]].shape : 0;
  for (std::size_t i = 0; i < count && goes_on(); ++i) {
    const cdcrt_row& row = batch.rows.rows()[rows[i]];
    if (batch.messages.messages[row.message].offset < into.next()) continue;
    if (shape == nullptr || row.shape != shape_of_last) {
      shape = &batch.shapes.get(row.shape);
      shape_of_last = row.shape;
    }
    fold_row(batch, into, row, *shape, refusals);
  }
  for (const Refusal& refusal : refusals) refused(refusal);
  if (goes_on()) {
    into.reach(batch.next_offset, count);
    note_dirty();
  }
  count_again(into, before);
  folder_.converter().release();
}

void TableFold::fold_row(const Decoded& batch, PartitionFold& into, const cdcrt_row& row, const event::Shape& shape,
                         std::vector<Refusal>& refusals) {
  const int64_t offset = batch.messages.messages[row.message].offset;
  // Before anything is learned of it: it is observed in its turn, once the key is known.
  if (row.operation < CDCRT_TRUNCATE && knowledge_.lacks_key(shape)) {
    if (folding_ == Folding::kAside) return stop(missing_key_text(shape));
    lacks_key_ = missing_key_text(shape);
    return;
  }
  // Whether the row drops a column depends on it.
  if (row.source_order.data != nullptr && !into.memory().unplaced.empty() && is_definite(row.operation))
    knowledge_.place(std::exchange(into.memory().unplaced, {}), into.last_order());
  if (may_be_renamed(into, row, shape, offset)) {
    lacks_definitions_ = shape.server;
    return;
  }
  if (row.source_order.data != nullptr) into.read_order({row.source_order.data, row.source_order.size});
  const std::string_view order = into.last_order();
  const bool definition = row.operation == CDCRT_DEFINITION;
  note_topic(into.partition().topic(), definition && shape.declared);
  if (is_refused_gap(into)) return;
  // Behind a truncate it is not folded; it makes a table one in source order, or not, all the same, as it would have before it.
  const bool judges = identity_.keeps_rows() && !truncation_.floor().empty() && !knowledge_.is_told_keyless();
  if (judges && row.operation == CDCRT_SNAPSHOT && order.empty() && !by_source_) {
    knowledge_.judge_key_partitions(shape);
    if (!keeps_order(into, shape, row, offset)) return;
  }
  if (by_source_ && !take_row_order(into, row, offset)) return;
  if (!definition && is_before_truncate(into, offset)) return;
  into.raise_order(order);
  if (order.empty() && !by_source_ && !definition) into.note_unordered();
  if (row.operation == CDCRT_TRUNCATE) {
    if (identity_.events) {
      folder_.fold_truncate(into, row, offset);
    } else if (identity_.route.mode != route::Mode::kAppend) {
      truncate(into, order, offset);
    }
    return;
  }
  folder_.forget_row();  // a type change must not touch it
  const RowFolder::Incoming incoming{batch, row, shape, offset, into, refusals, partition_count() < 2};
  if (definition && !take_definition(incoming, order)) return;
  auto map = knowledge_.observe(shape, order, is_definite(row.operation), row.source_order.data == nullptr, definition);
  if (auto shown = knowledge_.take_unplaced(); !shown.empty()) {
    const bool others_lag = partition_count() + foreign_count() > 1 || into.partition().may_have_siblings();
    if (!others_lag) knowledge_.place(shown, order);
    for (const uint32_t slot : shown) into.memory().unplaced.push_back(slot);
  }
  if (!map) {
    const std::string why =
        map.error().code == CDCRT_BAD_RECORD ? folder_.refuse_shape(incoming, std::move(map.error())) : explain(map.error());
    if (!why.empty()) stop(why);
    return;
  }
  if ((*map)->absent.empty()) {
    whole_shape_ = shape.id;
    whole_version_ = knowledge_.version();
  }
  if (shape.keyed) into.memory().other_keys = 0;
  follow_schema_changes();
  if (definition) return;
  // A delete that is half of a key change is no delete of the source's row.
  if (row.operation == CDCRT_DELETE && row.other_key == CDCRT_NO_CELLS && identity_.route.deletes == route::Deletes::kIgnore) return;
  if (!keeps_order(into, shape, row, offset)) return;
  if (const std::string why = folder_.fold(incoming, **map); !why.empty()) stop(why);
}

bool TableFold::learn_key(const Decoded& batch, const uint32_t* rows, std::size_t count) {
  if (knowledge_.key_known()) return false;
  bool is_news = false;
  // Rows that do not wait for it are read before it however the log is cut into batches: to them it says nothing.
  const route::Route& route = identity_.route;
  const bool rows_wait = route.primary_key.empty() && route.fallback_key.empty() && route.mode != route::Mode::kAppend;
  for (std::size_t i = 0; i < count; ++i) {
    const cdcrt_row& row = batch.rows.rows()[rows[i]];
    if (row.operation != CDCRT_DEFINITION) continue;
    const event::Shape& shape = batch.shapes.get(row.shape);
    if (knowledge_.tell_key(shape)) is_news = true;
    if (rows_wait) knowledge_.tell_types(shape, {row.source_order.data, row.source_order.size});
  }
  return is_news;
}

// Topics are read side by side: the definition that says so may be in its log, and not read yet.
bool TableFold::may_be_renamed(const PartitionFold& into, const cdcrt_row& row, const event::Shape& shape, int64_t offset) const {
  if (shape.id == whole_shape_ && knowledge_.version() == whole_version_) return false;
  if (folding_ != Folding::kLive || identity_.observer == nullptr || has_definitions() || shape.server.empty()) return false;
  if (row.operation >= CDCRT_TRUNCATE || into.may_drop_columns(offset)) return false;
  // A row of parts, or one that is deleted, drops no column that it lacks, but may bring one that newer rows lack.
  if (!is_definite(row.operation) && !has_unknown_column(knowledge_.columns(), shape)) return false;
  const std::string_view order =
      row.source_order.data != nullptr ? std::string_view(row.source_order.data, row.source_order.size) : into.last_order();
  return knowledge_.would_drop(shape, order) && identity_.observer->are_defined_apart(into.partition(), shape.server);
}

bool TableFold::learn_definition_topic(const Decoded& batch, const uint32_t* rows, std::size_t count) {
  if (has_definitions()) return false;
  const bool any = std::any_of(rows, rows + count, [&](uint32_t index) {
    const cdcrt_row& row = batch.rows.rows()[index];
    return row.operation == CDCRT_DEFINITION && batch.shapes.get(row.shape).declared;
  });
  if (any) note_topic(batch.partition.topic(), true);
  return any;
}

void TableFold::await_definitions() {
  for (auto& [partition, of] : each_partition()) of.await_definitions();
}

void TableFold::definitions_are_read() {
  for (auto& [partition, of] : each_partition()) of.definitions_are_read();
}

std::string TableFold::missing_key_text(const event::Shape& shape) const {
  constexpr std::size_t kMaxNames = 20;
  std::string names, example = "COLUMN";
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    const std::string& name = shape.columns[i].name;
    if (name == "id") example = name;
    if (i < kMaxNames) names += (names.empty() ? "" : ", ") + name;
    if (i == kMaxNames) names += ", ...";
  }
  return "its key is not known: its events do not tell it, and no definition of the table did so far. If none will, say it in the manifest, "
         "with the table's key in place of " +
         example + ", and start cdcrt again: [defaults] primary_keys = { \"" + identity_.source_name + "\" = [\"" + example +
         "\"] }, or primary_key in its route (columns: " + names + ")";
}

bool TableFold::take_definition(const RowFolder::Incoming& incoming, std::string_view order) {
  auto renamed = knowledge_.rename(incoming.shape, order);
  follow_schema_changes();
  if (renamed) return true;
  const std::string why =
      renamed.error().code == CDCRT_BAD_RECORD ? folder_.refuse_shape(incoming, std::move(renamed.error())) : explain(renamed.error());
  if (!why.empty()) stop(why);
  return false;
}

void TableFold::take_definition_topic(const progress::StoredTable& stored) {
  if (stored.definition_topic.empty()) return;
  definition_topic_ = stored.definition_topic;
  knowledge_.expect_definitions();
}

void TableFold::note_topic(const std::string& topic, bool definition) {
  if (!definition) {
    has_rows_there_ = has_rows_there_ || topic == definition_topic_;
  } else if (definition_topic_.empty()) {
    definition_topic_ = topic;
    has_rows_there_ = std::any_of(partitions_.begin(), partitions_.end(), [&](const auto& each) {
      return each.first->topic() == topic && (!each.second.fold().empty() || each.second.is_unordered());
    });
    knowledge_.expect_definitions();
  }
}

// Asked for each row: topics are compared only where one of them may not count.
std::size_t TableFold::partition_count() const {
  if (!has_definitions_apart()) return partitions_.size() + others_;
  const auto brings_rows = [this](const auto& each) { return !is_of_definitions(each.first->topic()); };
  return static_cast<std::size_t>(std::count_if(partitions_.begin(), partitions_.end(), brings_rows)) + others_;
}

std::size_t TableFold::foreign_count() const {
  if (!has_definitions_apart()) return foreign_partitions_.size();
  const auto brings_rows = [this](const progress::PartitionKey& key) { return !is_of_definitions(key.topic); };
  return static_cast<std::size_t>(std::count_if(foreign_partitions_.begin(), foreign_partitions_.end(), brings_rows));
}

// Of what came after the truncate nothing is missing as long as the log still reaches back to it.
bool TableFold::is_refused_gap(PartitionFold& into) {
  if (!into.is_at_beginning()) return false;
  const progress::Partition& partition = into.partition();
  const int64_t log_begins_at = folding_ == Folding::kLive ? partition.log_begins_at() : 0;
  if (truncation_.floor().empty() || !event::may_be_after(into.last_order(), truncation_.floor()) || log_begins_at <= 0) return false;
  stop("a truncate in another partition sends " + partition.name() + " back, and its log begins at offset " +
       std::to_string(log_begins_at) + " by now: rows that came after the truncate may have been deleted by retention. " +
       "Take a new snapshot of the table at the source and run: cdcrt progress rewind --table " + identity_.target() +
       " --to earliest --empty; the same command without a snapshot accepts the gap");
  return true;
}

// A partition that has passed the floor (the truncate's own among them) has no rows from before it any more.
bool TableFold::is_before_truncate(PartitionFold& into, int64_t offset) {
  const std::string& floor = truncation_.floor();
  const std::string& order = into.last_order();
  if (by_source_ || floor.empty() || !event::may_be_after(floor, into.max_order())) return false;
  if (order.empty()) {
    stop("rows at " + into.partition().name() + " offset " + std::to_string(offset) +
         " carry no source order, and another partition had a truncate: which came first is unknown");
    return true;
  }
  if (!is_of_log_of_truncate(order)) return true;
  if (event::is_after(order, floor)) return false;
  if (event::is_after(floor, order)) into.raise_order(order);
  return true;
}

// Where rows of one key come from several partitions they need an order. False: the row is not taken.
bool TableFold::keeps_order(PartitionFold& into, const event::Shape& shape, const cdcrt_row& row, int64_t offset) {
  if (by_source_ || !knowledge_.key_crosses_partitions() || identity_.route.ordering != route::Ordering::kAuto) return true;
  const bool is_ordered = identity_.keeps_rows() && (row.source_order.data != nullptr || row.operation == CDCRT_SNAPSHOT);
  const bool is_one = partition_count() + foreign_count() < 2;
  const bool may_have_siblings = folding_ == Folding::kAside || into.partition().may_have_siblings();
  if (is_ordered && (!is_one || may_have_siblings)) {
    begin_source_order(into);
    return take_row_order(into, row, offset);
  }
  if (is_one) return true;
  stop("rows of one key may come from several partitions, since " +
       std::string(shape.key_in_one_partition || !(shape.keyed || shape.key_elsewhere)
                       ? "the route's primary_key does not contain the message key"
                       : "the format does not say that a key stays in one") +
       ", and they carry no source order by which the newer one could be told");
  return false;
}

// A row of a snapshot may lack an order: it is older than everything.
bool TableFold::take_row_order(PartitionFold& into, const cdcrt_row& row, int64_t offset) {
  if (row.source_order.data != nullptr) {
    into.read_row_order({row.source_order.data, row.source_order.size});
  } else if (row.operation == CDCRT_SNAPSHOT || row.operation == CDCRT_DEFINITION) {
    into.read_row_order({});
  } else {
    stop(
        "the table is kept in source order, and the event at " + into.partition().name() + " offset " + std::to_string(offset) +
        " carries no source order: which of two changes of a row is newer cannot be told. Have the source say it (lsn, binlog position), or send all "
        "changes of a key to one partition and set ordering = \"partition\" in the route");
    return false;
  }
  into.raise_order(into.row_order());
  if (row.operation == CDCRT_DEFINITION) return true;
  // Of what a truncate has emptied the table of, nothing comes back. A row of a snapshot without an order was read when its partition stood
  // where it stands.
  const std::string& at = into.row_order().empty() ? into.last_order() : into.row_order();
  return is_of_log_of_truncate(at) && (truncation_.floor().empty() || event::is_after(at, truncation_.floor()));
}

// False: the table stops.
bool TableFold::is_of_log_of_truncate(std::string_view order) {
  if (truncation_.floor().empty() || event::are_of_one_log(truncation_.floor(), order)) return true;
  stop(
      "the table was truncated, and a change that came later has a lower place in the source's log: the log began anew (another server, or "
      "RESET MASTER), so which changes came before the truncate cannot be told. Take a new snapshot of the table at the source and run: "
      "cdcrt progress rewind --table " +
      identity_.target() + " --to earliest --empty");
  return false;
}

// From the row that is being folded on. What other partitions hold is read again, in source order.
void TableFold::begin_source_order(const PartitionFold& current) {
  set_by_source(true);
  for (auto& [partition, of] : each_partition()) {
    if (&of == &current || (of.fold().empty() && of.fold().refused.empty())) continue;
    drop_unstored(of);
  }
}

void TableFold::drop_unstored(PartitionFold& of) {
  is_counted_ = false;
  // Where nothing more comes for the table, sealing alone tells that it holds nothing back.
  if (of.drop_unstored()) note_dirty();
}

void TableFold::drop_sealed(PartitionFold& of) {
  is_counted_ = false;
  if (of.drop_sealed()) note_dirty();
}

void TableFold::seal(Sealed& sealed) {
  truncation_.seal(sealed);
  if (!identity_.events &&
      std::any_of(partitions_.begin(), partitions_.end(), [](const auto& each) { return !each.second.fold().empty(); })) {
    knowledge_.type_one_column();
  }
  sealed.partitions.reserve(partitions_.size());
  for (auto& [partition, of] : each_partition()) {
    of.fold().write_out_nulls(knowledge_.columns());
    if (auto part = of.seal()) sealed.partitions.push_back(std::move(*part));
  }
  (void)held();  // while what it looks at is at hand
  sealed.shared_columns = knowledge_.share_columns();
  sealed.key = knowledge_.key();
  sealed.message_key = knowledge_.message_key();
  sealed.key_known = knowledge_.key_known();
  sealed.told_keyless = knowledge_.is_told_keyless();
  sealed.definition_topic = definition_topic_;
  sealed.is_mixed = knowledge_.take_mixed();
  sealed.by_source = by_source_ && !sealed.key.empty();
  sealed.version = knowledge_.version();
  sealed.shared_sources = folder_.share_sources();
  is_dirty_ = false;
}

void TableFold::written(const Sealed& sealed) {
  for (const auto& part : sealed.partitions) {
    if (part.session != part.partition->session()) continue;
    if (PartitionFold* of = known(*part.partition)) of->written(part);
  }
  if (!sealed.clear || !truncation_.written(sealed.floor)) return;
  // The truncate's partition was given up while it was written: what came since was folded as if it had not been.
  for (auto& [partition, of] : each_partition()) {
    if (of.is_durable()) continue;
    if (event::may_be_after(of.max_order(), sealed.floor)) {
      drop_unstored(of);
    } else {
      of.drop_fold();
    }
  }
}

void TableFold::written_in_part(const Sealed& portion) {
  for (const auto& part : portion.partitions) {
    if (part.session != part.partition->session()) continue;
    if (PartitionFold* of = known(*part.partition)) of->written_in_part(part);
  }
  if (portion.clear) truncation_.written_in_part(portion.floor);
}

void TableFold::give_back(const Sealed& sealed) {
  for (const auto& part : sealed.partitions) {
    if (PartitionFold* of = find(*part.partition)) of->give_back(part);
  }
}

void TableFold::detach(bool is_skipped) {
  lacks_key_.clear();
  lacks_definitions_.clear();
  for (auto& [partition, of] : each_partition()) of.detach(is_skipped);
  // The truncate, if one waited, is read again as well.
  truncation_.forget();
  is_dirty_ = false;
}

void TableFold::reattach() {
  for (auto& [partition, of] : each_partition()) of.reattach();
}

void TableFold::skip() {
  for (auto& [partition, of] : each_partition()) of.skip();
  is_dirty_ = false;
}

bool TableFold::is_missing() const {
  return std::any_of(partitions_.begin(), partitions_.end(), [](const auto& each) { return each.second.is_missing(); });
}

bool TableFold::has_one_source() const {
  // Where a message's key may come from several partitions it may be the key of several rows: of shards, for instance.
  if (partition_count() - others_ + foreign_count() > 1) return false;
  const bool has_siblings = std::any_of(partitions_.begin(), partitions_.end(),
                                        [](const auto& each) { return each.first->is_assigned() && each.first->may_have_siblings(); });
  if (has_siblings) return false;
  const route::Route& route = identity_.route;
  return !route.names_target || (!route.shares_targets && route.names_one_table() && folder_.sources().size() <= 1 && !partitions_.empty());
}

}  // namespace cdcrt::apply
