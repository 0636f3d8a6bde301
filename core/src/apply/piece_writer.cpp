#include "apply/piece_writer.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

#include "apply/open_dead_letters.hpp"
#include "apply/table.hpp"
#include "apply/table_writer.hpp"
#include "apply/write_preparation.hpp"
#include "apply/written.hpp"
#include "event/log_order.hpp"

namespace cdcrt::apply {
namespace {

// A transaction that tries pieces ends after so long, so that its result is kept and other writers get their turn.
constexpr auto kMaxPortion = std::chrono::milliseconds(500);
// How long a process that is asked to stop goes on with it.
constexpr auto kLastPortions = std::chrono::milliseconds(500);

}  // namespace

// What one transaction writes of the batch, and how far earlier ones came.
struct PieceWriter::Portion {
  Sealed sealed;                        // for finish(): positions, dead letters, key changes; its folds are empty
  bool clears = false;                  // the table is to be emptied first
  bool is_open = true;                  // there is something to commit
  bool is_cut_short = false;            // the transaction was lost to a refused piece, not to an outage
  std::size_t step = 1;                 // events that are tried together
  std::vector<SealedPartition> stored;  // positions as of the last commit
  EventCounts refused, stored_refused;
  SourceOrder::Refused refused_orders;            // of events that became dead letters in this portion
  progress::Store::DeadLettersByKey before, now;  // open dead letters of the rows that changed theirs in this portion
  FoundDeadLetters looked_up;                     // in this transaction
  std::string reason, message;                    // why the last piece was refused

