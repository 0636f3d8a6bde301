// Which change each row of a source-ordered table has last, and when rows were taken away.
#include <algorithm>
#include <deque>

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

// `cells` are those after pipeline and sink.
RowOrder row_order_of(const cdcrt_cell* cells) {
  RowOrder order;
  order.order = string_of(cells[2]);
  const int64_t flags = integer_of(cells[3]);
  order.removed = (flags & kRemoved) != 0;
  order.snapshot = (flags & kSnapshot) != 0;
  order.ends_whole = (flags & kEndsWhole) != 0;
  order.is_added = (flags & kIsAdded) != 0;
  order.server = integer_of(cells[4]);
  order.source_table = integer_of(cells[5]);
  order.partition = integer_of(cells[6]);
  const std::string parts = string_of(cells[7]);
  std::string_view rest = parts;
  for (std::string column, since; take_part(rest, column) && take_part(rest, since);) order.parts[column] = since;
  order.refused = string_of(cells[8]);
  return order;
}

}  // namespace

Result<RowOrders> Store::find_row_orders(plugin::Connection& connection, const std::string& target, const std::vector<std::string>& keys) {
  RowOrders found;
  std::vector<cdcrt_cell> wanted;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    wanted.insert(wanted.end(), {text(target), bytes(keys[i])});
    if (i + 1 < keys.size() && wanted.size() < 2 * kOrdersAtOnce) continue;
    auto done = read(connection, kRowOrders, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { found[string_of(cells[1])] = row_order_of(cells); }, wanted, 2);
    if (!done) return std::move(done.error());
    wanted.clear();
  }
  return found;
}

Result<void> Store::save_row_orders(plugin::Connection& connection, const std::string& target, const RowOrders& orders) {
  std::vector<cdcrt_cell> cells, removed;
  std::deque<std::string> parts;
  cells.reserve(orders.size() * kRowOrders.columns.size());
  for (const auto& [key, order] : orders) {
    const int64_t flags = (order.removed ? kRemoved : 0) | (order.snapshot ? kSnapshot : 0) | (order.ends_whole ? kEndsWhole : 0) | (order.is_added ? kIsAdded : 0);
    const std::string_view own = order.parts.empty() ? std::string_view() : std::string_view(parts.emplace_back(parts_to_text(order)));
    cells.insert(cells.end(), {text(pipeline_), text(sink_), text(target), bytes(key), bytes(order.order), integer(flags), integer(order.server),
                               integer(order.source_table), integer(order.partition), bytes_or_null(own), bytes_or_null(order.refused)});
    if (order.removed && order.removed_ms > 0) {
      removed.insert(removed.end(), {text(pipeline_), text(sink_), text(target), bytes(key), integer(order.removed_ms)});
    }
  }
  const bool is_direct = orders.size() <= kMaxDirect;
  if (auto written = write(connection, kRowOrders, cells, CDCRT_WRITE_UPSERT, is_direct); !written) return written;
  return write(connection, kTombstones, removed, CDCRT_WRITE_UPSERT, is_direct);
}

Result<RowOrders> Store::read_row_orders(plugin::Connection& connection, const std::string& target) {
  RowOrders orders;
  auto done = read(connection, kRowOrders, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { orders[string_of(cells[1])] = row_order_of(cells); }, {text(target)}, 1);
  if (!done) return std::move(done.error());
  return orders;
}

Result<void> Store::forget_row_orders(plugin::Connection& connection, const std::string& target) {
  if (auto forgotten = forget_of(connection, kRowOrders, target); !forgotten) return forgotten;
  return forget_of(connection, kTombstones, target);
}

Result<std::size_t> Store::purge_tombstones(plugin::Connection& connection, const std::string& target, int64_t before_ms, std::size_t most) {
  std::vector<std::string> found;
  {
    const std::lock_guard lock(mutex_);
    found = std::move(old_tombstones_[target]);
    old_tombstones_.erase(target);
  }
  // All of the table's are read once for many calls.
  if (found.empty()) {
    auto done = read(connection, kTombstones, CDCRT_LOCK_NONE,
                     [&](const cdcrt_cell* cells) {
                       if (found.size() < kTombstonesFound && integer_of(cells[2]) < before_ms) found.push_back(string_of(cells[1]));
                     },
                     {text(target)}, 1);
    if (!done) return std::move(done.error());
  }
  if (found.empty()) return std::size_t{0};
  const std::size_t count = std::min(most, found.size());
  // Rows that came back and were taken away again since are no old ones.
  std::vector<std::string> keys;
  std::vector<cdcrt_cell> wanted;
  const auto keep_old = [&](const cdcrt_cell* cells) {
    if (integer_of(cells[2]) < before_ms) keys.push_back(string_of(cells[1]));
  };
  for (std::size_t i = found.size() - count; i < found.size(); ++i) {
    wanted.insert(wanted.end(), {text(target), bytes(found[i])});
    if (i + 1 < found.size() && wanted.size() < 2 * kOrdersAtOnce) continue;
    if (auto done = read(connection, kTombstones, CDCRT_LOCK_NONE, keep_old, wanted, 2); !done) return std::move(done.error());
    wanted.clear();
  }
  auto orders = find_row_orders(connection, target, keys);
  if (!orders) return std::move(orders.error());
  std::vector<cdcrt_cell> purged, gone;
  for (const auto& key : keys) {
    gone.insert(gone.end(), {text(pipeline_), text(sink_), text(target), bytes(key)});
    const auto order = orders->find(key);
    // The row came back, or waits for a dead letter.
    if (order == orders->end() || !order->second.removed || !order->second.refused.empty()) continue;
    purged.insert(purged.end(), {text(pipeline_), text(sink_), text(target), bytes(key)});
  }
  const bool is_direct = keys.size() <= kMaxDirect;
  if (auto written = write(connection, kRowOrders, purged, CDCRT_WRITE_DELETE, is_direct); !written) return std::move(written.error());
  if (auto written = write(connection, kTombstones, gone, CDCRT_WRITE_DELETE, is_direct); !written) return std::move(written.error());
  found.resize(found.size() - count);
  const std::lock_guard lock(mutex_);
  if (!found.empty()) old_tombstones_[target] = std::move(found);
  return count;
}

}  // namespace cdcrt::progress
