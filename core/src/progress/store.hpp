// Store: the host's own tables in a target: leases, progress, table knowledge.
//
// They are ordinary tables, written through the sink's functions in the same transaction as the rows they speak of. Where rows can
// be locked, a transaction locks those of its leases and of its tables. Where only tables can be (CDCRT_SINK_TABLE_LOCKS), each target
// table has a progress table of its own, whose lock stands for both, and claims wait for all of them (decision 0014).
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "diagnostics/result.hpp"
#include "plugin/instance.hpp"
#include "progress/row_order.hpp"
#include "progress/stored.hpp"

namespace cdcrt::progress {

/// Instance state (epochs) is guarded by a mutex; the connection belongs to the caller.
class Store {
 public:
  /// `owner` is unique among processes, also among those that had the same name before. `capabilities`: CDCRT_SINK_*.
  Store(std::string pipeline, std::string sink, std::string schema, uint32_t capabilities, std::string owner, const cdcrt_limits& limits = {});
  /// What to do once a process holds no lease any more and its transactions have ended; it may fail and is then asked again after
  /// a later claim. Set before prepare(); without it nobody keeps a list of processes.
  void on_abandoned(std::function<Result<void>(const std::string& process)> clean) { abandoned_ = std::move(clean); }

  // Own transactions.

  /// Creates what is missing, brings an older format forward, and refuses a newer one.
  Result<void> prepare(plugin::Connection& connection);
  /// The format_version of what the target keeps; 0: nothing. Creates nothing.
  Result<int64_t> kept_version(plugin::Connection& connection);
  static int64_t own_version();
  /// Reads everything, without locks; open dead letters, of which there may be very many, only on request.
  Result<Stored> read_all(plugin::Connection& connection, bool with_letters = false);
  /// The same without the tables' progress, which a claim reads.
  Result<Stored> read_before_claims(plugin::Connection& connection);
  /// Claims the leases of these partitions: raises their epochs once older transactions that checked them have ended. `fresh`
  /// get a lease and a start unless they have one by now. Answers everything kept, as of the claim. RETRY: another process met a
  /// topic first, and what is fresh in it must be looked at again.
  Result<Stored> claim(plugin::Connection& connection, const std::vector<PartitionKey>& wanted, const std::vector<Origin>& fresh = {});
  /// Claims partitions of sources whose partitions are always ours and that have no lease yet. Does nothing when all are held. `more`: others
  /// that had better be claimed with them.
  using MorePartitions = std::function<std::vector<const Partition*>()>;
  Result<void> claim_new(plugin::Connection& connection, const std::vector<const Partition*>& partitions, const MorePartitions& more = {});
  /// Raises our own leases' epochs, so that a transaction on `target` whose COMMIT got no answer has ended, one way or the other.
  /// Answers the partitions that are not ours any more.
  Result<std::vector<const Partition*>> reclaim(plugin::Connection& connection, const std::string& target,
                                                const std::vector<const Partition*>& partitions);
  /// The partition waits for the older ones no more, or for these.
  Result<void> save_waits_for(plugin::Connection& connection, const PartitionKey& key, const WaitsFor& waits_for);

  /// check() without locks and in a transaction of its own, for who only wants to know: nothing may be committed because of it.
  Result<std::vector<const Partition*>> look(plugin::Connection& connection, const std::vector<const Partition*>& partitions);
  /// Whether the target answers.
  Result<void> look(plugin::Connection& connection);

  /// What tables must have before hold(). Does nothing where rows can be locked, or when that was done before.
  Result<void> prepare_hold(plugin::Connection& connection, const std::vector<std::string>& targets);
  /// Whether one transaction had better prepare several tables: a statement of them all costs what one of a single table does.
  [[nodiscard]] bool prepares_together() const { return commits_serially_ && locks_tables_; }