  void change(const std::string& key, const progress::Store::DeadLettersByKey& found) {
    const auto open = found.find(key);
    if (before.contains(key)) return;
    before[key] = now[key] = open == found.end() ? std::vector<progress::OpenDeadLetter>() : open->second;
  }
  void open(const std::string& key, const progress::OpenDeadLetter& dead_letter, const progress::Store::DeadLettersByKey& found) {
    change(key, found);
    auto& dead_letters = now[key];
    if (std::find(dead_letters.begin(), dead_letters.end(), dead_letter) == dead_letters.end()) dead_letters.push_back(dead_letter);
  }
  /// Puts the changes of this portion over what was found in the target.
  void overlay(progress::Store::DeadLettersByKey& found) const {
    if (clears) found.clear();
    for (const auto& [key, dead_letters] : now) {
      if (dead_letters.empty()) {
        found.erase(key);
      } else {
        found[key] = dead_letters;
      }
    }
  }
  void settle() {
    sealed.attempt.dead_letters_closed.clear();
    sealed.attempt.dead_letters_opened.clear();
    if (sealed.clear && sealed.table->dead_letters().is_whole()) sealed.attempt.dead_letters_closed = sealed.table->dead_letters().open();
    for (const auto& [key, dead_letters] : now) {
      const auto& old = before.at(key);
      for (const auto& dead_letter : old) {
        if (std::find(dead_letters.begin(), dead_letters.end(), dead_letter) == dead_letters.end())
          sealed.attempt.dead_letters_closed[key].push_back(dead_letter);
      }
      for (const auto& dead_letter : dead_letters) {
        if (std::find(old.begin(), old.end(), dead_letter) == old.end()) sealed.attempt.dead_letters_opened[key].push_back(dead_letter);
      }
    }
  }
  /// The transaction was rolled back: forgets what was found in it.
  void forget() {
    before.clear();
    now.clear();
    refused_orders.clear();
    refused = stored_refused;
    is_open = true;
  }
};

PieceWriter::PieceWriter(TargetConnection& connection, Sealed& sealed, Stretch& stretch, bool is_last)
    : connection_(connection), context_(connection.context()), transaction_(connection), sealed_(sealed), stretch_(stretch),
      is_last_(is_last), portion_(std::make_unique<Portion>()) {}

PieceWriter::~PieceWriter() = default;

Outcome PieceWriter::run() {
  Portion& portion = *portion_;
  portion.clears = sealed_.clear;
  portion.stored = stretch_.positions();
  portion.step = context_.sink.has(CDCRT_SINK_SAVEPOINTS) ? Stretch::kMaxEvents : std::max<std::size_t>(stretch_.size() / 2, 1);
  std::optional<std::chrono::steady_clock::time_point> stopping_since;
  for (int stale = 0; portion.is_open || !stretch_.ended();) {
    const auto now = std::chrono::steady_clock::now();
    if (context_.stopping && context_.stopping() && !stopping_since) stopping_since = now;
    // The rest stays sealed: its progress is not stored, and the next start reads it again.
    if (context_.gives_up() || (stopping_since && now - *stopping_since >= kLastPortions)) return {};
    auto outcome = connection_.retry({*sealed_.table, portion.sealed.attempt.commit_unknown, is_last_}, [&] { return write_portion(); });
    if (outcome) {
      stale = 0;
      continue;
    }
    const bool goes_on = outcome.next() == Next::kRepeat || (outcome.next() == Next::kLookAgain && ++stale < kMaxLooks);
    if (!goes_on) return outcome;
    sealed_.table->definition().look_again();
  }
  if (sealed_.partitions.empty()) {
    dropped(sealed_);
    return {};
  }
  sealed_.attempt.refused = portion.refused;
  sealed_.attempt.key_changes = sealed_.table->kept().key_changes();
  if (sealed_.in_order) sealed_.table->keys().order().remember(sealed_);
  sealed_.table->complete(sealed_);
  return {};
}

// The portion is durable.
void PieceWriter::keep_portion() {
  Portion& portion = *portion_;
  written_in_part(portion.sealed);
  portion.clears = portion.is_open = false;
  portion.stored = stretch_.positions();
  portion.stored_refused = portion.refused;
  portion.refused_orders.clear();
}

Sealed PieceWriter::begin_portion() const {
  Sealed portion = sealed_.without_rows();
  portion.clear = portion_->clears;
  portion.attempt.dead_letters_change = true;
  portion.partitions = stretch_.positions();
  return portion;
}

Outcome PieceWriter::write_portion() {
  Portion& portion = *portion_;
  bool is_there = false;
  if (auto found = transaction_.find_commit(portion.sealed, is_there); !found) return found;
  if (is_there) {
    stretch_.go_back(portion.sealed.partitions);
    keep_portion();
    return {};
  }
  if (auto prepared = WritePreparation(connection_).prepare({&sealed_}); !prepared) return prepared;
  for (const auto& part : stretch_.positions()) {
    const bool is_ours =
        std::any_of(sealed_.partitions.begin(), sealed_.partitions.end(), [&](const auto& own) { return own.partition == part.partition; });
    if (!is_ours) stretch_.drop(*part.partition);
  }
  if (sealed_.partitions.empty()) {
    portion.is_open = false;
    return {};
  }
  portion.sealed = begin_portion();
  portion.is_cut_short = false;
  portion.looked_up = {};
  const auto key_changes = sealed_.table->kept().key_changes();
  if (auto begun = transaction_.begin({&sealed_}); !begun) return begun;
  auto outcome = try_portion();
  if (outcome) {
    keep_portion();
    portion.before.clear();
    portion.now.clear();
    return {};
  }
  connection_.roll_back();
  sealed_.table->kept().take(key_changes);
  if (portion.is_cut_short) return {};
  // Refused events become dead letters again, with the same ids.
  stretch_.go_back(portion.stored);
  portion.forget();
  return outcome;
}

Outcome PieceWriter::try_portion() {
  Portion& portion = *portion_;
  Sealed& carried = portion.sealed;
  if (auto locked = transaction_.lock({&carried}); !locked) return locked;
  if (portion.clears) {
    if (auto cleared = transaction_.clear(carried); !cleared) return cleared;
  }
  const bool has_savepoints = context_.sink.has(CDCRT_SINK_SAVEPOINTS);
  const auto until = std::chrono::steady_clock::now() + kMaxPortion;
  for (std::size_t passed = 0; passed < Stretch::kMaxEvents && std::chrono::steady_clock::now() < until;) {
    auto piece = stretch_.peek(portion.step);
    if (!piece) return std::move(piece.error());
    bool taken = true;
    // Changes that a newer one of another partition has overtaken are found piece by piece too.
    if (piece->sealed && carried.in_order && !carried.table->keys().order().settle(*piece->sealed))
      return make_error(CDCRT_UNSUPPORTED, piece->sealed->refusal);
    if (piece->sealed) {
      if (has_savepoints) {
        if (auto set = connection_->savepoint(CDCRT_SAVEPOINT_SET); !set) return set;
      }
      auto tried = try_piece(*piece->sealed);
      if (!tried) return std::move(tried.error());
      taken = *tried;
      if (has_savepoints && !taken) {
        if (auto ended = connection_->savepoint(CDCRT_SAVEPOINT_ROLL_BACK); !ended) return ended;
      }
    }
    if (taken) {
      stretch_.pass();
      passed += piece->events;
      portion.step = std::min(portion.step * 2, has_savepoints ? Stretch::kMaxEvents : std::max<std::size_t>(stretch_.size(), 1));
      if (piece->events == 0 || !has_savepoints) break;
      continue;
    }
    if (piece->events == 1) {
      refuse_event(*piece);
      stretch_.pass();
      ++passed;
      if (auto relieved = context_.dead_letters.relieve(); !relieved) return std::move(relieved.error());
    } else {
      portion.step = std::max<std::size_t>(piece->events / 2, 1);
    }
    if (has_savepoints) continue;
    portion.is_cut_short = portion.is_open = true;
    return make_error(CDCRT_BAD_RECORD, portion.message);
  }
  carried.partitions = stretch_.positions();
  carried.attempt.key_changes = carried.table->kept().key_changes();
  if (auto saved = save_refused_orders(*connection_, *context_.store, carried.table->identity().target(), portion.refused_orders); !saved)
    return saved;
  portion.settle();
  return transaction_.finish({&carried});
}

// False: the target refuses the piece, or a partial change finds no row.
Result<bool> PieceWriter::try_piece(Sealed& piece) {
  Portion& portion = *portion_;
  if (auto found = look_up_dead_letters(*connection_, *context_.store, piece, &portion.looked_up); !found) return std::move(found.error());
  const auto found = piece.attempt.open_dead_letters;
  portion.overlay(piece.attempt.open_dead_letters);
  if (auto decided = transaction_.decide_by_source(piece, portion.refused_orders); !decided) {
    if (!piece.refusal.empty()) return make_error(CDCRT_UNSUPPORTED, piece.refusal);
    return std::move(decided.error());
  }
  std::vector<const Entry*> missing, blocked;
  find_blocked(piece, blocked);
  settle_dead_letters(piece, entries_of(piece), {});
  if (piece.clear) {
    if (auto cleared = transaction_.clear(piece); !cleared) return std::move(cleared.error());
    portion.refused_orders.clear();
  }
  auto written = transaction_.write_settled(piece, nullptr, missing);
  if (written && piece.by_source) written = piece.attempt.source_order.save(*connection_, *context_.store, piece);
  // Some targets check rows only here (deferred constraints).
  if (written && missing.empty() && blocked.empty() && context_.sink.has(CDCRT_SINK_SAVEPOINTS))
    written = connection_->savepoint(CDCRT_SAVEPOINT_RELEASE);
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
    for (const auto& [key, dead_letters] : piece.attempt.dead_letters_closed) {
      portion.change(key, portion.clears ? progress::Store::DeadLettersByKey() : found);
      portion.now[key].clear();
    }
    for (const auto& [key, dead_letters] : piece.attempt.dead_letters_opened) {
      for (const auto& dead_letter : dead_letters)
        portion.open(key, dead_letter, portion.clears ? progress::Store::DeadLettersByKey() : found);
    }
    piece.table->kept().take(piece.attempt.key_changes);
    portion.sealed.attempt.key_changes_moved = portion.sealed.attempt.key_changes_moved || piece.attempt.key_changes_moved;
    portion.sealed.clear = portion.sealed.clear || piece.clear;
    event::raise_order(portion.sealed.floor, piece.floor);
    return true;
  }
  return false;
}

