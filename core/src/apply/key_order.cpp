#include "apply/key_order.hpp"

#include <algorithm>
#include <functional>

#include "apply/dead_letter_key.hpp"
#include "apply/sealed.hpp"
#include "event/log_order.hpp"

namespace cdcrt::apply {

int64_t mark_of(const progress::PartitionKey& partition) {
  return progress::mark_of(partition.source + '\n' + partition.topic + '\n' + std::to_string(partition.number));
}

namespace {

uint64_t hash_of(std::string_view key) { return std::hash<std::string_view>{}(key); }

bool is_change(const Entry& entry) { return entry.effect != Effect::kNothing && !entry.key.empty(); }

// The reason for tables without a key, or whose key was not known yet.
bool has_key(const RefusedKey& refused) { return !refused.key.empty(); }

/// Nodes of keys that were forgotten, for those that come, whatever table they are of: a thread that writes allocates nothing for each
/// row here. Their texts keep their memory: half a megabyte of a thread.
template <class Keys>
std::vector<typename Keys::node_type>& spare_nodes() {
  thread_local std::vector<typename Keys::node_type> nodes;
  return nodes;
}

template <class Keys>
typename Keys::iterator add_key(Keys& keys, uint64_t hash) {
  auto& spare = spare_nodes<Keys>();
  if (spare.empty()) return keys.try_emplace(hash).first;
  auto node = std::move(spare.back());
  spare.pop_back();
  auto& known = node.mapped();
  typename Keys::mapped_type fresh;
  fresh.key = std::move(known.key);
  fresh.last = std::move(known.last);
  fresh.last_whole = std::move(known.last_whole);
  known = std::move(fresh);
  for (std::string* text : {&known.key, &known.last, &known.last_whole}) text->clear();
  node.key() = hash;
  return keys.insert(std::move(node)).position;
}

template <class Keys>
void forget_key(Keys& keys, typename Keys::iterator key) {
  // A text of a large key is not kept.
  constexpr std::size_t kLarge = 256;
  auto node = keys.extract(key);
  auto& spare = spare_nodes<Keys>();
  if (spare.size() < 2 * KeyOrder::kOfSeveral && node.mapped().key.capacity() <= kLarge) spare.push_back(std::move(node));
}

/// Which part of a batch had a key first.
class PartByHash {
 public:
  explicit PartByHash(std::size_t count) {
    std::size_t capacity = 16;
    while (capacity < 2 * count) capacity *= 2;
    slots_.resize(capacity);
  }
  /// True: another part had it before.
  bool add(uint64_t hash, std::size_t part) {
    std::size_t place = hash & (slots_.size() - 1);
    while (slots_[place].part != kNone && slots_[place].hash != hash) place = (place + 1) & (slots_.size() - 1);
    if (slots_[place].part == kNone) slots_[place] = {hash, static_cast<uint32_t>(part)};
    return slots_[place].part != part;
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Slot {
    uint64_t hash = 0;
    uint32_t part = kNone;
  };
  std::vector<Slot> slots_;
};

}  // namespace

/// One entry, or one message that was refused, of a batch.
struct KeyOrder::Change {
  std::string_view key, order, since;
  uint32_t partition = 0, source = 0;
  bool whole = false;
  bool removes = false;
  const progress::Partition* from = nullptr;
  Entry* entry = nullptr;  ///< null: it was refused
};

class KeyOrder::Batch {
 public:
  Batch(KeyOrder& known, Sealed& sealed) : known_(known), sealed_(sealed) {
    for (const auto& source : sealed.sources()) sources_.push_back(known.source_of(source));
    for (auto& part : sealed.partitions) partitions_.push_back(known.partition_of(part.partition->key()));
  }

  [[nodiscard]] bool comes_from_several() const {
    if (known_.partitions_.size() < 2) return false;
    const auto filled = std::count_if(sealed_.partitions.begin(), sealed_.partitions.end(),
                                      [](const auto& part) { return !part.fold.empty() || !part.fold.refused.empty(); });
    if (filled > 1) return true;
    // Keys that another partition wrote may be remembered.
    return !known_.keys_.empty();
  }

