#include "runtime/sink_runtime.hpp"

#include <algorithm>

#include "dead_letters/target_dead_letters.hpp"
#include "progress/own_tables.hpp"
#include "runtime/log.hpp"
#include "runtime/start_retries.hpp"
#include "runtime/stop_signal.hpp"

namespace cdcrt::runtime {
namespace {

// For what the next start had better know, and can do without.
constexpr auto kMaxFarewell = std::chrono::seconds(3);

// Below this many bytes a ready table shares its transaction with others.
constexpr std::size_t kSharesBelow = 512 << 10;
constexpr auto kCleanInterval = std::chrono::seconds(2);
constexpr unsigned kSlowestCleaning = 6;  // doublings: about two minutes
// Of a writer that nobody notifies. The shortest keeps what is almost due from being looked at over and over.
constexpr auto kMaxRest = std::chrono::milliseconds(500);
constexpr auto kMinRest = std::chrono::milliseconds(1);

}  // namespace

SinkRuntime::SinkRuntime(const manifest::Sink& manifest, Context context)
    : manifest_(manifest), context_(std::move(context)), due_(context_.monitor), called_(context_.monitor),
      watch_(manifest.batch, manifest.load, [this](const auto& table, auto trouble, const auto& reason) { tell(table, trouble, reason); }) {
}

SinkRuntime::~SinkRuntime() {
  finishing_ = true;
  context_.monitor.notify();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::string SinkRuntime::component() const { return "sinks." + manifest_.name; }

void SinkRuntime::tell(const apply::Table& table, apply::Trouble trouble, const std::string& reason) {
  const std::string name = "table '" + table.identity().target() + "' ";
  switch (trouble) {
    case apply::Trouble::kStopped:
      log(CDCRT_LOG_ERROR, component(),
          name + "stopped, the others go on: " + reason + "; its rows stay in the source until that is mended and cdcrt is started again");
      break;
    case apply::Trouble::kDetached:
      log(CDCRT_LOG_WARNING, component(),
          name + "is detached, the others go on: " + reason + "; it is tried again by itself and then reads what it missed");
      break;
    case apply::Trouble::kLacksKey:
      log(CDCRT_LOG_WARNING, component(),
          name + "waits, the others go on: " + reason +
              "; its rows stay in the source, and are read as soon as a definition has told the key");
      break;
    case apply::Trouble::kAwaitsDefinitions:
      log(CDCRT_LOG_WARNING, component(),
          name + "waits, the others go on: " + reason + "; its rows stay in the source, and are read once the topic of definitions is");
      break;
    case apply::Trouble::kPaused:
      if (progress::is_own_reason(reason)) {
        log(CDCRT_LOG_ERROR, component(), name + "takes no rows, the others go on: " + reason);
        break;
      }
      log(CDCRT_LOG_INFO, component(),
          name + "takes no rows, the others go on: " + reason + "; cdcrt table resume lets it read what it missed");
      break;
  }
}

Result<void> SinkRuntime::open() {
  auto sink = plugin::Sink::create(manifest_);
  if (!sink) return std::move(sink.error());
  sink_ = std::make_unique<plugin::Sink>(std::move(*sink));
  auto connection = sink_->open();
  if (!connection) return std::move(connection.error());
  if (!sink_->has(CDCRT_SINK_TRANSACTIONS)) return {};
  store_ = std::make_unique<progress::Store>(context_.pipeline, manifest_.name, manifest_.progress_schema, sink_->capabilities(),
                                             context_.owner, sink_->limits());
  if (sink_->has(CDCRT_SINK_LEAVES_THINGS)) store_->on_abandoned([this](const std::string& process) { return sink_->abandoned(process); });
  if (auto prepared = prepare_store(*connection); !prepared) return prepared;
  // Listed first: what a sink that knows who it works for leaves outside is found again.
  if (auto identified = sink_->identify(context_.pipeline, context_.owner); !identified) return identified;
  background_writer_ = std::make_unique<apply::Writer>(make_writer(false));
  // The first connection that knows who it works for tries what it leaves outside.
  if (sink_->has(CDCRT_SINK_LEAVES_THINGS)) return background_writer_->run([](plugin::Connection&) { return Result<void>(); });
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
      auto stored = store_->read_before_claims(connection);
      if (stored) stored_ = std::move(*stored);
      if (!stored) done = std::move(stored.error());
    }
    lost = !done && (done.error().code == CDCRT_RETRY || connection.is_broken());
    return done;
  };
  return with_start_retries(component(), step, context_.pause);
}

