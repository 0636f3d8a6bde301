#include "runtime/observation.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "observe/clock.hpp"
#include "runtime/log.hpp"
#include "runtime/process_facts.hpp"

namespace cdcrt::runtime {
namespace {

using Clock = std::chrono::steady_clock;
using observe::Reason;

// Longer than whatever the pipeline's thread does beside waiting.
constexpr auto kMaxBeat = std::chrono::seconds(60);

uint64_t not_negative(int64_t value) { return static_cast<uint64_t>(std::max<int64_t>(0, value)); }

}  // namespace

Observation::Observation(Parts parts)
    : parts_(std::move(parts)), ends_(parts_.monitor, parts_.flows, parts_.sources), beat_(Clock::now().time_since_epoch().count()) {}

Observation::~Observation() { end(); }

Result<void> Observation::begin() {
  (void)process_facts();  // the process begins here
  const observe::Settings& settings = parts_.manifest.runtime.http;
  if (settings.listen.empty()) return {};
  if (auto checked = observe::check(settings); !checked) return checked;
  if (const std::string warning = observe::warning_of(settings); !warning.empty()) log(CDCRT_LOG_WARNING, "http", warning);
  endpoint_ = std::make_unique<observe::Endpoint>(settings, *this, [this] { return snapshot(); });
  auto started = observe::HttpServer::start(
      settings, {}, [this](const observe::Request& request) { return endpoint_->answer(request); },
      [](const std::string& text) { log(CDCRT_LOG_WARNING, "http", text); });
  if (!started) return std::move(started.error());
  server_ = std::move(*started);
  log(CDCRT_LOG_INFO, "http", "metrics, health and status at " + server_->url());
  return {};
}

void Observation::opening(const std::string& component) {
  const std::lock_guard lock(mutex_);
  opening_ = component;
}

void Observation::running() {
  beat();
  phase_ = Phase::kRunning;
  if (server_) ends_.start();
}

void Observation::beat() {
  const auto now = Clock::now();
  beat_ = now.time_since_epoch().count();
  if (load_.is_due(now)) load_.measure(now, parts_.sources, parts_.sinks, partitions_now());
}

std::optional<double> Observation::seconds_left() const {
  std::optional<double> longest = 0;
  for (const auto& source : parts_.sources) {
    if (source->ended()) continue;
    const auto left = load_.left(*source);
    if (!left) return std::nullopt;
    longest = std::max(*longest, *left);
  }
  return longest;
}

void Observation::stopping() {
  Phase running = Phase::kRunning;
  phase_.compare_exchange_strong(running, Phase::kStopping);
}

void Observation::end() {
  ends_.stop();
  server_.reset();
}

std::vector<Reason> Observation::not_ready() const {
  if (phase_ == Phase::kStarting) {
    const std::lock_guard lock(mutex_);
    if (opening_.empty()) return {{"pipeline", "the pipeline is starting"}};
    return {{opening_, "the pipeline is starting: this is being opened"}};
  }
  std::vector<Reason> reasons;
  if (phase_ == Phase::kStopping) reasons.push_back({"pipeline", "the pipeline is stopping"});
  for (const auto& source : parts_.sources) {
    if (const auto failure = source->failure()) {
      reasons.push_back({"sources." + source->name(), "failed: " + explain(*failure)});
    } else if (const auto outage = source->outage(); outage && !source->is_partial_outage()) {
      reasons.push_back({"sources." + source->name(), *outage});
    }
  }
  for (const auto& sink : parts_.sinks) {
    const observe::SinkFacts facts = sink->facts();
    if (!facts.reason.empty()) reasons.push_back({"sinks." + sink->name(), facts.reason});
  }
  if (const auto exceeded = parts_.dead_letters.exceeded()) {
    reasons.push_back({"dead_letters", explain(*exceeded)});
  } else if (const std::string refusal = parts_.dead_letters.refusal(); !refusal.empty()) {
    reasons.push_back({"dead_letters", "nothing more is read: " + refusal});
  }
  return reasons;
}

std::vector<Reason> Observation::not_alive() const {
  if (phase_ != Phase::kRunning) return {};
  const auto now = Clock::now();
  const auto silence = now - Clock::time_point(Clock::duration(beat_.load()));
  std::vector<Reason> reasons;
  if (silence >= kMaxBeat) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(silence).count();
    reasons.push_back({"pipeline", "its thread has not moved for " + std::to_string(seconds) + " s"});
  }
  if (const auto late = parts_.monitor.heartbeats.late(now, parts_.patience)) reasons.push_back({"pipeline", *late + " does not go on"});
  return reasons;
}

apply::PartitionsNow Observation::partitions_now() const {
  apply::PartitionsNow now;
  for (const Flow* flow : parts_.flows.all()) {
    const progress::Partition& partition = flow->partition;
    if (partition.key().is_note() || !partition.owned()) continue;
    const int64_t next = partition.routed_next();
    auto end = ends_.end(partition);
    // What was handed on since was there.
    if (end) end = std::max(*end, next);
    now[&partition] = {next, end, std::max<int64_t>(0, partition.last().timestamp_ms) * 1000};
  }
  return now;
}

