#include "repair/replay_order.hpp"

#include <algorithm>

#include "apply/open_dead_letters.hpp"
#include "event/log_order.hpp"

namespace cdcrt::repair {

void ReplayOrder::know(const progress::StoredTable& stored) {
  stored_ = &stored;
  keys_of_.clear();
  for (const auto& [key, open] : stored_->open_dead_letters) {
    for (const auto& dead_letter : open) keys_of_[dead_letter].insert(key);
  }
}

void ReplayOrder::leave_open_rows(Candidate& candidate) const {
  if (!candidate.sealed || !candidate.listed->by_key || !candidate.refusal.empty()) return;
  const std::set<std::string> keys = open_keys(*candidate.listed);
  for (auto& part : candidate.sealed->partitions) {
    for (apply::Entry& entry : part.fold.entries()) {
      if (!keys.contains(apply::dead_letter_key(entry.key))) entry.effect = apply::Effect::kNothing;
    }
    // Halves of several rows in one message refer to each other by their places.
    if (part.fold.key_deletes.size() + part.fold.key_inserts.size() > 1) continue;
    const auto is_left = [&](std::string_view key) { return !keys.contains(apply::dead_letter_key(key)); };
    std::erase_if(part.fold.key_deletes, [&](const auto& key_delete) { return is_left(key_delete.old_key); });
    std::erase_if(part.fold.key_inserts, [&](const auto& key_insert) { return is_left(key_insert.new_key); });
  }
}

std::set<std::string> ReplayOrder::open_keys(const ListedDeadLetter& listed) const {
  const auto found = keys_of_.find(position_of(listed));
  return found == keys_of_.end() ? std::set<std::string>() : found->second;
}

void ReplayOrder::put_in_order(std::vector<Candidate>& candidates) {
  orders_.clear();
  if (stored_->by_source) return put_in_source_order(candidates);
  std::map<progress::OpenDeadLetter, std::size_t> places;
  for (std::size_t i = 0; i < candidates.size(); ++i) places[position_of(*candidates[i].listed)] = i;
  std::set<std::size_t> crossing;
  for (const auto& [key, dead_letters] : stored_->open_dead_letters) {
    if (key == apply::kNoKey) continue;  // of as many rows as dead letters
    if (std::all_of(dead_letters.begin(), dead_letters.end(),
                    [&](const auto& dead_letter) { return dead_letter.partition == dead_letters.front().partition; }))
      continue;
    std::string why;
    std::vector<std::size_t> own;
    for (const auto& dead_letter : dead_letters) {
      const auto place = places.find(dead_letter);
      if (place == places.end()) {
        why = "its row has an open dead letter of " + dead_letter.partition.name() +
              " too, and they are replayed together: replay all dead letters of the table, or cdcrt progress rewind --table";
        continue;
      }
      own.push_back(place->second);
    }
    for (const std::size_t i : own) {
      if (order_of(candidates[i]).empty())
        why = "its row has open dead letters of several partitions, and they carry no source order: which is newer cannot be told";
      if (server_of(candidates[i]) != server_of(candidates[own.front()]))
        why = "its row has open dead letters of several servers, whose orders do not compare";
      if (std::any_of(own.begin(), own.end(),
                      [&](std::size_t other) { return !event::are_of_one_log(order_of(candidates[other]), order_of(candidates[i])); }))
        why = std::string("its row has open dead letters of several partitions: ") + event::kLogBeganAnew;
    }
    for (const std::size_t i : own) {
      if (!why.empty() && candidates[i].refusal.empty()) candidates[i].refusal = why;
      if (why.empty()) orders_[position_of(*candidates[i].listed)] = order_of(candidates[i]);
      if (why.empty()) crossing.insert(i);
    }
  }
  std::vector<Candidate> ordered;
  for (const std::size_t i : crossing) ordered.push_back(std::move(candidates[i]));
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const Candidate& one, const Candidate& other) { return event::has_lower_place(order_of(one), order_of(other)); });
  auto next = ordered.begin();
  for (const std::size_t i : crossing) candidates[i] = std::move(*next++);
}

// Each is decided by itself: what is older than its row is overtaken.
void ReplayOrder::put_in_source_order(std::vector<Candidate>& candidates) {
  for (const Candidate& candidate : candidates) orders_[position_of(*candidate.listed)] = order_of(candidate);
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& one, const Candidate& other) { return event::has_lower_place(order_of(one), order_of(other)); });
}

bool ReplayOrder::is_overtaken(const progress::OpenDeadLetter& dead_letter, const Candidate& candidate) const {
  const auto order = orders_.find(dead_letter);
  return order != orders_.end() && candidate.sealed && !changes_a_part(candidate) && event::is_after(order_of(candidate), order->second);
}

std::set<std::string> ReplayOrder::keys_made_good(const Candidate& candidate) const {
  return candidate.listed->by_key ? open_keys(*candidate.listed) : std::set<std::string>();
}

bool ReplayOrder::is_blocked(Candidate& candidate) const {
  if (blocked_.empty() || !candidate.sealed || !changes_a_part(candidate)) return false;
  const auto keys = keys_made_good(candidate);
  const auto is_open = [&](const std::string& key) {
    const auto found = blocked_.find(key);
    return found != blocked_.end() && found->second < candidate.number;
  };
  if (std::none_of(keys.begin(), keys.end(), is_open)) return false;
  candidate.refusal = "earlier_dead_letter: an earlier dead letter of its row could not be applied";
  return true;
}

void ReplayOrder::block(const Candidate& candidate) {
  for (const auto& key : keys_made_good(candidate)) blocked_[key] = std::max(blocked_[key], candidate.number);
}

void ReplayOrder::unblock(const Candidate& candidate) {
  if (!candidate.sealed || changes_a_part(candidate)) return;
  for (const auto& key : keys_made_good(candidate)) {
    const auto found = blocked_.find(key);
    if (found != blocked_.end() && found->second < candidate.number) blocked_.erase(found);
  }
}

}  // namespace cdcrt::repair
