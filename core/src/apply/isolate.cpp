#include "apply/isolate.hpp"

#include <algorithm>
#include <unordered_set>

#include "apply/table_writer.hpp"
#include "cdcrt/sdk/status.hpp"
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
  Isolation(plugin::Connection& connection, const Sealed& sealed, EventReader& reader, dead_letters::DeadLetters& letters)
      : connection_(connection), sealed_(sealed), reader_(reader), letters_(letters) {}

  Result<Isolated> run(const std::vector<const Entry*>& known_missing) {
    const auto entries = entries_of(sealed_);
    if (known_missing.empty()) {
      if (auto found = bisect(entries); !found) return std::move(found.error());
    } else {
      bad_.insert(known_missing.begin(), known_missing.end());
    }
    Isolated result;
    for (const Entry* entry : entries) {
      if (!bad_.contains(entry)) result.good.push_back(entry);
    }
    for (const auto& part : sealed_.partitions) {
      std::vector<const Entry*> bad;
      for (const Entry& entry : part.fold.entries()) {
        if (bad_.contains(&entry)) bad.push_back(&entry);
      }
      if (bad.empty()) continue;
      if (auto replayed = replay(*part.partition, bad, result); !replayed) return std::move(replayed.error());
    }
    return result;
  }

 private:
  // Writes inside a transaction that is rolled back: what would happen?
  Result<Trial> attempt(const std::vector<const Entry*>& entries, const std::vector<Sealed>* singles, const Sealed* candidate) {
    Trial trial;
    if (auto begun = connection_.begin(); !begun) return std::move(begun.error());
    const auto body = [&]() -> Result<void> {
      if (sealed_.clear) {
        if (auto cleared = clear_table(connection_, sealed_); !cleared) return cleared;
      }
      if (auto written = write_entries(connection_, sealed_, entries, trial.missing); !written) return written;
      if (singles != nullptr) {
        for (const Sealed& single : *singles) {
          std::vector<const Entry*> ignored;
          if (auto written = write_entries(connection_, single, entries_of(single), ignored); !written) return written;
        }
      }
      if (candidate != nullptr) return write_entries(connection_, *candidate, entries_of(*candidate), trial.missing);
      return {};
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
    auto trial = attempt(entries, nullptr, nullptr);
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
    // Only together are they refused (a value that moves between unique rows): each of them is run event by event.
    if (!*left && !*right) bad_.insert(entries.begin(), entries.end());
    return true;
  }

  Result<void> replay(const progress::Partition& partition, const std::vector<const Entry*>& bad, Isolated& result) {
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
    if (read) return {};
    if (read.error().code != CDCRT_UNSUPPORTED) return read;
    for (const Entry* entry : bad) letter_without_bytes(partition, *entry, result);
    return {};
  }

  Result<void> replay_message(const progress::Partition& partition, const cdcrt_messages& message, const event::RowBatch& rows,
                              const std::vector<uint32_t>& indexes, const std::unordered_set<std::string_view>& keys, Isolated& result) {
    // A table of its own, with the same slots, folds this one message.
    progress::Partition alone(partition.source(), partition.topic(), partition.number(), [](auto&, auto, auto) {});
    Table probe(sealed_.table->identity());
    probe.restore(sealed_.columns, sealed_.key_known, {});
    std::vector<Refusal> refusals;
    cdcrt_messages current = message;
    current.generation = 0;
    probe.accept({alone, current, rows, reader_.shapes(), current.messages[0].offset + 1}, indexes.data(), indexes.size(), refusals);
    if (!refusals.empty()) return {};  // became a dead letter when it was folded first
    auto single = probe.seal();
    if (!single) return {};
    bool concerned = false;
    for (auto& part : single->partitions) {
      for (Entry& entry : part.fold.entries()) {
        if (keys.contains(entry.key)) {
          concerned = true;
        } else {
          entry.effect = Effect::kNothing;
        }
      }
    }
    if (!concerned) return {};
    single->table = sealed_.table;
    single->columns = sealed_.columns;
    single->key = sealed_.key;
    auto trial = attempt({}, &result.singles, &*single);
    if (!trial) return std::move(trial.error());
    if (trial->accepted && trial->missing.empty()) {
      result.singles.push_back(std::move(*single));
      return {};
    }
    ++result.refused;
    dead_letters::Letter letter = letter_for(partition, message.messages[0].offset);
    letter.reason = trial->accepted ? "row_missing" : "value_refused";
    letter.message = trial->accepted ? "the change finds no row in the target" : trial->refusal.message;
    letter.raw = &message.messages[0];
    letters_.add(letter);
    return {};
  }

  void letter_without_bytes(const progress::Partition& partition, const Entry& entry, Isolated& result) {
    ++result.refused;
    dead_letters::Letter letter = letter_for(partition, entry.last_offset);
    letter.reason = "value_refused";
    letter.message = "the target refuses the row, and the source cannot be read again: this is the decoded row, not the message";
    for (uint32_t slot = 0; slot < entry.width; ++slot) {
      if (entry.cells[slot].tag == CDCRT_ABSENT) continue;
      letter.decoded_row += (letter.decoded_row.empty() ? "" : ", ") + sealed_.columns[slot].target_name + "=" + types::display(entry.cells[slot]);
    }
    letters_.add(letter);
  }

  dead_letters::Letter letter_for(const progress::Partition& partition, int64_t offset) const {
    dead_letters::Letter letter;
    letter.source = partition.source();
    letter.topic = partition.topic();
    letter.partition = partition.number();
    letter.offset = offset;
    letter.sink = sealed_.table->identity().sink;
    letter.table = sealed_.table->identity().target();
    return letter;
  }

  plugin::Connection& connection_;
  const Sealed& sealed_;
  EventReader& reader_;
  dead_letters::DeadLetters& letters_;
  std::unordered_set<const Entry*> bad_;
};

}  // namespace

Result<Isolated> isolate(plugin::Connection& connection, const Sealed& sealed, const std::vector<const Entry*>& known_missing,
                         EventReader& reader, dead_letters::DeadLetters& letters) {
  return Isolation(connection, sealed, reader, letters).run(known_missing);
}

}  // namespace cdcrt::apply