Result<std::string> SinkRuntime::prepare_dead_letters() {
  const dead_letters::TargetDeadLetters dead_letters(*store_);
  const auto step = [&] {
    return background_writer_->run([&](plugin::Connection& connection) { return dead_letters.prepare(connection); });
  };
  auto prepared = with_start_retries(component(), step, context_.pause);
  if (!prepared) return std::move(prepared.error());
  return dead_letters.place();
}

bool SinkRuntime::has_schemas() const { return sink_->has(CDCRT_SINK_SCHEMAS); }

apply::Writer SinkRuntime::make_writer(bool for_repair) {
  apply::WriterContext context{*sink_,
                               store_.get(),
                               context_.reader,
                               context_.dead_letters,
                               [this](std::string_view message) { log(CDCRT_LOG_WARNING, component(), message); },
                               [this, for_repair] {
                                 const Monitor& monitor = context_.monitor;
                                 // What a repair leaves undone stays in the source.
                                 return monitor.abandon || failed_ || (for_repair && (monitor.stop_reading || finishing_));
                               }};
  context.stopping = [this] { return context_.monitor.stop_reading.load(); };
  context.lost = context_.lost;
  context.pause = context_.pause;
  context.stall_after = for_repair ? std::chrono::microseconds(0) : manifest_.stall_after;
  context.crowded = [this](const apply::Table& table) {
    // Who asked for a stop does not wait for whoever locks the table: its rows wait in the source.
    return stop_asked() || table.is_waited_for() || context_.monitor.row_bytes > context_.max_row_bytes / 2;
  };
  context.turn = sink_->limits().writers == 1 ? &turn_ : nullptr;
  context.outage = &outage_;
  context.counts = &counts_;
  if (store_) context.progress_schema = manifest_.progress_schema;
  context.always_ours = [this] {
    std::vector<const progress::Partition*> ours;
    for (const Flow* flow : context_.flows.all()) {
      if (!flow->partition.is_assigned()) ours.push_back(&flow->partition);
    }
    return ours;
  };
  return apply::Writer(context);
}

Result<void> SinkRuntime::claim(const std::vector<progress::PartitionKey>& keys, const std::vector<progress::StartOffset>& fresh) {
  progress::Stored stored;
  auto claimed = background_writer_->run([&](plugin::Connection& connection) -> Result<void> {
    auto kept = store_->claim(connection, keys, fresh);
    if (!kept) return std::move(kept.error());
    stored = std::move(*kept);
    return {};
  });
  if (!claimed) return claimed;
  cleaning_ = {};
  clean_after_ended_processes();
  must_look_ = true;
  const std::lock_guard lock(mutex_);
  take_stored(std::move(stored));
  const std::set<progress::PartitionKey> ours(keys.begin(), keys.end());
  progress::PartitionsByKey partitions;
  for (Flow* flow : context_.flows.all()) {
    progress::Partition& partition = flow->partition;
    progress::PartitionKey key = partition.key();
    if (!ours.contains(key)) continue;
    saved_watermarks_.erase(&partition);
    // What stands there need not be stored again.
    if (const auto kept = stored_.partitions.find(key); kept != stored_.partitions.end() && kept->second.next_offset > 0) {
      saved_watermarks_[&partition] = {kept->second.next_offset, kept->second.last.offset};
    }
    for (apply::Table* table : watch_.readers_of(partition)) table->forget(partition);
    partitions.emplace(std::move(key), &partition);
  }
  for (auto& [name, table] : tables_) {
    const auto kept = stored_.tables.find(name);
    if (kept == stored_.tables.end()) continue;
    // A rewind makes a skipped table active again.
    table->skip(kept->second.state == progress::TableState::kSkipped);
    table->restore_progress(kept->second, partitions);
    forget_restored(kept->second);
  }
  return {};
}

