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
      const KeyOrder& keys = table->keys().order();
      if (keys.size() == 0 || table->partition_count() < 2 || table->is_by_source() || std::chrono::steady_clock::now() > until) continue;
      const std::string name = table->identity().target();
      if (auto begun = connection.begin(); !begun) return begun;
      const auto body = [&]() -> Result<void> {
        if (auto locked = context.store->lock_targets(connection, {name}); !locked) return locked;
        auto rows = context.store->lock_tables(connection, {name}, CDCRT_LOCK_UPDATE);
        if (!rows) return std::move(rows.error());
        const auto row = rows->find(name);
        // What the keys mean may have changed meanwhile.
        if (row == rows->end() || row->second.by_source || !table->kept().is(row->second.version)) return connection.rollback();
        if (!row->second.remembers_keys) {
          row->second.remembers_keys = true;
          if (auto saved = context.store->save_table(connection, name, row->second); !saved) return saved;
        }
        if (auto forgotten = context.store->forget_row_orders(connection, name); !forgotten) return forgotten;
        if (auto saved = context.store->save_row_orders(connection, name, keys.kept()); !saved) return saved;
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
  KnownKeys& keys = table.keys();
  const Clock::time_point due = keys.next_purge();
  if (now < due) return;
  const bool is_first = due == Clock::time_point();
  const Clock::time_point next = now + std::clamp<std::chrono::milliseconds>(retention / 4, std::chrono::seconds(1), std::chrono::hours(1));
  if (!keys.take_purge(due, next)) return;
  if (is_first && retention > std::chrono::hours(1)) return;
  const int64_t before =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count() -
      retention.count();
  const std::string name = table.identity().target();
  const auto done = target.run([&](plugin::Connection& connection) -> Result<void> {
    if (auto begun = connection.begin(); !begun) return begun;
    const auto body = [&]() -> Result<void> {
      if (auto locked = context.store->lock_targets(connection, {name}); !locked) return locked;
      if (auto locked = context.store->lock_tables(connection, {name}, CDCRT_LOCK_UPDATE); !locked) return std::move(locked.error());
      auto purged = context.store->purge_tombstones(connection, name, before, kTombstonesAtOnce);
      if (!purged) return std::move(purged.error());
      if (*purged == kTombstonesAtOnce) keys.purge_at(now + std::chrono::seconds(1));
      return connection.commit();
    };
    auto ended = body();
    if (!ended) (void)connection.rollback();
    return ended;
  });
  if (!done) keys.purge_at(now + std::chrono::minutes(1));
}

}  // namespace cdcrt::apply