  /// What the processes left that held no lease at the last claim is removed, unless they hold one by now.
  Result<void> clean_after_the_gone(plugin::Connection& connection);
  [[nodiscard]] bool has_gone() const;
  /// Puts this process on the list of those that may leave something outside of the target.
  Result<void> enlist(plugin::Connection& connection);

  // Inside the caller's transaction.

  /// First of all in a transaction that writes these tables or what is kept of them. Does nothing where rows can be locked.
  Result<void> hold(plugin::Connection& connection, const std::vector<std::string>& targets);
  /// First of all in a transaction that changes leases or watermarks without holding a table.
  Result<void> hold_claims(plugin::Connection& connection);
  /// Share-locks the leases and checks the epochs. Answers the partitions whose rows must not be committed any more.
  Result<std::vector<const Partition*>> check(plugin::Connection& connection, const std::vector<const Partition*>& partitions);
  /// Locks the tables' rows; tables without a row are left out. Only version, floor, state and reason are read.
  Result<std::map<std::string, StoredTable>> lock_tables(plugin::Connection& connection, const std::vector<std::string>& targets,
                                                         cdcrt_lock lock);
  /// What check() and lock_tables() answer, without locks: for transactions that hold() the tables.
  struct Checked {
    std::vector<const Partition*> lost;
    std::map<std::string, StoredTable> tables;
  };
  Result<Checked> check_with_tables(plugin::Connection& connection, const std::vector<const Partition*>& partitions, const std::vector<std::string>& targets);
  /// Another target that is kept, or is just being made by this process, and differs from this one in ASCII case only; nullopt: none, and
  /// those that ask later are told of this one.
  Result<std::optional<std::string>> target_but_for_case(plugin::Connection& connection, const std::string& target);
  /// Serializes with everyone who creates a table's row.
  Result<void> lock_creation(plugin::Connection& connection);
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
  Result<void> save_progress(plugin::Connection& connection, const std::string& target, const std::vector<TablePosition>& positions);
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
  /// Halves of key changes: by new key, the text to keep; nullopt: settled.
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
  /// What waits for later events of the table is forgotten: it was emptied.
  Result<void> forget_waiting(plugin::Connection& connection, const std::string& target, const StoredTable& table);
  /// The table's columns and key are learned anew: it is gone from the target.
  Result<void> forget_columns(plugin::Connection& connection, const std::string& target);
  /// Letters by key that are closed or opened. A letter may be open for several keys.
  using LettersByKey = std::map<std::string, std::vector<OpenDeadLetter>>;
  Result<void> save_open_dead_letters(plugin::Connection& connection, const std::string& target, const LettersByKey& closed, const LettersByKey& opened);
  /// Up to `max_letters` of the table's; 0: all.
  Result<LettersByKey> read_open_dead_letters(plugin::Connection& connection, const std::string& target, std::size_t max_letters);
  /// Those of these keys.
  Result<LettersByKey> find_open_letters(plugin::Connection& connection, const std::string& target, const std::set<std::string>& keys);
  /// None of the table's is open any more.
  Result<void> forget_open_letters(plugin::Connection& connection, const std::string& target);
  /// Those of a table without a key are over: what is read again has them once more, and a replay would double their rows.
  Result<void> pass_open_letters(plugin::Connection& connection, const std::string& target);
  /// Dead letters of a table without a key that a replay applied, noted in the very transaction, wherever they are kept.
  Result<void> save_replayed(plugin::Connection& connection, const std::string& target, const std::vector<OpenDeadLetter>& letters);
  Result<std::set<OpenDeadLetter>> read_replayed(plugin::Connection& connection, const std::string& target);

  /// What people are told of tables that are detached or stopped: by target name; nullopt: nothing any more. A transaction of its own.
  Result<void> save_troubles(plugin::Connection& connection, const std::map<std::string, std::optional<StoredTrouble>>& troubles,
                             const std::map<std::string, StoredMatch>& matches = {});

  // Source-ordered tables; inside the caller's transaction, which has locked the table's row for itself.

