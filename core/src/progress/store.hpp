// Store: what the host keeps of a pipeline in a target: leases, progress, what is known of its tables.
//
// Ordinary tables (host_tables.hpp), written in the same transaction as the rows they speak of. Locks keeps transactions apart.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "diagnostics/result.hpp"
#include "plugin/instance.hpp"
#include "progress/dead_letter_store.hpp"
#include "progress/locks.hpp"
#include "progress/process_list.hpp"
#include "progress/row_order_store.hpp"
#include "progress/stored.hpp"

namespace cdcrt::progress {

/// Instance state (epochs) is guarded by a mutex; the connection belongs to the caller.
class Store : private StoreParts, public ProcessList, public DeadLetterStore, public RowOrderStore {
 public:
  /// `owner`: this process, by a name that no other process has or had. `capabilities`: CDCRT_SINK_*.
  Store(std::string pipeline, std::string sink, std::string schema, uint32_t capabilities, std::string owner,
        const cdcrt_limits& limits = {});
  // Own transactions.

  /// Creates what is missing, brings an older format forward, and refuses a newer one.
  Result<void> prepare(plugin::Connection& connection);
  /// The format_version of what the target keeps; 0: nothing. Creates nothing.
  Result<int64_t> kept_version(plugin::Connection& connection);
  static int64_t own_version();
  /// Reads everything, without locks; open dead letters, of which there may be very many, only on request.
  Result<Stored> read_all(plugin::Connection& connection, bool with_dead_letters = false);
  /// The same without the tables' progress, which a claim reads.
  Result<Stored> read_before_claims(plugin::Connection& connection);
  /// Claims the leases of these partitions: raises their epochs once older transactions that checked them have ended. `fresh`
  /// partitions get a lease and a start offset unless they have one by now. Answers everything that is stored, as of the claim. RETRY:
  /// another process saw a topic first, and the start offsets of its partitions must be found again.
  Result<Stored> claim(plugin::Connection& connection, const std::vector<PartitionKey>& wanted, const std::vector<StartOffset>& fresh = {});
  /// Claims partitions of sources whose partitions are always ours and that have no lease yet. Does nothing when all are held. `more`:
  /// others that had better be claimed with them.
  using MorePartitions = std::function<std::vector<const Partition*>()>;
  Result<void> claim_new(plugin::Connection& connection, const std::vector<const Partition*>& partitions, const MorePartitions& more = {});
  /// Raises our own leases' epochs, so that a transaction (on `target`) whose COMMIT got no answer has ended, one way or the other.
  /// Answers the partitions that are not ours any more.
  Result<std::vector<const Partition*>> reclaim(plugin::Connection& connection, const std::string& target,
                                                const std::vector<const Partition*>& partitions);
  Result<std::vector<const Partition*>> reclaim(plugin::Connection& connection, const std::vector<const Partition*>& partitions);
  /// Stores for which older partitions the partition still waits; none: it does not wait any more.
  Result<void> save_waits_for(plugin::Connection& connection, const PartitionKey& key, const WaitsFor& waits_for);

  /// check() without locks, in a transaction of its own, only to be informed: nothing may be committed on the strength of it.
  Result<std::vector<const Partition*>> look(plugin::Connection& connection, const std::vector<const Partition*>& partitions);
  /// Whether the target answers.
  Result<void> look(plugin::Connection& connection);

  /// Creates what lock_targets() locks. Does nothing where rows can be locked, or when that was done before.
  Result<void> prepare_locks(plugin::Connection& connection, const std::vector<std::string>& targets) {
    return protocol_->prepare_locks(connection, targets);
  }
  /// Whether one transaction had better prepare several tables: a statement of them all costs what one of a single table does.
  [[nodiscard]] bool prepares_together() const { return commits_serially_ && protocol_->claims_wait(); }

  // Inside the caller's transaction.

