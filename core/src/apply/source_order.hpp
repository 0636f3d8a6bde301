// SourceOrder: decides which changes of a batch count in a source-ordered table: a row is that of its change with the greatest source
// order, whichever partition, batch or process brought it (decision 0033).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "apply/fold.hpp"
#include "plugin/instance.hpp"
#include "progress/store.hpp"

namespace cdcrt::apply {

struct Sealed;

/// Of one sealed batch, or of a piece of one. Its entries are single changes: partial ones are not folded.
class SourceOrder {
 public:
  /// An event that became a dead letter in this transaction.
  struct RefusedEvent {
    std::string order;
    int64_t server = 0;  ///< progress::mark_of()
  };
  using Refused = std::unordered_map<std::string, RefusedEvent>;  ///< by key, as dead letters are kept

  /// Inside a transaction that has locked the table's row, before the batch is written: reads the stored orders of its rows and takes out
  /// changes that are older. BAD_CONFIG: it is not known which is newer; `sealed.refusal` says why.
  Result<void> decide(plugin::Connection& connection, progress::Store& store, Sealed& sealed, const Refused& refused = {});
  /// Stores the rows' orders, in that transaction.
  Result<void> save(plugin::Connection& connection, progress::Store& store, const Sealed& sealed) const;
  /// The transaction was rolled back: puts the batch back as it was. To be called before partitions are dropped from it.
  void take_back();
  /// Number of changes that were taken out.
  [[nodiscard]] uint64_t overtaken() const { return overtaken_; }

 private:
  friend class SourceOrdering;
  struct Before {
    Entry* entry;
    Entry value;
  };
  std::vector<Before> before_;
  std::vector<RefusedKey*> closed_;
  progress::RowOrders orders_;
  uint64_t overtaken_ = 0;
};

/// Notes in this transaction that events of these rows became dead letters.
Result<void> save_refused_orders(plugin::Connection& connection, progress::Store& store, const std::string& target,
                                 const SourceOrder::Refused& refused);

}  // namespace cdcrt::apply