  /// Those of these keys.
  Result<RowOrders> find_row_orders(plugin::Connection& connection, const std::string& target, const std::vector<std::string>& keys);
  /// All of the table's.
  Result<RowOrders> read_row_orders(plugin::Connection& connection, const std::string& target);
  Result<void> save_row_orders(plugin::Connection& connection, const std::string& target, const RowOrders& orders);
  /// All of the table's: it is emptied, or not source-ordered any more.
  Result<void> forget_row_orders(plugin::Connection& connection, const std::string& target);
  /// Forgets rows that were taken away before then, up to `most`; answers how many it looked at.
  Result<std::size_t> purge_tombstones(plugin::Connection& connection, const std::string& target, int64_t before_ms, std::size_t most);

  /// Forgets that the partition is ours: check() answers it from now on.
  void forget(const Partition& partition);
  [[nodiscard]] const std::string& owner() const { return owner_; }
  [[nodiscard]] const std::string& sink() const { return sink_; }
  [[nodiscard]] const std::string& pipeline() const { return pipeline_; }
  /// Of the target.
  [[nodiscard]] const cdcrt_limits& limits() const { return limits_; }
  /// Another table that is kept beside these, by its name among them; may borrow from `name` and `storage`.
  [[nodiscard]] cdcrt_table own_table(std::string_view name, std::string& storage) const;
  /// The same for people.
  [[nodiscard]] std::string own_name(std::string_view name) const;

  /// Held from finding watermarks until they are committed, and around a commit that lowers some: else an older, higher one could
  /// be stored over a lowered one, and a restart would begin too late.
  [[nodiscard]] std::unique_lock<std::mutex> hold_watermarks() { return std::unique_lock(watermarks_); }

