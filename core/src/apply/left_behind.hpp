// Rows that stay under an old key: where the route's primary_key holds more columns than the message's key, an update without an image of
// the row before does not say that one of those columns changed. The message's key finds the row.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apply/table.hpp"
#include "apply/write_set.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::apply {

/// Of one write. Owns the entries that it makes; borrows the rest.
class LeftBehind {
 public:
  /// `late`: the changes may be older than the rows in the target, so that their before images do not say where a row is now.
  LeftBehind(plugin::Connection& connection, const progress::Store& store, const Sealed& sealed, bool late = false)
      : connection_(connection), store_(store), sealed_(sealed), columns_(sealed), late_(late) {}
  /// Inside the caller's transaction, before `entries` are written: adds deletes of the rows under the old keys, and fills cells that the
  /// events lack into the rows under the new keys.
  Result<void> settle(std::vector<const Entry*>& entries);
  /// The caller's own entry behind one of `entries`; null: there is none.
  [[nodiscard]] const Entry* original(const Entry* entry) const {
    const auto found = originals_.find(entry);
    return found == originals_.end() ? entry : found->second;
  }
  /// Entries whose row stood under another key in the target.
  [[nodiscard]] const std::vector<const Entry*>& moved() const { return moved_; }
  /// Rows with one message key may come from several partitions, source tables or pipelines: none of them was deleted.
  [[nodiscard]] bool is_unsure() const { return is_unsure_; }

 private:
  using Row = std::vector<cdcrt_cell>;
  /// What the batch does under one key of the table.
  struct OfKey {
    std::vector<std::size_t> entries;
    std::string stored;  ///< the key as the target keeps it
    int64_t last = -1, untold = -1;
    bool left = false;
  };
  /// A row of the target.
  struct Standing {
    std::string key, message_key;  ///< as the target keeps them
    Row cells;
  };
  /// What a message's key names, by key of the table.
  using Group = std::map<std::string_view, OfKey>;
  using Groups = std::map<std::string, Group>;

  [[nodiscard]] int64_t untold(const Entry& entry) const;
  std::string stored_key(const std::vector<uint32_t>& slots, const Entry& entry);
  Groups group(const std::vector<const Entry*>& entries);
  Result<void> read(const std::vector<uint32_t>& by, const std::vector<const Entry*>& wanted, bool whole, std::vector<Standing>& found);
  Result<void> settle(Group& group, const std::vector<Standing>& standing, std::vector<const Entry*>& entries);
  Result<bool> has_one_source();
  const Entry& remove(std::string_view key, const cdcrt_cell* cells, uint32_t width, const Entry& newer);
  const Entry& complete(const Entry& entry, const Row& from);
  Row with(const Entry& entry, Row row) const;

  plugin::Connection& connection_;
  const progress::Store& store_;
  const Sealed& sealed_;
  const TargetColumns columns_;
  const bool late_;
  std::optional<bool> has_one_source_;
  std::deque<Entry> made_;
  std::map<const Entry*, const Entry*> originals_;
  std::vector<const Entry*> moved_;
  event::Arena arena_{4 << 10};
  bool is_unsure_ = false;
};

}  // namespace cdcrt::apply
