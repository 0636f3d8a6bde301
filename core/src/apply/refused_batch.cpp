#include "apply/refused_batch.hpp"

#include <optional>

#include "apply/isolate.hpp"
#include "apply/open_dead_letters.hpp"
#include "apply/piece_writer.hpp"
#include "apply/stretch.hpp"
#include "apply/table.hpp"
#include "apply/table_writer.hpp"
#include "apply/written.hpp"

namespace cdcrt::apply {

Outcome RefusedBatch::write(const std::vector<const Entry*>& missing) {
  // Tables without a key: missing copies are found at once by counting, however many they are.
  const bool counts = sealed_.key.empty() && !missing.empty();
  if (counts) {
    auto counted = write_isolated(missing);
    // Other rows are refused for another reason: look at each event.
    if (counted.next() != Next::kIsolate) return counted;
  }
  const std::vector<const Entry*> known = counts ? std::vector<const Entry*>() : missing;
  if (context_.store == nullptr) return write_isolated(known);
  Stretch stretch(sealed_, context_.reader);
  bool is_whole = false;
  auto read = connection_.retry({*sealed_.table, sealed_.attempt.commit_unknown, is_last_}, [&]() -> Outcome {
    auto found = stretch.is_whole();
    if (!found && found.error().code != CDCRT_UNSUPPORTED) return std::move(found.error());
    is_whole = found && *found;
    return {};
  });
  if (!read) return read;
  if (sealed_.crossed && !stretch.is_ordered()) {
    return make_error(
        CDCRT_UNSUPPORTED,
        "the target refuses a row, and changes of one key come from several partitions without a source order: which of them is refused is not known");
  }
  if (sealed_.by_source && !is_whole) {
    return make_error(
        CDCRT_UNSUPPORTED,
        "the target refuses a row of a table that is kept in source order, and the source cannot read its events again: which of them is refused is not known");
  }
  return is_whole ? PieceWriter(connection_, sealed_, stretch, is_last_).run() : write_isolated(known);
}

Outcome RefusedBatch::write_isolated(const std::vector<const Entry*>& missing) {
  return connection_.retry({*sealed_.table, sealed_.attempt.commit_unknown, is_last_}, [&] { return try_isolated(missing); });
}

Outcome RefusedBatch::try_isolated(const std::vector<const Entry*>& missing) {
  bool is_there = false;
  if (auto found = transaction_.find_commit(sealed_, is_there); !found) return found;
  if (is_there) {
    written(sealed_);
    return {};
  }
  if (!connection_.is_open()) return make_error(CDCRT_RETRY, "connection lost");
  std::optional<Outcome> not_locked;
  const auto guard = [&]() -> Result<void> {
    if (context_.store == nullptr) return {};
    if (context_.gives_up()) return make_error(CDCRT_RETRY, "the process ends");
    if (auto locked = context_.store->lock_targets(*connection_, {sealed_.table->identity().target()}); !locked) return locked;
    auto locked = transaction_.lock_leases({&sealed_});
    if (locked) return {};
    not_locked = locked;
    return std::move(locked.error());
  };
  auto isolated =
      isolate(*connection_, sealed_, missing, context_.reader, context_.dead_letters, guard,
              [this](const auto& entries, const auto& singles, auto& not_found) { return write_parts(entries, singles, not_found, true); });
  if (not_locked) return *not_locked;
  if (!isolated) return std::move(isolated.error());
  sealed_.attempt.dead_letters_change = !isolated->dead_letters.closed().empty() || !isolated->dead_letters.opened().empty();
  auto outcome = commit_isolated(*isolated);
  if (!outcome) {
    connection_.roll_back();
    return outcome;
  }
  sealed_.attempt.refused = isolated->refused;
  written(sealed_);
  return {};
}

// Each part settles its key changes after those of the parts before it.
Result<void> RefusedBatch::write_parts(const std::vector<const Entry*>& entries, const std::vector<Sealed*>& singles,
                                       std::vector<const Entry*>& missing, bool is_trial) {
  if (sealed_.clear) {
    if (auto cleared = clear_table(*connection_, sealed_); !cleared) return cleared;
  }
  KeptRow& kept = sealed_.table->kept();
  const auto kept_before = kept.key_changes();
  auto written = transaction_.write_settled(sealed_, &entries, missing, is_trial);
  for (Sealed* single : singles) {
    if (!written) break;
    kept.take(sealed_.attempt.key_changes);
    single->attempt.key_changes = sealed_.attempt.key_changes;
    written = transaction_.write_settled(*single, nullptr, missing, is_trial);
    sealed_.attempt.key_changes = single->attempt.key_changes;
    sealed_.attempt.key_changes_moved = sealed_.attempt.key_changes_moved || single->attempt.key_changes_moved;
  }
  kept.take(kept_before);
  return written;
}

Outcome RefusedBatch::commit_isolated(Isolated& isolated) {
  if (auto begun = transaction_.begin({&sealed_}); !begun) return begun;
  if (context_.store != nullptr) {
    if (auto locked = transaction_.lock({&sealed_}); !locked) return locked;
  }
  settle_dead_letters(sealed_, isolated.good, isolated.dead_letters);
  std::vector<const Entry*> missing;
  std::vector<Sealed*> singles;
  for (Sealed& single : isolated.singles) singles.push_back(&single);
  if (auto done = write_parts(isolated.good, singles, missing, false); !done) return done;
  if (!missing.empty())
    return make_error(CDCRT_RETRY, "rows of '" + sealed_.table->identity().target() + "' went away while bad ones were looked for");
  return transaction_.finish({&sealed_});
}

}  // namespace cdcrt::apply
