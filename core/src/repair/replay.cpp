// Replay: open dead letters, decoded once more, written under the lock of their table's row.
#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "apply/key_change.hpp"
#include "apply/left_behind.hpp"
#include "apply/open_dead_letters.hpp"
#include "apply/table_preparation.hpp"
#include "apply/table_writer.hpp"
#include "dead_letters/target_dead_letters.hpp"
#include "repair/dead_letters.hpp"
#include "repair/positions.hpp"
#include "repair/replay_decoder.hpp"
#include "repair/replay_order.hpp"

namespace cdcrt::repair {
namespace {

using apply::Entry;
using apply::Sealed;

constexpr int kAttempts = 20;
constexpr std::size_t kMaxDeadLetters = 1'000;  // in one transaction

class TableReplay {
 public:
  TableReplay(const manifest::Manifest& manifest, route::Router& router, Target& target, std::string table, bool dry_run)
      : manifest_(manifest), target_(target), name_(table), decoder_(manifest, router, target, std::move(table)), dry_run_(dry_run) {}

  /// In order; what could not be applied before keeps back what only changes a part of its row.
  Result<std::vector<ReplayedDeadLetter>> run(std::vector<const ListedDeadLetter*> dead_letters) {
    first_number_ += dead_letters_.size();
    dead_letters_ = std::move(dead_letters);
    const auto blocked = order_.blocked();
    for (int attempt = 0;; ++attempt) {
      auto done = try_once();
      if (done) return std::move(results_);
      if (done.error().code != CDCRT_BUSY || attempt >= kAttempts) return std::move(done.error());
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      order_.restore(blocked);
      if (auto refreshed = target_.refresh(); !refreshed) return std::move(refreshed.error());
    }
  }

 private:
  Result<void> try_once() {
    results_.clear();
    stored_ = &target_.stored.tables[name_];
    keyed_ = has_key(*stored_);
    decoder_.know(*stored_);
    order_.know(*stored_);
    std::vector<Candidate> candidates;
    for (const ListedDeadLetter* listed : dead_letters_) {
      Candidate& candidate = candidates.emplace_back();
      candidate.listed = listed;
      if (auto decoded = decoder_.decode(candidate); !decoded) return decoded;
      order_.leave_open_rows(candidate);
    }
    order_.put_in_order(candidates);
    for (std::size_t i = 0; i < candidates.size(); ++i) candidates[i].number = first_number_ + i;
    std::vector<Candidate*> accepted;
    for (Candidate& candidate : candidates) {
      if (candidate.refusal.empty() && !order_.is_blocked(candidate)) {
        accepted.push_back(&candidate);
        order_.unblock(candidate);
      } else {
        order_.block(candidate);
      }
    }
    if (auto prepared = prepare(accepted); !prepared) return prepared;
    std::string refusal;
    auto written = write(accepted, !dry_run_, refusal);
    if (!written) return written;
    if (!refusal.empty() && target_.sink.has(CDCRT_SINK_SAVEPOINTS)) {
      if (auto done = write_each(accepted); !done) return done;
    } else if (!refusal.empty()) {
      if (auto found = find_taken(accepted); !found) return found;
      written = write(accepted, !dry_run_, refusal);
      if (!written) return written;
      if (!refusal.empty()) return make_error(CDCRT_BUSY, "the target changes while dead letters are replayed: " + refusal);
    }
    for (const Candidate& candidate : candidates) {
      const bool applied = std::find(accepted.begin(), accepted.end(), &candidate) != accepted.end();
      results_.push_back({candidate.listed->dead_letter.id, applied, candidate.refusal});
    }
    return {};
  }

  // Columns that a dead letter brings are made before, as for any batch.
  Result<void> prepare(const std::vector<Candidate*>& candidates) {
    for (Candidate* candidate : candidates) {
      if (!candidate->sealed) continue;
      decoder_.table()->definition().look_again();
      std::vector<const progress::Partition*> lost;
      if (auto prepared = apply::prepare_tables(target_.connection, nullptr, true, {&*candidate->sealed}, lost); !prepared) return prepared;
    }
    return {};
  }

