#include "runtime/pipeline.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "diagnostics/codes.hpp"
#include "manifest/component_error.hpp"
#include "runtime/coordinator.hpp"
#include "runtime/decode_pool.hpp"
#include "runtime/destinations.hpp"
#include "runtime/event_reader.hpp"
#include "runtime/log.hpp"
#include "runtime/matches.hpp"
#include "runtime/observation.hpp"
#include "runtime/ownership.hpp"
#include "runtime/resident_memory.hpp"
#include "runtime/service_manager.hpp"
#include "runtime/shutdown_watchdog.hpp"
#include "runtime/stop_signal.hpp"

namespace cdcrt::runtime {
namespace {

using diagnostics::Ending;

// Unique among processes, also among those that had this number before.
std::string owner_of_leases() {
  std::array<char, 256> host{};
  (void)::gethostname(host.data(), host.size() - 1);
  std::random_device random;
  std::array<char, 17> mark{};
  (void)std::snprintf(mark.data(), mark.size(), "%08x%08x", random(), random());
  return std::string(host.data()) + ":" + std::to_string(::getpid()) + ":" + mark.data();
}

// Shares of the one budget: what is read but not decoded, what is folded or being written; the rest is room for the plugins.
constexpr int64_t kMessageShare = 5;
constexpr int64_t kRowShare = 4;

// How long the process may take once what was buffered is written, or given up.
constexpr auto kTidying = std::chrono::seconds(10);
constexpr auto kLastBatch = std::chrono::seconds(1);  // a source looks up twenty times a second

// How often a pipeline that goes on looks for what its manifest names in vain.
constexpr auto kUnmetInterval = std::chrono::minutes(1);

class Pipeline {
  using Clock = std::chrono::steady_clock;

 public:
  Pipeline(const manifest::Manifest& manifest, RunReporter& reporter)
      : manifest_(manifest), reporter_(reporter), flows_(monitor_),
        dead_letters_(dead_letters::to_file(manifest.dead_letters.path),
                      {manifest.dead_letters.max_count, manifest.dead_letters.max_ratio}),
        reader_(shapes_, sources_) {}

  Ending run() {
    ResidentMemory::fit(static_cast<int64_t>(manifest_.runtime.memory));
    {
      const StopWhileOpening stop;
      if (auto begun = observation_.begin(); !begun) {
        reporter_.failed({manifest::diagnostic_of(diagnostics::kHttpFailed, manifest_.runtime.http_position, begun.error())});
        return manifest::ending_of(begun.error());
      }
      service_manager_.status("opening sources and sinks");
      const Ending failed = open();
      if (stop_asked()) {
        log(CDCRT_LOG_INFO, "pipeline", "stopped before anything was read");
        return Ending::kDone;
      }
      if (failed != Ending::kDone) return failed;
    }
    start();
    wait();
    return end();
  }

 private:
  Ending report(const plugin::Component& component, const Error& error) {
    if (stop_asked() && !decoders_) return Ending::kDone;
    reporter_.failed({manifest::diagnostic_for(component, error)});
    return manifest::ending_of(error);
  }

  Ending open() {
    for (std::size_t i = 0; i < manifest_.sources.size(); ++i) {
      const auto& source = manifest_.sources[i];
      observation_.opening("sources." + source.name);
      sources_.push_back(std::make_unique<SourceRuntime>(source, i, monitor_, flows_,
                                                         static_cast<int64_t>(manifest_.runtime.memory) / kMessageShare,
                                                         static_cast<int64_t>(manifest_.runtime.memory) / 5 * 3));
      if (auto opened = sources_.back()->open(); !opened) return report(source, opened.error());
    }
    const std::string owner = owner_of_leases();
    for (const auto& sink : manifest_.sinks) {
      observation_.opening("sinks." + sink.name);
      SinkRuntime::Context context{monitor_,
                                   flows_,
                                   reader_,
                                   dead_letters_,
                                   manifest_.pipeline,
                                   owner,
                                   static_cast<int64_t>(manifest_.runtime.memory) / kRowShare,
                                   [this](const progress::Partition& partition) { ownership_.lost(partition); }};
      context.others_rest = [this](const SinkRuntime& runtime) { return ownership_.others_rest(runtime); };
      context.max_message_bytes = static_cast<int64_t>(manifest_.runtime.memory) / kMessageShare;
      sinks_.push_back(std::make_unique<SinkRuntime>(sink, std::move(context)));
      if (auto opened = sinks_.back()->open(); !opened) return report(sink, opened.error());
    }
    observation_.opening("dead_letters");
    if (const Ending failed = open_dead_letters(); failed != Ending::kDone) return failed;
    destinations_ = std::make_unique<Destinations>(manifest_, shapes_, sinks_, sources_);
    reader_.set_destinations(*destinations_);
    observation_.opening({});
    if (auto claimed = ownership_.claim_fixed(); !claimed) return report(manifest_.sinks.front(), claimed.error());
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    const unsigned workers = manifest_.runtime.decode_workers != 0 ? manifest_.runtime.decode_workers : cores;
    decoders_ = std::make_unique<DecodePool>(DecodePool::Context{manifest_, monitor_, flows_, shapes_, *destinations_, dead_letters_,
                                                                 sinks_, static_cast<int64_t>(manifest_.runtime.memory) / kRowShare,
                                                                 gathered_bytes(workers)});
    if (auto started = decoders_->start(workers); !started) {
      return report(manifest_.sources.front().format, started.error());
    }
    return Ending::kDone;
  }

