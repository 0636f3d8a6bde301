// DeadLetterStore: open dead letters of each table by row key (no later change has replaced the row), and replayed ones; in the target.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "progress/locks.hpp"
#include "progress/stored.hpp"
#include "progress/table_access.hpp"

namespace cdcrt::progress {

/// Inside the caller's transaction. `access` and `locks` must outlive it.
class DeadLetterStore {
 public:
  DeadLetterStore(const TableAccess& access, const Locks& locks) : access_(access), locks_(locks) {}

  /// Dead letters by key that are closed or opened. One may be open for several keys.
  using DeadLettersByKey = std::map<std::string, std::vector<OpenDeadLetter>>;
  Result<void> save_open_dead_letters(plugin::Connection& connection, const std::string& target, const DeadLettersByKey& closed,
                                      const DeadLettersByKey& opened);
  /// The open dead letters of the table, at most `max_dead_letters`; 0: all.
  Result<DeadLettersByKey> read_open_dead_letters(plugin::Connection& connection, const std::string& target, std::size_t max_dead_letters);
  /// The open dead letters of these keys.
  Result<DeadLettersByKey> find_open_dead_letters(plugin::Connection& connection, const std::string& target,
                                                  const std::set<std::string>& keys);
  /// Closes all dead letters of the table.
  Result<void> forget_open_dead_letters(plugin::Connection& connection, const std::string& target);
  /// Closes those of a table without a key, because its messages are read again: a replay beside that would double their rows.
  Result<void> pass_open_dead_letters(plugin::Connection& connection, const std::string& target);
  /// Dead letters of a table without a key that a replay applied, noted in the very transaction, wherever they are kept.
  Result<void> save_replayed(plugin::Connection& connection, const std::string& target, const std::vector<OpenDeadLetter>& dead_letters);
  Result<std::set<OpenDeadLetter>> read_replayed(plugin::Connection& connection, const std::string& target);

 protected:
  /// Adds reads of the open dead letters of all tables. `any`: whether there is one; without `with_dead_letters` only that is read.
  static void add_open_dead_letters(Reads& reads, Stored& stored, bool with_dead_letters, bool& any);
  static void sort(DeadLettersByKey& dead_letters);

 private:
  const TableAccess& access_;
  const Locks& locks_;
};

}  // namespace cdcrt::progress