  // `refusal`: not empty where the target refuses one of them; nothing was written then. `last`: the one that is to blame.
  Result<void> write(const std::vector<Candidate*>& candidates, bool commit, std::string& refusal) {
    refusal.clear();
    if (auto begun = target_.connection.begin(); !begun) return begun;
    auto done = write_all(candidates, refusal);
    if (done && refusal.empty() && commit) return target_.connection.commit();
    (void)target_.connection.rollback();
    if (!done && done.error().code == CDCRT_BAD_RECORD) {
      refusal = explain(done.error());
      return {};
    }
    return done;
  }

  Result<void> write_all(const std::vector<Candidate*>& candidates, std::string& refusal) {
    progress::StoredTable row;
    if (auto locked = lock(row); !locked) return locked;
    for (Candidate* candidate : candidates) {
      if (auto applied = apply_one(*candidate, refusal); !applied || !refusal.empty()) return applied;
    }
    return settle(candidates, row);
  }

  Result<void> lock(progress::StoredTable& row) {
    if (auto locked = target_.store->lock_targets(target_.connection, {name_}); !locked) return locked;
    auto rows = target_.store->lock_tables(target_.connection, {name_}, CDCRT_LOCK_UPDATE);
    if (!rows) return std::move(rows.error());
    const auto found = rows->find(name_);
    if (found == rows->end() || found->second.version != stored_->version)
      return make_error(CDCRT_BUSY, "table '" + name_ + "' changed while its dead letters were replayed");
    row = std::move(found->second);
    // What an earlier try did about them was taken back.
    if (decoder_.table() != nullptr) decoder_.table()->kept().take(apply::key_changes_from(stored_->key_changes, stored_->columns));
    return {};
  }

  // Half of a key change takes from the row that left, or gives to the one that came, what the other half lacks, as it does when it is
  // read first.
  Result<void> apply_one(Candidate& candidate, std::string& refusal) {
    if (!candidate.sealed) return {};
    Sealed& sealed = *candidate.sealed;
    const bool by_source = sealed.by_source;
    auto& ordered = sealed.attempt.source_order;
    if (by_source) {
      auto decided = ordered.decide(target_.connection, *target_.store, sealed);
      if (!decided && sealed.refusal.empty()) return decided;
      if (!decided) {
        refusal = sealed.refusal;
        return {};
      }
    }
    std::vector<const Entry*> missing;
    apply::SettledEntries settled;
    if (keyed_) {
      if (auto done = apply::settle_key_changes(target_.connection, *target_.store, sealed, settled); !done) return done;
      missing = settled.missing();
    }
    std::vector<const Entry*> entries = keyed_ ? settled.entries() : apply::entries_of(sealed);
    apply::LeftBehind left(target_.connection, *target_.store, sealed, true);
    if (auto done = left.settle(entries); !done) return done;
    if (!left.moved().empty() || left.is_unsure()) {
      refusal =
          "its row stands under another key, perhaps by a later change: read the table again (cdcrt progress rewind) to have it right";
      return {};
    }
    if (auto written = apply::write_entries(target_.connection, sealed, entries, missing); !written) {
      return written;
    }
    std::erase_if(missing, [&](const Entry* entry) { return keyed_ && settled.original(entry) == nullptr; });
    if (missing.empty()) {
      if (keyed_) decoder_.table()->kept().take(sealed.attempt.key_changes);
      return by_source ? ordered.save(target_.connection, *target_.store, sealed) : Result<void>();
    }
    refusal = keyed_ ? "row_missing: the change finds no row in the target" : "row_missing: the row before the change is not in the target";
    return {};
  }

