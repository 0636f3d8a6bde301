// Writer: one connection that takes ready tables, oldest first, several into one transaction, and sees each of them
// through: retries, isolation of bad rows, progress, commit.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apply/isolate.hpp"
#include "apply/stretch.hpp"
#include "apply/table.hpp"
#include "dead_letters/dead_letters.hpp"
#include "diagnostics/reminder.hpp"
#include "plugin/instance.hpp"
#include "progress/store.hpp"

namespace cdcrt::apply {

/// An outage of the target: told when it begins and now and then while it lasts, however many connections meet it. Any thread.
class Outage {
 public:
  /// `who` could not reach the target; answers what is to be said, if it is time for that.
  std::optional<std::string> fails(const void* who, const Error& error);
  /// `who` reached it. True: nobody fails any more, and that is to be said.
  bool works(const void* who);
  /// `who` waits for a lock of somebody else's, or does so no more.
  void locked(const void* who, bool is);
  /// Whoever fails waits for a lock.
  [[nodiscard]] bool is_of_locks() const;

 private:
  mutable std::mutex mutex_;
  std::set<const void*> failing_, locked_;
  diagnostics::Reminder reminder_;
};

/// What a writer needs of its context; all of it outlives the writer.
struct WriterContext {
  plugin::Sink& sink;
  progress::Store* store;  ///< null: the target keeps no progress
  EventReader& reader;
  dead_letters::DeadLetters& letters;
  std::function<void(std::string_view message)> warn;
  /// True once the process should give up waiting for an outage to end.
  std::function<bool()> gives_up;
  /// True once the process is to end: what takes long is left where it stands, for the next start. May be null.
  std::function<bool()> stopping = {};
  /// A partition turned out not to be ours any more: the context forget it, and claim it again if it should be.
  std::function<void(const progress::Partition&)> lost = {};
  /// Waits; null: sleeps.
  std::function<void(std::chrono::microseconds)> pause = {};
  /// A table that others lock for longer is detached; so is one that keeps the rest from going on (`crowded`).
  std::chrono::microseconds stall_after{30'000'000};
  std::function<bool(const Table&)> crowded = {};
  /// Held around each transaction where only one connection may write; may be null.
  std::mutex* turn = nullptr;
  Outage* outage = nullptr;
  std::string progress_schema = {};  ///< where a row may be tried; empty: nowhere
  /// Partitions that are always ours, and known by now. May be null.
  std::function<std::vector<const progress::Partition*>()> always_ours = {};
};

/// One thread.
class Writer {
 public:
  explicit Writer(const WriterContext& context) : context_(context) {}

  /// Writes the batches, together if it can, else one by one; each is then completed, or its table detached. Error: the pipeline
  /// cannot go on (or gives up); batches that were not written stay sealed.
  Result<void> write(std::vector<Sealed>& batches);
  /// Stores low watermarks in a transaction of their own; those of partitions that were lost are left out. Does not wait for an
  /// outage to end.
  Result<void> save_watermarks(std::vector<progress::Store::Watermark> watermarks);
  /// Runs `body` on the connection, outside of any transaction. Does not wait for an outage to end.
  Result<void> run(const std::function<Result<void>(plugin::Connection&)>& body);
  /// Stores which keys these tables have written last, for the next process; what is not stored until then is left out.
  Result<void> save_known_keys(const std::vector<Table*>& tables, std::chrono::steady_clock::time_point until);

 private:
  Result<void> read_known_keys(Sealed& sealed);
  Result<void> keep_by_source(Sealed& sealed);
  void purge_tombstones(Table& table);
  Result<void> connect();
  Result<void> attempt(std::vector<Sealed*>& batches, std::vector<const Entry*>& missing);
  Result<void> prepare(const std::vector<Sealed*>& batches);
  Result<void> prepare_tables_of(const std::vector<Sealed*>& batches, bool transactional);
  Result<void> put_in_order(Sealed& sealed);
  Result<void> stop_for_good(Sealed& sealed);
  Result<void> decide_by_source(Sealed& sealed, const SourceOrder::Refused& refused = {});
  Result<void> clear(const Sealed& sealed);
  Result<void> begin(const std::vector<Sealed*>& batches);
  Result<void> write_rows(std::vector<Sealed*>& batches, std::vector<const Entry*>& missing);
  Result<void> hold_leases(const std::vector<const Sealed*>& batches, const progress::Store::Checked* checked = nullptr);
  Result<bool> tables_changed(const std::vector<Sealed*>& batches, const progress::Store::Checked* checked = nullptr);
  Result<progress::Store::Checked> check_at_once(const std::vector<Sealed*>& batches);
  Result<bool> write_together(std::vector<Sealed*>& batches);
  Result<void> write_alone(Sealed& sealed);
  struct Portion;
  /// How often a write is tried while it meets definitions that others changed, in a row.
  static constexpr int kStaleAttempts = 4;
  Result<void> write_refused(Sealed& sealed, const std::vector<const Entry*>& missing);
  Result<void> write_pieces(Sealed& sealed, Stretch& stretch);
  Result<void> write_portion(Sealed& sealed, Stretch& stretch, Portion& portion);
  Result<void> write_portion_rows(Stretch& stretch, Portion& portion);
  Result<bool> try_piece(Sealed& piece, Portion& portion);
  void refuse_event(const Stretch::Piece& piece, const Stretch& stretch, Portion& portion);
  Result<void> write_isolated(Sealed& sealed, const std::vector<const Entry*>& missing);
  Result<void> commit_isolated(Sealed& sealed, const Isolated& isolated);
  Result<void> write_settled(Sealed& sealed, const std::vector<const Entry*>* only, std::vector<const Entry*>& missing);
  Result<void> finish(const std::vector<Sealed*>& batches);
  Result<void> commit(const std::vector<Sealed*>& batches, const dead_letters::Flushed& letters);
  Result<bool> already_committed(Sealed& sealed);
  void completed(Sealed& sealed);
  void completed_part(const Sealed& portion);
  void dropped(Sealed& sealed);
  void roll_back();
  Result<void> lose(const std::vector<const progress::Partition*>& partitions);
  Result<void> wait(const Error& error);
  void reached();
  /// Leaves what failed to others: nothing is known of the target.
  void gives_way();
  [[nodiscard]] bool is_locked_whole(const Error& error) const;
  bool takes_other_rows();
  /// Runs `body` until it is done or fails with something else than an outage or a lock that will go away. While `commit_unknown`, which
  /// `body` sets and clears, nothing else is decided: the rows may be in the target.
  Result<void> with_retries(const Table& table, const bool& commit_unknown, const std::function<Result<void>()>& body);

  WriterContext context_;
  std::optional<plugin::Connection> connection_;
  unsigned failures_ = 0;
  std::chrono::steady_clock::time_point failing_since_{};
  bool told_outage_ = false;  ///< the Outage knows of a failure of ours, and not yet of its end
  bool others_wait_ = false;  ///< batches that failed together with this one are still to be written
  bool again_ = false;  ///< the last attempt met something new (a lost partition, another process's change): it is simply repeated
};

}  // namespace cdcrt::apply