void SinkRuntime::take_stored(progress::Stored stored) {
  stored_ = std::move(stored);
  TableWatch::Topics topics;
  for (const auto& [key, partition] : stored_.partitions) topics.emplace(key.source, key.topic);
  watch_.read_topics(std::move(topics));
}

// What could not be removed is tried again, less and less often, and once more at the end.
void SinkRuntime::clean_after_ended_processes() {
  if (!store_->has_ended_processes() || std::chrono::steady_clock::now() < cleaning_.due) return;
  const auto cleaned =
      background_writer_->run([&](plugin::Connection& connection) { return store_->clean_after_ended_processes(connection); });
  if (cleaned) {
    cleaning_ = {};
    return;
  }
  log(CDCRT_LOG_INFO, component(), "files of processes that have ended are removed later: " + explain(cleaned.error()));
  cleaning_.due = std::chrono::steady_clock::now() + kCleanInterval * (1U << std::min(cleaning_.failures++, kSlowestCleaning));
}

Result<void> SinkRuntime::refresh() {
  return background_writer_->run([&](plugin::Connection& connection) -> Result<void> {
    auto kept = store_->read_all(connection);
    if (!kept) return std::move(kept.error());
    must_look_ = true;
    const std::lock_guard lock(mutex_);
    take_stored(std::move(*kept));
    // Of tables that are made already only what changes is kept twice.
    for (const auto& [name, table] : tables_) {
      if (const auto known = stored_.tables.find(name); known != stored_.tables.end()) forget_restored(known->second);
    }
    return {};
  });
}

// The table has that now, and a row that changed is read again with its lists.
void SinkRuntime::forget_restored(progress::StoredTable& stored) {
  stored.columns = {};
  stored.key_changes = {};
  stored.open_dead_letters = {};
}

std::map<progress::PartitionKey, progress::StoredPartition> SinkRuntime::partitions() const {
  const std::lock_guard lock(mutex_);
  return stored_.partitions;
}

std::optional<progress::StoredPartition> SinkRuntime::partition(const progress::PartitionKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = stored_.partitions.find(key);
  return found == stored_.partitions.end() ? std::nullopt : std::optional(found->second);
}

bool SinkRuntime::keeps_siblings(const progress::PartitionKey& key) const {
  const std::lock_guard lock(mutex_);
  for (auto each = stored_.partitions.upper_bound({key.source, key.topic, CDCRT_NOTE_PARTITION}); each != stored_.partitions.end();
       ++each) {
    if (each->first.source != key.source || each->first.topic != key.topic) return false;
    if (each->first.number != key.number) return true;
  }
  return false;
}

void SinkRuntime::begin_at(const progress::Partition& partition, int64_t first) {
  for (apply::Table* table : watch_.readers_of(partition)) table->begin_at(partition.key(), first);
}

Result<void> SinkRuntime::save_waits_for(const progress::PartitionKey& key, const progress::WaitsFor& waits_for) {
  return background_writer_->run([&](plugin::Connection& connection) { return store_->save_waits_for(connection, key, waits_for); });
}

void SinkRuntime::forget(const progress::Partition& partition) {
  if (store_) store_->forget(partition);
  for (apply::Table* table : watch_.readers_of(partition)) table->forget(partition);
}