void Observation::add_partitions(observe::Snapshot& snapshot, const apply::PartitionsNow& now) const {
  for (const Flow* flow : parts_.flows.all()) {
    const progress::Partition& partition = flow->partition;
    if (partition.key().is_note()) continue;
    observe::PartitionFacts facts;
    facts.source = partition.source();
    facts.topic = partition.topic();
    facts.number = partition.number();
    if (const auto found = now.find(&partition); found != now.end()) {
      facts.owned = true;
      facts.next_offset = found->second.next;
      facts.end_offset = found->second.end;
    }
    snapshot.partitions.push_back(std::move(facts));
  }
}

void Observation::add_sources(observe::Snapshot& snapshot, const apply::PartitionsNow& partitions) const {
  for (const auto& source : parts_.sources) {
    observe::SourceFacts& facts = snapshot.sources.emplace_back();
    facts.name = source->name();
    facts.plugin = source->manifest().plugin;
    facts.format = source->manifest().format.plugin;
    const auto failure = source->failure();
    const auto outage = source->outage();
    facts.state = failure ? "failed" : outage ? "waiting" : source->ended() ? "ended" : "reading";
    facts.reason = failure ? explain(*failure) : outage.value_or("");
    facts.messages = source->messages();
    facts.bytes = source->bytes();
    const cdcrt_extent extent = extent_of(*source, partitions);
    facts.done = extent.done;
    facts.total = extent.total;
    facts.left_seconds = load_.left(*source);
    facts.waiting = parts_.ownership.waiting(source->index());
    facts.leases_lost = parts_.ownership.leases_lost(source->index());
    for (const auto& [partition, now] : partitions) {
      if (partition->source() != facts.name) continue;
      ++facts.owned;
      if (now.end) facts.lag_messages = facts.lag_messages.value_or(0) + not_negative(*now.end - now.next);
    }
  }
}

void Observation::add_tables(observe::Snapshot& snapshot, const apply::PartitionsNow& partitions) {
  for (const auto& sink : parts_.sinks) {
    observe::SinkFacts facts = sink->facts();
    for (const apply::Table* table : sink->tables()) {
      observe::TableFacts of_table = table->facts(partitions);
      of_table.number = numbers_.try_emplace(table, static_cast<uint32_t>(numbers_.size())).first->second;
      of_table.left_seconds = load_.left(*table);
      facts.loading += of_table.is_loading ? 1 : 0;
      facts.lag_seconds = std::max(facts.lag_seconds, of_table.lag_seconds.value_or(0));
      ++facts.tables[static_cast<std::size_t>(of_table.state)];
      snapshot.tables.push_back(std::move(of_table));
    }
    snapshot.sinks.push_back(std::move(facts));
  }
}

void Observation::add_dead_letters(observe::Snapshot& snapshot) const {
  snapshot.dead_letters = parts_.dead_letters.count();
  snapshot.dead_letter_place = parts_.dead_letters.path();
  std::map<std::pair<std::string, std::string>, uint64_t> by_table;
  for (const auto& [place, count] : parts_.dead_letters.by_reason()) {
    snapshot.dead_letters_by_reason.push_back({place.sink, place.table, place.reason, count});
    by_table[{place.sink, place.table}] += count;
  }
  for (auto& table : snapshot.tables) {
    if (const auto found = by_table.find({table.sink, table.table}); found != by_table.end()) table.dead_letters = found->second;
  }
}

observe::Snapshot Observation::snapshot() {
  observe::Snapshot snapshot;
  snapshot.pipeline = parts_.manifest.pipeline;
  snapshot.taken_us = observe::now_us();
  snapshot.not_ready = not_ready();
  snapshot.not_alive = not_alive();
  snapshot.process = process_facts();
  const Phase phase = phase_;
  snapshot.state = phase == Phase::kStarting ? "starting" : phase == Phase::kRunning ? "running" : "stopping";
  snapshot.buffers.budget = parts_.manifest.runtime.memory;
  snapshot.buffers.message_limit = not_negative(parts_.message_limit);
  snapshot.buffers.row_limit = not_negative(parts_.row_limit);
  if (phase == Phase::kStarting) return snapshot;
  snapshot.buffers.message_bytes = not_negative(parts_.monitor.message_bytes);
  snapshot.buffers.row_bytes = not_negative(parts_.monitor.row_bytes);
  snapshot.buffers.dead_letter_bytes = not_negative(parts_.dead_letters.bytes());
  const DecodeCounts& counts = parts_.decoders->counts();
  snapshot.rows = counts.rows;
  snapshot.markers = counts.markers;
  snapshot.ignored = counts.ignored;
  snapshot.rejected = counts.rejected;
  const apply::PartitionsNow partitions = partitions_now();
  add_partitions(snapshot, partitions);
  add_sources(snapshot, partitions);
  add_tables(snapshot, partitions);
  add_dead_letters(snapshot);
  snapshot.ignored_tables = parts_.destinations->ignored();
  return snapshot;
}

}  // namespace cdcrt::runtime