  bool settle() {
    for (std::size_t i = 0; i < sealed_.partitions.size(); ++i) {
      for (Entry& entry : sealed_.partitions[i].fold.entries()) {
        if (is_change(entry) && !against_known(change_of(i, entry))) return false;
      }
      for (RefusedKey& refused : sealed_.partitions[i].fold.refused) {
        if (!refused.closed && has_key(refused)) refused.closed = is_overtaken(change_of(i, refused));
      }
    }
    return among_each_other();
  }

  /// The last ones of each partition, as many as are remembered in all: more would only be forgotten again.
  template <class Visit>
  void each(Visit&& visit) {
    const std::size_t share = share_of_each();
    for (std::size_t i = 0; i < sealed_.partitions.size(); ++i) {
      Fold& fold = sealed_.partitions[i].fold;
      auto& entries = fold.entries();
      const std::size_t first = entries.size() > share ? entries.size() - share : 0;
      for (std::size_t at = first; at < entries.size(); ++at) {
        if (is_change(entries[at]) && !entries[at].closed) visit(change_of(i, entries[at]));
      }
      const auto& refused = fold.refused;
      for (std::size_t at = refused.size() > known_.limit() ? refused.size() - known_.limit() : 0; at < refused.size(); ++at) {
        if (!refused[at].closed && has_key(refused[at])) visit(change_of(i, refused[at]));
      }
    }
  }

 private:
  /// So many of each partition are as many as are remembered in all; one that has fewer leaves room to the others.
  [[nodiscard]] std::size_t share_of_each() const {
    std::vector<std::size_t> counts;
    for (const auto& part : sealed_.partitions) counts.push_back(part.fold.entries().size());
    std::sort(counts.begin(), counts.end());
    std::size_t left = known_.limit(), share = left;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      share = left / (counts.size() - i);
      if (counts[i] > share) break;
      left -= counts[i];
    }
    return std::max<std::size_t>(share, 1);
  }

  uint32_t source_of(uint32_t index) const { return index < sources_.size() ? sources_[index] : UINT32_MAX; }

  Change change_of(std::size_t part, Entry& entry) const {
    const bool whole = entry.effect != Effect::kPatch, removes = entry.effect == Effect::kDelete;
    return {
        entry.key, entry.order, entry.since, partitions_[part], source_of(entry.source), whole, removes, sealed_.partitions[part].partition,
        &entry};
  }
  Change change_of(std::size_t part, const RefusedKey& refused) const {
    const auto* const from = sealed_.partitions[part].partition;
    return {refused.key, refused.order, refused.order, partitions_[part], source_of(refused.source), refused.whole, false, from, nullptr};
  }

  /// `other`: the change that is known, or was read before.
  [[nodiscard]] bool comparable(uint32_t source, std::string_view order, uint32_t other_source, std::string_view other) const {
    if (order.empty() || other.empty() || !event::are_of_one_log(other, order)) return false;
    if (source == other_source) return true;
    if (source >= known_.sources_.size() || other_source >= known_.sources_.size()) return false;
    const std::string& server = known_.sources_[source].server;
    // Where the server is unknown, orders of different lengths come from different kinds of servers.
    return server == known_.sources_[other_source].server && (!server.empty() || order.size() == other.size());
  }

  /// Changes without an order: a partition that was added to its topic is read only after the older ones were applied up to their ends.
  [[nodiscard]] bool was_added_after(const Change& change, const progress::PartitionKey& other, bool other_was_added) const {
    return change.from->was_added() && !other_was_added && change.from->source() == other.source && change.from->topic() == other.topic;
  }

  /// Otherwise a row that moved from one source table to another would look as if it were in both.
  [[nodiscard]] bool tells_deletes() const { return sealed_.identity->route.deletes != route::Deletes::kIgnore; }

  bool is_overtaken(const Change& change) const {
    const auto found = known_.keys_.find(hash_of(change.key));
    if (found == known_.keys_.end() || found->second.partition == change.partition) return false;
    const Known& known = found->second;
    return comparable(change.source, change.order, known.source, known.whole()) && event::is_after(known.whole(), change.order);
  }

