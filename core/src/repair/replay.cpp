// Replay: open letters, decoded once more, written under the lock of their table's row.
#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <thread>

#include "apply/key_change.hpp"
#include "apply/left_behind.hpp"
#include "apply/open_dead_letters.hpp"
#include "apply/rows_aside.hpp"
#include "apply/table.hpp"
#include "apply/table_preparation.hpp"
#include "apply/table_writer.hpp"
#include "cdcrt/sdk/status.hpp"
#include "dead_letters/target_letters.hpp"
#include "repair/dead_letters.hpp"
#include "repair/positions.hpp"
#include "route/router.hpp"

namespace cdcrt::repair {
namespace {

using apply::Effect;
using apply::Entry;
using apply::Sealed;

constexpr int kAttempts = 20;
constexpr std::size_t kMaxDeadLetters = 1'000;  // in one transaction

// One letter on its way into its table.
struct Candidate {
  const ListedDeadLetter* listed = nullptr;
  std::size_t number = 0;  // in the order in which the table's letters are applied
  std::unique_ptr<progress::Partition> partition;  // of its own: the sealed batch borrows it
  std::unique_ptr<apply::RowsAside> aside;
  std::optional<Sealed> sealed;  // nullopt: nothing is left to be applied
  std::string refusal;
};

class TableReplay {
 public:
  TableReplay(const manifest::Manifest& manifest, Target& target, std::string table, bool dry_run)
      : manifest_(manifest), target_(target), name_(std::move(table)), router_(manifest), dry_run_(dry_run) {}

  /// In order; what could not be applied before keeps back what only changes a part of its row.
  Result<std::vector<ReplayedDeadLetter>> run(std::vector<const ListedDeadLetter*> letters) {
    first_number_ += letters_.size();
    letters_ = std::move(letters);
    const auto blocked = blocked_;
    for (int attempt = 0;; ++attempt) {
      auto done = try_once();
      if (done) return std::move(results_);
      if (done.error().code != CDCRT_BUSY || attempt >= kAttempts) return std::move(done.error());
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      blocked_ = blocked;
      if (auto refreshed = target_.refresh(); !refreshed) return std::move(refreshed.error());
    }
  }

