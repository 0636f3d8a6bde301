// SinkRuntime's detached tables: tried again until they are back with the others.
#include <algorithm>
#include <functional>
#include <utility>

#include "runtime/log.hpp"
#include "runtime/sink_runtime.hpp"

namespace cdcrt::runtime {
namespace {

constexpr auto kLook = std::chrono::seconds(1);
constexpr std::string_view kCannotReadBack = "; and what it missed cannot be read again: ";

// A piece of what the table misses of a partition. The offset up to which it was read; the end where the partition was sent somewhere else
// meanwhile.
Result<int64_t> read_piece(const SinkRuntime::Context& context, apply::Table& table, const apply::Table::Missed& missed, std::size_t turns,
                           const std::function<bool()>& goes_on) {
  progress::Partition& partition = *missed.partition;
  int64_t from = missed.first;
  bool is_sent_away = false;
  const auto take = [&](const cdcrt_messages& message, const event::RowBatch& rows, const std::vector<uint32_t>& indexes) {
    const int64_t next = message.messages[0].offset + 1;
    const auto refuse = [&](const apply::Refusal& refusal) {
      context.dead_letters.add(dead_letters::make_dead_letter(partition, message.messages[refusal.message], table.identity().sink,
                                                              table.identity().target(), refusal.reason, refusal.error));
    };
    is_sent_away =
        !table.read_back({partition, message, rows, context.reader.shapes(), next}, from, indexes.data(), indexes.size(), refuse);
    if (is_sent_away) return false;
    from = next;
    return goes_on();
  };
  auto reached = context.reader.read_piece(table, partition, from, missed.end - 1, turns, take);
  if (!reached) return reached;
  if (is_sent_away) return missed.end;
  table.read_back_to(partition, from, *reached);
  return *reached;
}

}  // namespace

void SinkRuntime::repair() {
  apply::Writer writer = make_writer(true);
  Monitor& monitor = context_.monitor;
  while (!monitor.abandon && !failed_ && !stops_repairs()) {
    watch_.tell_waiting();
    if (repair_some(writer)) continue;
    // Only what is detached makes it look, and only when that is due: every row that comes notifies.
    const auto next = watch_.next_repair();
    const auto until = next ? std::min(*next, Monitor::Clock::now() + kLook) : Monitor::Clock::now() + kLook;
    monitor.news.wait_once([&] { return monitor.abandon || failed_ || stops_repairs(); }, until - Monitor::Clock::now());
  }
}

bool SinkRuntime::stops_repairs() const { return finishing_ || context_.monitor.stop_reading; }

bool SinkRuntime::repair_some(apply::Writer& writer) {
  bool any = false;
  for (apply::Table* table : watch_.due_for_repair()) {
    if (stops_repairs()) break;
    any = true;
    watch_.tries(*table);
    watch_.tried(*table, repair_table(writer, *table));
  }
  return any;
}

// A stretch of what the table misses, read and written. True: that worked, and more may follow at once.
bool SinkRuntime::repair_table(apply::Writer& writer, apply::Table& table) {
  // A key that nobody told when the others came to rest is not told until they go on.
  if (is_left_alone_ && table.waits_for_key() && std::exchange(asked_[&table], rests_) == rests_) return false;
  auto active = is_active(writer, table);
  if (!active) asked_.erase(&table);
  if (!active || !*active || table.waits_for_key() || table.awaited_definitions()) return false;
  const std::string reason = table.detached();
  const uint64_t written_before = table.times_written();
  auto read = read_missed(table);
  if (!read) {
    // Why it was detached is still what has to be mended.
    table.detach(reason.substr(0, reason.find(kCannotReadBack)) + std::string(kCannotReadBack) + explain(read.error()), nullptr);
    return false;
  }
  std::vector<apply::Sealed> batch;
  if (auto sealed = table.seal(true)) {
    batch.push_back(std::move(*sealed));
    if (auto written = writer.write(batch); !written) {
      table.detach(explain(written.error()), &batch.front());
      return false;
    }
    batch.clear();
  }
  const bool was_told = watch_.was_told(table);
  if (table.reattach()) {
    if (was_told)
      log(CDCRT_LOG_INFO, component(),
          "table '" + table.identity().target() + "' is back with the others (it was detached: " + reason + ")");
    context_.monitor.notify();
    return true;
  }
  // Refused again, it has been detached anew, and the memory of its rows is free.
  context_.monitor.notify();
  return table.times_written() > written_before;
}

Result<bool> SinkRuntime::is_active(apply::Writer& writer, apply::Table& table) {
  bool active = true;
  const std::string target = table.identity().target();
  event::Arena defaults{1 << 10};
  auto done = writer.run([&](plugin::Connection& connection) -> Result<void> {
    if (auto begun = connection.begin(); !begun) return begun;
    auto rows = store_->lock_tables(connection, {target}, CDCRT_LOCK_NONE);
    const auto row = rows ? rows->find(target) : std::map<std::string, progress::StoredTable>::iterator();
    const bool is_there = rows && row != rows->end();
    const bool is_key_told = is_there && (row->second.key_known || row->second.told_keyless) && table.waits_for_key();
    const bool is_news = is_key_told || (is_there && !row->second.definition_topic.empty() && table.may_learn_definitions());
    Result<void> read;
    if (is_news) read = store_->read_table(connection, target, row->second, defaults);
    (void)connection.rollback();
    if (!rows) return std::move(rows.error());
    if (!read) return read;
    if (is_news) table.learn(row->second);
    active = row == rows->end() || row->second.state != progress::TableState::kPaused;
    table.pause(!active);
    table.skip(row != rows->end() && row->second.state == progress::TableState::kSkipped);
    return {};
  });
  if (!done) return std::move(done.error());
  return active;
}

// Up to a batch of messages of each partition, in turns: a piece of each. False: nothing was missed.
Result<bool> SinkRuntime::read_missed(apply::Table& table) {
  auto missed = table.missed();
  if (missed.empty()) return false;
  const std::size_t turns = missed.size();
  const auto most = static_cast<int64_t>(manifest_.batch.max_rows) * static_cast<int64_t>(turns);
  int64_t messages = 0;
  const auto has_room = [&] { return !stops_repairs() && messages < most && table.buffered_bytes() < manifest_.batch.max_bytes; };
  do {
    for (auto& piece : missed) {
      auto reached = read_piece(context_, table, piece, turns, [&] {
        ++messages;
        return has_room();
      });
      if (!reached) return std::move(reached.error());
      piece.first = *reached;
    }
    std::erase_if(missed, [](const auto& piece) { return piece.first >= piece.end; });
  } while (!missed.empty() && has_room());
  return true;
}

}  // namespace cdcrt::runtime
