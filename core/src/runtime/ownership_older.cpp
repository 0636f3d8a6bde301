// Partitions that were added to a topic wait until the older ones are applied up to where they ended then, whoever reads those.
#include <algorithm>

#include "runtime/log.hpp"
#include "runtime/ownership.hpp"

namespace cdcrt::runtime {
namespace {

constexpr auto kLookAtResting = std::chrono::seconds(10);

}  // namespace

Result<progress::WaitsFor> Ownership::ends_of_older(SourceRuntime& source, const progress::PartitionKey& key) {
  progress::WaitsFor ends;
  for (const auto& sink : sinks_) {
    if (!sink->keeps_progress()) continue;
    for (const auto& [other, kept] : sink->partitions()) {
      if (other.source != key.source || other.topic != key.topic || other.number == key.number) continue;
      auto bounds = source.source().bounds(other.topic, other.number);
      if (!bounds) return std::move(bounds.error());
      ends[other.number] = bounds->end;
    }
  }
  return ends;
}

Result<bool> Ownership::older_are_applied(SourceRuntime& source, const progress::PartitionKey& key) {
  for (const auto& sink : sinks_) {
    if (!sink->keeps_progress()) continue;
    const auto own = sink->partition(key);
    if (!own || own->waits_for.empty()) continue;
    if (auto refreshed = sink->refresh(); !refreshed) return std::move(refreshed.error());
    for (const auto& [number, end] : own->waits_for) {
      auto applied = is_applied(source, {key.source, key.topic, number}, end);
      if (!applied || !*applied) return applied;
    }
    if (auto saved = sink->save_waits_for(key, {}); !saved) return std::move(saved.error());
    source.flow(key.topic, key.number).partition.note_added();
  }
  return true;
}

// As of the sinks' last refresh.
Result<bool> Ownership::is_applied(SourceRuntime& source, const progress::PartitionKey& key, int64_t end) {
  for (const auto& sink : sinks_) {
    if (!sink->keeps_progress()) continue;
    auto applied = is_applied(sink->partitions(), source, key, end);
    if (!applied || !*applied) return applied;
  }
  return true;
}

// What is left may be nothing that can be read: transaction markers, or compacted away.
Result<bool> Ownership::is_empty_between(SourceRuntime& source, const progress::PartitionKey& key, int64_t first, int64_t end) {
  bool any = false;
  auto fetched = source.fetch(key.topic, key.number, first, end - 1, [&](const cdcrt_message&) {
    any = true;
    return false;
  });
  if (!fetched) return std::move(fetched.error());
  return !any;
}

Result<bool> Ownership::is_read(SourceRuntime& source, SinkRuntime& sink, const progress::PartitionKey& key, int64_t end) {
  const progress::Partition& partition = source.flow(key.topic, key.number).partition;
  if (!partition.owned()) {
    if (auto refreshed = sink.refresh(); !refreshed) return std::move(refreshed.error());
    return is_applied(sink.partitions(), source, key, end);
  }
  const int64_t next = partition.routed_next();
  return next >= end ? true : is_empty_between(source, key, next, end);
}

Result<bool> Ownership::is_applied(const Kept& kept, SourceRuntime& source, const progress::PartitionKey& key, int64_t end) {
  const auto found = kept.find(key);
  int64_t next = found == kept.end() ? 0 : found->second.next_offset;
  if (next >= end) return true;
  if (next == 0 && (found == kept.end() || !found->second.exact)) {
    auto bounds = source.source().bounds(key.topic, key.number);
    if (!bounds) return std::move(bounds.error());
    next = bounds->first;
  }
  return is_empty_between(source, key, next, end);
}

bool Ownership::others_rest(const SinkRuntime& sink) {
  Rest& rest = rests_[&sink];
  const auto now = Clock::now();
  if (now < rest.asked + (rest.rests ? kLookAtResting : kLookAgain)) return rest.rests;
  rest.asked = now;
  // Where the logs cannot be asked nothing new can come from them.
  if (const auto looked = look_at_others(sink)) rest.rests = *looked;
  return rest.rests;
}

Result<bool> Ownership::look_at_others(const SinkRuntime& sink) {
  const Kept kept = sink.partitions();
  for (auto& source : sources_) {
    if (!source->is_group()) continue;
    std::vector<progress::PartitionKey> others;
    auto listed = source->source().list([&](std::string_view topic, int32_t number) {
      progress::PartitionKey key{source->name(), std::string(topic), number};
      if (!key.is_note() && !source->flow(key.topic, number).partition.owned()) others.push_back(std::move(key));
      return true;
    });
    if (!listed) return std::move(listed.error());
    const auto told = source->bounds_of(others);
    for (const auto& key : others) {
      const auto of_key = told.find(key);
      auto bounds = of_key != told.end() ? Result<cdcrt_bounds>(of_key->second) : source->source().bounds(key.topic, key.number);
      if (!bounds) return std::move(bounds.error());
      if (bounds->end <= bounds->first) continue;
      const auto found = kept.find(key);
      const std::pair<int64_t, int64_t> now{bounds->end, found == kept.end() ? -1 : found->second.next_offset};
      auto& known = applied_[{&sink, key}];
      if (known == now) continue;
      auto applied = is_applied(kept, *source, key, bounds->end);
      if (!applied || !*applied) return applied;
      known = now;
    }
  }
  return true;
}

Result<int64_t> Ownership::first_of_log(SourceRuntime& source, const progress::PartitionKey& key) {
  auto bounds = source.source().bounds(key.topic, key.number);
  if (!bounds) return std::move(bounds.error());
  return bounds->first;
}

// Where a partition begins that was added to a topic. nullopt: it is empty.
Result<std::optional<progress::StartOffset>> Ownership::start_of_added(SourceRuntime& source, const progress::PartitionKey& key) {
  auto bounds = source.source().bounds(key.topic, key.number);
  if (!bounds) return std::move(bounds.error());
  if (bounds->end <= bounds->first) {
    // Which messages of the older partitions come before its first one is known once that is there.
    empty_.insert(key);
    return std::optional<progress::StartOffset>();
  }
  auto ends = ends_of_older(source, key);
  if (!ends) return std::move(ends.error());
  progress::StartOffset start;
  start.key = key;
  start.offset = bounds->first;
  start.waits_for = std::move(*ends);
  log(CDCRT_LOG_INFO, "sources." + source.name(),
      key.name() + " was added: it is read once the older partitions are applied up to where they end now");
  return std::optional(std::move(start));
}

// A partition that was added and is empty waits for its first message: until that is there nothing has to be known of it.
void Ownership::leave_out_empty(SourceRuntime& source, std::vector<progress::PartitionKey>& keys, Result<void>& failure) {
  std::vector<progress::PartitionKey> waiting;
  for (const auto& key : keys) {
    if (!empty_.contains(key)) continue;
    if (!failure) {  // nobody could tell of one before it: each may be waited for
      waiting.push_back(key);
      continue;
    }
    auto bounds = source.source().bounds(key.topic, key.number);
    if (!bounds) {
      asked_in_vain_[source.index()] = key;
      failure = std::move(bounds.error());
    }
    if (!failure || bounds->end <= bounds->first) {
      waiting.push_back(key);
    } else {
      empty_.erase(key);
    }
  }
  for (const auto& key : waiting) std::erase(keys, key);
  postpone(waiting, kLookAgain);
}

Result<bool> Ownership::others_are_read() {
  for (auto& source : sources_) {
    if (!source->is_group()) continue;
    auto [place, first_time] = ends_.try_emplace(source->index());
    auto& ends = place->second;
    if (first_time) {
      std::vector<progress::PartitionKey> keys;
      Result<void> asked = source->source().list([&](std::string_view topic, int32_t number) {
        keys.push_back({source->name(), std::string(topic), number});
        return true;
      });
      if (asked) ends = source->bounds_of(keys);
      for (const auto& key : keys) {
        if (!asked || ends.contains(key)) continue;
        auto bounds = source->source().bounds(key.topic, key.number);
        if (!bounds) asked = std::move(bounds.error());
        if (bounds) ends[key] = *bounds;
      }
      if (!asked) {
        ends_.erase(place);
        return std::move(asked.error());
      }
    }
    bool refreshed = false;
    for (const auto& [key, bounds] : ends) {
      if (bounds.end <= bounds.first || source->flow(key.topic, key.number).partition.owned()) continue;
      for (auto& sink : sinks_) {
        if (refreshed || !sink->keeps_progress()) continue;
        if (auto done = sink->refresh(); !done) return std::move(done.error());
      }
      refreshed = true;
      auto applied = is_applied(*source, key, bounds.end);
      if (!applied || !*applied) return applied;
    }
  }
  return true;
}

}  // namespace cdcrt::runtime