  // That they were applied is noted where their rows are, and with them: no crash comes between.
  Result<void> settle(const std::vector<Candidate*>& candidates, progress::StoredTable& row) {
    progress::Store::DeadLettersByKey closed;
    std::vector<progress::OpenDeadLetter> without_key;
    std::vector<std::string> ids;
    for (const Candidate* candidate : candidates) {
      const auto position = position_of(*candidate->listed);
      for (const auto& key : order_.keys_made_good(*candidate)) {
        for (const auto& dead_letter : stored_->open_dead_letters.at(key)) {
          const bool is_own = dead_letter.partition == position.partition && dead_letter.offset == position.offset;
          const bool by_place = dead_letter.partition == position.partition && !stored_->by_source;
          const bool is_earlier =
              is_own || (by_place ? dead_letter.offset <= position.offset : order_.is_overtaken(dead_letter, *candidate));
          if (is_earlier) closed[key].push_back(dead_letter);
        }
      }
      if (candidate->listed->by_key) continue;
      without_key.push_back(position_of(*candidate->listed));
      closed[std::string(apply::kNoKey)].push_back(without_key.back());
      ids.push_back(candidate->listed->dead_letter.id);
    }
    for (auto& [key, dead_letters] : closed) {
      std::sort(dead_letters.begin(), dead_letters.end());
      dead_letters.erase(std::unique(dead_letters.begin(), dead_letters.end()), dead_letters.end());
    }
    if (auto saved = target_.store->save_open_dead_letters(target_.connection, name_, closed, {}); !saved) return saved;
    if (auto saved = target_.store->save_replayed(target_.connection, name_, without_key); !saved) return saved;
    if (manifest_.dead_letters.kind == dead_letters::Settings::Kind::kTable) {
      if (auto marked = dead_letters::TargetDeadLetters(*target_.store).mark_replayed(target_.connection, ids); !marked) return marked;
    }
    ++row.version;
    return target_.store->save_table(target_.connection, name_, row);
  }

  // One after the other in one transaction: what the target refuses is taken back alone.
  Result<void> write_each(std::vector<Candidate*>& candidates) {
    std::vector<Candidate*> taken;
    if (auto begun = target_.connection.begin(); !begun) return begun;
    const auto body = [&]() -> Result<void> {
      progress::StoredTable row;
      if (auto locked = lock(row); !locked) return locked;
      for (Candidate* candidate : candidates) {
        if (order_.is_blocked(*candidate)) continue;
        if (auto set = target_.connection.savepoint(CDCRT_SAVEPOINT_SET); !set) return set;
        std::string refusal;
        auto applied = apply_one(*candidate, refusal);
        if (!applied && applied.error().code != CDCRT_BAD_RECORD) return applied;
        if (!applied) refusal = explain(applied.error());
        const auto end = refusal.empty() ? CDCRT_SAVEPOINT_RELEASE : CDCRT_SAVEPOINT_ROLL_BACK;
        if (auto ended = target_.connection.savepoint(end); !ended) return ended;
        if (refusal.empty()) {
          taken.push_back(candidate);
          order_.unblock(*candidate);
        } else {
          candidate->refusal = refusal;
          order_.block(*candidate);
        }
      }
      return settle(taken, row);
    };
    auto done = body();
    if (done && !dry_run_) return std::exchange(candidates, std::move(taken)), target_.connection.commit();
    (void)target_.connection.rollback();
    if (done) candidates = std::move(taken);
    return done;
  }

  // The same without savepoints: each try is a transaction, and takes along what was taken before.
  Result<void> find_taken(std::vector<Candidate*>& candidates) {
    std::vector<Candidate*> taken;
    for (std::size_t at = 0, step = (candidates.size() + 1) / 2; at < candidates.size();) {
      if (step == 1 && order_.is_blocked(*candidates[at])) {
        ++at;
        continue;
      }
      step = std::min(step, candidates.size() - at);
      auto tried = taken;
      tried.insert(tried.end(), candidates.begin() + static_cast<std::ptrdiff_t>(at),
                   candidates.begin() + static_cast<std::ptrdiff_t>(at + step));
      const bool any_blocked = step > 1 && std::any_of(tried.begin() + static_cast<std::ptrdiff_t>(taken.size()), tried.end(),
                                                       [&](Candidate* candidate) { return order_.is_blocked(*candidate); });
      std::string refusal;
      if (!any_blocked) {
        if (auto written = write(tried, false, refusal); !written) return written;
      }
      if (!any_blocked && refusal.empty()) {
        taken = std::move(tried);
        for (std::size_t i = at; i < at + step; ++i) order_.unblock(*candidates[i]);
        at += step;
        step *= 2;
      } else if (step == 1) {
        candidates[at]->refusal = refusal;
        order_.block(*candidates[at++]);
      } else {
        step /= 2;
      }
    }
    candidates = std::move(taken);
    return {};
  }

