#include "runtime/sink_runtime.hpp"

#include <algorithm>

#include "apply/key_change.hpp"
#include "runtime/log.hpp"

namespace cdcrt::runtime {
namespace {

constexpr auto kWatermarkInterval = std::chrono::seconds(1);
// Below this many bytes a ready table shares its transaction with others.
constexpr std::size_t kSharesBelow = 512 << 10;

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
  store_ = std::make_unique<progress::Store>(surroundings_.pipeline, manifest_.name, manifest_.progress_schema, has_schemas(), surroundings_.owner);
  if (auto prepared = store_->prepare(*connection); !prepared) return prepared;
  auto stored = store_->claim(*connection);
  if (!stored) return std::move(stored.error());
  stored_ = std::move(*stored);
  return {};
}

bool SinkRuntime::has_schemas() const { return sink_->has(CDCRT_SINK_SCHEMAS); }

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
  identity.memory = &surroundings_.monitor.row_bytes;
  auto& table = tables_[identity.target()];
  if (table) return *table;
  table = std::make_unique<apply::Table>(std::move(identity));
  const auto stored = stored_.tables.find(table->identity().target());
  if (stored == stored_.tables.end()) return *table;
  table->restore(std::move(stored->second.columns), stored->second.key_known, stored->second.floor);
  std::map<std::string, apply::KeyChangeRecord> key_changes;
  for (const auto& [key, text] : stored->second.key_changes) key_changes.emplace(key, apply::key_change_from_text(text));
  table->restore_key_changes(std::move(key_changes));
  for (const auto& [key, position] : stored->second.progress) {
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
  for (uint32_t i = 0; i < count; ++i) threads_.emplace_back([this, i] { work(i == 0); });
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

std::vector<apply::Sealed> SinkRuntime::pick() {
  std::vector<std::pair<std::chrono::steady_clock::time_point, apply::Table*>> ready;
  const auto now = std::chrono::steady_clock::now();
  for (apply::Table* table : tables()) {
    if (!table->ready()) continue;
    const auto since = table->waiting_since();
    const auto& limits = manifest_.batch;
    const bool due = flush_ || limits.max_age.count() == 0 || now - since >= limits.max_age || table->held_rows() >= limits.max_rows ||
                     table->held_bytes() >= limits.max_bytes;
    if (due) ready.emplace_back(since, table);
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
    if (bytes >= kSharesBelow || bytes >= manifest_.batch.max_bytes) break;
  }
  return batches;
}

void SinkRuntime::work(bool keeps_watermarks) {
  apply::WriterContext context{*sink_,
                               store_.get(),
                               surroundings_.reader,
                               surroundings_.letters,
                               [this](std::string_view message) { log(CDCRT_LOG_WARNING, "sinks." + manifest_.name, message); },
                               [this] { return surroundings_.monitor.abandon.load(); }};
  apply::Writer writer(context);
  auto last_watermarks = std::chrono::steady_clock::now();
  while (true) {
    std::vector<apply::Sealed> batches;
    surroundings_.monitor.wait([&] {
      if (surroundings_.monitor.abandon || failed_) return true;
      ++writing_;
      batches = pick();
      if (batches.empty()) --writing_;
      return !batches.empty() || finishing_ || (keeps_watermarks && std::chrono::steady_clock::now() - last_watermarks > kWatermarkInterval);
    });
    if (!batches.empty()) {
      auto written = writer.write(batches);
      --writing_;
      if (!written) fail(written.error());
      surroundings_.monitor.notify();
    }
    if (surroundings_.monitor.abandon || failed_) return;
    const bool last = finishing_ && batches.empty();
    if (keeps_watermarks && (last || std::chrono::steady_clock::now() - last_watermarks > kWatermarkInterval)) {
      if (auto saved = save_watermarks(writer); !saved) fail(saved.error());
      last_watermarks = std::chrono::steady_clock::now();
    }
    if (last) return;
  }
}

Result<void> SinkRuntime::save_watermarks(apply::Writer& writer) {
  std::unique_lock<std::mutex> lock;
  if (store_) lock = store_->hold_watermarks();
  std::vector<std::pair<const progress::Partition*, int64_t>> moved;
  for (const Flow* flow : surroundings_.flows.all()) {
    // The position is read before the tables: what they take after it can only be above it.
    int64_t low = flow->partition.routed_next();
    for (const apply::Table* table : tables()) {
      if (const auto held = table->first_unapplied(flow->partition)) low = std::min(low, *held);
    }
    const auto saved = saved_watermarks_.find(&flow->partition);
    if (saved == saved_watermarks_.end() ? low > 0 : saved->second != low) moved.emplace_back(&flow->partition, low);
  }
  if (auto saved = writer.save_watermarks(moved); !saved) return saved;
  for (const auto& [partition, low] : moved) saved_watermarks_[partition] = low;
  return {};
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
}

Error SinkRuntime::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace cdcrt::runtime
