#include "apply/open_dead_letters.hpp"

#include <algorithm>
#include <unordered_map>

#include "apply/table.hpp"
#include "apply/table_writer.hpp"
#include "cdcrt/sdk/hash.hpp"

namespace cdcrt::apply {
namespace {

// More of a table are not kept in memory.
constexpr std::size_t kMaxKept = 256;

std::size_t count_of(const progress::Store::LettersByKey& letters) {
  std::size_t count = 0;
  for (const auto& [key, own] : letters) count += own.size();
  return count;
}

bool is_whole(const Entry& entry) {
  return entry.effect == Effect::kUpsert || entry.effect == Effect::kReplace || entry.effect == Effect::kDelete;
}

}  // namespace

void LetterChanges::close(std::string_view key) {
  const std::string kept = letter_key(key);
  opened_.erase(kept);
  closed_.insert(kept);
}

void LetterChanges::open(std::string_view key, const progress::OpenDeadLetter& letter) { opened_[letter_key(key)].push_back(letter); }

bool LetterChanges::is_open(std::string_view key) const { return opened_.contains(letter_key(key)); }

Result<void> look_up_letters(plugin::Connection& connection, progress::Store& store, Sealed& sealed, FoundLetters* earlier) {
  sealed.open_dead_letters.clear();
  if (sealed.key.empty()) return {};
  Table::Target& target = sealed.table->target;
  const std::string name = sealed.table->identity().target();
  if (!target.letters_known) {
    auto read = store.read_open_dead_letters(connection, name, kMaxKept + 1);
    if (!read) return std::move(read.error());
    target.dead_letters_whole = count_of(*read) <= kMaxKept;
    target.open_dead_letters = target.dead_letters_whole ? std::move(*read) : progress::Store::LettersByKey();
    target.letters_known = true;
  }
  if (target.dead_letters_whole) {
    sealed.open_dead_letters = target.open_dead_letters;
    return {};
  }
  std::set<std::string> keys;
  for (const auto& part : sealed.partitions) {
    for (const Entry& entry : part.fold.entries()) keys.insert(letter_key(entry.key));
  }
  if (earlier == nullptr) {
    auto found = store.find_open_dead_letters(connection, name, keys);
    if (!found) return std::move(found.error());
    sealed.open_dead_letters = std::move(*found);
    return {};
  }
  std::set<std::string> fresh;
  for (const auto& key : keys) {
    if (earlier->keys.insert(key).second) fresh.insert(key);
  }
  if (!fresh.empty()) {
    auto found = store.find_open_dead_letters(connection, name, fresh);
    if (!found) return std::move(found.error());
    earlier->letters.merge(*found);
  }
  for (const auto& key : keys) {
    if (const auto found = earlier->letters.find(key); found != earlier->letters.end()) sealed.open_dead_letters.insert(*found);
  }
  return {};
}

void find_blocked(const Sealed& sealed, std::vector<const Entry*>& blocked) {
  if (sealed.key.empty()) return;
  const auto& open = sealed.open_dead_letters;
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
      const bool is_open = !sealed.clear && !open.empty() && !is_made_good && open.contains(letter_key(entry.key));
      const bool is_later = earlier != refused.end() && (sealed.by_source ? earlier->second->order < entry.order : earlier->second->offset < entry.first_offset);
      if (is_open || is_later) blocked.push_back(&entry);
    }
  }
}

void settle_dead_letters(Sealed& sealed, const std::vector<const Entry*>& good, const LetterChanges& isolation) {
  sealed.letters_closed.clear();
  sealed.letters_opened.clear();
  const auto& open = sealed.open_dead_letters;
  if (sealed.clear && sealed.table->target.dead_letters_whole) sealed.letters_closed = open;
  const auto close = [&](const std::string& key) {
    if (const auto found = open.find(key); found != open.end()) sealed.letters_closed.insert(*found);
  };
  if (!open.empty() && !sealed.clear) {
    for (const Entry* entry : good) {
      if (is_whole(*entry) && !entry->keeps_dead_letters) close(letter_key(entry->key));
    }
    for (const auto& key : isolation.closed()) close(key);
  }
  sealed.letters_opened = isolation.opened();
  for (const auto& part : sealed.partitions) {
    const progress::PartitionKey& place = part.partition->key();
    for (const auto& refused : part.fold.refused) {
      if (refused.closed) continue;
      auto& letters = sealed.letters_opened[letter_key(refused.key)];
      const progress::OpenDeadLetter letter{place, refused.offset};
      if (std::find(letters.begin(), letters.end(), letter) == letters.end()) letters.push_back(letter);
    }
  }
}

void take_letters(const Sealed& sealed) {
  if (sealed.key.empty()) return;  // nothing is asked of them
  Table::Target& target = sealed.table->target;
  auto& open = target.open_dead_letters;
  if (sealed.clear) {
    open.clear();
    target.letters_known = target.dead_letters_whole = true;
  }
  if (!target.dead_letters_whole) {
    // Perhaps few enough are left.
    if (!sealed.letters_closed.empty()) target.letters_known = false;
    return;
  }
  for (const auto& [key, letters] : sealed.letters_closed) {
    const auto place = open.find(key);
    if (place == open.end()) continue;
    std::erase_if(place->second, [&](const auto& letter) { return std::find(letters.begin(), letters.end(), letter) != letters.end(); });
    if (place->second.empty()) open.erase(place);
  }
  for (const auto& [key, letters] : sealed.letters_opened) {
    auto& kept = open[key];
    for (const auto& letter : letters) {
      if (std::find(kept.begin(), kept.end(), letter) == kept.end()) kept.push_back(letter);
    }
    std::sort(kept.begin(), kept.end());
  }
  if (count_of(open) <= kMaxKept) return;
  target.dead_letters_whole = false;
  open.clear();
}

}  // namespace cdcrt::apply
