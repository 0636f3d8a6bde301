// Locks: how transactions of several processes that share a target keep apart. One protocol for targets that lock rows (row_locks.hpp),
// one for those that lock whole tables only (table_locks.hpp).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "progress/host_tables.hpp"
#include "progress/stored.hpp"
#include "progress/table_access.hpp"

namespace cdcrt::progress {

using Leases = std::map<PartitionKey, StoredPartition>;

/// Thread-safe; connections belong to the callers.
class Locks {
 public:
  Locks() = default;
  Locks(const Locks&) = delete;
  Locks& operator=(const Locks&) = delete;
  virtual ~Locks() = default;

  // Writers of target tables.

  /// Creates what lock_targets() locks; done once for each target.
  virtual Result<void> prepare_locks(plugin::Connection& connection, const std::vector<std::string>& targets) = 0;
  /// First statement of a transaction that writes these targets or what is stored of them.
  virtual Result<void> lock_targets(plugin::Connection& connection, const std::vector<std::string>& targets) const = 0;
  /// Returns once every transaction that has locked the target, and began before our epochs were raised, has ended.
  virtual Result<void> wait_for_writers(plugin::Connection& connection, const std::string& target) const = 0;
  /// Whether lock_targets() keeps all other processes from the target and what is stored of it, until the transaction ends.
  [[nodiscard]] virtual bool excludes_others() const = 0;

  // Claims.

  /// First statement of a transaction that changes leases or watermarks and writes no target.
  virtual Result<void> lock_claims(plugin::Connection& connection) const = 0;
  /// Locks against other processes that create a lease or a table's row.
  virtual Result<void> lock_creation(plugin::Connection& connection) const = 0;
  /// Reads leases that the transaction will change. Runs `beside` too where all of that is one statement; else ignores it.
  virtual Result<Leases> read_to_take(plugin::Connection& connection, const std::vector<PartitionKey>& keys,
                                      const AddReads& beside) const = 0;
  /// How a claim reads what is stored: the first calls `read` inside the claim's transaction (row locks); the second after its commit, once
  /// all transactions have ended that checked their leases before (table locks). The other one does nothing. `beside` is read before that.
  virtual Result<void> read_in_claim(const Body& read) const = 0;
  virtual Result<void> read_after_claim(plugin::Connection& connection, const AddReads& beside, const Body& read) = 0;
  /// Whether claims wait for one another, so that one claim of many partitions is better than many claims.
  [[nodiscard]] virtual bool claims_wait() const = 0;

  // Where things are, and how they are read.

  /// Tables that are kept beside those of every target.
  [[nodiscard]] virtual std::vector<const HostTable*> own_tables() const = 0;
  /// Where the target's progress is.
  [[nodiscard]] virtual HostTable progress_of(const std::string& target) const = 0;
  /// Adds reads of the progress of these targets; `visit` may be called for others too.
  virtual void add_progress(Reads& reads, const std::vector<std::string>& targets, const Visit& visit) const = 0;
  /// Adds a read of the names of all progress tables into `where`, which must outlive it.
  virtual void add_places(Reads& reads, std::vector<std::string>& where) const = 0;
  /// Reads all progress in those tables, which know_places() then knows.
  virtual Result<void> read_progress(plugin::Connection& connection, const std::vector<std::string>& where, const Visit& visit) = 0;
  virtual void know_places(const std::vector<std::string>& where) = 0;
  /// Runs a few reads without locks that see the same moment: in a transaction, or without where they are one statement.
  virtual Result<void> in_one_look(plugin::Connection& connection, const Body& body) const = 0;
  /// Whether reads by key are cheap (an index); else reading all rows of a table costs no more.
  [[nodiscard]] virtual bool finds_by_key() const = 0;

  // Migration.

  /// First statement of a transaction: no process of any pipeline writes these tables until it ends.
  virtual Result<void> lock_out(plugin::Connection& connection, const std::vector<HostTable>& tables) const = 0;
};

/// By the sink's capabilities (CDCRT_SINK_*). `access` must outlive it.
std::unique_ptr<Locks> make_locks(uint32_t capabilities, const TableAccess& access);

/// What the parts of a store share, made before them.
struct StoreParts {
  StoreParts(std::string pipeline, std::string sink, std::string schema, uint32_t capabilities)
      : tables_(std::move(pipeline), std::move(sink), std::move(schema), (capabilities & CDCRT_SINK_SCHEMAS) != 0),
        protocol_(make_locks(capabilities, tables_)) {}
  TableAccess tables_;
  std::unique_ptr<Locks> protocol_;
};

// Rows of leases.

[[nodiscard]] StoredPartition lease_of(const Row& row);
Result<Leases> read_leases(plugin::Connection& connection, const TableAccess& access, const std::vector<PartitionKey>& keys,
                           cdcrt_lock lock);

}  // namespace cdcrt::progress
