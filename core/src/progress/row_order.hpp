// RowOrder: which change a row of a source-ordered table has last (decision 0033).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "cdcrt/sdk/hash.hpp"

namespace cdcrt::progress {

struct RowOrder {
  std::string order;      ///< source order of the last change of the whole row; empty: unknown, and older than any
  bool removed = false;   ///< that change deleted the row
  bool snapshot = false;  ///< that change was a row of a snapshot: older than any other change of the same order
  int64_t server = 0;     ///< mark_of() the server whose orders these are; 0: not told
  int64_t partition = 0;  ///< mark_of() the partition that it came from
  std::map<std::string, std::string, std::less<>> parts;  ///< by column: order of a later change that set only some columns
  std::string refused;                                    ///< order of the row's last change that is an open dead letter; empty: none
  int64_t source_table = 0;                               ///< mark_of() the source's table that it came from
  bool ends_whole = false;                                ///< only for keys that KeyOrder remembers
  bool is_added = false;                                  ///< only for keys that KeyOrder remembers
  int64_t removed_ms = 0;                                 ///< when the row was deleted: milliseconds since 1970
};

/// By key, as open dead letters are kept.
using RowOrders = std::unordered_map<std::string, RowOrder>;

/// A hash that is stored, so it is the same in every version. 0 for an empty text, and for nothing else.
inline int64_t mark_of(std::string_view name) {
  if (name.empty()) return 0;
  const uint64_t hash = sdk::fnv1a(name);
  return hash == 0 ? 1 : static_cast<int64_t>(hash);
}

}  // namespace cdcrt::progress
