#include "apply/key_order.hpp"

#include <algorithm>

namespace cdcrt::apply {
namespace {

constexpr std::string_view kFormat = "1";

void put(std::string& text, std::string_view field) {
  text += std::to_string(field.size());
  text += ':';
  text += field;
}

std::string_view take(std::string_view& text) {
  std::size_t size = 0;
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') size = size * 10 + static_cast<std::size_t>(text[digits++] - '0');
  text.remove_prefix(std::min(digits + 1, text.size()));
  const auto field = text.substr(0, size);
  text.remove_prefix(field.size());
  return field;
}

uint64_t number(std::string_view text) {
  uint64_t value = 0;
  for (const char digit : text) value = value * 10 + static_cast<uint64_t>(digit - '0');
  return value;
}

}  // namespace

// Stored, so it must stay what it is.
uint64_t KeyOrder::hash_of(std::string_view key) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

uint32_t KeyOrder::place(const progress::PartitionKey& partition, const std::string& source_table) {
  const auto found = std::find_if(places_.begin(), places_.end(),
                                  [&](const Place& place) { return place.partition == partition && place.source_table == source_table; });
  if (found != places_.end()) return static_cast<uint32_t>(found - places_.begin());
  places_.push_back({partition, source_table});
  return static_cast<uint32_t>(places_.size() - 1);
}

KeyOrder::Verdict KeyOrder::judge(std::string_view key, const Change& change) {
  const uint64_t hash = hash_of(key);
  auto found = keys_.find(hash);
  if (found == keys_.end()) {
    if (keys_.size() >= kRemembered) {
      if (!std::exchange(incomplete_, true)) ++version_;
      return Verdict::kTake;
    }
    Known& added = keys_[hash];
    added.place = change.place;
    added.removed = change.removes;
    added.since.assign(change.order);
    added.last.assign(change.order);
    if (change.whole) added.whole.assign(change.order);
    ++version_;
    return Verdict::kTake;
  }
  Known& known = found->second;
  if (known.place == change.place || places_[known.place].partition == places_[change.place].partition) {
    known.place = change.place;
    known.removed = change.removes;
    if (change.order > known.last) known.last.assign(change.order);
    if (change.whole && change.order > known.whole) {
      if (known.whole.empty()) ++version_;
      known.whole.assign(change.order);
    }
    return Verdict::kTake;
  }
  if (change.order.empty() || known.last.empty()) return refuse(known, change, "they carry no source order, so which change is newer is not known");
  // Both rows are there at the source: whichever came last would hide the other.
  const bool of_two_tables = places_[known.place].source_table != places_[change.place].source_table;
  if (change.order > known.last) {
    if (of_two_tables && !known.removed) return refuse(known, change, "both have a row of that key at the source");
    taken_from_ = known.place;
    known.place = change.place;
    known.removed = change.removes;
    known.since.assign(change.order);
    known.last.assign(change.order);
    if (change.whole) known.whole.assign(change.order);
    ++version_;
    return Verdict::kMoves;
  }
  if (change.order >= known.whole) return refuse(known, change, "which change is newer is not known any more");
  if (of_two_tables && !change.removes) return refuse(known, change, "both have a row of that key at the source");
  if (!incomplete_) return Verdict::kOlder;
  return refuse(known, change, "cdcrt met an older change after a newer one, and compares them for the first " + std::to_string(kRemembered) + " keys of a table only");
}

KeyOrder::Verdict KeyOrder::refuse(const Known& known, const Change& change, const std::string& because) {
  const Place& there = places_[known.place];
  const Place& here = places_[change.place];
  const auto text = [&](const Place& place) {
    return there.source_table == here.source_table ? place.partition.name() : place.partition.name() + " (" + place.source_table + ")";
  };
  why_ = "changes of one key come from " + text(there) + " and from " + text(here) + ", and " + because;
  return Verdict::kRefuse;
}

void KeyOrder::give_up(const std::string& reason) {
  if (!given_up_.empty()) return;
  given_up_ = reason;
  ++version_;
}

std::string KeyOrder::to_text() const {
  std::string text;
  put(text, kFormat);
  put(text, incomplete_ ? "1" : "0");
  put(text, given_up_);
  put(text, std::to_string(places_.size()));
  for (const Place& place : places_) {
    put(text, place.partition.source);
    put(text, place.partition.topic);
    put(text, std::to_string(place.partition.number));
    put(text, place.source_table);
  }
  for (const auto& [hash, known] : keys_) {
    put(text, std::to_string(hash));
    put(text, std::to_string(known.place));
    put(text, known.removed ? "1" : "0");
    put(text, known.whole);
  }
  return text;
}

void KeyOrder::restore(std::string_view text, const std::map<progress::PartitionKey, progress::StoredTable::Position>& progress) {
  *this = {};
  if (text.empty() || take(text) != kFormat) return;
  incomplete_ = take(text) == "1";
  given_up_ = take(text);
  places_.resize(number(take(text)));
  for (Place& place : places_) {
    place.partition.source = take(text);
    place.partition.topic = take(text);
    place.partition.number = static_cast<int32_t>(number(take(text)));
    place.source_table = take(text);
  }
  while (!text.empty()) {
    const uint64_t hash = number(take(text));
    Known known;
    known.place = static_cast<uint32_t>(number(take(text)));
    known.removed = take(text) == "1";
    known.since = known.whole = known.last = take(text);
    if (known.place >= places_.size()) continue;
    if (const auto position = progress.find(places_[known.place].partition); position != progress.end()) {
      // It will all be read again.
      if (position->second.order.empty() && !known.whole.empty()) continue;
      known.last = std::max(known.last, position->second.order);
    }
    keys_.emplace(hash, std::move(known));
  }
}

std::vector<KeyOrder::Conflict> KeyOrder::merge(const KeyOrder& stored) {
  std::vector<Conflict> conflicts;
  incomplete_ = incomplete_ || stored.incomplete_;
  if (given_up_.empty()) given_up_ = stored.given_up_;
  for (const auto& [hash, theirs] : stored.keys_) {
    const Place& there = stored.places_[theirs.place];
    const uint32_t there_place = place(there.partition, there.source_table);
    auto [found, added] = keys_.try_emplace(hash, theirs);
    Known& known = found->second;
    if (added) {
      known.place = there_place;
      continue;
    }
    const progress::PartitionKey own = places_[known.place].partition;
    if (own == there.partition) {
      known.last = std::max(known.last, theirs.last);
      known.whole = std::max(known.whole, theirs.whole);
      continue;
    }
    Conflict conflict{hash, own, Verdict::kRefuse};
    const bool of_two_tables = places_[known.place].source_table != there.source_table;
    if (!theirs.last.empty() && known.since > theirs.last && (!of_two_tables || theirs.removed)) {
      conflict.verdict = Verdict::kTake;
    } else if (!known.last.empty() && known.last < theirs.whole && (!of_two_tables || known.removed) && !incomplete_) {
      conflict.verdict = Verdict::kOlder;
    } else {
      (void)refuse(Known{there_place, false, {}, {}, {}}, {known.place, {}},
                   "another process has written the one while this one had the other");
    }
    if (conflict.verdict != Verdict::kTake) {
      known = theirs;
      known.place = there_place;
    }
    ++version_;
    conflicts.push_back(conflict);
  }
  return conflicts;
}

}  // namespace cdcrt::apply