  // Half of the memory for messages for all of them: the other half is read meanwhile.
  [[nodiscard]] uint64_t gathered_bytes(unsigned workers) const {
    constexpr uint64_t kMost = 8 << 20;
    return std::min(kMost, static_cast<uint64_t>(manifest_.runtime.memory) / kMessageShare / 2 / workers);
  }

  Ending open_dead_letters() {
    const auto& settings = manifest_.dead_letters;
    dead_letters_.count_in(monitor_.row_bytes);
    dead_letters_.announce([](const std::string& line) { log(CDCRT_LOG_WARNING, "dead_letters", line); });
    if (settings.kind == dead_letters::Settings::Kind::kFile) {
      if (auto checked = dead_letters_.check(); !checked) {
        plugin::Component component;
        component.position = settings.position;
        return report(component, checked.error());
      }
    }
    if (settings.kind == dead_letters::Settings::Kind::kSink) {
      auto destination = dead_letters::to_sink(settings.sink, manifest_.pipeline + ".dead_letters");
      if (!destination) return report(settings.sink, destination.error());
      dead_letters_.send_to(std::move(*destination));
    }
    if (settings.kind != dead_letters::Settings::Kind::kTable) return Ending::kDone;
    std::vector<std::string> keeping;
    std::string place;
    for (std::size_t i = 0; i < sinks_.size(); ++i) {
      if (!sinks_[i]->keeps_progress()) continue;
      auto prepared = sinks_[i]->prepare_dead_letters();
      if (!prepared) return report(manifest_.sinks[i], prepared.error());
      keeping.push_back(sinks_[i]->name());
      if (place.empty()) place = *prepared;
    }
    if (keeping.empty()) {
      plugin::Component component;
      component.position = settings.position;
      return report(component,
                    make_error(CDCRT_BAD_CONFIG, "[dead_letters] plugin = \"table\" needs a sink with transactions, and there is none",
                               "use plugin = \"file\""));
    }
    dead_letters_.keep_in_targets(keeping, keeping.front(), place);
    return Ending::kDone;
  }

  void start() {
    started_ = std::chrono::steady_clock::now();
    log(CDCRT_LOG_INFO, "pipeline",
        "'" + manifest_.pipeline + "' starts: " + std::to_string(sources_.size()) + " source(s), " + std::to_string(sinks_.size()) +
            " sink(s)");
    for (auto& sink : sinks_) sink->start();
    coordinator_.start();
    for (auto& source : sources_) source->start(ownership_);
    observation_.running();
    service_manager_.ready();
  }

  // What the manifest names and nothing met so far, in this run or one before.
  std::vector<Match> unmet(bool at_end) {
    std::map<std::string, std::vector<Match>> by_sink;
    // Where nothing came it says nothing of routes.
    if (std::any_of(sources_.begin(), sources_.end(), [](const auto& source) { return source->messages() > 0; })) {
      for (Match& match : route_matches(*destinations_, sinks_)) by_sink[match.sink].push_back(std::move(match));
    }
    const auto keeps = std::find_if(sinks_.begin(), sinks_.end(), [](const auto& sink) { return sink->keeps_progress(); });
    left_out_ = 0;
    for (auto& source : sources_) {
      // A group's server is asked by whoever wants to know: it may not answer.
      if (source->is_group() && !at_end) continue;
      const std::string sink = source->is_group() || keeps == sinks_.end() ? std::string() : (*keeps)->name();
      for (Match& match : source_matches(*source, sink, left_out_)) by_sink[match.sink].push_back(std::move(match));
    }
    std::vector<Match> unmet;
    for (auto& [name, matches] : by_sink) {
      const auto sink = std::find_if(sinks_.begin(), sinks_.end(), [&](const auto& each) { return each->name() == name; });
      if (sink != sinks_.end()) matches = (*sink)->keep(std::move(matches));
      for (Match& match : matches) {
        if (!match.met) unmet.push_back(std::move(match));
      }
    }
    return unmet;
  }

