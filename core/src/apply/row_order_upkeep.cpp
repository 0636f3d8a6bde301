#include "apply/row_order_upkeep.hpp"

#include <algorithm>

#include "apply/table.hpp"

namespace cdcrt::apply {
namespace {

constexpr std::size_t kTombstonesAtOnce = 10'000;

}  // namespace

Result<void> save_known_keys(TargetConnection& target, const std::vector<Table*>& tables, std::chrono::steady_clock::time_point until) {
  const WriterContext& context = target.context();
  // Where each statement costs much, a start or an end has to be independent of the number of tables.
  if (context.store == nullptr || !context.sink.has(CDCRT_SINK_TRANSACTIONS) || context.store->prepares_together()) return {};
  return target.run([&](plugin::Connection& connection) -> Result<void> {
    for (Table* table : tables) {
      Table::Target& known = table->target;
      if (known.keys.size() == 0 || table->partition_count() < 2 || table->is_by_source() || std::chrono::steady_clock::now() > until) continue;
      const std::string name = table->identity().target();
      if (auto begun = connection.begin(); !begun) return begun;
      const auto body = [&]() -> Result<void> {
        if (auto held = context.store->hold(connection, {name}); !held) return held;
        auto rows = context.store->lock_tables(connection, {name}, CDCRT_LOCK_UPDATE);
        if (!rows) return std::move(rows.error());
        const auto row = rows->find(name);
        // What the keys mean may have changed meanwhile.
        if (row == rows->end() || row->second.by_source || !known.row_known || row->second.version != known.row.version) return connection.rollback();
        if (!row->second.remembers_keys) {
          row->second.remembers_keys = true;
          if (auto saved = context.store->save_table(connection, name, row->second); !saved) return saved;
        }
        if (auto forgotten = context.store->forget_row_orders(connection, name); !forgotten) return forgotten;
        if (auto saved = context.store->save_row_orders(connection, name, known.keys.kept()); !saved) return saved;
        return connection.commit();
      };
      if (auto done = body(); !done) {
        (void)connection.rollback();
        // Another process has the table: it remembers keys of its own.
        if (done.error().code != CDCRT_BUSY) return done;
      }
    }
    return {};
  });
}

// Rarely, and never at the cost of what waits to be written.
void purge_tombstones(TargetConnection& target, Table& table) {
  const WriterContext& context = target.context();
  const auto retention = std::chrono::duration_cast<std::chrono::milliseconds>(table.identity().route.tombstone_retention);
  const auto now = std::chrono::steady_clock::now();
  using Clock = std::chrono::steady_clock;
  auto due = table.next_purge.load();
  if (now.time_since_epoch().count() < due) return;
  const bool is_first = due == 0;
  const Clock::time_point next = now + std::clamp<std::chrono::milliseconds>(retention / 4, std::chrono::seconds(1), std::chrono::hours(1));
  if (!table.next_purge.compare_exchange_strong(due, next.time_since_epoch().count())) return;
  if (is_first && retention > std::chrono::hours(1)) return;
  const int64_t before = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count() - retention.count();
  const std::string name = table.identity().target();
  const auto done = target.run([&](plugin::Connection& connection) -> Result<void> {
    if (auto begun = connection.begin(); !begun) return begun;
    const auto body = [&]() -> Result<void> {
      if (auto held = context.store->hold(connection, {name}); !held) return held;
      if (auto locked = context.store->lock_tables(connection, {name}, CDCRT_LOCK_UPDATE); !locked) return std::move(locked.error());
      auto purged = context.store->purge_tombstones(connection, name, before, kTombstonesAtOnce);
      if (!purged) return std::move(purged.error());
      if (*purged == kTombstonesAtOnce) table.next_purge = (now + std::chrono::seconds(1)).time_since_epoch().count();
      return connection.commit();
    };
    auto ended = body();
    if (!ended) (void)connection.rollback();
    return ended;
  });
  if (!done) table.next_purge = (now + std::chrono::minutes(1)).time_since_epoch().count();
}

}  // namespace cdcrt::apply
