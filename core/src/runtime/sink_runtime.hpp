// SinkRuntime: one sink of the manifest at work: its tables, its connections' threads, its progress.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "apply/table.hpp"
#include "apply/writer.hpp"
#include "manifest/manifest.hpp"
#include "progress/store.hpp"
#include "route/router.hpp"
#include "runtime/flow.hpp"
#include "runtime/matches.hpp"
#include "runtime/monitor.hpp"
#include "runtime/table_watch.hpp"

namespace cdcrt::runtime {

/// Created and started by the pipeline's thread; table() is called by decode workers; what the coordinator does is marked.
class SinkRuntime {
 public:
  struct Context {
    Monitor& monitor;
    Flows& flows;
    apply::EventReader& reader;
    dead_letters::DeadLetters& dead_letters;
    const std::string& pipeline;
    std::string owner;  ///< of leases: this process
    int64_t max_row_bytes;
    /// A partition is not ours any more.
    std::function<void(const progress::Partition&)> lost;
    /// Called instead of sleeping, for callers without threads (the simulation); may be null.
    std::function<void(std::chrono::microseconds)> pause = {};
    /// Whether no other process can have anything to write to this sink, as of its last refresh; null: never.
    std::function<bool(const SinkRuntime&)> others_rest = {};
    int64_t max_message_bytes = std::numeric_limits<int64_t>::max();  ///< from which on sources are not asked for more
  };
  SinkRuntime(const manifest::Sink& manifest, Context context);
  ~SinkRuntime();

  /// Creates the plugin's instance, connects and reads what the target keeps. Does not retry: whoever starts it reads what is wrong.
  Result<void> open();
  [[nodiscard]] const std::string& name() const { return manifest_.name; }
  /// Makes the table of dead letters; answers its name. After open(), where it keeps progress.
  Result<std::string> prepare_dead_letters();
  [[nodiscard]] bool has_schemas() const;
  [[nodiscard]] bool keeps_progress() const { return store_ != nullptr; }
  /// How often the low watermarks are worth a transaction.
  [[nodiscard]] std::chrono::milliseconds save_interval() const {
    // Dead letters that wait for a transaction take memory: then at once.
    if (context_.dead_letters.bytes() > (2 << 20) && context_.dead_letters.waits_for(name())) return std::chrono::milliseconds(0);
    return std::max(std::chrono::milliseconds(1000), std::chrono::milliseconds(sink_->limits().bookkeeping_ms));
  }
  /// As of the last claim or refresh; pipeline's thread, before start().
  [[nodiscard]] const progress::Stored& stored() const { return stored_; }
  [[nodiscard]] uint64_t max_rows(bool is_loading) const { return is_loading ? manifest_.load.max_rows : manifest_.batch.max_rows; }

  // Coordinator's thread.

  /// Claims the partitions' leases and puts their progress into the tables.
  Result<void> claim(const std::vector<progress::PartitionKey>& keys, const std::vector<progress::StartOffset>& fresh);
  Result<void> refresh();  ///< reads what the target keeps again
  [[nodiscard]] std::map<progress::PartitionKey, progress::StoredPartition> partitions() const;
  [[nodiscard]] std::optional<progress::StoredPartition> partition(const progress::PartitionKey& key) const;
  [[nodiscard]] bool keeps_siblings(const progress::PartitionKey& key) const;  ///< others of its topic
  /// The target stores "from the beginning" for the partition, and the log begins at `first`.
  void begin_at(const progress::Partition& partition, int64_t first);
  Result<void> save_waits_for(const progress::PartitionKey& key, const progress::WaitsFor& waits_for);
  /// Stores the low watermarks that rose. In an outage they are stored the next time.
  Result<void> save_watermarks();
  [[nodiscard]] std::vector<apply::Table*> waiting_for_definitions() const { return watch_.waiting_for_definitions(); }
  [[nodiscard]] std::optional<int64_t> watermark(const progress::Partition& partition) const;  ///< as stored last; nullopt: never

  void forget(const progress::Partition& partition);  ///< it was given up. Any thread
  /// The table of that name, made on first use; `flow_of` finds the flow of a stored partition, null: not ours.
  apply::Table& table(const std::string& schema, const std::string& name, const route::SourceName& source, const route::Route& route,
                      const std::function<progress::Partition*(const progress::PartitionKey&)>& flow_of);
  /// Stands for a source table that may not be written: stopped, so that its rows stay in the source.
  apply::Table& refused_table(const route::SourceName& source, const route::Route& route, const Error& reason);
  /// The source table is written again: withdraws what was told of it as a refused table.
  void accepted(const route::SourceName& source);
  /// Notes which entries of the manifest were matched; new ones are stored soon. Answers those that nothing matched, in this run or before.
  std::vector<Match> keep(std::vector<Match> matches);
  /// Whether a target is a table of cdcrt's own.
  [[nodiscard]] bool keeps_in(const std::string& schema, const std::string& table) const;
  /// The source table that a target table was made for, by what the target keeps; empty: none.
  [[nodiscard]] route::SourceName stored_source(const std::string& target) const;
  [[nodiscard]] std::vector<apply::Table*> tables() const;
  [[nodiscard]] std::size_t table_count() const;