  /// First statement of a transaction that writes these tables or what is stored of them. Does nothing where rows can be locked.
  Result<void> lock_targets(plugin::Connection& connection, const std::vector<std::string>& targets) {
    return protocol_->lock_targets(connection, targets);
  }
  /// First statement of a transaction that changes leases or watermarks and writes no table.
  Result<void> lock_claims(plugin::Connection& connection) { return protocol_->lock_claims(connection); }
  /// Share-locks the leases and checks the epochs. Answers the partitions whose rows must not be committed any more.
  Result<std::vector<const Partition*>> check(plugin::Connection& connection, const std::vector<const Partition*>& partitions);
  /// Locks the tables' rows; tables without a row are left out. Only version, floor, state and reason are read.
  Result<std::map<std::string, StoredTable>> lock_tables(plugin::Connection& connection, const std::vector<std::string>& targets,
                                                         cdcrt_lock lock);
  /// What check() and lock_tables() answer, without row locks: for transactions that called lock_targets().
  struct Checked {
    std::vector<const Partition*> lost;
    std::map<std::string, StoredTable> tables;
  };
  Result<Checked> check_with_tables(plugin::Connection& connection, const std::vector<const Partition*>& partitions,
                                    const std::vector<std::string>& targets);
  /// Another target that is kept, or is just being made by this process, and differs from this one in ASCII case only; nullopt: none, and
  /// those that ask later are told of this one.
  Result<std::optional<std::string>> target_but_for_case(plugin::Connection& connection, const std::string& target);
  /// Serializes with everyone who creates a table's row.
  Result<void> lock_creation(plugin::Connection& connection) { return protocol_->lock_creation(connection); }
  /// Everything kept of one table but its row and its open dead letters; defaults are owned by `arena`.
  Result<void> read_table(plugin::Connection& connection, const std::string& target, StoredTable& table, event::Arena& arena);
  /// The same of several.
  struct TableToRead {
    std::string target;
    StoredTable* table;
    event::Arena* arena;
  };
  Result<void> read_tables(plugin::Connection& connection, const std::vector<TableToRead>& wanted);
  /// Whether a commit whose answer was lost happened: the table's progress stands exactly there.
  Result<bool> stands_at(plugin::Connection& connection, const std::string& target, const std::vector<TablePosition>& positions);
  /// Of all that a transaction writes: one statement, where targets share a table for it.
  Result<void> save_progress(plugin::Connection& connection, PositionsByTarget positions);
  /// The table's row, without what it lists.
  Result<void> save_table(plugin::Connection& connection, const std::string& target, const StoredTable& table);
  Result<void> save_columns(plugin::Connection& connection, const std::string& target, const std::vector<evolution::Column>& columns);
  /// Rows and columns of several tables.
  struct TableToSave {
    std::string target;
    const StoredTable* row;
    std::vector<evolution::Column> columns;
    bool is_new;  ///< nothing is kept of it so far
  };
  Result<void> save_tables(plugin::Connection& connection, const std::vector<TableToSave>& tables);
  /// Pending key changes: by new key, the text to keep; nullopt: settled.
  Result<void> save_key_changes(plugin::Connection& connection, const std::string& target,
                                const std::map<std::string, std::optional<std::string>>& records);
  struct Watermark {
    const Partition* partition;
    int64_t next_offset;
    LastMessage last;
    uint32_t session = 0;  ///< of the partition when the offset was found
  };
  Result<void> save_watermarks(plugin::Connection& connection, const std::vector<Watermark>& watermarks);
  /// A restart must read these partitions again from there, or from where it would have. Never raises a watermark: what other
  /// tables have not applied is not known here.
  Result<void> lower_watermarks(plugin::Connection& connection, const std::map<PartitionKey, int64_t>& places);
  /// Whether lower_watermarks() named the partition since this was last asked.
  bool take_lowered(const Partition& partition);
  /// Sends partitions of this table that other processes read, and that are past `floor`, back to their beginning: raises their
  /// epochs, so that their owners claim and read again.
  /// `own` are those whose positions the caller's transaction stores itself.
  Result<void> send_others_back(plugin::Connection& connection, const std::string& target, const std::string& floor,
                                const std::vector<const Partition*>& own);
  /// The same for these partitions whoever reads them, to a place of choice: repair.
  Result<void> send_back(plugin::Connection& connection, const SendBack& back);
  /// Low watermarks of all partitions.
  Result<std::map<PartitionKey, StoredPartition>> read_watermarks(plugin::Connection& connection);
  /// The table was emptied: forgets its pending key changes and open dead letters.
  Result<void> forget_waiting(plugin::Connection& connection, const std::string& target, const StoredTable& table);
  /// The table was dropped from the target: its columns and key are learned anew.
  Result<void> forget_columns(plugin::Connection& connection, const std::string& target);
  /// What people are told of tables that are detached or stopped: by target name; nullopt: nothing any more. A transaction of its own.
  Result<void> save_troubles(plugin::Connection& connection, const std::map<std::string, std::optional<StoredTrouble>>& troubles,
                             const std::map<std::string, StoredMatch>& matches = {});

