// Open dead letters: which rows wait for a message that became a dead letter. A later full change or delete of the row
// closes its dead letters; a partial change of such a row becomes one too.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "apply/dead_letter_key.hpp"
#include "plugin/instance.hpp"
#include "progress/store.hpp"

namespace cdcrt::apply {

struct Sealed;
struct Entry;
class Fold;

/// What happens to the dead letters of some rows, in order. Not thread-safe.
class DeadLetterChanges {
 public:
  /// The row was changed as a whole: what was open before is made good.
  void close(std::string_view key);
  void open(std::string_view key, const progress::OpenDeadLetter& dead_letter);
  [[nodiscard]] bool is_open(std::string_view key) const;
  [[nodiscard]] const std::set<std::string>& closed() const { return closed_; }
  [[nodiscard]] const progress::Store::DeadLettersByKey& opened() const { return opened_; }

 private:
  std::set<std::string> closed_;
  progress::Store::DeadLettersByKey opened_;
};

/// The open dead letters of a table, kept in memory while they are few. One thread at a time: whoever writes the table.
class KnownDeadLetters {
 public:
  /// Begins anew with what is stored. `is_whole`: it is known that none is open.
  void restore(bool is_whole) { are_known_ = is_whole_ = is_whole; }
  /// They are to be read again.
  void look_again() { are_known_ = false; }
  /// A table that the target does not know yet has none. Another process that opens one raises the version of the table's row.
  void begin_without();
  /// All of them are known.
  [[nodiscard]] bool is_whole() const { return is_whole_; }
  /// All open ones, where is_whole(); otherwise they are too many and are looked up by key.
  [[nodiscard]] const progress::Store::DeadLettersByKey& open() const { return open_; }
  /// Reads them, unless they are known.
  Result<void> read(plugin::Connection& connection, progress::Store& store, const std::string& target);
  /// The transaction is durable: takes over what it opened and closed.
  void take(const Sealed& sealed);

 private:
  bool are_known_ = false, is_whole_ = false;
  progress::Store::DeadLettersByKey open_;
};

/// What was looked up in a transaction that has locked the table's row, so that nobody else changes it.
struct FoundDeadLetters {
  std::set<std::string> keys;  ///< also those without dead letters
  progress::Store::DeadLettersByKey dead_letters;
};

/// Looks up the open dead letters of the batch's rows, inside the transaction and before the table's row is locked: a process that changes
/// dead letters raises the row's version, so that a change in between is noticed.
Result<void> look_up_dead_letters(plugin::Connection& connection, progress::Store& store, Sealed& sealed,
                                  FoundDeadLetters* earlier = nullptr);
/// Appends the entries that change a part of a row whose dead letters are open.
void find_blocked(const Sealed& sealed, std::vector<const Entry*>& blocked);
/// Fills sealed.attempt.dead_letters_closed and dead_letters_opened from the entries that are written (`good`) and from the rows that
/// `isolation` wrote one by one.
void settle_dead_letters(Sealed& sealed, const std::vector<const Entry*>& good, const DeadLetterChanges& isolation);

}  // namespace cdcrt::apply
