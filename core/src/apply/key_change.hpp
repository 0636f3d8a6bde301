// Key changes that come as two events, perhaps in two partitions: the row under the new key takes the cells that its
// event lacks from the row that left the old key.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "apply/sealed.hpp"
#include "plugin/instance.hpp"
#include "progress/store.hpp"

namespace cdcrt::apply {

/// The entries of a sealed batch with the key changes settled. Owns the entries that it changed; borrows the rest.
class SettledEntries {
 public:
  [[nodiscard]] const std::vector<const Entry*>& entries() const { return entries_; }
  /// The sealed batch's own entry behind one of entries(); nullptr: there is none, it fills a row of an earlier batch.
  [[nodiscard]] const Entry* original(const Entry* entry) const {
    const auto found = originals_.find(entry);
    return found == originals_.end() ? entry : found->second;
  }
  /// The sealed batch's own entries that lack cells which only the row under the old key had, and that row was not in the target.
  [[nodiscard]] const std::vector<const Entry*>& missing() const { return missing_; }
  /// The same of rows that an earlier batch wrote: names of the columns that stay without a value.
  [[nodiscard]] const std::set<std::string>& never_filled() const { return never_filled_; }

 private:
  friend class KeyChanges;
  std::vector<const Entry*> entries_;
  std::deque<Entry> changed_;
  std::map<const Entry*, const Entry*> originals_;
  std::vector<const Entry*> missing_;
  std::set<std::string> never_filled_;
  event::Arena arena_{4 << 10};
};

/// Inside the caller's transaction, before the entries are written: reads the rows under old keys, fills those under new keys, and
/// keeps key changes of which one event is still missing, in sealed.attempt.key_changes until the transaction commits.
/// `only`: these entries alone are written, all of a key or none; the event under another key counts as not read yet.
Result<void> settle_key_changes(plugin::Connection& connection, progress::Store& store, Sealed& sealed, SettledEntries& settled,
                                const std::vector<const Entry*>* only = nullptr);

}  // namespace cdcrt::apply