  const manifest::Manifest& manifest_;
  Target& target_;
  const std::string name_;
  ReplayDecoder decoder_;
  ReplayOrder order_;
  const bool dry_run_;
  std::vector<const ListedDeadLetter*> dead_letters_;
  const progress::StoredTable* stored_ = nullptr;
  std::size_t first_number_ = 0;
  bool keyed_ = false;
  std::vector<ReplayedDeadLetter> results_;
};

bool is_of_one_table(const Error& error) {
  switch (error.code) {
    case CDCRT_BAD_RECORD:
    case CDCRT_BAD_CONFIG:
    case CDCRT_UNSUPPORTED:
    case CDCRT_STALE_SCHEMA:
    case CDCRT_BUSY: return true;
    default: return false;
  }
}

// All of them once, in order. What stops the table is the answer for each that is left.
Result<std::vector<ReplayedDeadLetter>> replay_round(TableReplay& replay, Target& target, const std::vector<const ListedDeadLetter*>& own) {
  std::vector<ReplayedDeadLetter> results;
  for (std::size_t first = 0; first < own.size(); first += kMaxDeadLetters) {
    if (first > 0) {
      if (auto refreshed = target.refresh(); !refreshed) return std::move(refreshed.error());
    }
    const auto begin = own.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = own.begin() + static_cast<std::ptrdiff_t>(std::min(own.size(), first + kMaxDeadLetters));
    auto replayed = replay.run({begin, end});
    if (!replayed && is_of_one_table(replayed.error())) {
      // The other tables have theirs.
      for (auto dead_letter = begin; dead_letter != own.end(); ++dead_letter) {
        results.push_back({(*dead_letter)->dead_letter.id, false, explain(replayed.error())});
      }
      break;
    }
    if (!replayed) return std::move(replayed.error());
    for (auto& result : *replayed) results.push_back(std::move(result));
  }
  return results;
}

}  // namespace

Result<std::vector<ReplayedDeadLetter>> replay_dead_letters(Session&, const manifest::Manifest& manifest,
                                                            const std::vector<ListedDeadLetter>& dead_letters, bool dry_run) {
  std::vector<ReplayedDeadLetter> results;
  std::map<std::pair<Target*, std::string>, std::vector<const ListedDeadLetter*>> by_table;
  for (const ListedDeadLetter& listed : dead_letters) {
    if (listed.state != DeadLetterState::kOpen) continue;
    if (listed.target == nullptr) {
      results.push_back({listed.dead_letter.id, false,
                         "it belongs to no table yet: rows of its message may have changed since; once it can be decoded, cdcrt progress "
                         "rewind --topic reads it in its place"});
      continue;
    }
    if (!listed.by_key && has_key(listed.target->stored.tables[listed.dead_letter.table])) {
      results.push_back(
          {listed.dead_letter.id, false,
           "which row it changes is not known (" + listed.dead_letter.reason + "): cdcrt progress rewind --table reads it in its place"});
      continue;
    }
    by_table[{listed.target, listed.dead_letter.table}].push_back(&listed);
  }
  route::Router router(manifest);
  for (auto& [place, own] : by_table) {
    Target& target = *place.first;
    router.disown_all();  // which source table has a name is decided by the dead letters of that table alone
    TableReplay replay(manifest, router, target, place.second, dry_run);
    const bool has_rounds = !dry_run && !has_key(target.stored.tables[place.second]);
    while (true) {
      auto replayed = replay_round(replay, target, own);
      if (!replayed) return std::move(replayed.error());
      const bool any_applied = std::any_of(replayed->begin(), replayed->end(), [](const auto& each) { return each.applied; });
      std::set<std::string> left;
      for (auto& result : *replayed) {
        if (has_rounds && any_applied && !result.applied) {
          left.insert(result.id);
        } else {
          results.push_back(std::move(result));
        }
      }
      // Equal rows of a table without a key stand for each other: an earlier dead letter may need the row that only a later one brings.
      std::erase_if(own, [&](const ListedDeadLetter* each) { return !left.contains(each->dead_letter.id); });
      if (own.empty()) break;
      if (auto refreshed = target.refresh(); !refreshed) return std::move(refreshed.error());
    }
  }
  return results;
}

}  // namespace cdcrt::repair
