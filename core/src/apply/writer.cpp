#include "apply/writer.hpp"

#include <algorithm>

#include "apply/refused_batch.hpp"
#include "apply/row_order_upkeep.hpp"
#include "apply/table.hpp"
#include "apply/write_preparation.hpp"
#include "apply/write_transaction.hpp"
#include "apply/written.hpp"

namespace cdcrt::apply {
namespace {

constexpr int kTogetherAttempts = 2;

}  // namespace

Result<void> Writer::write(std::vector<Sealed>& batches) {
  const WriterContext& context = connection_.context();
  // A truncate may lower watermarks.
  std::unique_lock<std::mutex> lowering;
  const bool clears = std::any_of(batches.begin(), batches.end(), [](const Sealed& sealed) { return sealed.clear; });
  if (clears && context.store != nullptr) lowering = context.store->lock_watermarks();
  std::vector<Sealed*> together;
  for (Sealed& sealed : batches) together.push_back(&sealed);
  if (together.size() > 1) {
    auto done = write_together(together);
    if (!done) return std::move(done.error());
    if (*done) together.clear();
  }
  for (Sealed* sealed : together) {
    if (auto done = write_alone(*sealed, sealed == together.back()); !done) return done;
  }
  for (const Sealed& sealed : batches) {
    if (sealed.by_source && context.store != nullptr) purge_tombstones(connection_, *sealed.table);
  }
  return {};
}

Outcome Writer::attempt(const std::vector<Sealed*>& batches, std::vector<const Entry*>& missing) {
  WriteTransaction transaction(connection_);
  if (auto prepared = WritePreparation(connection_).prepare(batches); !prepared) return prepared;
  if (auto begun = transaction.begin(batches); !begun) return begun;
  auto outcome = transaction.write(batches, missing);
  if (!outcome) {
    connection_.roll_back();
    for (Sealed* sealed : batches) sealed->attempt.source_order.take_back();
  }
  if (outcome.next() == Next::kRepeat || outcome.next() == Next::kLookAgain) {
    for (Sealed* sealed : batches) sealed->table->definition().look_again();
  }
  return outcome;
}

// False: they are to be written one by one.
Result<bool> Writer::write_together(const std::vector<Sealed*>& batches) {
  for (int number = 1;; ++number) {
    std::vector<const Entry*> missing;
    auto outcome = connection_.try_once([&] { return attempt(batches, missing); });
    if (outcome) {
      for (Sealed* sealed : batches) written(*sealed);
      connection_.reached();
      return true;
    }
    if (outcome.next() == Next::kStop) return std::move(outcome.error());
    if (outcome.waits()) {
      if (auto waited = connection_.wait(outcome); !waited) return std::move(waited.error());
    }
    // A conflict, or a definition that changed, is nobody's fault, and each of them alone would be a commit more.
    const bool passes = outcome.next() == Next::kWaitForLock || outcome.next() == Next::kRepeat || outcome.next() == Next::kLookAgain;
    const bool whole = std::none_of(batches.begin(), batches.end(), [](const Sealed* sealed) {
      return sealed->has_lost() || sealed->empty() || sealed->attempt.commit_unknown;
    });
    if (!passes || !whole || number == kTogetherAttempts) return false;
  }
}

// Done: it is in the target, or nothing of it is ours any more; the table knows.
Outcome Writer::attempt_alone(Sealed& sealed, std::vector<const Entry*>& missing) {
  WriteTransaction transaction(connection_);
  bool is_there = false;
  if (auto found = transaction.find_commit(sealed, is_there); !found) return found;
  if (is_there) {
    written(sealed);
    return {};
  }
  if (const auto stranded = sealed.drop_lost(); !stranded.empty()) return transaction.lose(stranded);
  if (sealed.empty()) {
    dropped(sealed);
    return {};
  }
  if (!connection_.is_open()) return make_error(CDCRT_RETRY, "connection lost");
  missing.clear();
  auto outcome = attempt({&sealed}, missing);
  if (outcome) written(sealed);
  return outcome;
}

Result<void> Writer::write_alone(Sealed& sealed, bool is_last) {
  const WriterContext& context = connection_.context();
  for (int looks = 0;;) {
    std::vector<const Entry*> missing;
    auto outcome =
        connection_.retry({*sealed.table, sealed.attempt.commit_unknown, is_last}, [&] { return attempt_alone(sealed, missing); });
    if (outcome) return {};
    if (outcome.next() == Next::kRepeat) {
      if (context.gives_up()) return std::move(outcome.error());
      continue;
    }
    if (outcome.next() == Next::kLookAgain && ++looks < kMaxLooks) continue;
    // Where nothing can be tried and taken back, nothing can be isolated.
    if (outcome.next() == Next::kIsolate && context.sink.has(CDCRT_SINK_TRANSACTIONS)) {
      outcome = RefusedBatch(connection_, sealed, is_last).write(missing);
      if (outcome) return {};
      if (outcome.next() == Next::kRepeat || (outcome.next() == Next::kLookAgain && ++looks < kMaxLooks)) {
        sealed.table->definition().look_again();
        continue;
      }
    }
    if (outcome.next() == Next::kStop || outcome.waits()) return std::move(outcome.error());
    sealed.table->detach(explain(outcome.error()), &sealed);
    return {};
  }
}

// Watermarks that reach the target after newer ones would take their place, and stay. So there are no newer ones before these have no
// effect any more.
Result<void> Writer::end_doubtful_watermarks(plugin::Connection& connection, WriteTransaction& transaction) {
  std::erase_if(doubtful_, [](const progress::Partition* partition) { return !partition->owned(); });
  if (doubtful_.empty()) return {};
  auto lost = connection_.context().store->reclaim(connection, doubtful_);
  if (!lost) return std::move(lost.error());
  doubtful_.clear();
  return lost->empty() ? Result<void>() : std::move(transaction.lose(*lost).error());
}

Result<void> Writer::save_watermarks(std::vector<progress::Store::Watermark> watermarks) {
  const WriterContext& context = connection_.context();
  if (context.store == nullptr || (watermarks.empty() && !context.dead_letters.waits_for(context.store->sink()))) return {};
  return run([&](plugin::Connection& connection) -> Result<void> {
    WriteTransaction transaction(connection_);
    std::vector<const progress::Partition*> partitions;
    for (const auto& watermark : watermarks) partitions.push_back(watermark.partition);
    if (auto claimed = transaction.claim(partitions); !claimed) return claimed;
    if (auto ended = end_doubtful_watermarks(connection, transaction); !ended) return ended;
    if (auto begun = connection.begin(); !begun) return begun;
    const auto body = [&]() -> Result<void> {
      if (auto locked = context.store->lock_claims(connection); !locked) return locked;
      auto lost = context.store->check(connection, partitions);
      if (!lost) return std::move(lost.error());
      if (!lost->empty()) return std::move(transaction.lose(*lost).error());
      std::erase_if(watermarks, [](const auto& watermark) { return watermark.session != watermark.partition->session(); });
      if (auto saved = context.store->save_watermarks(connection, watermarks); !saved) return saved;
      auto flushed = context.dead_letters.flush({&connection, context.store});
      if (!flushed) return std::move(flushed.error());
      auto committed = connection.commit();
      if (committed) context.dead_letters.committed(*context.store, *flushed);
      if (!committed && is_outage(committed.error())) doubtful_.insert(doubtful_.end(), partitions.begin(), partitions.end());
      return committed;
    };
    auto done = body();
    if (!done) (void)connection.rollback();
    return done;
  });
}

Result<void> Writer::save_known_keys(const std::vector<Table*>& tables, std::chrono::steady_clock::time_point until) {
  return apply::save_known_keys(connection_, tables, until);
}

}  // namespace cdcrt::apply
