// Open letters: which rows wait for a message that became a dead letter. A later full change or delete of the row
// closes its letters; a partial change of such a row becomes one too.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "apply/dead_letter_key.hpp"
#include "progress/store.hpp"

namespace cdcrt::apply {

struct Sealed;
struct Entry;
class Fold;

/// What happens to the letters of some rows, in order. Not thread-safe.
class LetterChanges {
 public:
  /// The row was changed as a whole: what was open before is made good.
  void close(std::string_view key);
  void open(std::string_view key, const progress::OpenDeadLetter& letter);
  [[nodiscard]] bool is_open(std::string_view key) const;
  [[nodiscard]] const std::set<std::string>& closed() const { return closed_; }
  [[nodiscard]] const progress::Store::LettersByKey& opened() const { return opened_; }

 private:
  std::set<std::string> closed_;
  progress::Store::LettersByKey opened_;
};

/// What was looked up in a transaction that holds the table's row, so that nobody else changes it.
struct FoundLetters {
  std::set<std::string> keys;  ///< also those without letters
  progress::Store::LettersByKey letters;
};

/// Finds the open letters of the batch's rows, inside the transaction and before the table's row is locked: who changes letters raises
/// the row's version. A table's are kept in memory while they are few.
Result<void> look_up_letters(plugin::Connection& connection, progress::Store& store, Sealed& sealed, FoundLetters* earlier = nullptr);
/// Appends the entries that change a part of a row whose letters are open.
void find_blocked(const Sealed& sealed, std::vector<const Entry*>& blocked);
/// Fills sealed.letters_closed and letters_opened: by what is written (`good`) after what `isolation` did to rows of its own.
void settle_dead_letters(Sealed& sealed, const std::vector<const Entry*>& good, const LetterChanges& isolation);
/// The transaction is durable: the table takes them over.
void take_letters(const Sealed& sealed);

}  // namespace cdcrt::apply
