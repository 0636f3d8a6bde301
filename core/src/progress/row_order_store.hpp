// RowOrderStore: which change each row of a source-ordered table has last, and when rows were deleted; kept in the target.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "progress/row_order.hpp"
#include "progress/table_access.hpp"

namespace cdcrt::progress {

/// Inside the caller's transaction, which has locked the table's row for itself. `access` must outlive it.
class RowOrderStore {
 public:
  explicit RowOrderStore(const TableAccess& access) : access_(access) {}

  /// The orders of these keys.
  Result<RowOrders> find_row_orders(plugin::Connection& connection, const std::string& target, const std::vector<std::string>& keys);
  /// The orders of all rows of the table.
  Result<RowOrders> read_row_orders(plugin::Connection& connection, const std::string& target);
  Result<void> save_row_orders(plugin::Connection& connection, const std::string& target, const RowOrders& orders);
  /// Forgets all orders of the table: it is emptied, or not source-ordered any more.
  Result<void> forget_row_orders(plugin::Connection& connection, const std::string& target);
  /// Forgets rows that were deleted before then, up to `max_rows`; answers how many it looked at.
  Result<std::size_t> purge_tombstones(plugin::Connection& connection, const std::string& target, int64_t before_ms, std::size_t max_rows);

 private:
  Result<std::vector<std::string>> find_tombstones(plugin::Connection& connection, const std::string& target, int64_t before_ms);

  const TableAccess& access_;
  std::mutex mutex_;
  std::map<std::string, std::vector<std::string>>
      old_tombstones_;  ///< by target: keys found by purge_tombstones(), and left for its next calls
};

}  // namespace cdcrt::progress