apply::Table& SinkRuntime::table(const std::string& schema, const std::string& name, const route::SourceName& source,
                                 const route::Route& route,
                                 const std::function<progress::Partition*(const progress::PartitionKey&)>& flow_of) {
  const std::lock_guard lock(mutex_);
  apply::TableIdentity identity;
  identity.sink = manifest_.name;
  identity.schema = schema;
  identity.name = name;
  identity.source_name = source.name;
  identity.source_server = source.server;
  identity.route = route;
  identity.events = sink_->has(CDCRT_SINK_EVENTS);
  identity.limits = sink_->limits();
  identity.memory = &context_.monitor.row_bytes;
  identity.observer = &watch_;
  identity.counts = &counts_;
  auto& table = tables_[identity.target()];
  if (table) return *table;
  table = std::make_unique<apply::Table>(std::move(identity));
  if (stored_.troubles.contains(table->identity().target())) watch_.had_trouble(*table);
  const auto stored = stored_.tables.find(table->identity().target());
  if (stored == stored_.tables.end()) return *table;
  table->restore(stored->second);
  progress::PartitionsByKey ours;
  for (const auto& [key, position] : stored->second.progress) {
    const auto lease = stored_.partitions.find(key);
    if (lease == stored_.partitions.end() || lease->second.owner != context_.owner) continue;
    if (auto* partition = flow_of(key)) ours.emplace(key, partition);
  }
  table->restore_progress(stored->second, ours);
  forget_restored(stored->second);
  return *table;
}

apply::Table& SinkRuntime::refused_table(const route::SourceName& source, const route::Route& route, const Error& reason) {
  const std::lock_guard lock(mutex_);
  apply::TableIdentity identity;
  identity.sink = manifest_.name;
  identity.name = refused_name(source);
  identity.source_name = source.name;
  identity.source_server = source.server;
  identity.is_refused = true;
  identity.route = route;
  identity.memory = &context_.monitor.row_bytes;
  identity.observer = &watch_;
  auto& table = refused_[identity.name];
  if (table) return *table;
  table = std::make_unique<apply::Table>(std::move(identity));
  table->stop(explain(reason), nullptr);
  return *table;
}

bool SinkRuntime::keeps_in(const std::string& schema, const std::string& table) const {
  return store_ != nullptr && progress::is_own_table(manifest_.progress_schema, schema, table);
}

route::SourceName SinkRuntime::stored_source(const std::string& target) const {
  const std::lock_guard lock(mutex_);
  const auto kept = stored_.tables.find(target);
  return kept == stored_.tables.end() ? route::SourceName{} : route::SourceName{kept->second.source_table, kept->second.source_server};
}

std::vector<apply::Table*> SinkRuntime::tables() const {
  const std::lock_guard lock(mutex_);
  std::vector<apply::Table*> tables;
  for (const auto& [name, table] : tables_) tables.push_back(table.get());
  for (const auto& [name, table] : refused_) tables.push_back(table.get());
  return tables;
}

std::size_t SinkRuntime::table_count() const {
  const std::lock_guard lock(mutex_);
  return tables_.size();
}

