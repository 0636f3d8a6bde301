#include "apply/rig.hpp"

#include <unistd.h>

#include <doctest/doctest.h>

#include <fstream>

#include "apply/key_change.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::rig {

Rig::Rig(const route::Route& of_table, int32_t partition_count, uint32_t capabilities)
    : route(of_table), partition_count_(partition_count) {
  static int count = 0;
  database.capabilities = capabilities;
  folder_ = std::filesystem::temp_directory_path() / ("cdcrt-rig-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
  std::filesystem::create_directories(folder_);
  log_.resize(static_cast<std::size_t>(partition_count));
  forgotten_.resize(static_cast<std::size_t>(partition_count));
  start();
}

Rig::~Rig() {
  writer_.reset();
  std::filesystem::remove_all(folder_);
}

void Rig::start() {
  writer_.reset();
  table.reset();
  partitions.clear();
  rewinds_.clear();
  memory = 0;
  manifest_ = memory_sink::component(database);
  auto sink = plugin::Sink::create(manifest_);
  REQUIRE(sink);
  sink_ = std::make_unique<plugin::Sink>(std::move(*sink));
  dead_letters = std::make_unique<dead_letters::DeadLetters>((folder_ / "dead_letters.jsonl").string());
  for (int32_t i = 0; i < partition_count_; ++i) {
    partitions.push_back(std::make_unique<progress::Partition>("source", "topic", i, [this, i](auto&, int64_t offset, uint32_t generation) {
      rewinds_.push_back({i, offset, generation});
    }));
  }
  table = make_table("orders");
  store.reset();
  if (sink_->has(CDCRT_SINK_TRANSACTIONS)) {
    store = std::make_unique<progress::Store>("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "here");
    auto connection = sink_->open();
    REQUIRE(connection);
    REQUIRE(store->prepare(*connection));
    auto kept_before = store->read_all(*connection);
    REQUIRE(kept_before);
    std::vector<progress::PartitionKey> keys;
    for (const auto& [key, partition] : kept_before->partitions) keys.push_back(key);
    auto stored = store->claim(*connection, keys);
    REQUIRE(stored);
    auto& kept = stored->tables["shop.orders"];
    table->restore(kept);
    progress::PartitionsByKey ours;
    for (const auto& partition : partitions) ours.emplace(partition->key(), partition.get());
    table->restore_progress(kept, ours);
  }
  start_writer(std::chrono::seconds(30));
}

void Rig::start_writer(std::chrono::microseconds stall_after) {
  apply::WriterContext context{*sink_, store.get(), *this, *dead_letters};
  context.warn = [this](std::string_view message) { warnings.emplace_back(message); };
  context.gives_up = [this] { return gives_up; };
  context.stall_after = stall_after;
  context.outage = &outage;
  context.counts = &counts;
  if (store) context.progress_schema = "cdcrt";
  writer_ = std::make_unique<apply::Writer>(context);
}

std::unique_ptr<apply::Table> Rig::make_table(const std::string& name) {
  apply::TableIdentity identity;
  identity.sink = "db";
  identity.schema = "shop";
  identity.name = name;
  identity.source_name = "shop." + name;
  identity.route = route;
  identity.events = sink_->has(CDCRT_SINK_EVENTS);
  identity.limits = limits.value_or(sink_->limits());
  identity.memory = &memory;
  identity.counts = &counts;
  if (are_defined_apart) identity.observer = &observer_;
  return std::make_unique<apply::Table>(std::move(identity));
}

void Rig::claim(int32_t number, int64_t next_offset, const std::string& order) {
  progress::Partition& partition = *partitions[static_cast<std::size_t>(number)];
  progress::StoredTable stored;
  stored.progress[partition.key()] = {next_offset, order};
  table->restore_progress(stored, {{partition.key(), &partition}});
}

void Rig::add_neighbour() { neighbour = make_table("items"); }

void Rig::restart() {
  start();
  for (int32_t i = 0; i < partition_count_; ++i) replay(i, 0, 0);
}

void Rig::forget(int32_t partition, int64_t offset) {
  forgotten_[static_cast<std::size_t>(partition)][static_cast<std::size_t>(offset)] = true;
}

void Rig::fill(event::RowBatch& batch, const Event& event, uint32_t message) {
  std::vector<cdcrt_column> columns;
  bool keyed = event.keyed;
  for (const Column& column : event.columns) {
    cdcrt_column& each = columns.emplace_back();
    each.name = sdk::borrow(column.name);
    each.type = column.type;
    each.key_ordinal = column.key_ordinal;
    if (column.former_name != nullptr) each.former_name = sdk::borrow(column.former_name);
    keyed = keyed || column.key_ordinal > 0;
    if (column.default_value.tag != CDCRT_ABSENT) {
      each.flags |= CDCRT_COLUMN_DEFAULT;
      each.default_value = column.default_value;
    }
  }
  cdcrt_shape shape{};
  shape.size = sizeof shape;
  if (event.declared) shape.flags |= CDCRT_SHAPE_DECLARED;
  if (event.key_elsewhere) shape.flags |= CDCRT_SHAPE_KEY_ELSEWHERE;
  if (event.absent_is_null) shape.flags |= CDCRT_SHAPE_ABSENT_IS_NULL;
  if (keyed) shape.flags |= CDCRT_SHAPE_KEYED | CDCRT_SHAPE_KEY_IN_ONE_PARTITION;
  shape.table = sdk::borrow("orders");
  if (event.server != nullptr) shape.server = sdk::borrow(event.server);
  shape.columns = columns.data();
  shape.column_count = static_cast<uint32_t>(columns.size());
  shape.column_size = sizeof(cdcrt_column);
  cdcrt_rows* rows = batch.abi();
  const uint32_t id = rows->intern(rows, &shape);
  REQUIRE(rows->grow(rows, 1, 3 * shape.column_count) == 0);
  const auto put = [&](const std::vector<cdcrt_cell>& cells) -> uint32_t {
    if (cells.empty()) return CDCRT_NO_CELLS;
    REQUIRE(cells.size() == shape.column_count);
    const uint32_t first = rows->cell_count;
    for (const cdcrt_cell& cell : cells) rows->cells[rows->cell_count++] = cell;
    return first;
  };
  cdcrt_row row{};
  row.shape = id;
  row.message = message;
  row.operation = event.operation;
  row.source_time_us = event.source_time_us;
  row.cells = put(event.cells);
  row.before = put(event.before);
  row.other_key = put(event.other_key);
  if (!event.order.empty()) row.source_order = sdk::borrow(event.order);
  rows->rows[rows->row_count++] = row;
}

int64_t Rig::send(const Event& event, int32_t partition) {
  send_all({event}, partition);
  return static_cast<int64_t>(log_[static_cast<std::size_t>(partition)].size()) - 1;
}

void Rig::send_all(const std::vector<Event>& events, int32_t partition) {
  auto& log = log_[static_cast<std::size_t>(partition)];
  const auto first = static_cast<int64_t>(log.size());
  log.insert(log.end(), events.begin(), events.end());
  forgotten_[static_cast<std::size_t>(partition)].resize(log.size());
  replay(partition, first, 0);
}

void Rig::replay(int32_t number, int64_t first, uint32_t generation) {
  const auto& log = log_[static_cast<std::size_t>(number)];
  progress::Partition& partition = *partitions[static_cast<std::size_t>(number)];
  event::RowBatch batch(shapes_);
  std::vector<cdcrt_message> messages;
  std::vector<uint32_t> indexes;
  for (auto offset = first; offset < static_cast<int64_t>(log.size()); ++offset) {
    cdcrt_message& message = messages.emplace_back();
    message.offset = offset;
    message.value = sdk::borrow("the bytes");
    indexes.push_back(static_cast<uint32_t>(indexes.size()));
    fill(batch, log[static_cast<std::size_t>(offset)], indexes.back());
  }
  if (messages.empty()) return;
  cdcrt_messages given{};
  given.size = sizeof given;
  given.topic = sdk::borrow("topic");
  given.partition = number;
  given.messages = messages.data();
  given.count = static_cast<uint32_t>(messages.size());
  given.generation = generation;
  const int64_t next = messages.back().offset + 1;
  apply::Table& taking = neighbour && number == 1 ? *neighbour : *table;
  taking.accept({partition, given, batch, shapes_, next}, indexes.data(), indexes.size(), [&](const apply::Refusal& refusal) {
    dead_letters::DeadLetter dead_letter;
    dead_letter.reason = refusal.reason;
    dead_letter.message = refusal.error.message;
    dead_letter.source = "source";
    dead_letter.topic = "topic";
    dead_letter.partition = number;
    dead_letter.offset = messages[refusal.message].offset;
    dead_letter.sink = "db";
    dead_letter.table = "shop.orders";
    dead_letter.raw = &messages[refusal.message];
    dead_letters->add(dead_letter);
  });
  partition.routed(generation, next);
}

void Rig::follow_rewinds() {
  for (const Rewind& rewind : std::exchange(rewinds_, {})) replay(rewind.partition, rewind.offset, rewind.generation);
}

Result<void> Rig::write() {
  while (table->ready() || (neighbour && neighbour->ready())) {
    std::vector<apply::Sealed> batches;
    for (apply::Table* each : {table.get(), neighbour.get()}) {
      if (each == nullptr || !each->ready()) continue;
      if (auto sealed = each->seal()) batches.push_back(std::move(*sealed));
    }
    if (batches.empty()) continue;  // nothing but a place to be read again from
    if (auto written = writer_->write(batches); !written) return written;
  }
  return {};
}

Result<void> Rig::write(apply::Sealed sealed) {
  std::vector<apply::Sealed> batches;
  batches.push_back(std::move(sealed));
  return writer_->write(batches);
}

bool Rig::read_back() {
  for (int round = 0; round < 10 && table->is_detached(); ++round) {
    if (table->waits_for_key() || table->awaited_definitions()) return false;
    for (const auto& missed : table->missed()) {
      int64_t from = missed.first;
      REQUIRE(read(*table, *missed.partition, missed.first, missed.end - 1,
                   [&](const cdcrt_messages& message, const event::RowBatch& rows, const std::vector<uint32_t>& indexes) {
                     const int64_t next = message.messages[0].offset + 1;
                     const bool taken = table->read_back({*missed.partition, message, rows, shapes_, next}, from, indexes.data(),
                                                         indexes.size(), [](const apply::Refusal&) {});
                     if (taken) from = next;
                     return taken;
                   }));
      table->read_back_to(*missed.partition, missed.first, from);
    }
    if (auto sealed = table->seal(true)) REQUIRE(write(std::move(*sealed)));
    (void)table->reattach();
  }
  return !table->is_detached();
}

std::vector<std::string> Rig::written_dead_letters() {
  REQUIRE(dead_letters->flush());
  std::ifstream file(dead_letters->path());
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

int64_t Rig::stored_next(int32_t partition) {
  for (const auto& row : database.tables["cdcrt.progress"].rows) {
    event::Arena arena;
    if (types::from_text(row.at("partition"), arena)->value.integer == partition)
      return types::from_text(row.at("next_offset"), arena)->value.integer;
  }
  return -1;
}

Result<int64_t> Rig::read_piece(const apply::Table& of, const progress::Partition& partition, int64_t first, int64_t last,
                                std::size_t /*turns*/, const Visit& visit) {
  if (auto done = read(of, partition, first, last, visit); !done) return std::move(done.error());
  return last + 1;
}

Result<void> Rig::read(const apply::Table&, const progress::Partition& partition, int64_t first, int64_t last, const Visit& visit) {
  if (!can_read_again) return make_error(CDCRT_UNSUPPORTED, "the source cannot read a message again");
  const auto number = static_cast<std::size_t>(partition.number());
  for (int64_t offset = first; offset <= last; ++offset) {
    if (forgotten_[number][static_cast<std::size_t>(offset)]) continue;
    event::RowBatch batch(shapes_);
    fill(batch, log_[number][static_cast<std::size_t>(offset)], 0);
    cdcrt_message message{};
    message.offset = offset;
    message.value = sdk::borrow("the bytes");
    cdcrt_messages one{};
    one.size = sizeof one;
    one.messages = &message;
    one.count = 1;
    if (!visit(one, batch, {0})) break;
  }
  return {};
}

}  // namespace cdcrt::rig