  /// Forgets that the partition is ours: check() answers it from now on.
  void forget(const Partition& partition);
  [[nodiscard]] const std::string& sink() const { return tables_.sink(); }
  [[nodiscard]] const std::string& pipeline() const { return tables_.pipeline(); }
  /// Of the target.
  [[nodiscard]] const cdcrt_limits& limits() const { return limits_; }
  /// Another table that is kept beside these, by its name among them; may borrow from `name` and `storage`.
  [[nodiscard]] cdcrt_table own_table(std::string_view name, std::string& storage) const { return tables_.name_of(name, storage); }
  /// The same for people.
  [[nodiscard]] std::string own_name(std::string_view name) const { return tables_.shown_name(name); }

  /// Held from finding watermarks until they are committed, and around a commit that lowers some: else an older, higher one could
  /// be stored over a lowered one, and a restart would begin too late.
  [[nodiscard]] std::unique_lock<std::mutex> lock_watermarks() { return std::unique_lock(watermarks_); }

 private:
  using Epochs = std::map<PartitionKey, int64_t>;
  struct Extent {
    bool dead_letters = false, progress = true;
  };
  Result<void> read_kept(plugin::Connection& connection, Stored& stored, const Extent& extent);
  Result<void> write_leases(plugin::Connection& connection, const Leases& leases);
  /// Raises them in our name, beside `changed`.
  Result<void> take(plugin::Connection& connection, const std::vector<PartitionKey>& keys, const Leases& now, bool is_listed,
                    Leases changed, Epochs& epochs);
  Result<Leases> read_watermarks(plugin::Connection& connection, const std::vector<PartitionKey>& keys);
  Result<void> write_watermarks(plugin::Connection& connection, const Leases& watermarks);
  Result<void> write_positions(plugin::Connection& connection, const PositionsByTarget& positions, cdcrt_write_kind kind);
  void add_table(Rows& rows, const std::string& target, const StoredTable& table) const;
  void add_columns(Rows& rows, const std::string& target, const std::vector<evolution::Column>& columns) const;
  void know_progress(const std::vector<PartitionKey>& claimed, const Stored& stored);
  Result<std::vector<const Partition*>> check(plugin::Connection& connection, const std::vector<const Partition*>& partitions,
                                              cdcrt_lock lock);
  [[nodiscard]] std::vector<const Partition*> not_owned(const std::vector<const Partition*>& partitions, const Leases& current) const;
  [[nodiscard]] bool is_owned(const PartitionKey& key, const StoredPartition& lease) const;

  const bool commits_serially_;
  const cdcrt_limits limits_;
  const KeyChangesTable key_changes_;
  std::mutex claiming_;  ///< of claim_new(), also while it waits for the target
  std::mutex watermarks_;
  mutable std::mutex mutex_;
  Epochs epochs_;
  Epochs raising_;  ///< by reclaim(): committed, or not
  std::set<PartitionKey> lowered_;
  std::map<PartitionKey, std::set<std::string>>
      has_progress_;                ///< targets that may have a row, of partitions claimed with what was kept of them
  std::vector<std::string> named_;  ///< targets that target_but_for_case() was asked for
};

}  // namespace cdcrt::progress
