#include "apply/isolate.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "apply/isolate_keyless.hpp"
#include "apply/rows_aside.hpp"
#include "apply/table_writer.hpp"
#include "cdcrt/sdk/status.hpp"
#include "event/log_order.hpp"
#include "types/convert.hpp"

namespace cdcrt::apply {

namespace {

struct Trial {
  bool accepted = false;
  Error refusal;
  std::vector<const Entry*> missing;
};

class Isolation {
 public:
  Isolation(plugin::Connection& connection, const Sealed& sealed, EventReader& reader, dead_letters::DeadLetters& dead_letters,
            const TrialGuard& guard, const TrialWrite& write)
      : connection_(connection), sealed_(sealed), reader_(reader), dead_letters_(dead_letters), guard_(guard), write_(write) {}

  Result<Isolated> run(const std::vector<const Entry*>& known_missing) {
    const auto entries = entries_of(sealed_);
    bad_.insert(known_missing.begin(), known_missing.end());
    missing_ = bad_;
    Isolated result;
    // Until the target takes all that is left: a batch may have both refused rows and partial changes that find no row.
    for (bool clean = false; !clean;) {
      take_companions();
      result.good.clear();
      for (const Entry* entry : entries) {
        if (!bad_.contains(entry)) result.good.push_back(entry);
      }
      if (result.good.empty()) break;
      auto trial = attempt(result.good, {});
      if (!trial) return std::move(trial.error());
      clean = trial->accepted && trial->missing.empty();
      if (trial->accepted) {
        bad_.insert(trial->missing.begin(), trial->missing.end());
        missing_.insert(trial->missing.begin(), trial->missing.end());
      } else if (auto found = bisect(result.good); !found) {
        return std::move(found.error());
      }
    }
    if (keys_depend()) good_before_ = &result.good;
    if (!sealed_.key.empty() && !sealed_.clear) {
      for (const auto& [key, dead_letters] : sealed_.attempt.open_dead_letters) open_keys_.insert(key);
    }
    for (const auto& part : sealed_.partitions) {
      std::vector<const Entry*> bad;
      for (const Entry& entry : part.fold.entries()) {
        if (bad_.contains(&entry)) bad.push_back(&entry);
      }
      if (bad.empty()) continue;
      if (auto replayed = replay(part, bad, result); !replayed) return std::move(replayed.error());
    }
    if (sealed_.crossed) {
      std::stable_sort(result.singles.begin(), result.singles.end(), [](const Sealed& one, const Sealed& other) {
        return event::has_lower_place(one.partitions.front().order, other.partitions.front().order);
      });
    }
    return result;
  }

 private:
  // Tries the write in a transaction that is rolled back.
  Result<Trial> attempt(const std::vector<const Entry*>& entries, const std::vector<Sealed*>& singles) {
    Trial trial;
    if (auto begun = connection_.begin(); !begun) return std::move(begun.error());
    const auto body = [&]() -> Result<void> {
      if (auto locked = guard_(); !locked) return locked;
      return write_(entries, singles, trial.missing);
    };
    auto done = body();
    auto rolled_back = connection_.rollback();
    if (!done && done.error().code != CDCRT_BAD_RECORD) return std::move(done.error());
    if (!rolled_back) return std::move(rolled_back.error());
    trial.accepted = done.ok();
    if (!done) trial.refusal = std::move(done.error());
    return trial;
  }

  Result<bool> bisect(const std::vector<const Entry*>& entries) {
    auto trial = attempt(entries, {});
    if (!trial) return std::move(trial.error());
    if (trial->accepted) return false;
    if (entries.size() == 1) {
      bad_.insert(entries.front());
      return true;
    }
    const auto middle = entries.begin() + static_cast<std::ptrdiff_t>(entries.size() / 2);
    auto left = bisect({entries.begin(), middle});
    if (!left) return left;
    auto right = bisect({middle, entries.end()});
    if (!right) return right;
    // Each alone is accepted, together they are refused (a unique value moves between rows): run them event by event.
    if (!*left && !*right) bad_.insert(entries.begin(), entries.end());
    return true;
  }

  // Entries of one key are written in order, and an event that changed two entries is applied to both or to none: such entries
  // are tried together.
  void take_companions() {
    for (std::size_t before = SIZE_MAX; before != bad_.size() && !bad_.empty();) {
      before = bad_.size();
      for (const auto& part : sealed_.partitions) take_companions_of(part);
      if (sealed_.crossed) take_companions_elsewhere();
    }
  }

  void take_companions_of(const SealedPartition& part) {
    const auto& all = part.fold.entries();
    for (std::size_t before = SIZE_MAX; before != bad_.size();) {
      before = bad_.size();
      std::unordered_set<std::string_view> keys;
      for (const Entry& entry : all) {
        if (bad_.contains(&entry)) keys.insert(entry.key);
      }
      for (const Entry& entry : all) {
        if (keys.contains(entry.key)) bad_.insert(&entry);
      }
      for (const auto& [one, other] : part.fold.links) {
        if (bad_.contains(&all[one]) || bad_.contains(&all[other])) bad_.insert({&all[one], &all[other]});
      }
    }
  }

