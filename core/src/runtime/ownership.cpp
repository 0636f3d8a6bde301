#include "runtime/ownership.hpp"

#include <algorithm>
#include <iterator>

#include "runtime/log.hpp"
#include "runtime/start_retries.hpp"

namespace cdcrt::runtime {
namespace {

// What is asked of a source together before the first of them is read.
constexpr std::size_t kAskedTogether = 500;

bool is_transient(const Error& error) {
  return error.code == CDCRT_RETRY || error.code == CDCRT_UNREACHABLE || error.code == CDCRT_BUSY || error.code == CDCRT_AUTH;
}

std::string choices(const progress::PartitionKey& key) {
  return "take a new snapshot at the source and run: cdcrt progress rewind --topic " + key.topic +
         " --to earliest; the same command accepts the gap where the source needs no snapshot";
}

}  // namespace

Result<void> Ownership::claim_fixed() {
  for (auto& source : sources_) {
    if (source->is_group()) continue;
    std::set<progress::PartitionKey> kept_keys;
    for (const auto& sink : sinks_) {
      std::vector<progress::PartitionKey> keys;
      for (const auto& [key, kept] : sink->stored().partitions) {
        if (key.source == source->name()) keys.push_back(key);
      }
      if (keys.empty()) continue;
      for (const auto& key : keys) {
        if (!key.is_note()) (void)source->flow(key.topic, key.number);
      }
      if (auto claimed = with_start_retries("sinks." + sink->name(), [&] { return sink->claim(keys, {}); }); !claimed) return claimed;
      kept_keys.insert(keys.begin(), keys.end());
    }
    for (const auto& key : kept_keys) {
      if (key.is_note()) continue;
      int64_t start = INT64_MAX;
      std::map<int64_t, progress::LastMessage> lasts;
      for (const auto& sink : sinks_) {
        const auto found = sink->stored().partitions.find(key);
        const bool is_kept = found != sink->stored().partitions.end();
        start = std::min(start, is_kept ? found->second.next_offset : 0);
        if (is_kept && key.number >= 0 && found->second.last.offset >= 0) lasts[found->second.last.offset] = found->second.last;
      }
      if (auto sought = source->start_at(key.topic, key.number, start, lasts); !sought) return sought;
    }
    if (auto noted = keep_notes(*source, kept_keys); !noted) return noted;
  }
  return {};
}

// What is kept of a source's notes is given to it, and what it wants to be kept is, before it reads anything.
Result<void> Ownership::keep_notes(SourceRuntime& source, const std::set<progress::PartitionKey>& kept_keys) {
  if (!source.source().has(CDCRT_SOURCE_NOTES)) return {};
  for (const auto& key : kept_keys) {
    if (!key.is_note()) continue;
    for (const auto& sink : sinks_) {
      const auto found = sink->stored().partitions.find(key);
      if (found == sink->stored().partitions.end()) continue;
      if (auto given = source.source().seek(key.topic, key.number, found->second.next_offset, 0); !given) return given;
    }
  }
  std::vector<progress::PartitionKey> wanted;
  auto listed = source.source().list([&](std::string_view topic, int32_t number) {
    wanted.push_back({source.name(), std::string(topic), number});
    return true;
  });
  if (!listed) return listed;
  for (const auto& sink : sinks_) {
    if (!sink->keeps_progress()) continue;
    std::vector<progress::PartitionKey> keys;
    std::vector<progress::StartOffset> fresh;
    for (const auto& key : wanted) {
      if (!key.is_note() || sink->stored().partitions.contains(key)) continue;
      auto note = source.source().start_offset(key.topic, key.number);
      if (!note) return std::move(note.error());
      keys.push_back(key);
      fresh.emplace_back().key = key;
      fresh.back().offset = *note;
    }
    if (keys.empty()) continue;
    if (auto claimed = with_start_retries("sinks." + sink->name(), [&] { return sink->claim(keys, fresh); }); !claimed) return claimed;
    for (const auto& note : fresh) {
      const auto kept = sink->stored().partitions.find(note.key);
      if (kept != sink->stored().partitions.end() && kept->second.next_offset == note.offset) continue;
      return make_error(CDCRT_RETRY,
                        "another process of this pipeline met the same input of source '" + source.name() + "' at the same moment",
                        "one process reads files; start this one again where it is to be this one");
    }
  }
  return {};
}

void Ownership::assigned(std::size_t source, const std::string& topic, int32_t partition) {
  {
    const std::lock_guard lock(mutex_);
    const progress::PartitionKey key{sources_[source]->name(), topic, partition};
    assigned_.insert(key);
    Wanted& wanted = wanted_[key];
    wanted = {};
    wanted.source = source;
  }
  monitor_.notify();
}

void Ownership::drop(SourceRuntime& source, const std::string& topic, int32_t number) {
  progress::Partition& partition = source.flow(topic, number).partition;
  partition.give_up();
  for (auto& sink : sinks_) sink->forget(partition);
}

void Ownership::revoked(std::size_t source, const std::string& topic, int32_t partition) {
  {
    const std::lock_guard lock(mutex_);
    const progress::PartitionKey key{sources_[source]->name(), topic, partition};
    assigned_.erase(key);
    wanted_.erase(key);
  }
  drop(*sources_[source], topic, partition);
  monitor_.notify();
}

void Ownership::lost(const progress::Partition& partition) {
  const progress::PartitionKey key = partition.key();
  for (auto& source : sources_) {
    if (source->name() != key.source) continue;
    {
      const std::lock_guard lock(mutex_);
      if (!partition.owned()) return;
      ++leases_lost_[source->index()];
      if (assigned_.contains(key)) {
        Wanted& wanted = wanted_[key];
        wanted = {};
        wanted.source = source->index();
        wanted.due = Clock::now() + kLookAgain;
      }
    }
    log(CDCRT_LOG_INFO, "sources." + source->name(), key.name() + " was taken over; its rows that were not written are dropped");
    drop(*source, key.topic, key.number);
  }
}

uint64_t Ownership::waiting(std::size_t source) const {
  const std::lock_guard lock(mutex_);
  return static_cast<uint64_t>(
      std::count_if(wanted_.begin(), wanted_.end(), [&](const auto& each) { return each.second.source == source; }));
}

uint64_t Ownership::leases_lost(std::size_t source) const {
  const std::lock_guard lock(mutex_);
  const auto found = leases_lost_.find(source);
  return found == leases_lost_.end() ? 0 : found->second;
}

bool Ownership::settled() const {
  const std::lock_guard lock(mutex_);
  return wanted_.empty();
}

std::vector<std::pair<progress::PartitionKey, Ownership::Wanted>> Ownership::due() {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<progress::PartitionKey, Wanted>> due;
  const auto now = Clock::now();
  for (const auto& [key, wanted] : wanted_) {
    if (wanted.due <= now) due.emplace_back(key, wanted);
  }
  return due;
}

void Ownership::postpone(const std::vector<progress::PartitionKey>& keys, Clock::duration delay) {
  const std::lock_guard lock(mutex_);
  for (const auto& key : keys) {
    if (const auto found = wanted_.find(key); found != wanted_.end()) found->second.due = Clock::now() + delay;
  }
}

Result<void> Ownership::step() {
  std::map<std::size_t, std::vector<progress::PartitionKey>> by_source;
  for (auto& [key, wanted] : due()) by_source[wanted.source].push_back(key);
  for (auto& [source, keys] : by_source) {
    auto claimed = claim(*sources_[source], keys);
    if (claimed) {
      // Others of the source may fail all the while: those are what is told of.
      auto& failing = unclaimed_[source];
      for (const auto& key : keys) failing.erase(key);
      if (no_longer_wanted(failing)) (void)waits_[source].ends();
      continue;
    }
    if (!is_transient(claimed.error())) return claimed;
    postpone(keys, kLookAgain);
    auto& failing = unclaimed_[source];
    failing.insert(keys.begin(), keys.end());
    if (no_longer_wanted(failing) || !waits_[source].lasts()) continue;
    log(CDCRT_LOG_WARNING, "sources." + sources_[source]->name(),
        "cannot claim " + failing.begin()->name() + (failing.size() > 1 ? " and " + std::to_string(failing.size() - 1) + " more" : "") +
            " yet: " + explain(claimed.error()));
  }
  return {};
}

// Forgets what was taken away meanwhile; true: nothing is left.
bool Ownership::no_longer_wanted(std::set<progress::PartitionKey>& keys) const {
  const std::lock_guard lock(mutex_);
  std::erase_if(keys, [&](const auto& key) { return !wanted_.contains(key); });
  return keys.empty();
}

Result<void> Ownership::claim(SourceRuntime& source, std::vector<progress::PartitionKey> keys) {
  Result<void> first_failure;
  put_vain_last(source, keys);
  auto fresh = start_offsets(source, keys, first_failure);
  if (!fresh) return std::move(fresh.error());
  if (keys.empty()) return first_failure;
  // A session of its own: what tables hold of it, or are writing, from before the claim must not pass for what is read after it.
  std::map<progress::PartitionKey, uint32_t> sessions;
  for (const auto& key : keys) {
    progress::Partition& partition = source.flow(key.topic, key.number).partition;
    partition.give_up();
    sessions[key] = partition.session();
  }
  for (const auto& sink : sinks_) {
    if (!sink->keeps_progress()) continue;
    if (auto claimed = sink->claim(keys, *fresh); !claimed) return claimed;
  }
  for (std::size_t first = 0; first < keys.size(); first += kAskedTogether) {
    const auto begin = keys.begin() + static_cast<std::ptrdiff_t>(first);
    const std::vector<progress::PartitionKey> some(begin,
                                                   begin + static_cast<std::ptrdiff_t>(std::min(kAskedTogether, keys.size() - first)));
    const Told told = ask_together(source, some);
    for (const auto& key : some) {
      // Where one cannot be asked about, those of which everything was told go on, and the others wait.
      if (!first_failure && !told.bounds.contains(key) && !told.starts.contains(key)) continue;
      auto taken = take_when_older_are_applied(source, key, sessions[key], told);
      if (!taken && !is_transient(taken.error())) return taken;
      if (!taken && first_failure) {
        asked_in_vain_[source.index()] = key;
        first_failure = std::move(taken);
      }
    }
  }
  return first_failure;
}

// Whoever could not be asked about the last time comes last: each is waited for, and all behind it.
void Ownership::put_vain_last(const SourceRuntime& source, std::vector<progress::PartitionKey>& keys) const {
  const auto vain = asked_in_vain_.find(source.index());
  if (vain == asked_in_vain_.end()) return;
  std::sort(keys.begin(), keys.end());
  std::rotate(keys.begin(), std::upper_bound(keys.begin(), keys.end(), vain->second), keys.end());
}

Result<void> Ownership::take_when_older_are_applied(SourceRuntime& source, const progress::PartitionKey& key, uint32_t session,
                                                    const Told& told) {
  auto applied = older_are_applied(source, key);
  if (!applied) return std::move(applied.error());
  if (*applied) return take(source, key, session, told);
  postpone({key}, kLookAgain);
  return {};
}

Ownership::Told Ownership::ask_together(SourceRuntime& source, const std::vector<progress::PartitionKey>& keys) const {
  Told told;
  std::map<progress::PartitionKey, progress::LastMessage> lasts;
  std::vector<progress::PartitionKey> kept_keys, others;
  for (const auto& key : keys) {
    const auto kept = furthest_behind(key);
    (kept ? kept_keys : others).push_back(key);
    if (kept && kept->last.offset >= 0) lasts.emplace(key, kept->last);
  }
  told.bounds = source.bounds_of(kept_keys);
  told.starts = source.start_offsets_of(others);
  std::erase_if(lasts, [&](const auto& last) {
    const auto bounds = told.bounds.find(last.first);
    return bounds == told.bounds.end() || last.second.offset < bounds->second.first || last.second.offset >= bounds->second.end;
  });
  told.same = source.are_same_logs(lasts);
  return told;
}

// Those that can be asked for; `failure` says of the first one that cannot.
std::map<progress::PartitionKey, int64_t> Ownership::first_offsets(SourceRuntime& source, std::vector<progress::PartitionKey> keys,
                                                                   bool as_set, Result<void>& failure) {
  put_vain_last(source, keys);
  std::map<progress::PartitionKey, int64_t> firsts;
  if (as_set) {
    firsts = source.start_offsets_of(keys);
  } else {
    for (const auto& [key, bounds] : source.bounds_of(keys)) firsts.emplace(key, bounds.first);
  }
  for (const auto& key : keys) {
    if (firsts.contains(key)) continue;
    if (!failure) break;  // each may be waited for
    auto first = as_set ? source.source().start_offset(key.topic, key.number) : first_of_log(source, key);
    if (first) {
      firsts[key] = *first;
      continue;
    }
    asked_in_vain_[source.index()] = key;
    failure = std::move(first.error());
  }
  return firsts;
}

// Starts of partitions that no sink knows. A topic that is met for the first time gets one for each of its partitions, so that
// one that is added to it later is known by having none. Partitions that must wait are taken out of `keys`, also those that cannot be
// asked about now: `failure` says why the first of them cannot.
Result<std::vector<progress::StartOffset>> Ownership::start_offsets(SourceRuntime& source, std::vector<progress::PartitionKey>& keys,
                                                                    Result<void>& failure) {
  std::vector<progress::StartOffset> fresh;
  std::set<progress::PartitionKey> waiting;
  std::set<std::string> unasked;  // topics
  leave_out_empty(source, keys, failure);
  const std::set<progress::PartitionKey> wanted(keys.begin(), keys.end());
  std::set<progress::PartitionKey> known;  // of `fresh`
  for (const auto& sink : sinks_) {
    if (!sink->keeps_progress()) continue;
    const auto kept = sink->partitions();
    const bool source_is_new = std::none_of(kept.begin(), kept.end(), [&](const auto& each) { return each.first.source == source.name(); });
    const bool topics_missing = std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return !kept.contains(key); });
    if (!topics_missing) continue;
    auto refreshed = sink->refresh();
    if (!refreshed) return std::move(refreshed.error());
    const auto stored = sink->partitions();
    std::set<std::string> topics;
    for (const auto& [key, partition] : stored) {
      if (key.source == source.name()) topics.insert(key.topic);
    }
    const bool first_start = topics.empty() && source_is_new;
    std::set<progress::PartitionKey> listed(keys.begin(), keys.end());
    auto done = source.source().list([&](std::string_view topic, int32_t number) {
      listed.insert({source.name(), std::string(topic), number});
      return true;
    });
    if (!done) return std::move(done.error());
    std::erase_if(listed, [&](const auto& key) { return stored.contains(key) || known.contains(key) || waiting.contains(key); });
    std::vector<progress::PartitionKey> first_ones;
    std::copy_if(listed.begin(), listed.end(), std::back_inserter(first_ones),
                 [&](const auto& key) { return !topics.contains(key.topic); });
    // What appears after the first start is read from its beginning.
    const auto firsts = first_offsets(source, first_ones, first_start, failure);
    // So at the first start all are asked about, or none begins.
    if (!failure && (first_start || !is_transient(failure.error()))) return std::move(failure.error());
    for (const auto& key : first_ones) {
      if (!firsts.contains(key)) unasked.insert(key.topic);
    }
    std::vector<progress::PartitionKey> in_turn(listed.begin(), listed.end());
    put_vain_last(source, in_turn);
    for (const auto& key : in_turn) {
      const bool is_key = wanted.contains(key);
      if (unasked.contains(key.topic)) {
        if (is_key) waiting.insert(key);
        continue;
      }
      progress::StartOffset start_offset;
      start_offset.key = key;
      if (!topics.contains(key.topic)) {
        start_offset.offset = firsts.at(key);
        start_offset.is_first = true;
      } else if (!is_key) {
        continue;
      } else {
        auto added = failure ? start_of_added(source, key) : Result<std::optional<progress::StartOffset>>(std::nullopt);
        if (!added && !is_transient(added.error())) return std::move(added.error());
        if (!added || !*added) {
          waiting.insert(key);
          if (added) continue;
          asked_in_vain_[source.index()] = key;
          failure = std::move(added.error());
          continue;
        }
        start_offset = std::move(**added);
      }
      known.insert(key);
      fresh.push_back(std::move(start_offset));
    }
  }
  const std::vector<progress::PartitionKey> later(waiting.begin(), waiting.end());
  std::erase_if(keys, [&](const auto& key) { return waiting.contains(key); });
  postpone(later, kLookAgain);
  return fresh;
}