  // Of a pipeline that goes on: once for each.
  void tell_unmet() {
    for (const Match& match : unmet(false)) {
      if (told_unmet_.insert(match.entry).second) log(CDCRT_LOG_WARNING, "pipeline", "nothing met so far: " + match.text());
    }
  }

  // Until every source ended and everything is written, a signal came, or something failed.
  void wait() {
    const bool line = reporter_.shows_progress();
    auto next_line = Clock::now();
    auto next_unmet = Clock::now() + kUnmetInterval;
    while (!failed()) {
      // Only at its end does a run depend on what is decoded and written.
      const bool all_ended = have_ended();
      Condition& awaited = all_ended ? monitor_.settled : monitor_.news;
      const uint64_t seen = awaited.changes();
      observation_.beat();
      if (stop_asked()) {
        log(CDCRT_LOG_INFO, "pipeline", "stopping: buffered rows are written first");
        break;
      }
      if (all_ended && is_over()) {
        ended_ = true;
        break;
      }
      if (Clock::now() >= next_unmet) {
        tell_unmet();
        next_unmet = Clock::now() + kUnmetInterval;
      }
      if (line && Clock::now() >= next_line) {
        reporter_.progress(progress());
        next_line = Clock::now() + std::chrono::milliseconds(200);
      }
      service_manager_.step(monitor_.heartbeats, [this] { return status_text(); });
      awaited.wait_beyond(seen, std::chrono::milliseconds(50));
    }
    if (line) reporter_.progress_ends();
  }

  [[nodiscard]] bool have_ended() const {
    return std::all_of(sources_.begin(), sources_.end(), [](const auto& source) { return source->ended(); });
  }

  // Everything is read, and written or given up on: a detached table is waited for until it has made no progress for stall_after, and
  // neither have the others. Decided by what happened last, not by how long this has been asked.
  bool is_over() {
    const auto read = [this] { return flows_.idle() && have_ended(); };
    if (!read()) return false;
    for (auto& sink : sinks_) sink->flush();
    if (!std::all_of(sinks_.begin(), sinks_.end(), [](const auto& sink) { return sink->idle(); })) return false;
    // A truncate that is written may send a source back.
    if (!read() || !ownership_.settled() || !coordinator_.all_read()) return false;
    const bool has_others = std::any_of(sources_.begin(), sources_.end(), [](const auto& source) { return source->is_group(); });
    auto last = flows_.last_done();
    std::chrono::microseconds stall_after{0};
    for (const auto& sink : sinks_) {
      last = std::max(last, sink->last_written());
      if (const auto progress = sink->last_detached_progress(has_others)) {
        last = std::max(last, *progress);
        stall_after = std::max(stall_after, sink->stall_after());
      }
    }
    return stall_after.count() == 0 || Clock::now() >= last + stall_after;
  }

  RunProgress progress() {
    cdcrt_extent extent{};
    std::size_t tables = 0;
    for (auto& source : sources_) {
      const auto own = source->extent();
      extent.done += own.done;
      extent.total += own.total;
    }
    for (auto& sink : sinks_) tables += sink->table_count();
    return {extent.done, extent.total, decoders_->counts().rows, seconds(), tables, observation_.seconds_left()};
  }

  // For the service manager: one line.
  std::string status_text() {
    std::size_t tables = 0, detached = 0, stopped = 0;
    for (auto& sink : sinks_) {
      for (const apply::Table* table : sink->tables()) {
        ++tables;
        if (!table->stopped().empty()) {
          ++stopped;
        } else if (!table->detached().empty()) {
          ++detached;
        }
      }
    }
    std::string text = std::to_string(decoders_->counts().rows) + " rows, " + std::to_string(tables) + " tables";
    if (stopped > 0) text += ", " + std::to_string(stopped) + " stopped";
    if (detached > 0) text += ", " + std::to_string(detached) + " detached";
    if (const auto count = dead_letters_.count(); count > 0) text += ", " + std::to_string(count) + " dead letters";
    return text;
  }

