#include "apply/open_dead_letters.hpp"

#include <algorithm>
#include <unordered_map>

#include "apply/table.hpp"
#include "apply/table_writer.hpp"
#include "cdcrt/sdk/hash.hpp"
#include "event/log_order.hpp"

namespace cdcrt::apply {
namespace {

// So many dead letters of a table are kept in memory; more are looked up by key.
constexpr std::size_t kMaxKept = 256;

std::size_t count_of(const progress::Store::DeadLettersByKey& dead_letters) {
  std::size_t count = 0;
  for (const auto& [key, own] : dead_letters) count += own.size();
  return count;
}

bool is_whole(const Entry& entry) {
  return entry.effect == Effect::kUpsert || entry.effect == Effect::kReplace || entry.effect == Effect::kDelete;
}

}  // namespace

void DeadLetterChanges::close(std::string_view key) {
  const std::string kept = dead_letter_key(key);
  opened_.erase(kept);
  closed_.insert(kept);
}

void DeadLetterChanges::open(std::string_view key, const progress::OpenDeadLetter& dead_letter) {
  opened_[dead_letter_key(key)].push_back(dead_letter);
}

bool DeadLetterChanges::is_open(std::string_view key) const { return opened_.contains(dead_letter_key(key)); }

Result<void> look_up_dead_letters(plugin::Connection& connection, progress::Store& store, Sealed& sealed, FoundDeadLetters* earlier) {
  sealed.attempt.open_dead_letters.clear();
  if (sealed.key.empty()) return {};
  KnownDeadLetters& known = sealed.table->dead_letters();
  const std::string name = sealed.table->identity().target();
  if (auto read = known.read(connection, store, name); !read) return read;
  if (known.is_whole()) {
    sealed.attempt.open_dead_letters = known.open();
    return {};
  }
  std::set<std::string> keys;
  for (const auto& part : sealed.partitions) {
    for (const Entry& entry : part.fold.entries()) keys.insert(dead_letter_key(entry.key));
  }
  if (earlier == nullptr) {
    auto found = store.find_open_dead_letters(connection, name, keys);
    if (!found) return std::move(found.error());
    sealed.attempt.open_dead_letters = std::move(*found);
    return {};
  }
  std::set<std::string> fresh;
  for (const auto& key : keys) {
    if (earlier->keys.insert(key).second) fresh.insert(key);
  }
  if (!fresh.empty()) {
    auto found = store.find_open_dead_letters(connection, name, fresh);
    if (!found) return std::move(found.error());
    earlier->dead_letters.merge(*found);
  }
  for (const auto& key : keys) {
    if (const auto found = earlier->dead_letters.find(key); found != earlier->dead_letters.end())
      sealed.attempt.open_dead_letters.insert(*found);
  }
  return {};
}

void find_blocked(const Sealed& sealed, std::vector<const Entry*>& blocked) {
  if (sealed.key.empty()) return;
  const auto& open = sealed.attempt.open_dead_letters;
  for (const auto& part : sealed.partitions) {
    if (part.fold.refused.empty() && (open.empty() || sealed.clear)) continue;
    std::unordered_map<std::string_view, const RefusedKey*> refused;  // the first refusal of each row
    for (const auto& each : part.fold.refused) {
      if (!sealed.by_source || !each.closed) refused.try_emplace(each.key, &each);
    }
    for (const Entry& entry : part.fold.entries()) {
      if (entry.effect != Effect::kPatch) continue;
      const auto earlier = refused.find(entry.key);
      const bool is_made_good = entry.after_whole && !entry.keeps_dead_letters;
      const bool is_open = !sealed.clear && !open.empty() && !is_made_good && open.contains(dead_letter_key(entry.key));
      const bool is_later = earlier != refused.end() && (sealed.by_source ? event::is_after(entry.order, earlier->second->order)
                                                                          : earlier->second->offset < entry.first_offset);
      if (is_open || is_later) blocked.push_back(&entry);
    }
  }
}

void settle_dead_letters(Sealed& sealed, const std::vector<const Entry*>& good, const DeadLetterChanges& isolation) {
  sealed.attempt.dead_letters_closed.clear();
  sealed.attempt.dead_letters_opened.clear();
  const auto& open = sealed.attempt.open_dead_letters;
  if (sealed.clear && sealed.table->dead_letters().is_whole()) sealed.attempt.dead_letters_closed = open;
  const auto close = [&](const std::string& key) {
    if (const auto found = open.find(key); found != open.end()) sealed.attempt.dead_letters_closed.insert(*found);
  };
  if (!open.empty() && !sealed.clear) {
    for (const Entry* entry : good) {
      if (is_whole(*entry) && !entry->keeps_dead_letters) close(dead_letter_key(entry->key));
    }
    for (const auto& key : isolation.closed()) close(key);
  }
  sealed.attempt.dead_letters_opened = isolation.opened();
  for (const auto& part : sealed.partitions) {
    const progress::PartitionKey& place = part.partition->key();
    for (const auto& refused : part.fold.refused) {
      if (refused.closed) continue;
      auto& dead_letters = sealed.attempt.dead_letters_opened[dead_letter_key(refused.key)];
      const progress::OpenDeadLetter dead_letter{place, refused.offset};
      if (std::find(dead_letters.begin(), dead_letters.end(), dead_letter) == dead_letters.end()) dead_letters.push_back(dead_letter);
    }
  }
}

void KnownDeadLetters::begin_without() {
  if (are_known_) return;
  open_.clear();
  are_known_ = is_whole_ = true;
}

Result<void> KnownDeadLetters::read(plugin::Connection& connection, progress::Store& store, const std::string& target) {
  if (are_known_) return {};
  auto read = store.read_open_dead_letters(connection, target, kMaxKept + 1);
  if (!read) return std::move(read.error());
  is_whole_ = count_of(*read) <= kMaxKept;
  open_ = is_whole_ ? std::move(*read) : progress::Store::DeadLettersByKey();
  are_known_ = true;
  return {};
}

void KnownDeadLetters::take(const Sealed& sealed) {
  if (sealed.key.empty()) return;  // tables without a key do not ask for open dead letters
  if (sealed.clear) {
    open_.clear();
    are_known_ = is_whole_ = true;
  }
  if (!is_whole_) {
    // Perhaps so few are left that they can be kept in memory again.
    if (!sealed.attempt.dead_letters_closed.empty()) are_known_ = false;
    return;
  }
  for (const auto& [key, dead_letters] : sealed.attempt.dead_letters_closed) {
    const auto place = open_.find(key);
    if (place == open_.end()) continue;
    std::erase_if(place->second, [&](const auto& dead_letter) {
      return std::find(dead_letters.begin(), dead_letters.end(), dead_letter) != dead_letters.end();
    });
    if (place->second.empty()) open_.erase(place);
  }
  for (const auto& [key, dead_letters] : sealed.attempt.dead_letters_opened) {
    auto& kept = open_[key];
    for (const auto& dead_letter : dead_letters) {
      if (std::find(kept.begin(), kept.end(), dead_letter) == kept.end()) kept.push_back(dead_letter);
    }
    std::sort(kept.begin(), kept.end());
  }
  if (count_of(open_) <= kMaxKept) return;
  is_whole_ = false;
  open_.clear();
}

}  // namespace cdcrt::apply