std::optional<progress::StoredPartition> Ownership::furthest_behind(const progress::PartitionKey& key) const {
  std::optional<progress::StoredPartition> behind;
  for (const auto& sink : sinks_) {
    if (!sink->keeps_progress()) continue;
    const auto kept = sink->partition(key);
    if (!kept) continue;
    if (!behind) {
      behind.emplace();
      behind->next_offset = INT64_MAX;
    }
    behind->exact =
        kept->next_offset < behind->next_offset ? kept->exact : behind->exact || (kept->exact && kept->next_offset == behind->next_offset);
    behind->next_offset = std::min(behind->next_offset, kept->next_offset);
    if (kept->last.offset > behind->last.offset) behind->last = kept->last;
  }
  return behind;
}

// Answers where reading begins.
Result<int64_t> Ownership::verify(SourceRuntime& source, const progress::PartitionKey& key, const progress::StoredPartition& kept,
                                  const Told& told) {
  const auto known = told.bounds.find(key);
  auto bounds = known != told.bounds.end() ? Result<cdcrt_bounds>(known->second) : source.source().bounds(key.topic, key.number);
  if (!bounds) return std::move(bounds.error());
  const auto begin = [&] { return kept.next_offset == 0 && !kept.exact ? bounds->first : kept.next_offset; };
  // What was told before others went on may be outdated: nothing stops for it.
  if (known != told.bounds.end() && (begin() > bounds->end || begin() < bounds->first)) {
    bounds = source.source().bounds(key.topic, key.number);
    if (!bounds) return std::move(bounds.error());
  }
  const int64_t next = begin();
  if (kept.next_offset == 0 && !kept.exact) source.flow(key.topic, key.number).partition.log_begins_at(bounds->first);
  if (next > bounds->end) {
    return make_error(CDCRT_FATAL,
                      key.name() + " ends at offset " + std::to_string(bounds->end) + ", but the target has applied it up to " +
                          std::to_string(next) + ": the topic was deleted and made again, or its log was cut",
                      choices(key));
  }
  if (kept.last.offset >= bounds->first) {
    const auto same = told.same.find(key);
    auto is_same =
        same != told.same.end() && same->second ? Result<bool>(true) : source.is_same_log(key.topic, key.number, kept.last, true);
    if (!is_same) return std::move(is_same.error());
    if (!*is_same) return another_log(key, kept.last.offset);
  }
  if (next < bounds->first) {
    Error gap = deleted_by_retention(key, next, bounds->first);
    gap.code = CDCRT_FATAL;
    return gap;
  }
  return next;
}