  [[nodiscard]] bool failed_behind_sources() const {
    return dead_letters_.exceeded() || decoders_->failure() || coordinator_.failure() ||
           std::any_of(sinks_.begin(), sinks_.end(), [](const auto& sink) { return sink->failed(); });
  }
  [[nodiscard]] bool failed() const {
    return failed_behind_sources() ||
           std::any_of(sources_.begin(), sources_.end(), [](const auto& source) { return source->failure().has_value(); });
  }

  Ending end() {
    observation_.stopping();
    service_manager_.stopping(manifest_.runtime.shutdown_timeout + ShutdownWatchdog::kAfterDeadline + kTidying);
    monitor_.stop_reading = true;
    monitor_.notify();
    const auto deadline = std::chrono::steady_clock::now() + manifest_.runtime.shutdown_timeout;
    watchdog_.begin(deadline);
    const auto in_time = [&] { return std::chrono::steady_clock::now() < deadline; };
    // A sink that failed writes nothing more; the others write what they hold, whatever ended the run.
    // What a source gave before it failed, or is about to give, is applied; one that does not come back is not waited for.
    const auto given_by = std::chrono::steady_clock::now() + kLastBatch;
    monitor_.settled.wait([&] {
      const bool reads = std::any_of(sources_.begin(), sources_.end(), [](const auto& source) { return source->reads(); });
      return ((!reads || std::chrono::steady_clock::now() >= given_by) && flows_.idle()) || !in_time() || failed_behind_sources();
    });
    for (auto& sink : sinks_) sink->flush();
    monitor_.settled.wait([&] {
      return !in_time() || std::all_of(sinks_.begin(), sinks_.end(), [](const auto& sink) { return sink->failed() || sink->idle(); });
    });
    decoders_->stop();
    const auto unmet_entries = unmet(ended_);
    Ending ending = Ending::kDone;
    // What a sink says of it later only says that it was not waited for.
    std::vector<bool> sink_failed;
    for (const auto& sink : sinks_) sink_failed.push_back(sink->failed());
    if (!in_time()) {
      // Whoever asked for the stop need not wait for whoever locks the target.
      const auto waits = [](const auto& sink) { return sink->idle() || sink->waits_for_locks(); };
      const bool locked = stop_asked() && !failed() && std::all_of(sinks_.begin(), sinks_.end(), waits);
      log(locked ? CDCRT_LOG_WARNING : CDCRT_LOG_ERROR, "pipeline",
          std::string("shutdown_timeout passed") + (locked ? ", and others keep the target locked" : "") +
              ": what was not written is read again by the next start");
      monitor_.abandon = true;
      if (!locked) ending = Ending::kRunTimeFailure;
    }
    coordinator_.stop();
    for (auto& sink : sinks_) sink->finish();
    coordinator_.tell_sources();
    for (auto& source : sources_) source->stop();
    if (auto flushed = dead_letters_.flush(); !flushed) {
      log(CDCRT_LOG_ERROR, "dead_letters", explain(flushed.error()));
      ending = Ending::kRunTimeFailure;
    }
    const bool over_budget = dead_letters_.exceeded().has_value();  // what fails because of it says nothing new
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      if (const auto failure = sources_[i]->failure()) ending = std::max(ending, report(manifest_.sources[i], *failure));
    }
    for (std::size_t i = 0; i < sinks_.size(); ++i) {
      if (sinks_[i]->failed() && (sink_failed[i] || !monitor_.abandon) && !over_budget)
        ending = std::max(ending, report(manifest_.sinks[i], sinks_[i]->failure()));
    }
    if (const auto failure = coordinator_.failure(); failure && !over_budget)
      ending = std::max(ending, report(manifest_.sources.front(), *failure));
    if (const auto failure = decoders_->failure()) ending = std::max(ending, report(manifest_.sources.front().format, *failure));
    const RunSummary summary = summarize(unmet_entries);
    reporter_.ended(summary);
    // A run that ends by itself has left out what is detached; one that was asked to stop goes on with it at the next start.
    const bool asked = stop_asked();
    const bool any_stopped = std::any_of(summary.tables.begin(), summary.tables.end(),
                                         [&](const auto& table) { return !table.stopped.empty() && !(asked && table.detached); });
    if (ending == Ending::kDone && any_stopped) ending = Ending::kRunTimeFailure;
    if (ending == Ending::kDone && summary.dead_letters > 0) ending = Ending::kDoneWithDeadLetters;
    observation_.end();
    watchdog_.ended(ending);
    return ending;
  }