 private:
  Result<void> try_once() {
    results_.clear();
    stored_ = &target_.stored.tables[name_];
    keyed_ = has_key(*stored_);
    keys_of_.clear();
    for (const auto& [key, open] : stored_->open_dead_letters) {
      for (const auto& letter : open) keys_of_[letter].insert(key);
    }
    std::vector<Candidate> candidates;
    for (const ListedDeadLetter* listed : letters_) {
      Candidate& candidate = candidates.emplace_back();
      candidate.listed = listed;
      if (auto decoded = decode(candidate); !decoded) return decoded;
    }
    put_in_order(candidates);
    for (std::size_t i = 0; i < candidates.size(); ++i) candidates[i].number = first_number_ + i;
    std::vector<Candidate*> accepted;
    for (Candidate& candidate : candidates) {
      if (candidate.refusal.empty() && !is_blocked(candidate)) {
        accepted.push_back(&candidate);
        unblock(candidate);
      } else {
        block(candidate);
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
      results_.push_back({candidate.listed->letter.id, applied, candidate.refusal});
    }
    return {};
  }

  Result<void> decode(Candidate& candidate) {
    const auto& letter = candidate.listed->letter;
    const auto source =
        std::find_if(manifest_.sources.begin(), manifest_.sources.end(), [&](const auto& each) { return each.name == letter.source; });
    if (!letter.has_raw) {
      candidate.refusal = "its message could not be read again when it was found: only the decoded row is known";
      return {};
    }
    if (source == manifest_.sources.end()) {
      candidate.refusal = "the manifest has no source '" + letter.source + "' any more";
      return {};
    }
    auto& format = formats_[letter.source];
    if (!format) {
      auto made = plugin::Format::create(source->format);
      if (!made) return std::move(made.error());
      format = std::make_unique<plugin::Format>(std::move(*made));
    }
    std::vector<cdcrt_header> headers;
    const auto borrow = [](const std::optional<std::string>& bytes) { return bytes ? sdk::borrow(*bytes) : cdcrt_string{nullptr, 0}; };
    for (const auto& [name, value] : letter.headers) headers.push_back({sdk::borrow(name), borrow(value)});
    cdcrt_message message{};
    message.key = borrow(letter.key);
    message.value = borrow(letter.value);
    message.headers = headers.data();
    message.header_count = static_cast<uint32_t>(headers.size());
    message.offset = letter.offset;
    message.timestamp_ms = letter.timestamp_ms;
    cdcrt_messages one{};
    one.size = sizeof one;
    one.topic = sdk::borrow(letter.topic);
    one.partition = letter.partition;
    one.messages = &message;
    one.count = 1;
    event::RowBatch rows(shapes_);
    if (auto decoded = format->decode(one, rows); !decoded) return decoded;
    if (!rows.rejects().empty()) {
      candidate.refusal = explain(rows.rejects().front().error);
      return {};
    }
    return fold(candidate, one, rows);
  }

  Result<void> fold(Candidate& candidate, const cdcrt_messages& message, const event::RowBatch& rows) {
    const auto& letter = candidate.listed->letter;
    std::vector<uint32_t> own;
    std::optional<apply::TableIdentity> own_identity;
    for (uint32_t i = 0; i < rows.size(); ++i) {
      if (rows.rows()[i].operation == CDCRT_MARKER) continue;
      const event::Shape& shape = shapes_.get(rows.rows()[i].shape);
      const route::SourceTable source{letter.source, letter.topic, shape.database, shape.schema, shape.table, shape.server};
      auto route = router_.route(source);
      if (!route) return std::move(route.error());
      if (*route == nullptr || (*route)->sink != target_.manifest.name) continue;
      auto place = router_.target_for(**route, source, target_.sink.has(CDCRT_SINK_SCHEMAS));
      if (!place) return std::move(place.error());
      apply::TableIdentity identity;
      identity.sink = target_.manifest.name;
      identity.schema = target_.sink.has(CDCRT_SINK_SCHEMAS) ? place->schema : std::string();
      identity.name = place->table;
      identity.source_name = stored_->source_table;
      identity.route = **route;
      identity.limits = target_.sink.limits();
      if (identity.target() != name_) continue;
      const bool other_server = !stored_->source_server.empty() && !shape.server.empty() && stored_->source_server != shape.server;
      if (!(*route)->names_target && (stored_->source_table != route::dotted(source) || other_server)) {
        candidate.refusal = explain(route::tables_meet({stored_->source_table, stored_->source_server}, source, name_, target_.manifest.name,
                                                       target_.sink.has(CDCRT_SINK_SCHEMAS)));
        return {};
      }
      own.push_back(i);
      if (!base_) base_ = std::make_unique<apply::Table>(identity);
      if (!own_identity) own_identity = std::move(identity);
    }
    if (own.empty()) {
      candidate.refusal = "its message has no row for this table any more: the routes changed";
      return {};
    }
    progress::StoredTable known;
    known.columns = stored_->columns;
    known.key_known = stored_->key_known;
    known.by_source = stored_->by_source;
    // What came before a truncate is no open dead letter any more: that is all that is known of a message without an order.
    if (std::all_of(own.begin(), own.end(), [&](uint32_t row) { return rows.rows()[row].source_order.data != nullptr; })) known.floor = stored_->floor;
    candidate.aside = std::make_unique<apply::RowsAside>(std::move(*own_identity), std::move(known));
    candidate.partition = std::make_unique<progress::Partition>(letter.source, letter.topic, letter.partition, [](auto&, auto, auto) {});
    candidate.aside->add({*candidate.partition, message, rows, shapes_, letter.offset + 1}, own.data(), own.size(),
                         [&](const apply::Refusal& refusal) { candidate.refusal = refusal.reason + ": " + explain(refusal.error); });
    if (candidate.refusal.empty()) candidate.refusal = candidate.aside->stopped();
    candidate.sealed = candidate.aside->take(*base_);
    if (!candidate.sealed || !candidate.refusal.empty()) return {};
    if (candidate.listed->by_key) leave_open_rows(candidate);
    return {};
  }

  // Only what waits for this letter: another row of its message may have been made good since.
  void leave_open_rows(Candidate& candidate) {
    const std::set<std::string> keys = open_keys(*candidate.listed);
    for (auto& part : candidate.sealed->partitions) {
      for (Entry& entry : part.fold.entries()) {
        if (!keys.contains(apply::dead_letter_key(entry.key))) entry.effect = Effect::kNothing;
      }
      // Halves of several rows in one message refer to each other by their places.
      if (part.fold.departures.size() + part.fold.arrivals.size() > 1) continue;
      const auto is_left = [&](std::string_view key) { return !keys.contains(apply::dead_letter_key(key)); };
      std::erase_if(part.fold.departures, [&](const auto& departure) { return is_left(departure.old_key); });
      std::erase_if(part.fold.arrivals, [&](const auto& arrival) { return is_left(arrival.new_key); });
    }
  }

  std::set<std::string> open_keys(const ListedDeadLetter& listed) const {
    const auto found = keys_of_.find(position_of(listed));
    return found == keys_of_.end() ? std::set<std::string>() : found->second;
  }

  // Letters of one row that came from several partitions are applied in source order, and only together.
  void put_in_order(std::vector<Candidate>& candidates) {
    orders_.clear();
    if (stored_->by_source) return put_in_source_order(candidates);
    std::map<progress::OpenDeadLetter, std::size_t> places;
    for (std::size_t i = 0; i < candidates.size(); ++i) places[position_of(*candidates[i].listed)] = i;
    std::set<std::size_t> crossing;
    for (const auto& [key, letters] : stored_->open_dead_letters) {
      if (key == apply::kNoKey) continue;  // of as many rows as letters
      if (std::all_of(letters.begin(), letters.end(), [&](const auto& letter) { return letter.partition == letters.front().partition; })) continue;
      std::string why;
      std::vector<std::size_t> own;
      for (const auto& letter : letters) {
        const auto place = places.find(letter);
        if (place == places.end()) {
          why = "its row has an open dead letter of " + letter.partition.name() +
                " too, and they are replayed together: replay all dead letters of the table, or cdcrt progress rewind --table";
          continue;
        }
        own.push_back(place->second);
      }
      for (const std::size_t i : own) {
        if (order_of(candidates[i]).empty()) why = "its row has open dead letters of several partitions, and they carry no source order: which is newer cannot be told";
        if (server_of(candidates[i]) != server_of(candidates[own.front()])) why = "its row has open dead letters of several servers, whose orders do not compare";
      }
      for (const std::size_t i : own) {
        if (!why.empty() && candidates[i].refusal.empty()) candidates[i].refusal = why;
        if (why.empty()) orders_[position_of(*candidates[i].listed)] = order_of(candidates[i]);
        if (why.empty()) crossing.insert(i);
      }
    }
    std::vector<Candidate> ordered;
    for (const std::size_t i : crossing) ordered.push_back(std::move(candidates[i]));
    std::stable_sort(ordered.begin(), ordered.end(), [](const Candidate& one, const Candidate& other) { return order_of(one) < order_of(other); });
    auto next = ordered.begin();
    for (const std::size_t i : crossing) candidates[i] = std::move(*next++);
  }

  // Each is decided by itself: what is older than its row is overtaken.
  void put_in_source_order(std::vector<Candidate>& candidates) {
    for (const Candidate& candidate : candidates) orders_[position_of(*candidate.listed)] = order_of(candidate);
    std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& one, const Candidate& other) { return order_of(one) < order_of(other); });
  }