  // The row in the target was written by another partition.
  bool against_known(const Change& change) {
    const auto found = known_.keys_.find(hash_of(change.key));
    if (found == known_.keys_.end() || found->second.partition == change.partition) return true;
    const Known& known = found->second;
    const auto& there = known_.partitions_[known.partition];
    const auto refuse = [&](const char* why) { return this->refuse(there, known.source, change, why); };
    if (!comparable(change.source, change.order, known.source, known.last)) {
      return was_added_after(change, there, known.is_added) || refuse(unknown_order(change, known.last));
    }
    // A key that moved to a partition that was added to the topic does not come back to the old one.
    const bool has_moved = !event::is_after(known.last, change.order) && was_added_after(change, there, known.is_added);
    known_.met_ = known_.met_ || !has_moved;
    if (comparable(change.source, change.since, known.source, known.last) && !event::is_after(known.last, change.since)) {
      return change.source == known.source || known.removed || !tells_deletes() || refuse(kTwoRows);
    }
    if (!comparable(change.source, change.order, known.source, known.whole()) || !event::is_after(known.whole(), change.order)) {
      // A later change of its partition sets the whole row, and decides.
      return change.entry->closed || refuse(kMixed);
    }
    if (change.source != known.source && !change.removes && !known.removed && tells_deletes()) return refuse(kTwoRows);
    change.entry->effect = Effect::kNothing;
    ++known_.overtaken_;
    return true;
  }

  bool among_each_other() {
    std::size_t count = 0, filled = 0;
    for (const auto& part : sealed_.partitions) {
      count += part.fold.entries().size() + part.fold.refused.size();
      filled += part.fold.empty() && part.fold.refused.empty() ? 0 : 1;
    }
    if (filled < 2) return true;
    std::unordered_map<std::string_view, std::vector<Change>> twice;
    PartByHash parts(count);
    for (std::size_t i = 0; i < sealed_.partitions.size(); ++i) {
      for (const Entry& entry : sealed_.partitions[i].fold.entries()) {
        if (is_change(entry) && parts.add(hash_of(entry.key), i)) twice[entry.key];
      }
      for (const RefusedKey& refused : sealed_.partitions[i].fold.refused) {
        if (!refused.closed && has_key(refused) && parts.add(hash_of(refused.key), i)) twice[refused.key];
      }
    }
    if (twice.empty()) return true;
    sealed_.crossed = true;
    for (std::size_t i = 0; i < sealed_.partitions.size(); ++i) {
      for (Entry& entry : sealed_.partitions[i].fold.entries()) {
        const auto found = is_change(entry) ? twice.find(entry.key) : twice.end();
        if (found != twice.end()) found->second.push_back(change_of(i, entry));
      }
    }
    for (auto& [key, changes] : twice) {
      if (!put_in_order(changes)) return false;
      if (!place_refused(key, changes)) return false;
    }
    return true;
  }

  /// Whether writing `after` after `before` gives the right row.
  bool follows(const Change& before, const Change& after) const {
    if (before.partition == after.partition) return before.entry < after.entry;
    if (comparable(before.source, before.order, after.source, after.since)) return !event::is_after(before.order, after.since);
    if (comparable(before.source, before.order, after.source, after.order)) return false;
    return was_added_after(after, known_.partitions_[before.partition], before.from->was_added());
  }

  bool put_in_order(std::vector<Change>& changes) {
    // There are few: each is inserted behind all changes that are older.
    std::vector<Change> ordered;
    for (const Change& change : changes) {
      std::size_t at = ordered.size();
      while (at > 0 && follows(change, ordered[at - 1]) && !follows(ordered[at - 1], change)) --at;
      ordered.insert(ordered.begin() + static_cast<std::ptrdiff_t>(at), change);
    }
    for (std::size_t i = 0; i + 1 < ordered.size(); ++i) {
      const Change& before = ordered[i];
      const Change& after = ordered[i + 1];
      if (before.partition != after.partition && comparable(before.source, before.order, after.source, after.order)) {
        known_.met_ = known_.met_ || !was_added_after(after, known_.partitions_[before.partition], before.from->was_added());
      }
      for (std::size_t j = i + 1; j < ordered.size(); ++j) {
        if (follows(before, ordered[j])) continue;
        const bool known = comparable(before.source, before.order, ordered[j].source, ordered[j].order);
        const char* const why = known ? kMixed : unknown_order(ordered[j], before.order);
        return refuse(known_.partitions_[before.partition], before.source, ordered[j], why);
      }
      if (before.source != after.source && before.partition != after.partition && !before.removes && tells_deletes()) {
        return refuse(known_.partitions_[before.partition], before.source, after, kTwoRows);
      }
    }
    for (std::size_t i = 0; i < ordered.size(); ++i) {
      Entry& entry = *ordered[i].entry;
      entry.followers = static_cast<uint32_t>(ordered.size() - 1 - i);
      entry.closed = entry.followers > 0;
    }
    changes = std::move(ordered);
    return true;
  }