void PieceWriter::refuse_event(const Stretch::Piece& piece) {
  Portion& portion = *portion_;
  const auto event = stretch_.event();
  const auto& identity = portion.sealed.table->identity();
  context_.dead_letters.add(dead_letters::make_dead_letter(*event.partition, *event.message, identity.sink, identity.target(),
                                                           portion.reason, make_error(CDCRT_BAD_RECORD, portion.message)));
  portion.refused += piece.counts;
  const progress::OpenDeadLetter dead_letter{event.partition->key(), event.message->offset};
  if (portion.sealed.key.empty()) return portion.open(std::string(kNoKey), dead_letter, {});
  for (const auto& part : piece.sealed->partitions) {
    for (const Entry& entry : part.fold.entries()) {
      if (entry.effect == Effect::kNothing) continue;
      portion.open(dead_letter_key(entry.key), dead_letter,
                   portion.clears ? progress::Store::DeadLettersByKey() : piece.sealed->attempt.open_dead_letters);
      if (!piece.sealed->by_source) continue;
      auto& noted = portion.refused_orders[dead_letter_key(entry.key)];
      event::raise_order(noted.order, entry.order);
      noted.server = entry.source < piece.sealed->sources().size() ? progress::mark_of(piece.sealed->sources()[entry.source].server) : 0;
    }
  }
}

}  // namespace cdcrt::apply
