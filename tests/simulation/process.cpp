#include "simulation/process.hpp"

#include <algorithm>

#include "dead_letters/dead_letters.hpp"
#include "runtime/coordinator.hpp"
#include "runtime/decode_pool.hpp"
#include "runtime/destinations.hpp"
#include "runtime/event_reader.hpp"
#include "runtime/ownership.hpp"
#include "simulation/broker.hpp"
#include "simulation/target.hpp"

namespace cdcrt::simulation {

manifest::Manifest make_manifest() {
  const Character& own = character();
  manifest::Manifest manifest;
  manifest.pipeline = "shop";
  auto& source = manifest.sources.emplace_back();
  source.name = source.format.name = "events";
  source.plugin = "broker";
  source.descriptor = &broker_plugin();
  source.options = plugin::Options("events", "shop", {});
  source.format.plugin = "events";
  source.format.descriptor = &format_plugin();
  source.format.options = plugin::Options("events", "shop", {});
  auto& sink = manifest.sinks.emplace_back();
  sink.name = "db";
  sink.plugin = "target";
  sink.descriptor = &target_plugin();
  sink.options = plugin::Options("db", "shop", {});
  sink.connections = static_cast<uint32_t>(own.connections);
  sink.batch.max_rows = static_cast<uint64_t>(own.max_rows);
  sink.stall_after = std::chrono::microseconds(2 * kSecond);
  // Rows whose format does not say that a key stays in one partition are kept in source order anyway, from the first of several partitions
  // on.
  if (own.scattered && (!own.keys_elsewhere || own.growth)) manifest.defaults.ordering = route::Ordering::kSource;
  manifest.runtime.decode_workers = static_cast<uint32_t>(own.decode_workers);
  return manifest;
}

struct Process::Parts {
  Parts(const manifest::Manifest& manifest, const std::string& path)
      : dead_letters(path), reader(shapes, sources), pipeline(manifest.pipeline) {}
  runtime::Monitor monitor;
  event::ShapeRegistry shapes;
  runtime::Flows flows{monitor};
  dead_letters::DeadLetters dead_letters;
  std::vector<std::unique_ptr<runtime::SourceRuntime>> sources;
  runtime::SourceEventReader reader;
  std::vector<std::unique_ptr<runtime::SinkRuntime>> sinks;
  runtime::Ownership ownership{monitor, sources, sinks};
  runtime::Coordinator coordinator{monitor, flows, sources, sinks, ownership};
  std::unique_ptr<runtime::Destinations> destinations;
  std::unique_ptr<runtime::DecodePool> decoders;
  std::string pipeline;
};

Process::Process(int number, const manifest::Manifest& manifest, const std::string& dead_letters)
    : number_(number), manifest_(manifest), dead_letters_(dead_letters) {
  scheduler().spawn(number, [this] { run(); });
}

void Process::stop() { stop_ = true; }

void Process::run() {
  CDCRT_TRACE("process starts");
  parts_ = new Parts(manifest_, dead_letters_);
  if (open()) {
    parts_->sinks.front()->start();
    parts_->coordinator.start();
    parts_->sources.front()->start(parts_->ownership);
    wait();
    end();
  }
  CDCRT_TRACE("process ends");
  delete std::exchange(parts_, nullptr);
  ended_ = true;
}

bool Process::open() {
  Parts& parts = *parts_;
  constexpr int64_t kRowBytes = 32 << 20;
  parts.sources.push_back(
      std::make_unique<runtime::SourceRuntime>(manifest_.sources.front(), 0, parts.monitor, parts.flows, character().max_message_bytes));
  const auto tolerated = [](const Error& error) {
    CDCRT_TRACE("cannot start: " + explain(error));
    if (error.code != CDCRT_RETRY && error.code != CDCRT_UNREACHABLE && error.code != CDCRT_BUSY)
      fail("a process cannot start: " + explain(error));
    return false;
  };
  if (auto opened = parts.sources.back()->open(); !opened) return tolerated(opened.error());
  runtime::SinkRuntime::Context context{parts.monitor,
                                        parts.flows,
                                        parts.reader,
                                        parts.dead_letters,
                                        parts.pipeline,
                                        owner(),
                                        kRowBytes,
                                        [&parts](const progress::Partition& partition) { parts.ownership.lost(partition); },
                                        [](std::chrono::microseconds) { scheduler().sleep(random().between(10, 400) * kMillisecond); },
                                        [&parts](const runtime::SinkRuntime& sink) { return parts.ownership.others_rest(sink); }};
  parts.sinks.push_back(std::make_unique<runtime::SinkRuntime>(manifest_.sinks.front(), std::move(context)));
  if (auto opened = parts.sinks.back()->open(); !opened) return tolerated(opened.error());
  parts.destinations = std::make_unique<runtime::Destinations>(manifest_, parts.shapes, parts.sinks, parts.sources);
  parts.reader.set_destinations(*parts.destinations);
  if (auto claimed = parts.ownership.claim_fixed(); !claimed) return tolerated(claimed.error());
  parts.decoders = std::make_unique<runtime::DecodePool>(runtime::DecodePool::Context{
      manifest_, parts.monitor, parts.flows, parts.shapes, *parts.destinations, parts.dead_letters, parts.sinks, kRowBytes, 1 << 20});
  if (auto started = parts.decoders->start(manifest_.runtime.decode_workers); !started) return tolerated(started.error());
  return true;
}

std::string Process::failure() const {
  if (const auto failure = parts_->decoders->failure()) return "decoding: " + explain(*failure);
  if (const auto failure = parts_->coordinator.failure()) return "coordinator: " + explain(*failure);
  if (const auto failure = parts_->sources.front()->failure()) return "source: " + explain(*failure);
  if (parts_->sinks.front()->failed()) return "sink: " + explain(parts_->sinks.front()->failure());
  for (const apply::Table* table : parts_->sinks.front()->tables()) {
    if (!table->stopped().empty()) return "table " + table->identity().target() + " stopped: " + table->stopped();
  }
  return {};
}

void Process::wait() {
  while (!stop_) {
    if (const std::string what = failure(); !what.empty()) {
      fail("process " + std::to_string(number_) + " failed: " + what);
      return;
    }
    scheduler().sleep(random().between(100, 500) * kMillisecond);
  }
}

// As the pipeline does after a signal.
void Process::end() {
  Parts& parts = *parts_;
  CDCRT_TRACE("process stops");
  const Time deadline = scheduler().now() + 10 * kSecond;
  const auto in_time = [&] { return scheduler().now() < deadline; };
  parts.monitor.stop_reading = true;
  parts.monitor.notify();
  parts.monitor.settled.wait([&] { return (!parts.sources.front()->reads() && parts.flows.idle()) || !in_time() || !failure().empty(); });
  parts.sinks.front()->flush();
  parts.monitor.settled.wait([&] { return !in_time() || parts.sinks.front()->failed() || parts.sinks.front()->idle(); });
  parts.decoders->stop();
  if (!in_time()) parts.monitor.abandon = true;
  parts.coordinator.stop();
  parts.sinks.front()->finish();
  parts.coordinator.tell_sources();
  parts.sources.front()->stop();
  (void)parts.dead_letters.flush();
  if (in_time() && failure().empty() && !parts.flows.idle()) fail("what a process took from the source before it ended was left behind");
}

std::string Process::describe() const {
  if (parts_ == nullptr || parts_->sinks.empty()) return "not started";
  std::string text = parts_->ownership.settled() ? "settled" : "claims wait";
  for (const runtime::Flow* flow : parts_->flows.all()) {
    text += "; " + flow->partition.name() + (flow->partition.owned() ? " owned, routed to " : " not owned, routed to ") +
            std::to_string(flow->partition.routed_next());
  }
  for (const apply::Table* table : parts_->sinks.front()->tables()) {
    text += "; " + table->identity().target() + (table->ready() ? " ready" : "") +
            (table->detached().empty() ? "" : " detached: " + table->detached()) + " holds " + std::to_string(table->buffered_rows());
  }
  return text;
}

}  // namespace cdcrt::simulation