  // Everything was read, and a column that the route of one table names was in none of its events.
  std::string in_vain(const apply::Table& table, const std::vector<Match>& unmet_entries) const {
    const auto& route = table.identity().route;
    if (!ended_ || !route.names_one_table()) return {};
    for (const auto& use : table.column_uses()) {
      if (use.met || use.of_defaults) continue;
      for (const Match& match : unmet_entries) {
        if (match.entry == column_entry(route.name, use.name, false)) return match.text();
      }
    }
    return {};
  }

  RunSummary summarize(const std::vector<Match>& unmet_entries) {
    RunSummary summary;
    for (const Match& match : unmet_entries) {
      summary.unmet.push_back(match.text());
      if (!reporter_.tells_unmet()) log(CDCRT_LOG_WARNING, "pipeline", "nothing met: " + match.text());
    }
    summary.left_out = left_out_;
    const auto by_table = dead_letters_.by_table();
    for (const auto& sink : sinks_) {
      for (const apply::Table* table : sink->tables()) {
        TableSummary& line = summary.tables.emplace_back();
        const auto applied = table->applied();
        line.sink = sink->name();
        line.table = table->identity().target();
        line.inserted = applied.inserted;
        line.updated = applied.updated;
        line.deleted = applied.deleted;
        line.schema_changes = table->definition().schema_changes();
        line.overflowed = table->overflowed_cells();
        line.late = table->late_cells();
        line.left_out = table->left_out_cells();
        line.detached = table->stopped().empty();
        line.stopped = line.detached ? table->detached() : table->stopped();
        if (line.stopped.empty()) {
          line.stopped = in_vain(*table, unmet_entries);
          line.detached = false;
          if (!line.stopped.empty()) {
            log(CDCRT_LOG_ERROR, "sinks." + line.sink,
                "table '" + line.table + "': " + line.stopped + "; its rows were applied without it, and this run ends as one that failed");
          }
        }
        if (const auto dead_letters = by_table.find(line.table); dead_letters != by_table.end()) line.dead_letters = dead_letters->second;
      }
    }
    for (const auto& source : sources_) summary.messages += source->messages();
    const auto& counts = decoders_->counts();
    summary.rows = counts.rows;
    summary.markers = counts.markers;
    summary.ignored = counts.ignored;
    summary.dead_letters = dead_letters_.count();
    summary.dead_letter_path = dead_letters_.path();
    summary.ignored_tables = destinations_->ignored();
    summary.seconds = seconds();
    return summary;
  }

  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count(); }

  const manifest::Manifest& manifest_;
  RunReporter& reporter_;
  ServiceManager service_manager_{ServiceManager::from_environment()};
  ShutdownWatchdog watchdog_{[this](Ending ending) { reporter_.exit_now(ending); }};
  // Destroyed in reverse: threads end before what they use.
  Monitor monitor_;
  event::ShapeRegistry shapes_;
  Flows flows_;
  dead_letters::DeadLetters dead_letters_;
  std::vector<std::unique_ptr<SourceRuntime>> sources_;
  SourceEventReader reader_;
  std::vector<std::unique_ptr<SinkRuntime>> sinks_;
  Ownership ownership_{monitor_, sources_, sinks_};
  Coordinator coordinator_{monitor_, flows_, sources_, sinks_, ownership_};
  std::unique_ptr<Destinations> destinations_;
  std::unique_ptr<DecodePool> decoders_;
  Observation observation_{{manifest_, monitor_, flows_, dead_letters_, sources_, sinks_, ownership_, destinations_, decoders_,
                            static_cast<int64_t>(manifest_.runtime.memory) / kMessageShare,
                            static_cast<int64_t>(manifest_.runtime.memory) / kRowShare, service_manager_.patience()}};
  std::chrono::steady_clock::time_point started_{};
  bool ended_ = false;     ///< the run is over by itself
  uint64_t left_out_ = 0;  ///< messages of other topics, as of the last unmet()
  std::set<std::string> told_unmet_;
};

}  // namespace

diagnostics::Ending run(const manifest::Manifest& manifest, RunReporter& reporter, bool json_logs) {
#ifdef __GLIBC__
  // By itself the allocator keeps what large messages took, once some were freed.
  (void)mallopt(M_MMAP_THRESHOLD, 4 << 20);
  (void)mallopt(M_TRIM_THRESHOLD, 8 << 20);
#endif
  start_log(manifest.runtime.log_level, json_logs);
  watch_stop_signals();
  return Pipeline(manifest, reporter).run();
}

}  // namespace cdcrt::runtime