void SinkRuntime::start() {
  watch_.keep_distance();
  if (store_) watch_.repairs();
  const uint32_t count = connections();
  for (uint32_t i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
  if (store_) threads_.emplace_back([this] { repair(); });
}

void SinkRuntime::flush() {
  if (!flush_.exchange(true)) context_.monitor.notify();
}

// Rows are held back for fewer, larger writes, unless there is no room for more of them.
bool SinkRuntime::all_are_due() const { return flush_ || context_.monitor.row_bytes > context_.max_row_bytes; }

std::vector<apply::Sealed> SinkRuntime::pick() {
  std::vector<apply::Sealed> batches;
  std::size_t bytes = 0, given_up = 0;
  const auto now = std::chrono::steady_clock::now();
  // A backlog is written as fast as it can be.
  const bool all = all_are_due();
  watch_.note_backlog(context_.monitor.message_bytes > context_.max_message_bytes / 2);
  for (apply::Table* table = watch_.take(all, now); table != nullptr; table = watch_.take_beside(all, now)) {
    auto sealed = table->seal();
    if (!sealed) {
      ++given_up;
      continue;
    }
    // Whoever waits for room in it has room now.
    if (table->is_waited_for()) context_.monitor.room.notify_all();
    bytes += sealed->bytes;
    batches.push_back(std::move(*sealed));
    if (bytes >= manifest_.batch.max_bytes) break;
    if (manifest_.group_tables == 0 ? bytes >= kSharesBelow : batches.size() == manifest_.group_tables) break;
  }
  if (given_up > 0) watch_.give_up(given_up, batches.empty());
  return batches;
}

bool SinkRuntime::write_some(apply::Writer& writer) {
  const auto begun = Monitor::Clock::now();
  auto batches = pick();
  if (batches.empty()) return false;
  call_writer();  // this one has other work now
  const std::size_t tables = batches.size();
  std::size_t rows = 0;
  for (const apply::Sealed& batch : batches) rows += batch.rows();
  if (auto written = writer.write(batches); !written) fail(written.error());
  batches.clear();
  watch_.done(tables, begun);
  call_writer();  // the next one may begin sooner now
  counts_.write_rows.observe(static_cast<double>(rows));
  counts_.write_seconds.observe(std::chrono::duration<double>(Monitor::Clock::now() - begun).count());
  context_.monitor.room.notify_all();
  if (watch_.idle()) context_.monitor.settled.notify_all();
  return true;
}

void SinkRuntime::work() {
  apply::Writer writer = make_writer(false);
  while (!context_.monitor.abandon && !failed_) {
    const uint64_t calls = called_.changes(), changes = due_.changes();
    if (write_some(writer)) continue;
    if (finishing_) return;
    if (has_timekeeper_.exchange(true)) {
      called_.wait_beyond(calls, kMaxRest);
    } else {
      wait_for_work(changes);
    }
  }
}

// The timekeeper's: until the next table is due, or one is due before that.
void SinkRuntime::wait_for_work(uint64_t seen) {
  const auto now = Monitor::Clock::now();
  auto until = now + kMaxRest;
  if (const auto due = next_due()) until = std::clamp(*due, now + kMinRest, until);
  looks_at_ = until.time_since_epoch().count();
  due_.wait_beyond(seen, until - now);
  looks_at_ = Monitor::Clock::time_point::max().time_since_epoch().count();
  has_timekeeper_ = false;
}

// When there is something to write; in the past: now.
std::optional<Monitor::Clock::time_point> SinkRuntime::next_due() const {
  const auto due = watch_.next_due();
  return due && all_are_due() ? Monitor::Clock::time_point() : due;
}

void SinkRuntime::call_writer() {
  const auto due = next_due();
  if (!due) return;
  if (!has_timekeeper_) {
    called_.notify_one();
  } else if (due->time_since_epoch().count() < looks_at_) {
    due_.notify_one();
  }
}

std::optional<int64_t> SinkRuntime::watermark(const progress::Partition& partition) const {
  const std::lock_guard lock(mutex_);
  const auto saved = saved_watermarks_.find(&partition);
  if (saved == saved_watermarks_.end()) return std::nullopt;
  return saved->second.next_offset;
}

void SinkRuntime::fail(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (failed_) return;
    failure_ = error;
    failed_ = true;
  }
  context_.monitor.notify();
}

void SinkRuntime::finish() {
  finishing_ = true;
  context_.monitor.notify();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  threads_.clear();
  watch_.tell_waiting(true);
  if (failed_ || context_.monitor.abandon) return;
  cleaning_ = {};
  next_look_ = {};
  saved_changes_ = UINT64_MAX;
  if (auto saved = save_watermarks(); !saved) {
    log(CDCRT_LOG_WARNING, component(),
        "the low watermarks could not be stored, the next start reads a little more: " + explain(saved.error()));
    return;
  }
  if (background_writer_ == nullptr) return;
  std::vector<apply::Table*> tables;
  for (const auto& [name, table] : tables_) tables.push_back(table.get());
  if (auto saved = background_writer_->save_known_keys(tables, std::chrono::steady_clock::now() + kMaxFarewell); !saved) {
    log(CDCRT_LOG_WARNING, component(),
        "which keys were written last could not be stored: an older change of one of them that comes later from another partition "
        "is not known for what it is: " +
            explain(saved.error()));
  }
}

Error SinkRuntime::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace cdcrt::runtime
