#include "runtime/decode_pool.hpp"

#include <algorithm>
#include <utility>

#include "apply/table.hpp"
#include "cdcrt/sdk/fetch_ahead.hpp"
#include "cdcrt/sdk/hash.hpp"
#include "cdcrt/sdk/status.hpp"
#include "runtime/log.hpp"

namespace cdcrt::runtime {
namespace {

// How many tables lie between two steps of asking for memory, and for how many tables of a batch that is worth while.
constexpr std::size_t kFetchedAhead = 4, kFetchedFrom = 32;

bool is_unreadable(const cdcrt_message& message) { return message.unreadable.data != nullptr; }

Result<void> make_formats(const manifest::Manifest& manifest, std::vector<plugin::Format>& formats) {
  formats.clear();
  for (const auto& source : manifest.sources) {
    auto format = plugin::Format::create(source.format);
    if (!format) return std::move(format.error());
    formats.push_back(std::move(*format));
  }
  return {};
}

// As if they had come as one batch. Valid as long as both.
cdcrt_messages gather(const std::vector<plugin::Messages>& batches, std::vector<cdcrt_message>& gathered) {
  cdcrt_messages all = batches.front().get();
  if (batches.size() == 1) return all;
  gathered.clear();
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const cdcrt_messages& each = batches[i].get();
    gathered.insert(gathered.end(), each.messages, each.messages + each.count);
    if (i > 0) all.bytes += each.bytes;
  }
  all.messages = gathered.data();
  all.count = static_cast<uint32_t>(gathered.size());
  return all;
}

/// Numbers of the tables that a batch has rows of. Nothing is allocated or cleared for each batch.
class TablePlaces {
 public:
  void begin() {
    ++batch_;
    count_ = 0;
  }
  /// `next` where the batch had no row of the table so far.
  std::size_t find_or_add(const apply::Table* table, std::size_t next) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    Slot& slot = slots_[place_of(table)];
    if (slot.batch == batch_) return slot.number;
    slot = {table, batch_, next};
    ++count_;
    return next;
  }

 private:
  struct Slot {
    const apply::Table* table = nullptr;
    uint64_t batch = 0;
    std::size_t number = 0;
  };
  [[nodiscard]] std::size_t place_of(const apply::Table* table) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t place = ((reinterpret_cast<std::uintptr_t>(table) * 0x9E3779B97F4A7C15ULL) >> 32) & mask;
    while (slots_[place].batch == batch_ && slots_[place].table != table) place = (place + 1) & mask;
    return place;
  }
  void grow() {
    std::vector<Slot> before(slots_.empty() ? 64 : 2 * slots_.size());
    before.swap(slots_);
    for (const Slot& slot : before) {
      if (slot.batch == batch_) slots_[place_of(slot.table)] = slot;
    }
  }
  std::vector<Slot> slots_;
  uint64_t batch_ = 0;
  std::size_t count_ = 0;
};

}  // namespace

// Stored, so it must stay what it is.
uint64_t content_hash(const cdcrt_message& message) {
  uint64_t hash = sdk::kFnv1aStart;
  for (const cdcrt_string part : {message.key, message.value}) {
    hash = sdk::fnv1a(sdk::fnv1a(sdk::view(part), hash), part.data == nullptr ? 1 : 2);
  }
  return hash;
}

struct DecodePool::Worker {
  Worker(event::ShapeRegistry& shapes, Heartbeat& own) : heartbeat(own), rows(shapes), shape_generation(rows.shape_generation()) {}
  Heartbeat& heartbeat;
  std::vector<plugin::Format> formats;  // by source
  event::RowBatch rows;
  uint64_t shape_generation;                                            // that the formats know
  std::vector<std::pair<Destination, std::vector<uint32_t>>> by_table;  // of the batch, the first `tables` of them
  std::size_t tables = 0;
  TablePlaces places;  // in by_table
  std::vector<cdcrt_message> readable;
  std::vector<plugin::Messages> batches;  // that are decoded together
  std::vector<cdcrt_message> gathered;    // of several of them
  bool gathers = false;                   // so that its tables get more rows at once
  KnownDestinations destinations;
};

DecodePool::DecodePool(Context context) : context_(context) {}
DecodePool::~DecodePool() { stop(); }

Result<void> DecodePool::start(unsigned workers) {
  for (unsigned i = 0; i < workers; ++i) {
    auto worker = std::make_unique<Worker>(context_.shapes, context_.monitor.heartbeats.add("decode worker " + std::to_string(i + 1)));
    if (auto made = make_formats(context_.manifest, worker->formats); !made) return made;
    workers_.push_back(std::move(worker));
  }
  for (auto& worker : workers_) threads_.emplace_back([this, &worker] { work(*worker); });
  return {};
}

