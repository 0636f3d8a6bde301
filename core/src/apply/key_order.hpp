// KeyOrder: a key that is met in two partitions is decided by source order, or its table stops (decision 0017).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "apply/fold.hpp"
#include "progress/partition.hpp"
#include "progress/row_order.hpp"
#include "progress/stored.hpp"

namespace cdcrt::apply {

struct Sealed;

/// The number by which a stored row order names the partition that it came from.
[[nodiscard]] int64_t mark_of(const progress::PartitionKey& partition);

/// The keys of a table that were written last, each with the partition that it came from and the order of its last change. Bounded;
/// what it has forgotten is taken as it comes. One thread at a time: whoever writes the table.
class KeyOrder {
 public:
  /// Keys remembered of a table whose rows come from one partition so far, and of one with several.
  static constexpr std::size_t kOfOnePartition = 64, kOfSeveral = 1024;

  /// Puts changes of one key that come from several partitions into source order: the older one is written first, and a change that is
  /// older than the row in the target is taken out. False: it is not known which one is newer; `sealed.refusal` says why, and nothing
  /// of the batch may be written.
  bool settle(Sealed& sealed);
  /// The batch is durable.
  void remember(const Sealed& sealed);
  void clear();
  /// What is remembered, to be stored for the next process; and taking over what the last one stored.
  [[nodiscard]] progress::RowOrders kept() const;
  void restore(const progress::RowOrders& kept);
  /// The same in the form in which a source-ordered table stores the orders of its rows.
  [[nodiscard]] progress::RowOrders row_orders() const;
  /// Some key had changes from two partitions, and their source orders could be compared.
  [[nodiscard]] bool met() const { return met_; }
  [[nodiscard]] std::size_t size() const { return keys_.size(); }
  /// Number of changes that were taken out because a newer one of another partition was in the target.
  [[nodiscard]] uint64_t overtaken() const { return overtaken_; }

 private:
  struct Known {
    uint32_t partition = 0, source = 0;
    bool removed = false;
    bool is_added = false;    ///< its partition was added to the topic while it was read
    bool ends_whole = false;  ///< its last change was one of the row as a whole
    uint64_t touched = 0;
    std::string key;
    std::string last;        ///< order of its last change
    std::string last_whole;  ///< of its last change as a whole, unless that is `last`; empty: unknown
    [[nodiscard]] std::string_view whole() const { return ends_whole ? last : last_whole; }
  };
  struct Change;

  class Batch;
  uint32_t partition_of(const progress::PartitionKey& key);
  uint32_t source_of(const SourceOfRows& source);
  void note(const Change& change);
  void shrink();

  [[nodiscard]] std::size_t limit() const { return partitions_.size() > 1 ? kOfSeveral : kOfOnePartition; }

  std::unordered_map<uint64_t, Known> keys_;  ///< by the key's hash
  std::vector<progress::PartitionKey> partitions_;
  std::vector<SourceOfRows> sources_;
  uint64_t touched_ = 0, overtaken_ = 0;
  bool met_ = false;
};

}  // namespace cdcrt::apply