  // The same for entries of one key in several partitions.
  void take_companions_elsewhere() {
    std::unordered_set<std::string_view> keys;
    for (const Entry* entry : bad_) keys.insert(entry->key);
    for (const auto& part : sealed_.partitions) {
      for (const Entry& entry : part.fold.entries()) {
        if (keys.contains(entry.key)) bad_.insert(&entry);
      }
    }
  }

  Result<void> replay(const SealedPartition& part, const std::vector<const Entry*>& bad, Isolated& result) {
    progress::Partition& partition = *part.partition;
    refused_before_ = &part.fold.refused;
    next_refused_ = 0;
    std::unordered_set<std::string_view> keys;
    int64_t first = INT64_MAX, last = 0;
    for (const Entry* entry : bad) {
      keys.insert(entry->key);
      first = std::min(first, entry->first_offset);
      last = std::max(last, entry->last_offset);
    }
    Result<void> fault;
    auto read = reader_.read(*sealed_.table, partition, first, last,
                             [&](const cdcrt_messages& message, const event::RowBatch& rows, const std::vector<uint32_t>& indexes) {
                               fault = replay_message(partition, message, rows, indexes, keys, result);
                               return fault.ok();
                             });
    if (!fault) return fault;
    if (!read && read.error().code != CDCRT_UNSUPPORTED) return read;
    // A message that the source does not have any more: the dead letter has the decoded row.
    for (const Entry* entry : bad) {
      if (!entry->closed && !replayed_.contains(std::string(entry->key))) dead_letter_without_bytes(partition, *entry, result);
    }
    replayed_.clear();
    return {};
  }

  Result<void> replay_message(progress::Partition& partition, const cdcrt_messages& message, const event::RowBatch& rows,
                              const std::vector<uint32_t>& indexes, const std::unordered_set<std::string_view>& keys, Isolated& result) {
    // Messages that were refused while they were folded left their rows open for the partial changes after them.
    bool is_refused = false;
    for (; next_refused_ < refused_before_->size() && (*refused_before_)[next_refused_].offset <= message.messages[0].offset;
         ++next_refused_) {
      const RefusedKey& refused = (*refused_before_)[next_refused_];
      open_keys_.insert(dead_letter_key(refused.key));
      is_refused = refused.offset == message.messages[0].offset;
    }
    if (is_refused) return {};
    auto single = fold_alone(sealed_, partition, message, rows, indexes, reader_.shapes());
    if (!single) return {};
    bool concerned = false;
    for (auto& part : single->partitions) {
      for (Entry& entry : part.fold.entries()) {
        if (keys.contains(entry.key)) {
          concerned = true;
          replayed_.emplace(entry.key);
        } else {
          entry.effect = Effect::kNothing;
        }
      }
    }
    if (!concerned) return {};
    static const std::vector<const Entry*> none;
    auto singles = concerning(*single, result);
    singles.push_back(&*single);
    auto trial = attempt(good_before_ != nullptr ? *good_before_ : none, singles);
    if (!trial) return std::move(trial.error());
    const bool blocked = is_blocked(*single);
    if (trial->accepted && trial->missing.empty() && !blocked) {
      for (const auto& part : single->partitions) {
        for (const Entry& entry : part.fold.entries()) singles_of_[std::string(entry.key)].insert(result.singles.size());
      }
      close(*single, result);
      result.singles.push_back(std::move(*single));
      return {};
    }
    result.refused += single->counts();
    dead_letters::DeadLetter dead_letter = dead_letter_for(partition, message.messages[0].offset);
    dead_letter.reason = !trial->accepted ? "value_refused" : (trial->missing.empty() ? "earlier_dead_letter" : "row_missing");
    dead_letter.message = !trial->accepted         ? trial->refusal.message
                          : trial->missing.empty() ? "it changes a part of a row of which an earlier change is a dead letter"
                                                   : "the change finds no row in the target";
    dead_letter.raw = &message.messages[0];
    dead_letters_.add(dead_letter);
    open(*single, partition, message.messages[0].offset, result);
    return {};
  }

  [[nodiscard]] bool is_blocked(const Sealed& single) const {
    for (const auto& part : single.partitions) {
      for (const Entry& entry : part.fold.entries()) {
        if (entry.effect == Effect::kPatch && open_keys_.contains(dead_letter_key(entry.key))) return true;
      }
    }
    return false;
  }

  void open(const Sealed& single, const progress::Partition& partition, int64_t offset, Isolated& result) {
    if (sealed_.key.empty()) return open(kNoKey, partition, offset, result);
    for (const auto& part : single.partitions) {
      for (const Entry& entry : part.fold.entries()) {
        if (entry.effect != Effect::kNothing) open(entry.key, partition, offset, result);
      }
    }
  }

  void open(std::string_view key, const progress::Partition& partition, int64_t offset, Isolated& result) {
    open_keys_.insert(dead_letter_key(key));
    result.dead_letters.open(key, {partition.key(), offset});
  }

