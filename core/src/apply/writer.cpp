#include "apply/writer.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <set>
#include <thread>

#include "apply/key_change.hpp"
#include "apply/table_writer.hpp"

namespace cdcrt::apply {
namespace {

bool is_outage(const Error& error) { return error.code == CDCRT_RETRY || error.code == CDCRT_UNREACHABLE; }

std::vector<progress::TablePosition> positions_of(const Sealed& sealed) {
  std::vector<progress::TablePosition> positions;
  for (const auto& part : sealed.partitions) positions.push_back({part.partition, part.next_offset, part.order});
  return positions;
}

constexpr int kStaleAttempts = 4;

}  // namespace

Result<void> Writer::connect() {
  if (connection_) return {};
  auto opened = context_.sink.open();
  if (!opened) return std::move(opened.error());
  connection_.emplace(std::move(*opened));
  return {};
}

// Exponential back-off with jitter; the outage is told once, when it begins.
Result<void> Writer::wait(const Error& error) {
  if (failures_++ == 0) context_.warn("waiting for the target: " + explain(error));
  connection_.reset();
  static thread_local std::minstd_rand random(std::random_device{}());
  const double ceiling = std::min(30.0, 0.05 * static_cast<double>(1U << std::min(failures_, 10U)));
  auto left = std::chrono::duration<double>(std::uniform_real_distribution<>(ceiling / 2, ceiling)(random));
  while (left.count() > 0) {
    if (context_.gives_up()) return error;
    const auto step = std::min(left, std::chrono::duration<double>(0.05));
    std::this_thread::sleep_for(step);
    left -= step;
  }
  return {};
}

// Runs `body` until it is done or fails with something else than an outage.
template <class Body>
Result<void> Writer::with_retries(Body&& body) {
  while (true) {
    auto done = connect();
    if (done) done = body();
    if (done || !is_outage(done.error())) {
      if (done) failures_ = 0;
      return done;
    }
    if (auto waited = wait(done.error()); !waited) return waited;
  }
}

Result<void> Writer::attempt(std::vector<Sealed*>& batches, std::vector<const Entry*>& missing) {
  const bool transactional = context_.sink.has(CDCRT_SINK_TRANSACTIONS);
  const auto partitions = partitions_of({batches.begin(), batches.end()});
  if (context_.store != nullptr) {
    if (auto claimed = context_.store->claim_new(*connection_, partitions); !claimed) return claimed;
  }
  for (const Sealed* sealed : batches) {
    if (auto prepared = prepare_table(*connection_, context_.store, transactional, *sealed); !prepared) {
      // A definition that the target refuses is no row's fault: nothing to isolate.
      if (prepared.error().code == CDCRT_BAD_RECORD) prepared.error().code = CDCRT_UNSUPPORTED;
      if (prepared.error().code == CDCRT_STALE_SCHEMA) sealed->table->target.described = false;
      return prepared;
    }
  }
  if (auto begun = connection_->begin(); !begun) return begun;
  const auto body = [&]() -> Result<void> {
    if (context_.store != nullptr) {
      if (auto checked = context_.store->check(*connection_, partitions); !checked) return checked;
    }
    for (Sealed* sealed : batches) {
      if (sealed->clear) {
        if (auto cleared = clear_table(*connection_, *sealed); !cleared) return cleared;
      }
      if (auto written = write_settled(*sealed, nullptr, missing); !written) return written;
    }
    if (!missing.empty()) return make_error(CDCRT_BAD_RECORD, "partial changes without a row");
    return finish(batches);
  };
  auto done = body();
  if (!done && connection_) {
    if (auto rolled_back = connection_->rollback(); !rolled_back) connection_.reset();
  }
  if (!done && done.error().code == CDCRT_STALE_SCHEMA) {
    for (Sealed* sealed : batches) sealed->table->target.described = false;
  }
  return done;
}

Result<void> Writer::write_settled(Sealed& sealed, const std::vector<const Entry*>* only, std::vector<const Entry*>& missing) {
  if (context_.store == nullptr || sealed.key.empty()) {
    return write_entries(*connection_, sealed, only != nullptr ? *only : entries_of(sealed), missing);
  }
  SettledEntries settled;
  if (auto done = settle_key_changes(*connection_, *context_.store, sealed, settled); !done) return done;
  std::vector<const Entry*> chosen = settled.entries();
  if (only != nullptr) {
    const std::set<const Entry*> kept(only->begin(), only->end());
    std::erase_if(chosen, [&](const Entry* entry) { return settled.original(entry) != nullptr && !kept.contains(settled.original(entry)); });
  }
  std::vector<const Entry*> not_found;
  auto written = write_entries(*connection_, sealed, chosen, not_found);
  for (const Entry* entry : not_found) {
    if (const Entry* original = settled.original(entry); original != nullptr) missing.push_back(original);
  }
  return written;
}

// Progress, letters, commit: the end of every transaction that carries rows.
Result<void> Writer::finish(const std::vector<Sealed*>& batches) {
  if (context_.store != nullptr) {
    std::vector<std::pair<const progress::Partition*, int64_t>> lowered;
    for (const Sealed* sealed : batches) {
      const auto& identity = sealed->table->identity();
      for (const auto& part : sealed->partitions) {
        if (sealed->clear) lowered.emplace_back(part.partition, std::min(part.partition->routed_next(), part.next_offset));
      }
      if (auto saved = context_.store->save_progress(*connection_, identity.target(), positions_of(*sealed)); !saved) return saved;
      if (sealed->clear) {
        if (auto saved = context_.store->save_table(*connection_, identity.target(), identity.source_name, sealed->floor, sealed->key_known); !saved) {
          return saved;
        }
      }
    }
    // A truncate may have sent partitions back: a restart must read them from there.
    if (!lowered.empty()) {
      if (auto saved = context_.store->save_watermarks(*connection_, lowered); !saved) return saved;
    }
  }
  if (auto flushed = context_.letters.flush(); !flushed) return flushed;
  return commit(batches);
}

Result<void> Writer::commit(const std::vector<Sealed*>& batches) {
  auto committed = connection_->commit();
  if (!committed && is_outage(committed.error())) {
    for (Sealed* sealed : batches) sealed->commit_unknown = true;
  }
  return committed;
}

// After a lost answer to COMMIT the progress in the target tells what happened; rows without a key would be doubled otherwise.
Result<bool> Writer::already_committed(const Sealed& sealed) {
  if (!sealed.commit_unknown || context_.store == nullptr) return false;
  if (auto begun = connection_->begin(); !begun) return std::move(begun.error());
  auto stands = context_.store->stands_at(*connection_, sealed.table->identity().target(), positions_of(sealed));
  if (auto rolled_back = connection_->rollback(); !rolled_back) connection_.reset();
  return stands;
}

Result<void> Writer::write(std::vector<Sealed>& batches) {
  // A truncate may lower watermarks.
  std::unique_lock<std::mutex> lowering;
  const bool clears = std::any_of(batches.begin(), batches.end(), [](const Sealed& sealed) { return sealed.clear; });
  if (clears && context_.store != nullptr) lowering = context_.store->hold_watermarks();
  std::vector<Sealed*> together;
  for (Sealed& sealed : batches) together.push_back(&sealed);
  if (together.size() > 1) {
    std::vector<const Entry*> missing;
    auto connected = connect();
    auto done = connected ? attempt(together, missing) : std::move(connected);
    if (done) {
      for (Sealed* sealed : together) sealed->table->complete(*sealed);
      failures_ = 0;
      return {};
    }
    if (is_outage(done.error())) {
      if (auto waited = wait(done.error()); !waited) return waited;
    } else if (done.error().code == CDCRT_FATAL) {
      return done;
    }
  }
  for (Sealed* sealed : together) {
    if (auto done = write_alone(*sealed); !done) return done;
  }
  return {};
}

Result<void> Writer::write_alone(Sealed& sealed) {
  std::vector<Sealed*> one{&sealed};
  for (int stale = 0;;) {
    std::vector<const Entry*> missing;
    auto done = with_retries([&]() -> Result<void> {
      auto committed = already_committed(sealed);
      if (!committed) return std::move(committed.error());
      if (*committed) return {};
      if (!connection_) return make_error(CDCRT_RETRY, "connection lost");
      missing.clear();
      return attempt(one, missing);
    });
    if (done) {
      sealed.table->complete(sealed);
      return {};
    }
    switch (done.error().code) {
      case CDCRT_STALE_SCHEMA:
        if (++stale < kStaleAttempts) continue;
        break;
      case CDCRT_BAD_RECORD: {
        if (!context_.sink.has(CDCRT_SINK_TRANSACTIONS)) break;  // nothing could be tried and taken back
        auto isolated = write_isolated(sealed, missing);
        if (isolated) return {};
        if (isolated.error().code == CDCRT_FATAL || is_outage(isolated.error())) return isolated;
        if (isolated.error().code == CDCRT_STALE_SCHEMA && ++stale < kStaleAttempts) {
          sealed.table->target.described = false;
          continue;
        }
        done = std::move(isolated);
        break;
      }
      case CDCRT_FATAL:
      case CDCRT_RETRY:
      case CDCRT_UNREACHABLE: return done;
      default: break;
    }
    context_.warn("table '" + sealed.table->identity().target() + "' stops: " + explain(done.error()));
    sealed.table->stop(explain(done.error()), &sealed);
    return {};
  }
}

Result<void> Writer::write_isolated(Sealed& sealed, const std::vector<const Entry*>& missing) {
  return with_retries([&]() -> Result<void> {
    auto committed = already_committed(sealed);
    if (!committed) return std::move(committed.error());
    if (*committed) {
      sealed.table->complete(sealed);
      return {};
    }
    if (!connection_) return make_error(CDCRT_RETRY, "connection lost");
    auto isolated = isolate(*connection_, sealed, missing, context_.reader, context_.letters);
    if (!isolated) return std::move(isolated.error());
    auto done = commit_isolated(sealed, *isolated);
    if (!done) {
      if (connection_) {
        if (auto rolled_back = connection_->rollback(); !rolled_back) connection_.reset();
      }
      return done;
    }
    const auto without = [](uint64_t all, uint64_t refused) { return all - std::min(all, refused); };
    sealed.counts.inserted = without(sealed.counts.inserted, isolated->refused.inserted);
    sealed.counts.updated = without(sealed.counts.updated, isolated->refused.updated);
    sealed.counts.deleted = without(sealed.counts.deleted, isolated->refused.deleted);
    sealed.table->complete(sealed);
    return {};
  });
}

Result<void> Writer::commit_isolated(Sealed& sealed, const Isolated& isolated) {
  const auto partitions = partitions_of({&sealed});
  if (auto begun = connection_->begin(); !begun) return begun;
  if (context_.store != nullptr) {
    if (auto checked = context_.store->check(*connection_, partitions); !checked) return checked;
  }
  if (sealed.clear) {
    if (auto cleared = clear_table(*connection_, sealed); !cleared) return cleared;
  }
  std::vector<const Entry*> ignored;
  if (auto written = write_settled(sealed, &isolated.good, ignored); !written) return written;
  for (const Sealed& single : isolated.singles) {
    if (auto written = write_entries(*connection_, single, entries_of(single), ignored); !written) return written;
  }
  if (!ignored.empty()) return make_error(CDCRT_RETRY, "rows of '" + sealed.table->identity().target() + "' went away while bad ones were looked for");
  return finish({&sealed});
}

Result<void> Writer::save_watermarks(const std::vector<std::pair<const progress::Partition*, int64_t>>& watermarks) {
  if (context_.store == nullptr || watermarks.empty()) return {};
  std::vector<const progress::Partition*> partitions;
  for (const auto& [partition, next] : watermarks) partitions.push_back(partition);
  return with_retries([&]() -> Result<void> {
    if (auto claimed = context_.store->claim_new(*connection_, partitions); !claimed) return claimed;
    if (auto begun = connection_->begin(); !begun) return begun;
    const auto body = [&]() -> Result<void> {
      if (auto checked = context_.store->check(*connection_, partitions); !checked) return checked;
      if (auto flushed = context_.letters.flush(); !flushed) return flushed;
      if (auto saved = context_.store->save_watermarks(*connection_, watermarks); !saved) return saved;
      return connection_->commit();
    };
    auto done = body();
    if (!done && connection_) (void)connection_->rollback();
    return done;
  });
}

}  // namespace cdcrt::apply