 private:
  struct HostTable;
  class Reads;
  using Visit = std::function<void(const cdcrt_cell* cells)>;  ///< the columns after pipeline and sink
  using Leases = std::map<PartitionKey, StoredPartition>;
  using Epochs = std::map<PartitionKey, int64_t>;
  [[nodiscard]] cdcrt_table name_of(const HostTable& table, std::string& storage) const;
  [[nodiscard]] HostTable progress_of(const std::string& target) const;
  [[nodiscard]] HostTable moved() const;
  Result<void> create(plugin::Connection& connection, const HostTable& table);
  Result<int64_t> format_version(plugin::Connection& connection, cdcrt_lock lock);
  Result<void> bring_forward(plugin::Connection& connection, int64_t version);
  Result<void> forget_of(plugin::Connection& connection, const HostTable& table, const std::string& target);
  Result<void> bring_letters_forward(plugin::Connection& connection);
  Result<void> write(plugin::Connection& connection, const HostTable& table, const std::vector<cdcrt_cell>& cells,
                     cdcrt_write_kind kind = CDCRT_WRITE_UPSERT, bool is_direct = true);
  /// `keys` after pipeline and sink: row-major, `key_columns` each; none: everything of the pipeline and sink.
  Result<void> read(plugin::Connection& connection, const HostTable& table, cdcrt_lock lock, const Visit& visit,
                    const std::vector<cdcrt_cell>& keys = {}, uint32_t key_columns = 0, uint64_t max_rows = 0);
  Result<Leases> read_leases(plugin::Connection& connection, const std::vector<PartitionKey>& keys, cdcrt_lock lock);
  Result<Leases> read_watermarks(plugin::Connection& connection, const std::vector<PartitionKey>& keys);
  Result<void> write_watermarks(plugin::Connection& connection, const Leases& watermarks);
  struct Extent {
    bool letters = false, progress = true;
  };
  Result<void> read_kept(plugin::Connection& connection, Stored& stored) { return read_kept(connection, stored, Extent()); }
  Result<void> read_kept(plugin::Connection& connection, Stored& stored, const Extent& extent);
  /// A few reads without locks, as of one moment: where they are one statement it needs no transaction.
  Result<void> in_one_look(plugin::Connection& connection, const std::function<Result<void>()>& body);
  Result<void> make_progress_tables(plugin::Connection& connection, const std::vector<std::string>& targets);
  Result<void> read_progress(plugin::Connection& connection, const std::set<std::string>& held, Stored& stored);
  static void trouble_into(const cdcrt_cell* cells, Stored& stored);
  Result<void> write_leases(plugin::Connection& connection, const Leases& leases);
  /// Leases as they are, to be changed by this transaction, and whether this process is on its list.
  struct Takeable {
    Leases leases;
    bool is_listed = false;
  };
  Result<Takeable> read_to_take(plugin::Connection& connection, const std::vector<PartitionKey>& keys);
  Result<void> take(plugin::Connection& connection, const std::vector<PartitionKey>& keys, const Takeable& now, Leases changed, Epochs& epochs);
  Result<void> list_process(plugin::Connection& connection, cdcrt_write_kind kind = CDCRT_WRITE_UPSERT);
  Result<void> write_positions(plugin::Connection& connection, const std::string& target,
                               const std::map<PartitionKey, StoredTable::Position>& positions, cdcrt_write_kind kind = CDCRT_WRITE_UPSERT);
  void append_table(std::vector<cdcrt_cell>& cells, const std::string& target, const StoredTable& table) const;
  void append_columns(std::vector<cdcrt_cell>& cells, std::deque<std::string>& storage, const std::string& target,
                      const std::vector<evolution::Column>& columns) const;
  Result<void> lock(plugin::Connection& connection, const std::vector<HostTable>& tables);
  Result<Stored> read_after_claim(plugin::Connection& connection);
  void know_progress(const std::vector<PartitionKey>& claimed, const Stored& stored);
  void add_holders(Reads& reads, Stored& stored) const;
  Result<void> read_holders(plugin::Connection& connection, Stored& stored);
  /// Processes that hold no lease any more.
  [[nodiscard]] std::set<std::string> gone(const Stored& stored) const;
  Result<std::vector<const Partition*>> check(plugin::Connection& connection, const std::vector<const Partition*>& partitions, cdcrt_lock lock);
  [[nodiscard]] std::vector<const Partition*> not_held(const std::vector<const Partition*>& partitions, const Leases& current) const;
  [[nodiscard]] bool is_held(const PartitionKey& key, const StoredPartition& lease) const;
  static const HostTable kFormat, kLeases, kWatermarks, kProgress, kTables, kColumns, kMoved, kOpenLetters, kFormerOpenLetters, kReplayed, kTroubles, kRowOrders, kTombstones;
  static const HostTable kClaims, kHolds, kProcesses;
  static const std::vector<const HostTable*> kAlwaysKept;

  const std::string pipeline_, sink_, schema_, owner_;
  const bool has_schemas_, locks_tables_, commits_serially_;
  const cdcrt_limits limits_;
  std::function<Result<void>(const std::string&)> abandoned_;
  std::atomic<bool> enlisted_{false};
  std::mutex claiming_;  ///< of claim_new(), also while it waits for the target
  std::mutex watermarks_;
  mutable std::mutex mutex_;
  Epochs epochs_;
  Epochs raising_;  ///< by reclaim(): committed, or not
  std::set<PartitionKey> lowered_;
  std::set<std::string> gone_;      ///< processes without a lease before the last claim waited for transactions
  std::set<std::string> prepared_;  ///< targets that hold() may name
  std::map<PartitionKey, std::set<std::string>> has_progress_;  ///< targets that may have a row, of partitions claimed with what was kept of them
  std::map<std::string, std::vector<std::string>> old_tombstones_;  ///< by target: keys found by purge_tombstones(), and left for its next calls
  std::vector<std::string> named_;  ///< targets that target_but_for_case() was asked for
};

/// `body` in a transaction of its own: committed, or taken back where it fails.
Result<void> in_transaction(plugin::Connection& connection, const std::function<Result<void>()>& body);

}  // namespace cdcrt::progress