  void close(const Sealed& single, Isolated& result) {
    if (sealed_.key.empty()) return;
    for (const auto& part : single.partitions) {
      for (const Entry& entry : part.fold.entries()) {
        if (entry.effect == Effect::kNothing || entry.effect == Effect::kPatch) continue;
        open_keys_.erase(dead_letter_key(entry.key));
        result.dead_letters.close(entry.key);
      }
    }
  }

  // Whether an entry may depend on entries of other keys: without a key any row may be meant, and a row may have had another key before.
  [[nodiscard]] bool keys_depend() const {
    return sealed_.key.empty() || !sealed_.message_key.empty() ||
           std::any_of(sealed_.partitions.begin(), sealed_.partitions.end(),
                       [](const auto& part) { return !part.fold.key_deletes.empty() || !part.fold.key_inserts.empty(); });
  }

  // Events of the candidate's rows that were accepted before; where keys depend on each other any event may matter.
  std::vector<Sealed*> concerning(const Sealed& candidate, Isolated& result) {
    std::set<std::size_t> indexes;
    if (good_before_ != nullptr) {
      for (std::size_t i = 0; i < result.singles.size(); ++i) indexes.insert(i);
    }
    for (const auto& part : candidate.partitions) {
      for (const Entry& entry : part.fold.entries()) {
        if (const auto found = singles_of_.find(std::string(entry.key)); found != singles_of_.end()) {
          indexes.insert(found->second.begin(), found->second.end());
        }
      }
    }
    std::vector<Sealed*> singles;
    for (const std::size_t index : indexes) singles.push_back(&result.singles[index]);
    return singles;
  }

  void dead_letter_without_bytes(const progress::Partition& partition, const Entry& entry, Isolated& result) {
    ++(entry.effect == Effect::kPatch ? result.refused.updated : result.refused.inserted);
    dead_letters::DeadLetter dead_letter = dead_letter_for(partition, entry.last_offset);
    const bool is_missing = missing_.contains(&entry);
    dead_letter.reason = is_missing ? "row_missing" : "value_refused";
    dead_letter.message = is_missing ? "the change finds no row in the target" : "the target refuses the row";
    dead_letter.message += ", and the source cannot be read again: this is the decoded row, not the message";
    for (uint32_t slot = 0; slot < entry.width; ++slot) {
      if (entry.cells[slot].tag == CDCRT_ABSENT) continue;
      dead_letter.decoded_row += (dead_letter.decoded_row.empty() ? "" : ", ") + sealed_.columns()[slot].target_name + "=";
      types::append_text(dead_letter.decoded_row, entry.cells[slot]);
    }
    dead_letters_.add(dead_letter);
    if (!sealed_.key.empty()) open(entry.key, partition, entry.last_offset, result);
  }

  dead_letters::DeadLetter dead_letter_for(const progress::Partition& partition, int64_t offset) const {
    dead_letters::DeadLetter dead_letter;
    dead_letter.source = partition.source();
    dead_letter.topic = partition.topic();
    dead_letter.partition = partition.number();
    dead_letter.offset = offset;
    dead_letter.sink = sealed_.table->identity().sink;
    dead_letter.table = sealed_.table->identity().target();
    return dead_letter;
  }

  plugin::Connection& connection_;
  const Sealed& sealed_;
  EventReader& reader_;
  dead_letters::DeadLetters& dead_letters_;
  const TrialGuard& guard_;
  const TrialWrite& write_;
  std::unordered_set<const Entry*> bad_;
  std::unordered_set<const Entry*> missing_;                           ///< of the bad: they find no row
  std::unordered_set<std::string> replayed_;                           ///< keys whose events were read again
  std::unordered_map<std::string, std::set<std::size_t>> singles_of_;  ///< by key: which of the accepted ones change its row
  std::unordered_set<std::string> open_keys_;  ///< dead_letter_key() of rows that have an open dead letter at this point of the replay
  const std::vector<RefusedKey>* refused_before_ = nullptr;  ///< messages that became dead letters when they were folded, in order
  std::size_t next_refused_ = 0;
  const std::vector<const Entry*>* good_before_ = nullptr;  ///< where keys depend on each other: what is written before the singles
};

}  // namespace

Result<Isolated> isolate(plugin::Connection& connection, const Sealed& sealed, const std::vector<const Entry*>& known_missing,
                         EventReader& reader, dead_letters::DeadLetters& dead_letters, const TrialGuard& guard, const TrialWrite& write) {
  if (!known_missing.empty()) {
    Isolated counted;
    auto done = isolate_missing_images(connection, sealed, reader, dead_letters, guard, counted);
    if (!done) return std::move(done.error());
    if (*done) return counted;
    if (sealed.key.empty()) return make_error(CDCRT_BAD_RECORD, "copies that are not there cannot be counted");
  }
  return Isolation(connection, sealed, reader, dead_letters, guard, write).run(known_missing);
}

}  // namespace cdcrt::apply