  void start();
  // One step of what its threads do, for callers without threads (the simulation). The writer is the caller's own.
  [[nodiscard]] apply::Writer make_writer(bool for_repair);
  /// Writes what is ready. False: nothing was.
  bool write_some(apply::Writer& writer);
  /// Tries to bring detached tables back to the rest. False: none could be tried.
  bool repair_some(apply::Writer& writer);

  /// Rows came: wakes a writer, if it would not look for them in time by itself. Any thread.
  void call_writer();
  /// Everything buffered is written now, whatever the batch limits say.
  void flush();
  /// Nothing is buffered, nothing is being written; detached tables do not count.
  [[nodiscard]] bool idle() const { return watch_.idle(); }
  /// When a table that is not detached was last written; the epoch: never.
  [[nodiscard]] std::chrono::steady_clock::time_point last_written() const { return watch_.last_written(); }
  /// See TableWatch.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> last_detached_progress(bool others_may_tell_keys) const {
    return watch_.last_detached_progress(others_may_tell_keys);
  }
  [[nodiscard]] std::chrono::microseconds stall_after() const { return manifest_.stall_after; }
  /// Ends the threads and stores the last watermarks.
  void finish();
  [[nodiscard]] Error failure() const;  ///< why the sink cannot go on; empty: it can
  [[nodiscard]] bool failed() const { return failed_; }
  /// Everything that is not written waits for locks of other transactions.
  [[nodiscard]] bool waits_for_locks() const { return outage_.is_of_locks(); }
  [[nodiscard]] observe::SinkFacts facts() const;  ///< but for its tables. Any thread

 private:
  Result<void> prepare_store(plugin::Connection& connection);
  void clean_after_ended_processes();
  [[nodiscard]] std::string component() const;
  [[nodiscard]] uint32_t connections() const;
  void tell(const apply::Table& table, apply::Trouble trouble, const std::string& reason);
  void take_stored(progress::Stored stored);
  static void forget_restored(progress::StoredTable& stored);
  static std::string refused_name(const route::SourceName& source);
  void work();
  void wait_for_work(uint64_t seen);
  void repair();
  [[nodiscard]] bool stops_repairs() const;
  bool repair_table(apply::Writer& writer, apply::Table& table);
  Result<bool> is_active(apply::Writer& writer, apply::Table& table);
  Result<bool> read_missed(apply::Table& table);
  Result<void> look_at_target();
  Result<void> look_at_leases(const std::vector<const progress::Partition*>& partitions);
  Result<void> save_moved_watermarks();
  Result<void> save_troubles();
  Result<void> watch_outage(const Result<void>& done);
  [[nodiscard]] bool all_are_due() const;
  [[nodiscard]] std::optional<Monitor::Clock::time_point> next_due() const;
  std::vector<apply::Sealed> pick();
  void fail(const Error& error);

  const manifest::Sink& manifest_;
  Context context_;
  std::unique_ptr<plugin::Sink> sink_;
  std::unique_ptr<progress::Store> store_;
  std::unique_ptr<apply::Writer> background_writer_;
  apply::Outage outage_;
  apply::SinkCounts counts_;
  bool has_failed_look_ = false;
  std::mutex turn_;  ///< of sinks that have one writer
  // One of the writers that have nothing to do waits until the next table is due, the others until they are called.
  Condition due_, called_;
  std::atomic<bool> has_timekeeper_{false};
  std::atomic<Monitor::Clock::rep> looks_at_{std::numeric_limits<Monitor::Clock::rep>::max()};  ///< when the timekeeper looks by itself
  mutable std::mutex mutex_;
  progress::Stored stored_;
  std::map<std::string, std::unique_ptr<apply::Table>> tables_;
  std::map<std::string, std::unique_ptr<apply::Table>> refused_;  ///< by their sources' names
  TableWatch watch_;
  std::set<std::string> accepted_;                            ///< source tables that were refused, as stored
  std::map<std::string, progress::StoredMatch> new_matches_;  ///< not stored so far
  std::atomic<bool> has_notes_{false};                        ///< there are some of these
  struct Cleaning {
    std::chrono::steady_clock::time_point due{};
    unsigned failures = 0;
  };
  Cleaning cleaning_;  ///< removal of what processes that ended have left outside of the target
  // Of the coordinator's thread.
  std::chrono::steady_clock::time_point next_look_{};
  bool must_look_ = true;                ///< the leases were not checked since something changed
  uint64_t saved_changes_ = UINT64_MAX;  ///< Monitor::changes() when all watermarks were saved last
  std::vector<std::thread> threads_;
  struct SavedWatermark {
    int64_t next_offset = 0, last_offset = -1;
  };
  std::map<const progress::Partition*, SavedWatermark> saved_watermarks_;
  std::atomic<bool> flush_{false};
  std::atomic<bool> finishing_{false};
  std::atomic<bool> failed_{false};
  std::atomic<bool> is_left_alone_{false};         ///< nobody has anything to write: the target is not asked
  std::atomic<uint64_t> rests_{0};                 ///< how often that began
  std::map<const apply::Table*, uint64_t> asked_;  ///< of the repair thread: in which of them the target was asked for the table's key
  Error failure_;
};

}  // namespace cdcrt::runtime
