// What the target refuses is found and left out: the events of the batch are read again and written piece by piece, in the order in
// which they happened, and progress is kept on the way (decision 0025).
#include <algorithm>
#include <chrono>

#include "apply/open_dead_letters.hpp"
#include "apply/table_writer.hpp"
#include "apply/writer.hpp"

namespace cdcrt::apply {
namespace {

// A transaction that tries pieces ends after so long: what it found is kept, and others have their turn.
constexpr auto kMaxPortion = std::chrono::milliseconds(500);
// What a process that is to end still does.
constexpr auto kLastPortions = std::chrono::milliseconds(500);

}  // namespace

// What one transaction carries, and how far the earlier ones came.
struct Writer::Portion {
  Sealed sealed;                        // for finish(): positions, letters, key changes; its folds are empty
  bool clears = false;                  // the table is to be emptied first
  bool is_open = true;                  // there is something to commit
  bool is_cut_short = false;            // the transaction was lost to a refused piece, not to an outage
  std::size_t step = 1;                 // events that are tried together
  std::vector<SealedPartition> stored;  // positions as of the last commit
  EventCounts refused, stored_refused;
  SourceOrder::Refused refused_orders;  // of events that became letters in this portion
  progress::Store::LettersByKey before, now;  // open letters of the rows that changed theirs in this portion
  FoundLetters looked_up;               // in this transaction
  std::string reason, message;          // why the last piece was refused