void DecodePool::stop() {
  stopping_ = true;
  context_.monitor.notify();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void DecodePool::work(Worker& worker) {
  while (!stopping_) {
    // Rows wait for memory, but never when nothing is held that could be written.
    Monitor& monitor = context_.monitor;
    monitor.room.wait([&] {
      worker.heartbeat.beat();
      return stopping_ || monitor.row_bytes <= context_.max_row_bytes;
    });
    Flow* flow = nullptr;
    monitor.batches.wait_once([&] {
      flow = stopping_ ? nullptr : context_.flows.take(worker.batches, worker.gathers ? context_.max_gathered_bytes : 0);
      return flow != nullptr || stopping_;
    });
    if (flow == nullptr) continue;
    const cdcrt_messages messages = gather(worker.batches, worker.gathered);
    auto decoded = decode(worker, *flow, messages);
    // Of very many tables each has a row or two in a batch, and what is done for each table of a batch is done for each row.
    constexpr std::size_t kFewRows = 4;
    if (worker.tables > 0) worker.gathers = worker.rows.size() < kFewRows * worker.tables * worker.batches.size();
    worker.rows.clear();  // a large one is not kept until this worker decodes again
    worker.rows.give_up_shapes();
    worker.batches.clear();
    worker.tables = 0;
    if (!decoded) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::move(decoded.error());
    }
    context_.flows.done(*flow, messages.bytes);
  }
  worker.heartbeat.rest();
}

Result<void> DecodePool::decode(Worker& worker, Flow& flow, const cdcrt_messages& messages) {
  if (failure()) return {};
  if (flow.partition.number() <= CDCRT_NOTE_PARTITION) {
    flow.partition.routed(messages.generation, messages.messages[messages.count - 1].offset + 1);
    return {};
  }
  context_.dead_letters.read(messages.count);
  cdcrt_messages batch = messages;
  const auto* const end = messages.messages + messages.count;
  if (std::any_of(messages.messages, end, is_unreadable)) {
    worker.readable.clear();
    for (const auto* message = messages.messages; message != end; ++message) {
      if (!is_unreadable(*message)) {
        worker.readable.push_back(*message);
        continue;
      }
      ++counts_.rejected;
      dead_letter(flow, *message, nullptr, "unreadable", make_error(CDCRT_BAD_RECORD, std::string(sdk::view(message->unreadable))));
      relieve_dead_letters(worker);
    }
    batch.messages = worker.readable.data();
    batch.count = static_cast<uint32_t>(worker.readable.size());
  }
  const cdcrt_message& last = messages.messages[messages.count - 1];
  // Before a writer can begin: a large message is gone by then.
  const progress::LastMessage last_message{last.offset, last.timestamp_ms, content_hash(last)};
  worker.rows.clear();
  // Formats remember the numbers of shapes that are gone; other than that they keep nothing.
  const uint64_t generation = worker.rows.renew_shapes();
  if (std::exchange(worker.shape_generation, generation) != generation) {
    if (auto made = make_formats(context_.manifest, worker.formats); !made) return made;
  }
  if (batch.count > 0) {
    if (auto decoded = worker.formats[flow.source_index].decode(batch, worker.rows); !decoded) return decoded;
    for (const auto& reject : worker.rows.rejects()) {
      ++counts_.rejected;
      dead_letter(flow, batch.messages[reject.message], nullptr, "undecodable", reject.error);
      relieve_dead_letters(worker);
    }
    if (auto routed = route(worker, flow, batch); !routed) return routed;
  }
  flow.partition.routed(messages.generation, last.offset + 1, last_message);
  return {};
}

Result<void> DecodePool::route(Worker& worker, Flow& flow, const cdcrt_messages& messages) {
  worker.tables = 0;
  worker.places.begin();
  uint32_t last_shape = UINT32_MAX;
  const Destination* destination = nullptr;
  std::vector<uint32_t>* rows_of_table = nullptr;
  for (uint32_t i = 0; i < worker.rows.size(); ++i) {
    const cdcrt_row& row = worker.rows.rows()[i];
    if (row.operation == CDCRT_MARKER) {
      ++counts_.markers;
      continue;
    }
    if (row.shape != last_shape) {
      last_shape = row.shape;
      destination = &context_.destinations.of(flow, row.shape, worker.rows.shape_generation(), worker.destinations);
      rows_of_table = nullptr;
      if (destination->table != nullptr) {
        const std::size_t place = worker.places.find_or_add(destination->table, worker.tables);
        if (place == worker.tables) {
          if (++worker.tables > worker.by_table.size()) worker.by_table.emplace_back();
          worker.by_table[place].first = *destination;
          worker.by_table[place].second.clear();
        }
        rows_of_table = &worker.by_table[place].second;
      }
    }
    if (rows_of_table != nullptr) {
      rows_of_table->push_back(i);
      ++counts_.rows;
    } else {
      ++counts_.ignored;
    }
  }
  for (std::size_t i = 0; i < worker.tables; ++i) {
    if (worker.tables > kFetchedFrom) fetch_ahead(worker, flow, messages, i);
    hand_over(worker, flow, messages, worker.by_table[i].first, worker.by_table[i].second);
  }
  tell_sinks();
  return {};
}