  // A refused message is closed by a newer whole row of another partition, and hides an older one.
  bool place_refused(std::string_view key, std::vector<Change>& changes) {
    for (std::size_t i = 0; i < sealed_.partitions.size(); ++i) {
      for (RefusedKey& refused : sealed_.partitions[i].fold.refused) {
        if (refused.closed || refused.key != key) continue;
        const Change dead_letter = change_of(i, refused);
        for (Change& change : changes) {
          if (change.partition == dead_letter.partition || change.entry->effect == Effect::kNothing) continue;
          if (!comparable(dead_letter.source, dead_letter.order, change.source, change.order)) {
            if (was_added_after(change, known_.partitions_[dead_letter.partition], dead_letter.from->was_added())) {
              refused.closed = refused.closed || change.whole;
              continue;
            }
            return refuse(known_.partitions_[dead_letter.partition], dead_letter.source, change, unknown_order(change, dead_letter.order));
          }
          if (change.whole && event::is_after(change.since, dead_letter.order)) {
            refused.closed = true;
          } else if (dead_letter.whole && event::is_after(dead_letter.order, change.order)) {
            // As after any refused change of a row, older changes do not count any more.
            change.entry->effect = Effect::kNothing;
            ++known_.overtaken_;
          } else {
            return refuse(known_.partitions_[dead_letter.partition], dead_letter.source, change, kMixed);
          }
        }
      }
    }
    return true;
  }

  static constexpr const char* kTwoRows = "both source tables have a row of that key";
  static constexpr const char* kMixed = "some of them change parts of the row, and what the row was in between is not known any more";

  static const char* unknown_order(const Change& change, std::string_view other) {
    const bool lacks = change.order.empty() || other.empty();
    if (!event::are_of_one_log(other, change.order)) return event::kLogBeganAnew;
    return lacks ? "they carry no source order, so which of them is newer cannot be told"
                 : "their source orders are of two servers or two kinds, and do not compare";
  }

  bool refuse(const progress::PartitionKey& there, uint32_t there_source, const Change& change, const char* why) {
    known_.met_ = std::string_view(why) == kMixed;
    const auto place = [&](const std::string& partition, uint32_t source) {
      if (there_source == change.source || source >= known_.sources_.size()) return partition;
      const SourceOfRows& rows = known_.sources_[source];
      return partition + " (" + rows.table + (rows.server.empty() ? "" : " of server " + rows.server) + ")";
    };
    const std::string at = change.entry != nullptr ? " (up to offset " + std::to_string(change.entry->last_offset) + ")" : std::string();
    sealed_.refusal = "changes of one key come from " + place(there.name(), there_source) + " and from " +
                      place(change.from->name(), change.source) + at + ": " + why;
    return false;
  }

