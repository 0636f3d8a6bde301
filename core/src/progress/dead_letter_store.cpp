#include "progress/dead_letter_store.hpp"

#include <algorithm>

#include "progress/host_tables.hpp"

namespace cdcrt::progress {
namespace {

constexpr std::size_t kKeysAtOnce = 2'000;

void take(const Row& row, DeadLetterStore::DeadLettersByKey& dead_letters) {
  dead_letters[row.text(kOpenDeadLetters.key)].push_back({row.partition(kOpenDeadLetters.partition), row.integer(kOpenDeadLetters.offset)});
}

}  // namespace

void DeadLetterStore::sort(DeadLettersByKey& dead_letters) {
  for (auto& [key, all] : dead_letters) std::sort(all.begin(), all.end());
}

void DeadLetterStore::add_open_dead_letters(Reads& reads, Stored& stored, bool with_dead_letters, bool& any) {
  const auto visit = [&stored, &any, with_dead_letters](const Row& row) {
    any = true;
    if (with_dead_letters) take(row, stored.tables[row.text(kOpenDeadLetters.target)].open_dead_letters);
  };
  reads.add(kOpenDeadLetters, visit, Keys(), with_dead_letters ? 0 : 1);
}

Result<void> DeadLetterStore::save_open_dead_letters(plugin::Connection& connection, const std::string& target,
                                                     const DeadLettersByKey& closed, const DeadLettersByKey& opened) {
  const auto add = [&](Rows rows, const DeadLettersByKey& by_key) {
    for (const auto& [key, dead_letters] : by_key) {
      for (const OpenDeadLetter& dead_letter : dead_letters) {
        auto row = access_.add(rows);
        row[kOpenDeadLetters.target] = text(target);
        row[kOpenDeadLetters.key] = bytes(key);
        row.set(kOpenDeadLetters.partition, dead_letter.partition);
        row[kOpenDeadLetters.offset] = integer(dead_letter.offset);
      }
    }
    return rows;
  };
  if (auto written = access_.write(connection, add(keys_of_rows(kOpenDeadLetters), closed), CDCRT_WRITE_DELETE); !written) return written;
  return access_.write(connection, add(rows_of(kOpenDeadLetters), opened));
}

Result<DeadLetterStore::DeadLettersByKey> DeadLetterStore::read_open_dead_letters(plugin::Connection& connection, const std::string& target,
                                                                                  std::size_t max_dead_letters) {
  DeadLettersByKey dead_letters;
  const Visit visit = [&](const Row& row) { take(row, dead_letters); };
  auto done = access_.read(connection, kOpenDeadLetters, CDCRT_LOCK_NONE, visit, {1, {text(target)}}, max_dead_letters);
  if (!done) return std::move(done.error());
  sort(dead_letters);
  return dead_letters;
}

Result<DeadLetterStore::DeadLettersByKey> DeadLetterStore::find_open_dead_letters(plugin::Connection& connection, const std::string& target,
                                                                                  const std::set<std::string>& keys) {
  DeadLettersByKey dead_letters;
  const Visit visit = [&](const Row& row) {
    if (keys.contains(row.text(kOpenDeadLetters.key))) take(row, dead_letters);
  };
  if (!locks_.finds_by_key()) {
    auto done = access_.read(connection, kOpenDeadLetters, CDCRT_LOCK_NONE, visit, {1, {text(target)}});
    if (!done) return std::move(done.error());
    sort(dead_letters);
    return dead_letters;
  }
  Keys wanted{2};
  for (auto key = keys.begin(); key != keys.end();) {
    wanted.cells.insert(wanted.cells.end(), {text(target), bytes(*key)});
    if (++key != keys.end() && wanted.cells.size() < 2 * kKeysAtOnce) continue;
    if (auto done = access_.read(connection, kOpenDeadLetters, CDCRT_LOCK_NONE, visit, wanted); !done) return std::move(done.error());
    wanted.cells.clear();
  }
  sort(dead_letters);
  return dead_letters;
}

Result<void> DeadLetterStore::forget_open_dead_letters(plugin::Connection& connection, const std::string& target) {
  return access_.forget(connection, kOpenDeadLetters, target);
}

Result<void> DeadLetterStore::pass_open_dead_letters(plugin::Connection& connection, const std::string& target) {
  auto open = read_open_dead_letters(connection, target, 0);
  if (!open) return std::move(open.error());
  for (const auto& [key, dead_letters] : *open) {
    if (!key.empty()) continue;
    if (auto saved = save_replayed(connection, target, dead_letters); !saved) return saved;
  }
  return forget_open_dead_letters(connection, target);
}

Result<void> DeadLetterStore::save_replayed(plugin::Connection& connection, const std::string& target,
                                            const std::vector<OpenDeadLetter>& dead_letters) {
  Rows rows = rows_of(kReplayed);
  for (const OpenDeadLetter& dead_letter : dead_letters) {
    auto row = access_.add(rows);
    row[kReplayed.target] = text(target);
    row.set(kReplayed.partition, dead_letter.partition);
    row[kReplayed.offset] = integer(dead_letter.offset);
  }
  return access_.write(connection, rows);
}

Result<std::set<OpenDeadLetter>> DeadLetterStore::read_replayed(plugin::Connection& connection, const std::string& target) {
  std::set<OpenDeadLetter> dead_letters;
  const Visit visit = [&](const Row& row) { dead_letters.insert({row.partition(kReplayed.partition), row.integer(kReplayed.offset)}); };
  auto done = access_.read(connection, kReplayed, CDCRT_LOCK_NONE, visit, {1, {text(target)}});
  if (!done) return std::move(done.error());
  return dead_letters;
}

}  // namespace cdcrt::progress