  void change(const std::string& key, const progress::Store::LettersByKey& found) {
    const auto open = found.find(key);
    if (before.contains(key)) return;
    before[key] = now[key] = open == found.end() ? std::vector<progress::OpenDeadLetter>() : open->second;
  }
  void open(const std::string& key, const progress::OpenDeadLetter& letter, const progress::Store::LettersByKey& found) {
    change(key, found);
    auto& letters = now[key];
    if (std::find(letters.begin(), letters.end(), letter) == letters.end()) letters.push_back(letter);
  }
  /// As it stands in this portion.
  void overlay(progress::Store::LettersByKey& found) const {
    if (clears) found.clear();
    for (const auto& [key, letters] : now) {
      if (letters.empty()) {
        found.erase(key);
      } else {
        found[key] = letters;
      }
    }
  }
  void settle() {
    sealed.letters_closed.clear();
    sealed.letters_opened.clear();
    if (sealed.clear && sealed.table->target.dead_letters_whole) sealed.letters_closed = sealed.table->target.open_dead_letters;
    for (const auto& [key, letters] : now) {
      const auto& old = before.at(key);
      for (const auto& letter : old) {
        if (std::find(letters.begin(), letters.end(), letter) == letters.end()) sealed.letters_closed[key].push_back(letter);
      }
      for (const auto& letter : letters) {
        if (std::find(old.begin(), old.end(), letter) == old.end()) sealed.letters_opened[key].push_back(letter);
      }
    }
  }
};

Result<void> Writer::write_refused(Sealed& sealed, const std::vector<const Entry*>& missing) {
  // Copies of rows without a key are counted at once, however many are not there.
  const bool counts = sealed.key.empty() && !missing.empty();
  if (counts) {
    auto counted = write_isolated(sealed, missing);
    // Others are refused for another reason: each event is looked at.
    if (counted || counted.error().code != CDCRT_BAD_RECORD) return counted;
  }
  const std::vector<const Entry*> known = counts ? std::vector<const Entry*>() : missing;
  if (context_.store == nullptr) return write_isolated(sealed, known);
  Stretch stretch(sealed, context_.reader);
  bool is_whole = false;
  auto read = with_retries(*sealed.table, sealed.commit_unknown, [&]() -> Result<void> {
    auto found = stretch.is_whole();
    if (!found && found.error().code != CDCRT_UNSUPPORTED) return std::move(found.error());
    is_whole = found && *found;
    return {};
  });
  if (!read) return read;
  if (sealed.crossed && !stretch.is_ordered()) {
    return make_error(CDCRT_UNSUPPORTED, "the target refuses a row, and changes of one key come from several partitions without a source order: which of them is refused is not known");
  }
  if (sealed.by_source && !is_whole) {
    return make_error(CDCRT_UNSUPPORTED, "the target refuses a row of a table that is kept in source order, and the source cannot read its events again: which of them is refused is not known");
  }
  return is_whole ? write_pieces(sealed, stretch) : write_isolated(sealed, known);
}

Result<void> Writer::write_pieces(Sealed& sealed, Stretch& stretch) {
  Portion portion;
  portion.clears = sealed.clear;
  portion.stored = stretch.positions();
  portion.step = context_.sink.has(CDCRT_SINK_SAVEPOINTS) ? Stretch::kMaxEvents : std::max<std::size_t>(stretch.size() / 2, 1);
  std::optional<std::chrono::steady_clock::time_point> stopping_since;
  for (int stale = 0; portion.is_open || !stretch.ended();) {
    const auto now = std::chrono::steady_clock::now();
    if (context_.stopping && context_.stopping() && !stopping_since) stopping_since = now;
    // The rest stays sealed: nothing passes it, and the next start reads it again.
    if (context_.gives_up() || (stopping_since && now - *stopping_since >= kLastPortions)) return {};
    auto done = with_retries(*sealed.table, portion.sealed.commit_unknown, [&] { return write_portion(sealed, stretch, portion); });
    if (done) {
      stale = 0;
      continue;
    }
    if (done.error().code != CDCRT_STALE_SCHEMA || (!again_ && ++stale >= kStaleAttempts)) return done;
    sealed.table->target.described = false;
  }
  if (sealed.partitions.empty()) {
    dropped(sealed);
    return {};
  }
  sealed.refused = portion.refused;
  sealed.key_changes = sealed.table->target.key_changes;
  if (sealed.in_order) sealed.table->target.keys.remember(sealed);
  sealed.table->complete(sealed);
  return {};
}

Result<void> Writer::write_portion(Sealed& sealed, Stretch& stretch, Portion& portion) {
  again_ = false;
  const auto keep = [&] {
    completed_part(portion.sealed);
    portion.clears = portion.is_open = false;
    portion.stored = stretch.positions();
    portion.stored_refused = portion.refused;
    portion.refused_orders.clear();
  };
  auto committed = already_committed(portion.sealed);
  if (!committed) return std::move(committed.error());
  if (*committed) {
    stretch.go_back(portion.sealed.partitions);
    keep();
    return {};
  }
  if (auto prepared = prepare({&sealed}); !prepared) return prepared;
  for (const auto& part : stretch.positions()) {
    const bool is_ours = std::any_of(sealed.partitions.begin(), sealed.partitions.end(), [&](const auto& own) { return own.partition == part.partition; });
    if (!is_ours) stretch.drop(*part.partition);
  }
  if (sealed.partitions.empty()) {
    portion.is_open = false;
    return {};
  }
  portion.sealed = Sealed();
  portion.sealed.table = sealed.table;
  portion.sealed.identity = sealed.identity;
  portion.sealed.clear = portion.clears;
  portion.sealed.cleared_by = sealed.cleared_by;
  portion.sealed.floor = sealed.floor;
  portion.sealed.columns = sealed.columns;
  portion.sealed.key = sealed.key;
  portion.sealed.key_known = sealed.key_known;
  portion.sealed.version = sealed.version;
  portion.sealed.letters_change = true;
  portion.sealed.in_order = sealed.in_order;
  portion.sealed.by_source = sealed.by_source;
  portion.sealed.partitions = stretch.positions();
  portion.is_cut_short = false;
  portion.looked_up = {};
  const auto key_changes = sealed.table->target.key_changes;
  if (auto begun = begin({&sealed}); !begun) return begun;
  auto done = write_portion_rows(stretch, portion);
  if (done) {
    keep();
    portion.before.clear();
    portion.now.clear();
    return {};
  }
  roll_back();
  sealed.table->target.key_changes = key_changes;
  if (portion.is_cut_short) return {};
  // What was found out in the transaction went with it; what was refused is told again, under the same ids.
  stretch.go_back(portion.stored);
  portion.before.clear();
  portion.now.clear();
  portion.refused_orders.clear();
  portion.refused = portion.stored_refused;
  portion.is_open = true;
  return done;
}

Result<void> Writer::write_portion_rows(Stretch& stretch, Portion& portion) {
  Sealed& carried = portion.sealed;
  if (auto held = hold_leases({&carried}); !held) return held;
  auto changed = tables_changed({&carried});
  if (!changed) return std::move(changed.error());
  if (*changed) {
    again_ = true;
    return make_error(CDCRT_STALE_SCHEMA, "another process changed what is known of the table");
  }
  if (portion.clears) {
    if (auto cleared = clear(carried); !cleared) return cleared;
  }
  const bool has_savepoints = context_.sink.has(CDCRT_SINK_SAVEPOINTS);
  const auto until = std::chrono::steady_clock::now() + kMaxPortion;
  for (std::size_t passed = 0; passed < Stretch::kMaxEvents && std::chrono::steady_clock::now() < until;) {
    auto piece = stretch.peek(portion.step);
    if (!piece) return std::move(piece.error());
    bool taken = true;
    // The events of a row that was overtaken are so one by one.
    if (piece->sealed && carried.in_order && !carried.table->target.keys.settle(*piece->sealed)) return make_error(CDCRT_UNSUPPORTED, piece->sealed->refusal);
    if (piece->sealed) {
      if (has_savepoints) {
        if (auto set = connection_->savepoint(CDCRT_SAVEPOINT_SET); !set) return set;
      }
      auto tried = try_piece(*piece->sealed, portion);
      if (!tried) return std::move(tried.error());
      taken = *tried;
      if (has_savepoints && !taken) {
        if (auto ended = connection_->savepoint(CDCRT_SAVEPOINT_ROLL_BACK); !ended) return ended;
      }
    }
    if (taken) {
      stretch.pass();
      passed += piece->events;
      portion.step = std::min(portion.step * 2, has_savepoints ? Stretch::kMaxEvents : std::max<std::size_t>(stretch.size(), 1));
      if (piece->events == 0 || !has_savepoints) break;
      continue;
    }
    if (piece->events == 1) {
      refuse_event(*piece, stretch, portion);
      stretch.pass();
      ++passed;
      if (auto relieved = context_.letters.relieve(); !relieved) return std::move(relieved.error());
    } else {
      portion.step = std::max<std::size_t>(piece->events / 2, 1);
    }
    if (has_savepoints) continue;
    portion.is_cut_short = portion.is_open = true;
    return make_error(CDCRT_BAD_RECORD, portion.message);
  }
  carried.partitions = stretch.positions();
  carried.key_changes = carried.table->target.key_changes;
  if (auto saved = save_refused_orders(*connection_, *context_.store, carried.table->identity().target(), portion.refused_orders); !saved) return saved;
  portion.settle();
  return finish({&carried});
}

// False: the target refuses it, or a part of it finds no row to change.
Result<bool> Writer::try_piece(Sealed& piece, Portion& portion) {
  if (auto found = look_up_letters(*connection_, *context_.store, piece, &portion.looked_up); !found) return std::move(found.error());
  const auto found = piece.open_dead_letters;
  portion.overlay(piece.open_dead_letters);
  if (auto decided = decide_by_source(piece, portion.refused_orders); !decided) {
    if (!piece.refusal.empty()) return make_error(CDCRT_UNSUPPORTED, piece.refusal);
    return std::move(decided.error());
  }
  std::vector<const Entry*> missing, blocked;
  find_blocked(piece, blocked);
  settle_dead_letters(piece, entries_of(piece), {});
  if (piece.clear) {
    if (auto cleared = clear(piece); !cleared) return std::move(cleared.error());
    portion.refused_orders.clear();
  }
  auto written = write_settled(piece, nullptr, missing);
  if (written && piece.by_source) written = piece.source_order.save(*connection_, *context_.store, piece);
  // The target may look at the rows only now.
  if (written && missing.empty() && blocked.empty() && context_.sink.has(CDCRT_SINK_SAVEPOINTS)) written = connection_->savepoint(CDCRT_SAVEPOINT_RELEASE);
  if (!written && written.error().code != CDCRT_BAD_RECORD) return std::move(written.error());
  if (!written) {
    portion.reason = "value_refused";
    portion.message = written.error().message;
  } else if (!missing.empty()) {
    portion.reason = "row_missing";
    portion.message = "the change finds no row in the target";
  } else if (!blocked.empty()) {
    portion.reason = "earlier_dead_letter";
    portion.message = "it changes a part of a row of which an earlier change is a dead letter";
  } else {
    for (const auto& [key, letters] : piece.letters_closed) {
      portion.change(key, portion.clears ? progress::Store::LettersByKey() : found);
      portion.now[key].clear();
    }
    for (const auto& [key, letters] : piece.letters_opened) {
      for (const auto& letter : letters) portion.open(key, letter, portion.clears ? progress::Store::LettersByKey() : found);
    }
    piece.table->target.key_changes = piece.key_changes;
    portion.sealed.key_changes_moved = portion.sealed.key_changes_moved || piece.key_changes_moved;
    portion.sealed.clear = portion.sealed.clear || piece.clear;
    portion.sealed.floor = std::max(portion.sealed.floor, piece.floor);
    return true;
  }
  return false;
}

void Writer::refuse_event(const Stretch::Piece& piece, const Stretch& stretch, Portion& portion) {
  const auto event = stretch.event();
  const auto& identity = portion.sealed.table->identity();
  context_.letters.add(dead_letters::make_dead_letter(*event.partition, *event.message, identity.sink, identity.target(), portion.reason,
                                               make_error(CDCRT_BAD_RECORD, portion.message)));
  portion.refused += piece.counts;
  const progress::OpenDeadLetter letter{event.partition->key(), event.message->offset};
  if (portion.sealed.key.empty()) return portion.open(std::string(kNoKey), letter, {});
  for (const auto& part : piece.sealed->partitions) {
    for (const Entry& entry : part.fold.entries()) {
      if (entry.effect == Effect::kNothing) continue;
      portion.open(letter_key(entry.key), letter, portion.clears ? progress::Store::LettersByKey() : piece.sealed->open_dead_letters);
      if (!piece.sealed->by_source) continue;
      auto& noted = portion.refused_orders[letter_key(entry.key)];
      noted.order = std::max(noted.order, std::string(entry.order));
      noted.server = entry.source < piece.sealed->sources.size() ? progress::mark_of(piece.sealed->sources[entry.source].server) : 0;
    }
  }
}

Result<void> Writer::write_isolated(Sealed& sealed, const std::vector<const Entry*>& missing) {
  return with_retries(*sealed.table, sealed.commit_unknown, [&]() -> Result<void> {
    again_ = false;
    auto committed = already_committed(sealed);
    if (!committed) return std::move(committed.error());
    if (*committed) {
      completed(sealed);
      return {};
    }
    if (!connection_) return make_error(CDCRT_RETRY, "connection lost");
    auto isolated = isolate(*connection_, sealed, missing, context_.reader, context_.letters, [&]() -> Result<void> {
      if (context_.store == nullptr) return {};
      if (context_.gives_up()) return make_error(CDCRT_RETRY, "the process ends");
      if (auto held = context_.store->hold(*connection_, {sealed.table->identity().target()}); !held) return held;
      return hold_leases({&sealed});
    });
    if (!isolated) return std::move(isolated.error());
    sealed.letters_change = !isolated->letters.closed().empty() || !isolated->letters.opened().empty();
    auto done = commit_isolated(sealed, *isolated);
    if (!done) {
      roll_back();
      return done;
    }
    sealed.refused = isolated->refused;
    completed(sealed);
    return {};
  });
}

Result<void> Writer::commit_isolated(Sealed& sealed, const Isolated& isolated) {
  std::vector<Sealed*> one{&sealed};
  if (auto begun = begin(one); !begun) return begun;
  if (context_.store != nullptr) {
    if (auto held = hold_leases({&sealed}); !held) return held;
    auto changed = tables_changed(one);
    if (!changed) return std::move(changed.error());
    if (*changed) {
      again_ = true;
      return make_error(CDCRT_STALE_SCHEMA, "another process changed what is known of the table");
    }
  }
  settle_dead_letters(sealed, isolated.good, isolated.letters);
  if (sealed.clear) {
    if (auto cleared = clear_table(*connection_, sealed); !cleared) return cleared;
  }
  std::vector<const Entry*> ignored;
  if (auto written = write_settled(sealed, &isolated.good, ignored); !written) return written;
  for (const Sealed& single : isolated.singles) {
    if (auto written = write_entries(*connection_, single, entries_of(single), ignored); !written) return written;
  }
  if (!ignored.empty()) return make_error(CDCRT_RETRY, "rows of '" + sealed.table->identity().target() + "' went away while bad ones were looked for");
  return finish(one);
}

}  // namespace cdcrt::apply