  KeyOrder& known_;
  Sealed& sealed_;
  std::vector<uint32_t> sources_, partitions_;
};

bool KeyOrder::settle(Sealed& sealed) {
  met_ = false;
  Batch batch(*this, sealed);
  return !batch.comes_from_several() || batch.settle();
}

void KeyOrder::remember(const Sealed& sealed) {
  if (sealed.clear) keys_.clear();
  // Leaves the batch unchanged.
  Batch(*this, const_cast<Sealed&>(sealed)).each([this](const Change& change) { note(change); });
  shrink();
}

void KeyOrder::note(const Change& change) {
  const uint64_t hash = hash_of(change.key);
  auto place = keys_.find(hash);
  const bool added = place == keys_.end();
  if (added) place = add_key(keys_, hash);
  Known& known = place->second;
  known.touched = ++touched_;
  if (added) known.key.assign(change.key);
  const bool stays = !added && known.partition == change.partition;
  const bool is_older = !added && !change.order.empty() && event::is_after(known.last, change.order);
  // Within a partition the later change counts, whatever its source order; refused messages are visited after the rows.
  if (is_older && (!stays || change.entry == nullptr)) return;
  if (stays && !change.whole && known.ends_whole) known.last_whole = known.last;
  if (!stays || change.whole) known.last_whole.clear();
  known.partition = change.partition;
  known.source = change.source;
  known.removed = change.removes;
  known.is_added = change.from->was_added();
  known.last.assign(change.order);
  known.ends_whole = change.whole && change.since.size() == change.order.size() && change.since == change.order;
  if (change.whole && !known.ends_whole) known.last_whole.assign(change.since);
}

// The keys that were written last stay.
void KeyOrder::shrink() {
  if (keys_.size() <= limit() + limit() / 2) return;
  std::vector<uint64_t> times;
  times.reserve(keys_.size());
  for (const auto& [hash, known] : keys_) times.push_back(known.touched);
  const auto last_kept = times.end() - static_cast<std::ptrdiff_t>(limit());
  std::nth_element(times.begin(), last_kept, times.end());
  const uint64_t oldest = *last_kept;
  for (auto each = keys_.begin(); each != keys_.end();) {
    const auto here = each++;
    if (here->second.touched >= oldest) continue;
    forget_key(keys_, here);
  }
}

namespace {

constexpr std::string_view kLastWhole = "last_whole", kServer = "server", kTable = "table", kSource = "source", kTopic = "topic",
                           kNumber = "number";
// Keys up to this size are stored as they are; longer ones do not fit into an index.
constexpr std::size_t kMaxKnownKey = 1024;

}  // namespace

// Stored in the column for partial orders, which only source-ordered tables use.
progress::RowOrders KeyOrder::kept() const {
  progress::RowOrders kept;
  for (const auto& [hash, known] : keys_) {
    if (known.key.size() > kMaxKnownKey || known.partition >= partitions_.size() || known.source >= sources_.size()) continue;
    progress::RowOrder& order = kept[known.key];
    order.order = known.last;
    order.removed = known.removed;
    order.ends_whole = known.ends_whole;
    order.is_added = known.is_added;
    const auto& partition = partitions_[known.partition];
    const auto& source = sources_[known.source];
    order.parts = {{std::string(kLastWhole), known.last_whole}, {std::string(kServer), source.server},
                   {std::string(kTable), source.table},         {std::string(kSource), partition.source},
                   {std::string(kTopic), partition.topic},      {std::string(kNumber), std::to_string(partition.number)}};
  }
  return kept;
}

void KeyOrder::restore(const progress::RowOrders& kept) {
  for (const auto& [key, order] : kept) {
    const auto part = [&order = order](std::string_view name) {
      const auto found = order.parts.find(name);
      return found == order.parts.end() ? std::string() : found->second;
    };
    if (part(kNumber).empty()) continue;
    const auto [place, added] = keys_.try_emplace(hash_of(key));
    if (!added) continue;
    Known& known = place->second;
    known.key = key;
    known.partition = partition_of({part(kSource), part(kTopic), static_cast<int32_t>(std::stol(part(kNumber)))});
    known.source = source_of({part(kServer), part(kTable)});
    known.removed = order.removed;
    known.is_added = order.is_added;
    known.ends_whole = order.ends_whole;
    known.last = order.order;
    known.last_whole = part(kLastWhole);
  }
}

progress::RowOrders KeyOrder::row_orders() const {
  progress::RowOrders orders;
  for (const auto& [hash, known] : keys_) {
    if (known.last.empty()) continue;
    progress::RowOrder& order = orders[dead_letter_key(known.key)];
    order.order = known.last;
    order.removed = known.removed;
    if (known.partition < partitions_.size()) order.partition = mark_of(partitions_[known.partition]);
    if (known.source >= sources_.size()) continue;
    order.server = progress::mark_of(sources_[known.source].server);
    order.source_table = progress::mark_of(sources_[known.source].table);
  }
  return orders;
}

void KeyOrder::clear() { keys_.clear(); }

uint32_t KeyOrder::partition_of(const progress::PartitionKey& key) {
  const auto found = std::find(partitions_.begin(), partitions_.end(), key);
  if (found != partitions_.end()) return static_cast<uint32_t>(found - partitions_.begin());
  partitions_.push_back(key);
  return static_cast<uint32_t>(partitions_.size() - 1);
}

uint32_t KeyOrder::source_of(const SourceOfRows& source) {
  const auto found = std::find(sources_.begin(), sources_.end(), source);
  if (found != sources_.end()) return static_cast<uint32_t>(found - sources_.begin());
  sources_.push_back(source);
  return static_cast<uint32_t>(sources_.size() - 1);
}

}  // namespace cdcrt::apply