  // A letter of another partition that the candidate's row has overtaken, though it could not be applied itself.
  [[nodiscard]] bool is_overtaken(const progress::OpenDeadLetter& letter, const Candidate& candidate) const {
    const auto order = orders_.find(letter);
    return order != orders_.end() && candidate.sealed && !changes_a_part(*candidate.sealed) && order->second < order_of(candidate);
  }

  static std::string_view order_of(const Candidate& candidate) {
    return candidate.sealed && !candidate.sealed->partitions.empty() ? std::string_view(candidate.sealed->partitions.front().order) : std::string_view();
  }
  static std::string_view server_of(const Candidate& candidate) {
    return candidate.sealed && !candidate.sealed->sources.empty() ? std::string_view(candidate.sealed->sources.front().server) : std::string_view();
  }

  static progress::OpenDeadLetter position_of(const ListedDeadLetter& listed) {
    return {{listed.letter.source, listed.letter.topic, listed.letter.partition}, listed.letter.offset};
  }

  // Columns that a letter brings are made before, as for any batch.
  Result<void> prepare(const std::vector<Candidate*>& candidates) {
    for (Candidate* candidate : candidates) {
      if (!candidate->sealed) continue;
      base_->definition().look_again();
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
    if (auto held = target_.store->hold(target_.connection, {name_}); !held) return held;
    auto rows = target_.store->lock_tables(target_.connection, {name_}, CDCRT_LOCK_UPDATE);
    if (!rows) return std::move(rows.error());
    const auto found = rows->find(name_);
    if (found == rows->end() || found->second.version != stored_->version)
      return make_error(CDCRT_BUSY, "table '" + name_ + "' changed while its dead letters were replayed");
    row = std::move(found->second);
    // What an earlier try did about them was taken back.
    if (base_) base_->kept().take(apply::key_changes_from(stored_->key_changes, stored_->columns));
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
    apply::LeftBehind left(target_.connection, sealed, true);
    if (auto done = left.settle(entries); !done) return done;
    if (!left.moved().empty() || left.is_unsure()) {
      refusal = "its row stands under another key, perhaps by a later change: read the table again (cdcrt progress rewind) to have it right";
      return {};
    }
    if (auto written = apply::write_entries(target_.connection, sealed, entries, missing); !written) {
      return written;
    }
    std::erase_if(missing, [&](const Entry* entry) { return keyed_ && settled.original(entry) == nullptr; });
    if (missing.empty()) {
      if (keyed_) base_->kept().take(sealed.attempt.key_changes);
      return by_source ? ordered.save(target_.connection, *target_.store, sealed) : Result<void>();
    }
    refusal = keyed_ ? "row_missing: the change finds no row in the target" : "row_missing: the row before the change is not in the target";
    return {};
  }

  // That they were applied is noted where their rows are, and with them: no crash comes between.
  Result<void> settle(const std::vector<Candidate*>& candidates, progress::StoredTable& row) {
    progress::Store::LettersByKey closed;
    std::vector<progress::OpenDeadLetter> without_key;
    std::vector<std::string> ids;
    for (const Candidate* candidate : candidates) {
      const auto position = position_of(*candidate->listed);
      for (const auto& key : keys_made_good(*candidate)) {
        for (const auto& letter : stored_->open_dead_letters.at(key)) {
          const bool is_own = letter.partition == position.partition && letter.offset == position.offset;
          const bool by_place = letter.partition == position.partition && !stored_->by_source;
          const bool is_earlier = is_own || (by_place ? letter.offset <= position.offset : is_overtaken(letter, *candidate));
          if (is_earlier) closed[key].push_back(letter);
        }
      }
      if (candidate->listed->by_key) continue;
      without_key.push_back(position_of(*candidate->listed));
      closed[std::string(apply::kNoKey)].push_back(without_key.back());
      ids.push_back(candidate->listed->letter.id);
    }
    for (auto& [key, letters] : closed) {
      std::sort(letters.begin(), letters.end());
      letters.erase(std::unique(letters.begin(), letters.end()), letters.end());
    }
    if (auto saved = target_.store->save_open_dead_letters(target_.connection, name_, closed, {}); !saved) return saved;
    if (auto saved = target_.store->save_replayed(target_.connection, name_, without_key); !saved) return saved;
    if (manifest_.dead_letters.kind == dead_letters::Settings::Kind::kTable) {
      if (auto marked = dead_letters::TargetLetters(*target_.store).mark_replayed(target_.connection, ids); !marked) return marked;
    }
    ++row.version;
    return target_.store->save_table(target_.connection, name_, row);
  }

  std::set<std::string> keys_made_good(const Candidate& candidate) const {
    return candidate.listed->by_key ? open_keys(*candidate.listed) : std::set<std::string>();
  }

  bool is_blocked(Candidate& candidate) {
    if (blocked_.empty() || !candidate.sealed || !changes_a_part(*candidate.sealed)) return false;
    const auto keys = keys_made_good(candidate);
    const auto is_open = [&](const std::string& key) {
      const auto found = blocked_.find(key);
      return found != blocked_.end() && found->second < candidate.number;
    };
    if (std::none_of(keys.begin(), keys.end(), is_open)) return false;
    candidate.refusal = "open_letter: an earlier dead letter of its row could not be applied";
    return true;
  }

  void block(const Candidate& candidate) {
    for (const auto& key : keys_made_good(candidate)) blocked_[key] = std::max(blocked_[key], candidate.number);
  }

  // The row is changed as a whole: what was open of it before is made good.
  void unblock(const Candidate& candidate) {
    if (!candidate.sealed || changes_a_part(*candidate.sealed)) return;
    for (const auto& key : keys_made_good(candidate)) {
      const auto found = blocked_.find(key);
      if (found != blocked_.end() && found->second < candidate.number) blocked_.erase(found);
    }
  }

  // One after the other in one transaction: what the target refuses is taken back alone.
  Result<void> write_each(std::vector<Candidate*>& candidates) {
    std::vector<Candidate*> taken;
    if (auto begun = target_.connection.begin(); !begun) return begun;
    const auto body = [&]() -> Result<void> {
      progress::StoredTable row;
      if (auto locked = lock(row); !locked) return locked;
      for (Candidate* candidate : candidates) {
        if (is_blocked(*candidate)) continue;
        if (auto set = target_.connection.savepoint(CDCRT_SAVEPOINT_SET); !set) return set;
        std::string refusal;
        auto applied = apply_one(*candidate, refusal);
        if (!applied && applied.error().code != CDCRT_BAD_RECORD) return applied;
        if (!applied) refusal = explain(applied.error());
        const auto end = refusal.empty() ? CDCRT_SAVEPOINT_RELEASE : CDCRT_SAVEPOINT_ROLL_BACK;
        if (auto ended = target_.connection.savepoint(end); !ended) return ended;
        if (refusal.empty()) {
          taken.push_back(candidate);
          unblock(*candidate);
        } else {
          candidate->refusal = refusal;
          block(*candidate);
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
      if (step == 1 && is_blocked(*candidates[at])) {
        ++at;
        continue;
      }
      step = std::min(step, candidates.size() - at);
      auto tried = taken;
      tried.insert(tried.end(), candidates.begin() + static_cast<std::ptrdiff_t>(at), candidates.begin() + static_cast<std::ptrdiff_t>(at + step));
      const bool any_blocked = step > 1 && std::any_of(tried.begin() + static_cast<std::ptrdiff_t>(taken.size()), tried.end(),
                                                       [&](Candidate* candidate) { return is_blocked(*candidate); });
      std::string refusal;
      if (!any_blocked) {
        if (auto written = write(tried, false, refusal); !written) return written;
      }
      if (!any_blocked && refusal.empty()) {
        taken = std::move(tried);
        for (std::size_t i = at; i < at + step; ++i) unblock(*candidates[i]);
        at += step;
        step *= 2;
      } else if (step == 1) {
        candidates[at]->refusal = refusal;
        block(*candidates[at++]);
      } else {
        step /= 2;
      }
    }
    candidates = std::move(taken);
    return {};
  }

  static bool changes_a_part(const Sealed& sealed) {
    for (const auto& part : sealed.partitions) {
      for (const Entry& entry : part.fold.entries()) {
        if (entry.effect == Effect::kPatch) return true;
      }
    }
    return false;
  }

  const manifest::Manifest& manifest_;
  Target& target_;
  const std::string name_;
  std::vector<const ListedDeadLetter*> letters_;
  route::Router router_;
  const bool dry_run_;
  const progress::StoredTable* stored_ = nullptr;
  std::map<progress::OpenDeadLetter, std::set<std::string>> keys_of_;
  std::map<progress::OpenDeadLetter, std::string> orders_;  // of letters whose row has some of several partitions
  std::map<std::string, std::size_t> blocked_;  // rows of which a letter stays open: the number of the last such one
  std::size_t first_number_ = 0;
  bool keyed_ = false;
  event::ShapeRegistry shapes_;
  std::map<std::string, std::unique_ptr<plugin::Format>> formats_;
  std::unique_ptr<apply::Table> base_;  // stands for the table's place in the target
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

}  // namespace

Result<std::vector<ReplayedDeadLetter>> replay_letters(Session&, const manifest::Manifest& manifest, const std::vector<ListedDeadLetter>& letters,
                                                   bool dry_run) {
  std::vector<ReplayedDeadLetter> results;
  std::map<std::pair<Target*, std::string>, std::vector<const ListedDeadLetter*>> by_table;
  for (const ListedDeadLetter& listed : letters) {
    if (listed.state != LetterState::kOpen) continue;
    if (listed.target == nullptr) {
      results.push_back({listed.letter.id, false,
                         "it belongs to no table yet: rows of its message may have changed since; once it can be decoded, cdcrt progress "
                         "rewind --topic reads it in its place"});
      continue;
    }
    if (!listed.by_key && has_key(listed.target->stored.tables[listed.letter.table])) {
      results.push_back(
          {listed.letter.id, false,
           "which row it changes is not known (" + listed.letter.reason + "): cdcrt progress rewind --table reads it in its place"});
      continue;
    }
    by_table[{listed.target, listed.letter.table}].push_back(&listed);
  }
  for (auto& [place, own] : by_table) {
    Target& target = *place.first;
    TableReplay replay(manifest, target, place.second, dry_run);
    for (std::size_t first = 0; first < own.size(); first += kMaxDeadLetters) {
      if (first > 0) {
        if (auto refreshed = target.refresh(); !refreshed) return std::move(refreshed.error());
      }
      const auto end = own.begin() + static_cast<std::ptrdiff_t>(std::min(own.size(), first + kMaxDeadLetters));
      auto replayed = replay.run({own.begin() + static_cast<std::ptrdiff_t>(first), end});
      if (!replayed && is_of_one_table(replayed.error())) {
        // The other tables have theirs.
        for (auto letter = own.begin() + static_cast<std::ptrdiff_t>(first); letter != own.end(); ++letter) {
          results.push_back({(*letter)->letter.id, false, explain(replayed.error())});
        }
        break;
      }
      if (!replayed) return std::move(replayed.error());
      for (auto& result : *replayed) results.push_back(std::move(result));
    }
  }
  return results;
}

}  // namespace cdcrt::repair