// What the tables after the next ones will touch is on its way while the rows of this one are folded.
void DecodePool::fetch_ahead(const Worker& worker, const Flow& flow, const cdcrt_messages& messages, std::size_t at) {
  using Fetch = apply::Table::Fetch;
  std::size_t ahead = at;
  for (const Fetch step : {Fetch::kRows, Fetch::kPartition, Fetch::kTable}) {
    ahead += kFetchedAhead;
    if (ahead >= worker.tables) return;
    const auto& [to, rows] = worker.by_table[ahead];
    to.table->fetch_ahead(step, flow.partition);
    // Of batches that were gathered the rows themselves are far away by now.
    const cdcrt_row& row = worker.rows.rows()[rows.front()];
    if (step == Fetch::kTable) {
      sdk::fetch_ahead(to.shape, sizeof *to.shape);
      sdk::fetch_ahead(&row, sizeof row);
    } else if (step == Fetch::kPartition) {
      sdk::fetch_ahead(messages.messages + row.message, sizeof(cdcrt_message));
      if (row.cells != CDCRT_NO_CELLS) sdk::fetch_ahead(worker.rows.cells(row.cells), to.shape->columns.size() * sizeof(cdcrt_cell));
    }
  }
}

// How many rows the table takes now.
uint64_t DecodePool::wait_for_room(Worker& worker, const Destination& to) {
  apply::Table& table = *to.table;
  const auto room_beside = [&](std::size_t held) {
    const uint64_t max_rows = to.sink == nullptr ? UINT64_MAX : to.sink->max_rows(table.is_loading());
    return held < max_rows ? max_rows - held : 0;
  };
  uint64_t room = room_beside(table.last_buffered_rows());
  if (room > 0) return room;
  table.wait_for_room(true);
  context_.monitor.room.wait([&] {
    worker.heartbeat.beat();
    room = room_beside(table.buffered_rows());
    return room > 0 || !table.stopped().empty() || !table.detached().empty() || context_.monitor.abandon || stopping_;
  });
  table.wait_for_room(false);
  return room > 0 ? room : UINT64_MAX;  // the table takes nothing any more: it only notes the position
}

// In portions that respect batch.max_rows; a message's rows stay together.
void DecodePool::hand_over(Worker& worker, Flow& flow, const cdcrt_messages& messages, const Destination& to,
                           const std::vector<uint32_t>& rows) {
  apply::Table& table = *to.table;
  std::size_t first = 0;
  while (first < rows.size()) {
    const uint64_t room = wait_for_room(worker, to);
    std::size_t last = rows.size() - first <= room ? rows.size() : first + static_cast<std::size_t>(room);
    const auto message_of = [&](std::size_t index) { return worker.rows.rows()[rows[index]].message; };
    while (last < rows.size() && message_of(last) == message_of(last - 1)) ++last;
    const int64_t next =
        last == rows.size() ? messages.messages[messages.count - 1].offset + 1 : messages.messages[message_of(last)].offset;
    table.accept({flow.partition, messages, worker.rows, context_.shapes, next, first == 0 ? to.shape : nullptr}, rows.data() + first,
                 last - first, [&](const apply::Refusal& refusal) {
                   dead_letter(flow, messages.messages[refusal.message], &table, refusal.reason, refusal.error);
                 });
    relieve_dead_letters(worker);
    first = last;
    if (first < rows.size()) tell_sinks();
  }
}

void DecodePool::tell_sinks() {
  for (auto& sink : context_.sinks) sink->call_writer();
}

// Dead letters that are not written yet take memory as rows do: nothing more is decoded while their place takes none.
void DecodePool::relieve_dead_letters(Worker& worker) {
  bool told = false;
  while (!stopping_ && !context_.monitor.abandon) {
    auto relieved = context_.dead_letters.relieve();
    if (relieved || relieved.error().code == CDCRT_FATAL) return;
    if (!std::exchange(told, true)) log(CDCRT_LOG_WARNING, "dead_letters", "nothing more is read: " + explain(relieved.error()));
    context_.monitor.room.wait_once([] { return false; });
    worker.heartbeat.beat();
  }
}

void DecodePool::dead_letter(const Flow& flow, const cdcrt_message& message, const apply::Table* table, const std::string& reason,
                             const Error& error) {
  const std::string none;
  context_.dead_letters.add(dead_letters::make_dead_letter(flow.partition, message, table != nullptr ? table->identity().sink : none,
                                                           table != nullptr ? table->identity().target() : none, reason, error));
}

std::optional<Error> DecodePool::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace cdcrt::runtime
