// What a writer does for the order of rows across partitions: keys remembered, tables kept in source order (decisions 0017, 0033).
#include <algorithm>
#include <chrono>

#include "apply/table_writer.hpp"
#include "apply/writer.hpp"

namespace cdcrt::apply {
namespace {

constexpr std::size_t kTombstonesAtOnce = 10'000;

}  // namespace

// What an earlier process has written last.
Result<void> Writer::read_known_keys(Sealed& sealed) {
  Table::Target& target = sealed.table->target;
  if (context_.store == nullptr || std::exchange(target.keys_read, true) || !target.row.remembers_keys) return {};
  auto done = connection_->begin();
  if (!done) return done;
  auto kept = context_.store->read_row_orders(*connection_, sealed.table->identity().target());
  roll_back();
  if (!kept) {
    target.keys_read = false;
    return std::move(kept.error());
  }
  target.keys.restore(*kept);
  return {};
}

// A key was met in two partitions: from now on the orders of its rows are kept. Those that were written before are only known as far
// as they are remembered; the rest is older than what comes.
Result<void> Writer::keep_by_source(Sealed& sealed) {
  Table& table = *sealed.table;
  const std::string name = table.identity().target();
  if (auto begun = begin({&sealed}); !begun) return begun;
  const auto body = [&]() -> Result<void> {
    auto rows = context_.store->lock_tables(*connection_, {name}, CDCRT_LOCK_UPDATE);
    if (!rows) return std::move(rows.error());
    const auto row = rows->find(name);
    if (row == rows->end()) return make_error(CDCRT_RETRY, "table '" + name + "' has no row in the progress any more");
    if (!row->second.by_source) {
      row->second.by_source = true;
      row->second.remembers_keys = false;
      ++row->second.version;
      if (auto saved = context_.store->save_table(*connection_, name, row->second); !saved) return saved;
      if (auto forgotten = context_.store->forget_row_orders(*connection_, name); !forgotten) return forgotten;
      if (auto saved = context_.store->save_row_orders(*connection_, name, table.target.keys.row_orders()); !saved) return saved;
    }
    return connection_->commit();
  };
  if (auto done = body(); !done) {
    roll_back();
    return done;
  }
  context_.warn("table '" + name +
                "': changes of one key come from several partitions. From now on it is kept in source order: the newer change of a row stands, whichever "
                "partition it comes from, and the order of each row that is written is stored beside it. Rows that were written before are taken as older; send all "
                "changes of a key to one partition, or set ordering in the route, to have it otherwise");
  // The table is looked at anew, and the batch read again.
  table.target.row_known = false;
  again_ = true;
  return make_error(CDCRT_STALE_SCHEMA, "the table is kept in source order from now on");
}

Result<void> Writer::save_known_keys(const std::vector<Table*>& tables, std::chrono::steady_clock::time_point until) {
  // Where each statement costs much, a start or an end has to be independent of the number of tables.
  if (context_.store == nullptr || !context_.sink.has(CDCRT_SINK_TRANSACTIONS) || context_.store->prepares_together()) return {};
  return run([&](plugin::Connection& connection) -> Result<void> {
    for (Table* table : tables) {
      Table::Target& target = table->target;
      if (target.keys.size() == 0 || table->partition_count() < 2 || table->is_by_source() || std::chrono::steady_clock::now() > until) continue;
      const std::string name = table->identity().target();
      if (auto begun = connection.begin(); !begun) return begun;
      const auto body = [&]() -> Result<void> {
        if (auto held = context_.store->hold(connection, {name}); !held) return held;
        auto rows = context_.store->lock_tables(connection, {name}, CDCRT_LOCK_UPDATE);
        if (!rows) return std::move(rows.error());
        const auto row = rows->find(name);
        // What the keys mean may have changed meanwhile.
        if (row == rows->end() || row->second.by_source || !target.row_known || row->second.version != target.row.version) return connection.rollback();
        if (!row->second.remembers_keys) {
          row->second.remembers_keys = true;
          if (auto saved = context_.store->save_table(connection, name, row->second); !saved) return saved;
        }
        if (auto forgotten = context_.store->forget_row_orders(connection, name); !forgotten) return forgotten;
        if (auto saved = context_.store->save_row_orders(connection, name, target.keys.kept()); !saved) return saved;
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
void Writer::purge_tombstones(Table& table) {
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
  const auto done = run([&](plugin::Connection& connection) -> Result<void> {
    if (auto begun = connection.begin(); !begun) return begun;
    const auto body = [&]() -> Result<void> {
      if (auto held = context_.store->hold(connection, {name}); !held) return held;
      if (auto locked = context_.store->lock_tables(connection, {name}, CDCRT_LOCK_UPDATE); !locked) return std::move(locked.error());
      auto purged = context_.store->purge_tombstones(connection, name, before, kTombstonesAtOnce);
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

// Once more in each transaction: another process may have changed the rows since.
Result<void> Writer::decide_by_source(Sealed& sealed, const SourceOrder::Refused& refused) {
  if (!sealed.by_source) return {};
  Table& table = *sealed.table;
  auto decided = sealed.source_order.decide(*connection_, *context_.store, sealed, refused);
  if (!decided && !sealed.refusal.empty()) {
    // The table is stopped in a transaction of its own.
    again_ = true;
    return make_error(CDCRT_STALE_SCHEMA, sealed.refusal);
  }
  if (decided && sealed.source_order.overtaken() > 0 && table.tells_overtaken.exchange(false)) {
    context_.warn("table '" + table.identity().target() + "': changes came after later ones of their rows, from another partition or read again. The later ones stay");
  }
  return decided;
}

Result<void> Writer::clear(const Sealed& sealed) {
  auto cleared = clear_table(*connection_, sealed);
  if (!cleared || context_.store == nullptr) return cleared;
  if (!sealed.by_source && !sealed.table->target.row.remembers_keys) return {};
  return context_.store->forget_row_orders(*connection_, sealed.table->identity().target());
}

}  // namespace cdcrt::apply
