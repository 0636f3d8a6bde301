#include "progress/row_order_store.hpp"

#include <algorithm>

#include "progress/host_tables.hpp"

namespace cdcrt::progress {
namespace {

constexpr std::size_t kOrdersAtOnce = 5'000;
constexpr std::size_t kTombstonesFound = 200'000;
constexpr int64_t kRemoved = 1, kSnapshot = 2, kEndsWhole = 4, kIsAdded = 8;
// So few are not worth files.
constexpr std::size_t kMaxDirect = 256;

void append_part(std::string& out, std::string_view text) {
  out += static_cast<char>(text.size() >> 8 & 0xFF);
  out += static_cast<char>(text.size() & 0xFF);
  out += text;
}

bool take_part(std::string_view& rest, std::string& text) {
  if (rest.size() < 2) return false;
  const std::size_t size = static_cast<unsigned char>(rest[0]) << 8 | static_cast<unsigned char>(rest[1]);
  if (rest.size() - 2 < size) return false;
  text = rest.substr(2, size);
  rest.remove_prefix(2 + size);
  return true;
}

std::string parts_to_text(const RowOrder& order) {
  std::string text;
  for (const auto& [column, since] : order.parts) {
    append_part(text, column);
    append_part(text, since);
  }
  return text;
}

cdcrt_cell bytes_or_null(std::string_view value) { return value.empty() ? types::null_cell() : bytes(value); }

RowOrder row_order_of(const Row& row) {
  RowOrder order;
  order.order = row.text(kRowOrders.source_order);
  const int64_t flags = row.integer(kRowOrders.flags);
  order.removed = (flags & kRemoved) != 0;
  order.snapshot = (flags & kSnapshot) != 0;
  order.ends_whole = (flags & kEndsWhole) != 0;
  order.is_added = (flags & kIsAdded) != 0;
  order.server = row.integer(kRowOrders.server);
  order.source_table = row.integer(kRowOrders.source_table);
  order.partition = row.integer(kRowOrders.partition);
  const std::string parts = row.text(kRowOrders.parts);
  std::string_view rest = parts;
  for (std::string column, since; take_part(rest, column) && take_part(rest, since);) order.parts[column] = since;
  order.refused = row.text(kRowOrders.refused);
  return order;
}

// Calls `read` with the keys of so many rows of the target as a server is asked for at once.
template <class Read>
Result<void> for_each_portion(const std::string& target, const std::vector<std::string>& rows, std::size_t begin, Read&& read) {
  Keys wanted{2};
  for (std::size_t i = begin; i < rows.size(); ++i) {
    wanted.cells.insert(wanted.cells.end(), {text(target), bytes(rows[i])});
    if (i + 1 < rows.size() && wanted.cells.size() < 2 * kOrdersAtOnce) continue;
    if (Result<void> done = read(wanted); !done) return done;
    wanted.cells.clear();
  }
  return {};
}

}  // namespace

Result<RowOrders> RowOrderStore::find_row_orders(plugin::Connection& connection, const std::string& target,
                                                 const std::vector<std::string>& keys) {
  RowOrders found;
  const Visit visit = [&](const Row& row) { found[row.text(kRowOrders.key)] = row_order_of(row); };
  auto done = for_each_portion(target, keys, 0,
                               [&](const Keys& wanted) { return access_.read(connection, kRowOrders, CDCRT_LOCK_NONE, visit, wanted); });
  if (!done) return std::move(done.error());
  return found;
}

Result<void> RowOrderStore::save_row_orders(plugin::Connection& connection, const std::string& target, const RowOrders& orders) {
  Rows rows = rows_of(kRowOrders), removed = rows_of(kTombstones);
  rows.reserve(orders.size());
  for (const auto& [key, order] : orders) {
    const int64_t flags = (order.removed ? kRemoved : 0) | (order.snapshot ? kSnapshot : 0) | (order.ends_whole ? kEndsWhole : 0) |
                          (order.is_added ? kIsAdded : 0);
    auto row = access_.add(rows);
    row[kRowOrders.target] = text(target);
    row[kRowOrders.key] = bytes(key);
    row[kRowOrders.source_order] = bytes(order.order);
    row[kRowOrders.flags] = integer(flags);
    row[kRowOrders.server] = integer(order.server);
    row[kRowOrders.source_table] = integer(order.source_table);
    row[kRowOrders.partition] = integer(order.partition);
    if (!order.parts.empty()) row[kRowOrders.parts] = bytes_or_null(rows.keep(parts_to_text(order)));
    row[kRowOrders.refused] = bytes_or_null(order.refused);
    if (!order.removed || order.removed_ms <= 0) continue;
    auto tombstone = access_.add(removed);
    tombstone[kTombstones.target] = text(target);
    tombstone[kTombstones.key] = bytes(key);
    tombstone[kTombstones.removed_ms] = integer(order.removed_ms);
  }
  const bool is_direct = orders.size() <= kMaxDirect;
  if (auto written = access_.write(connection, rows, CDCRT_WRITE_UPSERT, is_direct); !written) return written;
  return access_.write(connection, removed, CDCRT_WRITE_UPSERT, is_direct);
}

Result<RowOrders> RowOrderStore::read_row_orders(plugin::Connection& connection, const std::string& target) {
  RowOrders orders;
  const Visit visit = [&](const Row& row) { orders[row.text(kRowOrders.key)] = row_order_of(row); };
  auto done = access_.read(connection, kRowOrders, CDCRT_LOCK_NONE, visit, {1, {text(target)}});
  if (!done) return std::move(done.error());
  return orders;
}

Result<void> RowOrderStore::forget_row_orders(plugin::Connection& connection, const std::string& target) {
  if (auto forgotten = access_.forget(connection, kRowOrders, target); !forgotten) return forgotten;
  return access_.forget(connection, kTombstones, target);
}

// All of the table's are read once for many calls.
Result<std::vector<std::string>> RowOrderStore::find_tombstones(plugin::Connection& connection, const std::string& target,
                                                                int64_t before_ms) {
  std::vector<std::string> found;
  {
    const std::lock_guard lock(mutex_);
    found = std::move(old_tombstones_[target]);
    old_tombstones_.erase(target);
  }
  if (!found.empty()) return found;
  const Visit visit = [&](const Row& row) {
    if (found.size() < kTombstonesFound && row.integer(kTombstones.removed_ms) < before_ms) found.push_back(row.text(kTombstones.key));
  };
  auto done = access_.read(connection, kTombstones, CDCRT_LOCK_NONE, visit, {1, {text(target)}});
  if (!done) return std::move(done.error());
  return found;
}

Result<std::size_t> RowOrderStore::purge_tombstones(plugin::Connection& connection, const std::string& target, int64_t before_ms,
                                                    std::size_t max_rows) {
  auto tombstones = find_tombstones(connection, target, before_ms);
  if (!tombstones) return std::move(tombstones.error());
  std::vector<std::string>& found = *tombstones;
  if (found.empty()) return std::size_t{0};
  const std::size_t count = std::min(max_rows, found.size());
  // Rows that came back and were taken away again since are no old ones.
  std::vector<std::string> keys;
  const Visit keep_old = [&](const Row& row) {
    if (row.integer(kTombstones.removed_ms) < before_ms) keys.push_back(row.text(kTombstones.key));
  };
  auto looked = for_each_portion(target, found, found.size() - count, [&](const Keys& wanted) {
    return access_.read(connection, kTombstones, CDCRT_LOCK_NONE, keep_old, wanted);
  });
  if (!looked) return std::move(looked.error());
  auto orders = find_row_orders(connection, target, keys);
  if (!orders) return std::move(orders.error());
  Rows purged = keys_of_rows(kRowOrders), gone = keys_of_rows(kTombstones);
  for (const auto& key : keys) {
    auto tombstone = access_.add(gone);
    tombstone[kTombstones.target] = text(target);
    tombstone[kTombstones.key] = bytes(key);
    const auto order = orders->find(key);
    // The row came back, or waits for a dead letter.
    if (order == orders->end() || !order->second.removed || !order->second.refused.empty()) continue;
    auto row = access_.add(purged);
    row[kRowOrders.target] = text(target);
    row[kRowOrders.key] = bytes(key);
  }
  const bool is_direct = keys.size() <= kMaxDirect;
  if (auto written = access_.write(connection, purged, CDCRT_WRITE_DELETE, is_direct); !written) return std::move(written.error());
  if (auto written = access_.write(connection, gone, CDCRT_WRITE_DELETE, is_direct); !written) return std::move(written.error());
  found.resize(found.size() - count);
  const std::lock_guard lock(mutex_);
  if (!found.empty()) old_tombstones_[target] = std::move(found);
  return count;
}

}  // namespace cdcrt::progress
