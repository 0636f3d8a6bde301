// TableWatch: which tables of a sink are to be written, repaired, or reported. Idle tables cost nothing, however many there are.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "apply/table_observer.hpp"
#include "manifest/manifest.hpp"
#include "progress/stored.hpp"

namespace cdcrt::runtime {

/// Any thread. Tables call it under their locks, so it calls none of them.
class TableWatch final : public apply::TableObserver {
 public:
  using Clock = std::chrono::steady_clock;
  /// `tell` is given what an operator should know, once per table and reason.
  using Tell = std::function<void(const apply::Table& table, apply::Trouble trouble, const std::string& reason)>;
  /// `load`: of what a snapshot brings.
  TableWatch(const manifest::BatchLimits& limits, const manifest::BatchLimits& load, Tell tell)
      : limits_(limits), load_(load), tell_(std::move(tell)) {}

  void ready(apply::Table& table, const apply::Waiting& waiting) override;
  void reads(apply::Table& table, const progress::Partition& partition) override;
  /// A key or a definition that is not known yet is told of only when that lasts: it may be a moment behind.
  void troubled(apply::Table& table, apply::Trouble trouble, const std::string& reason) override;
  void told(apply::Table& table) override;
  bool are_defined_apart(const progress::Partition& rows, const std::string& server) override;
  void recovered(apply::Table& table) override;
  void written(apply::Table& table) override;

  // Writers.

  /// From now on small writes keep a distance, so that each takes more rows: 2 to 5 ms from one transaction to the next, as many times that
  /// as transactions are under way, at most 50 ms, so that only as many of them are as pay; and after a write a table rests as long as that
  /// took, at most 50 ms; while hundreds of tables wait up to a second, the more the longer, and in a backlog up to five. What comes after
  /// a pause does not wait, nor does a full batch. Before the writers begin; without it the order of what is taken does not depend on the
  /// clock.
  void keep_distance() { keeps_distance_ = true; }
  /// Whether more is there to be read than is written: then rows are late anyway, and few of them a write make them later. Any thread.
  void note_backlog(bool is_backlog) { is_backlog_.store(is_backlog, std::memory_order_relaxed); }
  /// The table that has been due longest; with `all`, also one whose batch limits are not reached. It counts as being written until done().
  apply::Table* take(bool all, Clock::time_point now = Clock::now());
  /// The next one for the transaction that the last take() began.
  apply::Table* take_beside(bool all, Clock::time_point now = Clock::now());
  /// The transaction is over. `taken`: when its first table was.
  void done(std::size_t tables, Clock::time_point taken, Clock::time_point now = Clock::now());
  /// They had nothing to write. `all`: none of the transaction had, and it was never begun.
  void give_up(std::size_t tables = 1, bool all = false);
  /// When the next table is due; nullopt: none waits.
  [[nodiscard]] std::optional<Clock::time_point> next_due() const;
  /// Nothing waits to be written, nothing is being written.
  [[nodiscard]] bool idle() const;
  /// When a table that is not detached was last written; the epoch: never.
  [[nodiscard]] Clock::time_point last_written() const;

  // Repair.

  /// From now on somebody tries detached tables. Before the writers begin.
  void repairs() { is_repairing_ = true; }
  /// Detached tables that are to be tried now.
  [[nodiscard]] std::vector<apply::Table*> due_for_repair(Clock::time_point now = Clock::now()) const;
  [[nodiscard]] std::optional<Clock::time_point> next_repair() const;
  /// An attempt to repair the table begins; tried() ends it.
  void tries(apply::Table& table);
  /// Notes how an attempt to repair the table ended. After progress it is due again at once; else after a pause that grows from 0.2 to
  /// 13 s, longer where very many tables are detached.
  void tried(apply::Table& table, bool progressed);
  /// When a detached table last made progress, or was detached; nullopt: there is none. One that is being tried makes progress, however
  /// long that takes here, and so does one that was not tried since there is something new; a single attempt that failed tells nothing.
  /// Tables that an operator paused do not count, nor those that wait for a key that no other process can tell.
  [[nodiscard]] std::optional<Clock::time_point> last_detached_progress(bool others_may_tell_keys = true) const;
  /// Tells of tables that have waited for their key, or for definitions, for some time; `all`: for however short.
  void tell_waiting(bool all = false, Clock::time_point now = Clock::now());
  /// Somebody was told that the table is detached.
  [[nodiscard]] bool was_told(const apply::Table& table) const;
  [[nodiscard]] std::size_t detached_count() const;