Result<int64_t> Ownership::start_of(SourceRuntime& source, const progress::PartitionKey& key, const Told& told) {
  const auto start = told.starts.find(key);
  return start != told.starts.end() ? Result<int64_t>(start->second) : source.source().start_offset(key.topic, key.number);
}

Result<void> Ownership::take(SourceRuntime& source, const progress::PartitionKey& key, uint32_t session, const Told& told) {
  progress::Partition& partition = source.flow(key.topic, key.number).partition;
  if (partition.session() != session) return {};  // as below
  const auto behind = furthest_behind(key);
  // Where no target keeps progress the source's own settings decide.
  auto begin = behind ? verify(source, key, *behind, told) : start_of(source, key, told);
  if (!begin) return std::move(begin.error());
  const int64_t start = *begin;
  if (behind) {
    for (const auto& sink : sinks_) sink->begin_at(partition, start);
  }
  const std::lock_guard lock(mutex_);
  for (const auto& sink : sinks_) {
    if (sink->keeps_progress() && sink->keeps_siblings(key)) partition.note_siblings();
  }
  // Lost, and perhaps assigned again, meanwhile: that is to be claimed anew.
  if (partition.session() == session && wanted_.erase(key) > 0) partition.take(start, behind ? behind->last : progress::LastMessage());
  return {};
}

}  // namespace cdcrt::runtime
