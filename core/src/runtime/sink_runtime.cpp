#include "runtime/sink_runtime.hpp"

#include <algorithm>

#include "runtime/log.hpp"
#include "runtime/patience.hpp"

namespace cdcrt::runtime {
namespace {

// Below this many bytes a ready table shares its transaction with others.
constexpr std::size_t kSharesBelow = 512 << 10;
constexpr auto kRepairInterval = std::chrono::milliseconds(200);
constexpr auto kCleanInterval = std::chrono::seconds(2);
constexpr unsigned kSlowestRepair = 6;  // doublings: about 13 s between attempts, two minutes between cleanings

std::string component_of(const manifest::Sink& manifest) { return "sinks." + manifest.name; }

}  // namespace

SinkRuntime::SinkRuntime(const manifest::Sink& manifest, Surroundings surroundings)
    : manifest_(manifest), surroundings_(std::move(surroundings)) {}

SinkRuntime::~SinkRuntime() {
  finishing_ = true;
  surroundings_.monitor.notify();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

Result<void> SinkRuntime::open() {
  auto sink = plugin::Sink::create(manifest_);
  if (!sink) return std::move(sink.error());
  sink_ = std::make_unique<plugin::Sink>(std::move(*sink));
  auto connection = sink_->open();
  if (!connection) return std::move(connection.error());
  if (!sink_->has(CDCRT_SINK_TRANSACTIONS)) return {};
  store_ = std::make_unique<progress::Store>(surroundings_.pipeline, manifest_.name, manifest_.progress_schema, sink_->capabilities(), surroundings_.owner);
  if (sink_->has(CDCRT_SINK_TABLE_LOCKS)) store_->on_abandoned([this](const std::string& process) { return sink_->abandoned(process); });
  if (auto prepared = prepare_store(*connection); !prepared) return prepared;
  // Listed first: what a sink that knows who it works for leaves outside is found again.
  if (auto identified = sink_->identify(surroundings_.pipeline, surroundings_.owner); !identified) return identified;
  if (sink_->has(CDCRT_SINK_TABLE_LOCKS)) {
    if (auto opened = sink_->open(); !opened) return std::move(opened.error());
  }
  keeper_ = std::make_unique<apply::Writer>(make_writer(false));
  return {};
}

Result<void> SinkRuntime::prepare_store(plugin::Connection& connection) {
  bool lost = false;
  const auto step = [&]() -> Result<void> {
    if (lost) {
      auto again = sink_->open();
      if (!again) return std::move(again.error());
      connection = std::move(*again);
    }
    auto done = store_->prepare(connection);
    if (done) done = store_->enlist(connection);
    if (done) {
      auto stored = store_->read_all(connection);
      if (stored) stored_ = std::move(*stored);
      if (!stored) done = std::move(stored.error());
    }
    lost = !done && (done.error().code == CDCRT_RETRY || connection.is_broken());
    return done;
  };
  return patiently(step, surroundings_.pause);
}

Result<std::string> SinkRuntime::prepare_letters() {
  const auto step = [this] { return keeper_->run([this](plugin::Connection& connection) { return store_->prepare_letters(connection); }); };
  auto prepared = patiently(step, surroundings_.pause);
  if (!prepared) return std::move(prepared.error());
  return store_->letters_name();
}

bool SinkRuntime::has_schemas() const { return sink_->has(CDCRT_SINK_SCHEMAS); }

apply::Writer SinkRuntime::make_writer(bool for_repair) {
  apply::WriterContext context{*sink_,
                               store_.get(),
                               surroundings_.reader,
                               surroundings_.letters,
                               [this](std::string_view message) { log(CDCRT_LOG_WARNING, component_of(manifest_), message); },
                               [this] { return surroundings_.monitor.abandon.load() || failed_.load(); }};
  context.lost = surroundings_.lost;
  context.pause = surroundings_.pause;
  context.stall_after = for_repair ? std::chrono::microseconds(0) : manifest_.stall_after;
  context.crowded = [this](const apply::Table& table) {
    return table.waited_for > 0 || surroundings_.monitor.row_bytes > surroundings_.max_row_bytes / 2;
  };
  context.turn = sink_->has(CDCRT_SINK_ONE_WRITER) ? &turn_ : nullptr;
  context.outage = &outage_;
  return apply::Writer(context);
}

Result<void> SinkRuntime::claim(const std::vector<progress::PartitionKey>& keys, const std::vector<progress::Origin>& fresh) {
  progress::Stored stored;
  auto claimed = keeper_->run([&](plugin::Connection& connection) -> Result<void> {
    auto kept = store_->claim(connection, keys, fresh);
    if (!kept) return std::move(kept.error());
    stored = std::move(*kept);
    return {};
  });
  if (!claimed) return claimed;
  cleaning_ = {};
  clean_after_the_gone();
  const std::lock_guard lock(mutex_);
  stored_ = std::move(stored);
  for (const auto& key : keys) {
    for (const Flow* flow : surroundings_.flows.all()) {
      const auto& partition = flow->partition;
      if (partition.source() != key.source || partition.topic() != key.topic || partition.number() != key.number) continue;
      saved_watermarks_.erase(&partition);
      for (auto& [name, table] : tables_) {
        table->forget(partition);
        const auto kept = stored_.tables.find(name);
        if (kept == stored_.tables.end()) continue;
        // A rewind makes a skipped table active again.
        table->skip(kept->second.state == progress::TableState::kSkipped);
        const auto position = kept->second.progress.find(key);
        if (position == kept->second.progress.end()) continue;
        table->restore_progress(const_cast<progress::Partition&>(partition), position->second.next_offset, position->second.order);
      }
    }
  }
  return {};
}

// What could not be removed is tried again, less and less often, and once more at the end.
void SinkRuntime::clean_after_the_gone() {
  if (!store_->has_gone() || std::chrono::steady_clock::now() < cleaning_.due) return;
  const auto cleaned = keeper_->run([&](plugin::Connection& connection) { return store_->clean_after_the_gone(connection); });
  if (cleaned) {
    cleaning_ = {};
    return;
  }
  log(CDCRT_LOG_INFO, component_of(manifest_), "what processes that are gone left is removed later: " + explain(cleaned.error()));
  cleaning_.due = std::chrono::steady_clock::now() + kCleanInterval * (1U << std::min(cleaning_.failures++, kSlowestRepair));
}

Result<void> SinkRuntime::refresh() {
  return keeper_->run([&](plugin::Connection& connection) -> Result<void> {
    auto kept = store_->read_all(connection);
    if (!kept) return std::move(kept.error());
    const std::lock_guard lock(mutex_);
    stored_ = std::move(*kept);
    return {};
  });
}

std::map<progress::PartitionKey, progress::StoredPartition> SinkRuntime::partitions() const {
  const std::lock_guard lock(mutex_);
  return stored_.partitions;
}

Result<void> SinkRuntime::save_waits_for(const progress::PartitionKey& key, const progress::WaitsFor& waits_for) {
  return keeper_->run([&](plugin::Connection& connection) { return store_->save_waits_for(connection, key, waits_for); });
}

void SinkRuntime::forget(const progress::Partition& partition) {
  if (store_) store_->forget(partition);
  for (apply::Table* table : tables()) table->forget(partition);
}

apply::Table& SinkRuntime::table(const std::string& schema, const std::string& name, const std::string& source_name, const manifest::Route& route,
                                 const std::function<progress::Partition*(const progress::PartitionKey&)>& flow_of) {
  const std::lock_guard lock(mutex_);
  apply::TableIdentity identity;
  identity.sink = manifest_.name;
  identity.schema = schema;
  identity.name = name;
  identity.source_name = source_name;
  identity.route = route;
  identity.events = sink_->has(CDCRT_SINK_EVENTS);
  identity.time_of_day = sink_->has(CDCRT_SINK_TIME_OF_DAY);
  identity.memory = &surroundings_.monitor.row_bytes;
  auto& table = tables_[identity.target()];
  if (table) return *table;
  table = std::make_unique<apply::Table>(std::move(identity));
  const auto stored = stored_.tables.find(table->identity().target());
  if (stored == stored_.tables.end()) return *table;
  table->restore(stored->second);
  for (const auto& [key, position] : stored->second.progress) {
    const auto lease = stored_.partitions.find(key);
    if (lease == stored_.partitions.end() || lease->second.owner != surroundings_.owner) continue;
    if (auto* partition = flow_of(key)) table->restore_progress(*partition, position.next_offset, position.order);
  }
  return *table;
}

std::vector<apply::Table*> SinkRuntime::tables() const {
  const std::lock_guard lock(mutex_);
  std::vector<apply::Table*> tables;
  for (const auto& [name, table] : tables_) tables.push_back(table.get());
  return tables;
}

void SinkRuntime::start() {
  const bool one = sink_->has(CDCRT_SINK_ONE_WRITER) || sink_->has(CDCRT_SINK_EVENTS);
  const uint32_t count = one ? 1 : std::max<uint32_t>(1, manifest_.connections);
  for (uint32_t i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
  if (store_) threads_.emplace_back([this] { repair(); });
}

void SinkRuntime::flush() {
  flush_ = true;
  surroundings_.monitor.notify();
}

bool SinkRuntime::idle() const {
  if (writing_ > 0) return false;
  const auto all = tables();
  return std::none_of(all.begin(), all.end(), [](const apply::Table* table) { return table->ready(); });
}

bool SinkRuntime::has_detached() const {
  const auto all = tables();
  return std::any_of(all.begin(), all.end(), [](const apply::Table* table) { return !table->detached().empty(); });
}

// Rows are held back for fewer, larger writes, unless there is no room for more of them.
bool SinkRuntime::is_due(const apply::Table& table, std::chrono::steady_clock::time_point now) const {
  const auto& limits = manifest_.batch;
  if (flush_ || surroundings_.monitor.row_bytes > surroundings_.max_row_bytes) return true;
  const auto last = table.last_sealed();
  const bool rested = last == std::chrono::steady_clock::time_point{} || now - last >= limits.min_interval;
  if (rested && now - table.waiting_since() >= limits.max_age) return true;
  return table.held_rows() >= limits.max_rows || table.held_bytes() >= limits.max_bytes;
}

std::vector<apply::Sealed> SinkRuntime::pick() {
  std::vector<std::pair<std::chrono::steady_clock::time_point, apply::Table*>> ready;
  const auto now = std::chrono::steady_clock::now();
  for (apply::Table* table : tables()) {
    if (table->ready() && is_due(*table, now)) ready.emplace_back(table->waiting_since(), table);
  }
  std::sort(ready.begin(), ready.end());
  std::vector<apply::Sealed> batches;
  std::size_t bytes = 0;
  const std::lock_guard lock(mutex_);  // two writers do not pick the same tables
  for (auto& [since, table] : ready) {
    auto sealed = table->seal();
    if (!sealed) continue;
    bytes += sealed->bytes;
    batches.push_back(std::move(*sealed));
    if (bytes >= manifest_.batch.max_bytes) break;
    if (manifest_.group_tables == 0 ? bytes >= kSharesBelow : batches.size() == manifest_.group_tables) break;
  }
  return batches;
}

bool SinkRuntime::write_some(apply::Writer& writer) {
  ++writing_;
  auto batches = pick();
  if (!batches.empty()) {
    if (auto written = writer.write(batches); !written) fail(written.error());
  }
  --writing_;
  if (!batches.empty()) surroundings_.monitor.notify();
  return !batches.empty();
}

void SinkRuntime::work() {
  apply::Writer writer = make_writer(false);
  bool wrote = false;
  while (true) {
    surroundings_.monitor.wait([&] {
      if (surroundings_.monitor.abandon || failed_) return true;
      wrote = write_some(writer);
      return wrote || finishing_;
    });
    if (surroundings_.monitor.abandon || failed_ || (finishing_ && !wrote)) return;
  }
}

void SinkRuntime::repair() {
  apply::Writer writer = make_writer(true);
  while (!surroundings_.monitor.abandon && !failed_ && !finishing_) {
    if (repair_some(writer)) continue;
    const auto until = std::chrono::steady_clock::now() + kRepairInterval;
    surroundings_.monitor.wait([&] { return finishing_ || std::chrono::steady_clock::now() >= until; });
  }
}

bool SinkRuntime::repair_some(apply::Writer& writer) {
  bool any = false;
  for (apply::Table* table : tables()) {
    if (table->detached().empty() || finishing_) continue;
    Repair& repair = repairs_[table];
    if (std::chrono::steady_clock::now() < repair.due) continue;
    any = true;
    if (repair_table(writer, *table)) {
      repair = {};
      continue;
    }
    repair.due = std::chrono::steady_clock::now() + kRepairInterval * (1U << std::min(repair.failures++, kSlowestRepair));
  }
  return any;
}

// A stretch of what the table misses, read and written. True: that worked, and more may follow at once.
bool SinkRuntime::repair_table(apply::Writer& writer, apply::Table& table) {
  auto active = is_active(writer, table);
  if (!active || !*active) return false;
  const std::string reason = table.detached();
  auto read = read_missed(table);
  if (!read) {
    table.detach(explain(read.error()), nullptr);
    return false;
  }
  std::vector<apply::Sealed> batch;
  if (auto sealed = table.seal(true)) {
    batch.push_back(std::move(*sealed));
    if (auto written = writer.write(batch); !written) {
      table.detach(explain(written.error()), &batch.front());
      return false;
    }
  }
  // A writer that failed has detached it again, for a newer reason.
  if (table.reattach()) {
    log(CDCRT_LOG_INFO, component_of(manifest_), "table '" + table.identity().target() + "' is back with the others (it waited apart: " + reason + ")");
    surroundings_.monitor.notify();
    return true;
  }
  return *read;
}

Result<bool> SinkRuntime::is_active(apply::Writer& writer, apply::Table& table) {
  bool active = true;
  const std::string target = table.identity().target();
  auto done = writer.run([&](plugin::Connection& connection) -> Result<void> {
    if (auto begun = connection.begin(); !begun) return begun;
    auto rows = store_->lock_tables(connection, {target}, CDCRT_LOCK_NONE);
    (void)connection.rollback();
    if (!rows) return std::move(rows.error());
    const auto row = rows->find(target);
    active = row == rows->end() || row->second.state != progress::TableState::kPaused;
    table.skip(row != rows->end() && row->second.state == progress::TableState::kSkipped);
    return {};
  });
  if (!done) return std::move(done.error());
  return active;
}

// Up to a batch of messages of each partition. False: nothing was missed.
Result<bool> SinkRuntime::read_missed(apply::Table& table) {
  const auto missed = table.missed();
  for (const auto& [partition, first, end] : missed) {
    int64_t from = first;
    int64_t reached = end;
    int64_t messages = 0;
    auto read = surroundings_.reader.read(
        table, *partition, first, end - 1, [&](const cdcrt_messages& message, const event::RowBatch& rows, const std::vector<uint32_t>& indexes) {
          const int64_t next = message.messages[0].offset + 1;
          const bool taken = table.read_back({*partition, message, rows, surroundings_.reader.shapes(), next}, from, indexes.data(), indexes.size(), [&](const apply::Refusal& refusal) {
            surroundings_.letters.add(dead_letters::letter_of(*partition, message.messages[refusal.message], table.identity().sink, table.identity().target(), refusal.reason, refusal.error));
          });
          if (!taken) {
            reached = from;
            return false;
          }
          from = next;
          if (++messages < static_cast<int64_t>(manifest_.batch.max_rows) && table.held_bytes() < manifest_.batch.max_bytes) return true;
          reached = next;
          return false;
        });
    if (!read) return std::move(read.error());
    table.read_back_to(*partition, from, reached);
  }
  return !missed.empty();
}

// A truncate of another process may have sent a partition back that has nothing to write, and would not notice by itself.
Result<void> SinkRuntime::look_at_leases() {
  std::vector<const progress::Partition*> owned;
  for (const Flow* flow : surroundings_.flows.all()) {
    if (flow->partition.is_assigned() && flow->partition.owned()) owned.push_back(&flow->partition);
  }
  if (owned.empty() || !surroundings_.lost) return {};
  std::vector<const progress::Partition*> gone;
  auto looked = keeper_->run([&](plugin::Connection& connection) -> Result<void> {
    if (auto begun = connection.begin(); !begun) return begun;
    auto checked = store_->check(connection, owned);
    (void)connection.rollback();
    if (!checked) return std::move(checked.error());
    gone = std::move(*checked);
    return {};
  });
  if (!looked) return looked;
  for (const progress::Partition* partition : gone) surroundings_.lost(*partition);
  return {};
}

Result<void> SinkRuntime::save_watermarks() {
  if (!store_) return {};
  clean_after_the_gone();
  if (auto looked = look_at_leases(); !looked) return looked;
  const auto lock = store_->hold_watermarks();
  std::vector<progress::Store::Watermark> moved;
  for (const Flow* flow : surroundings_.flows.all()) {
    if (!flow->partition.owned()) continue;
    // The position is read before the tables: what they take after it can only be above it.
    const uint32_t session = flow->partition.session();
    const progress::LastMessage last = flow->partition.last();
    int64_t low = flow->partition.routed_next();
    for (const apply::Table* table : tables()) {
      if (const auto held = table->first_unapplied(flow->partition)) low = std::min(low, *held);
    }
    if (store_->take_lowered(flow->partition)) {
      const std::lock_guard guard(mutex_);
      saved_watermarks_.erase(&flow->partition);
    }
    const auto saved = saved_watermarks_.find(&flow->partition);
    if (saved == saved_watermarks_.end() ? low > 0 : saved->second != low) moved.push_back({&flow->partition, low, last, session});
  }
  if (auto saved = keeper_->save_watermarks(moved); !saved) return saved;
  const std::lock_guard guard(mutex_);
  for (const auto& watermark : moved) saved_watermarks_[watermark.partition] = watermark.next_offset;
  return {};
}

std::optional<int64_t> SinkRuntime::watermark(const progress::Partition& partition) const {
  const std::lock_guard lock(mutex_);
  const auto saved = saved_watermarks_.find(&partition);
  if (saved == saved_watermarks_.end()) return std::nullopt;
  return saved->second;
}

void SinkRuntime::fail(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (failed_) return;
    failure_ = error;
    failed_ = true;
  }
  surroundings_.monitor.notify();
}

void SinkRuntime::finish() {
  finishing_ = true;
  surroundings_.monitor.notify();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  threads_.clear();
  if (failed_ || surroundings_.monitor.abandon) return;
  cleaning_ = {};
  if (auto saved = save_watermarks(); !saved) {
    log(CDCRT_LOG_WARNING, component_of(manifest_), "the low watermarks could not be stored, the next start reads a little more: " + explain(saved.error()));
  }
}

Error SinkRuntime::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace cdcrt::runtime
