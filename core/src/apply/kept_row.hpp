// KeptRow: what the target keeps of a table beside its rows, as it was read or written last.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "apply/key_change_record.hpp"
#include "progress/stored.hpp"

namespace cdcrt::apply {

struct Sealed;

/// One thread at a time: whoever writes the table.
class KeptRow {
 public:
  using KeyChanges = std::map<std::string, KeyChangeRecord>;  ///< pending key changes, by new key

  /// The columns of the row itself (version, floor, state), without what other tables list for it.
  [[nodiscard]] const progress::StoredTable& row() const { return row_; }
  /// False: it must be read again before the next write.
  [[nodiscard]] bool is_known() const { return is_known_; }
  /// It is known, and still at this version.
  [[nodiscard]] bool is(int64_t version) const { return is_known_ && row_.version == version; }
  void look_again() { is_known_ = false; }
  void take(progress::StoredTable row);
  /// cdcrt itself stopped the table, and that is stored.
  void pause() { row_.state = progress::TableState::kPaused; }
  /// The batch is durable: takes over what it changed beside the table's row.
  void take(const Sealed& sealed);

  /// Version of what is known of the columns, as it was stored last.
  [[nodiscard]] uint64_t knowledge_version() const { return knowledge_version_; }
  void knowledge_stored(uint64_t version) { knowledge_version_ = version; }

  [[nodiscard]] const KeyChanges& key_changes() const { return key_changes_; }
  void take(KeyChanges changes) { key_changes_ = std::move(changes); }

 private:
  progress::StoredTable row_;
  bool is_known_ = false;
  uint64_t knowledge_version_ = 0;
  KeyChanges key_changes_;
};

}  // namespace cdcrt::apply