  // Coordinator.

  /// The topics that are read, also by other processes.
  using Topics = std::set<std::pair<std::string, std::string>>;  ///< source, topic
  void read_topics(Topics topics);
  /// Detached tables that wait for definitions.
  [[nodiscard]] std::vector<apply::Table*> waiting_for_definitions() const;
  /// Tables with rows or progress of the partition.
  [[nodiscard]] std::vector<apply::Table*> readers_of(const progress::Partition& partition) const;
  /// Troubles that changed since the last call, to be stored: by table; nullopt: over.
  using Troubles = std::map<const apply::Table*, std::optional<progress::StoredTrouble>>;
  Troubles take_troubles();
  /// Takes them back: they could not be stored.
  void give_back(Troubles troubles);
  /// The target stores a trouble of this table from an earlier run: its first success ends it.
  void had_trouble(const apply::Table& table);

 private:
  /// Tables that wait for one kind of write, the one that is due first at the front. A heap in one block: with thousands of tables, nodes
  /// of a tree are in no cache. A table that is listed elsewhere by now leaves its place behind, which is passed over.
  class Places {
   public:
    struct Place {
      Clock::time_point due, since;  ///< since when rows wait
      uint64_t listing;
      apply::Table* table;
    };
    void add(const Place& place);
    void leave_one();
    void pop();
    /// The first one; null: none waits.
    [[nodiscard]] const Place* first();
    [[nodiscard]] std::size_t size() const { return size_; }

   private:
    static bool is_outdated(const Place& place);
    std::vector<Place> heap_;
    std::size_t size_ = 0;  ///< of those that are not outdated
  };
  struct Detached {
    bool by_operator = false, lacks_key = false, awaits_definitions = false;
    bool is_tried = false;  ///< at this moment
    Clock::time_point due{}, last_progress{};
    unsigned failures = 0;  ///< since the last progress, or since its key or a definition was told
  };
  [[nodiscard]] const manifest::BatchLimits& limits_of(const apply::Waiting& waiting) const { return waiting.is_load ? load_ : limits_; }
  [[nodiscard]] bool is_full(const apply::Waiting& waiting) const;
  [[nodiscard]] Clock::time_point due_of(apply::Table& table, const apply::Waiting& waiting) const;
  [[nodiscard]] Clock::duration rest_after(Clock::duration write) const;
  /// Before that no transaction begins for tables that are not full.
  [[nodiscard]] Clock::time_point opens() const;
  [[nodiscard]] Places* longest_due(bool all, Clock::time_point now);
  apply::Table* take_from(Places& list, Clock::time_point now);

  const manifest::BatchLimits& limits_;
  const manifest::BatchLimits& load_;
  const Tell tell_;
  mutable std::mutex mutex_;
  mutable Places waiting_, full_;
  uint64_t listings_ = 0;
  std::size_t taken_ = 0;
  bool keeps_distance_ = false, is_repairing_ = false;
  std::atomic<bool> is_backlog_{false};
  Clock::time_point begun_{};  ///< the last transaction
  Clock::duration distance_{};
  std::size_t under_way_ = 0;  ///< transactions
  Clock::time_point last_written_{};
  std::map<apply::Table*, Detached> detached_;
  std::unordered_map<const progress::Partition*, std::vector<apply::Table*>> readers_;
  struct Waits {
    Clock::time_point due;
    apply::Trouble trouble;
    std::string reason;
  };
  void tell(apply::Table& table, apply::Trouble trouble, const std::string& reason);
  std::map<apply::Table*, Waits> waits_;  ///< nobody was told of
  Topics topics_;
  std::unordered_map<const apply::Table*, std::string> told_;  ///< trouble and reason, without numbers that change
  Troubles troubles_;
};

}  // namespace cdcrt::runtime
