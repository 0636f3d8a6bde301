#include "runtime/source_runtime.hpp"

#include <algorithm>

#include "cdcrt/sdk/status.hpp"
#include "runtime/decode_pool.hpp"
#include "runtime/log.hpp"

namespace cdcrt::runtime {
namespace {

// Of one outage, beside those that come at a distance.
constexpr std::size_t kMostTexts = 16;
// Between two attempts at seeks that a source could not say enough of.
constexpr std::chrono::milliseconds kFirstSeekWait{20}, kLongestSeekWait{10'000};

// One alone is asked for as ever: that tells what is wrong with it.
constexpr std::size_t kTogether = 2;

/// What `ask` tells of many places, by their keys; what it does not is left out.
template <class Ask>
auto told_of(const std::vector<progress::PartitionKey>& keys, const Ask& ask) {
  std::vector<plugin::Source::Place> places;
  std::map<progress::PartitionKey, typename decltype(ask(places))::value_type::value_type> found;
  if (keys.size() < kTogether) return found;
  places.reserve(keys.size());
  for (const auto& key : keys) places.push_back({key.topic, key.number});
  const auto told = ask(places);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (told[i]) found.emplace(keys[i], *told[i]);
  }
  return found;
}

}  // namespace

SourceRuntime::~SourceRuntime() { stop(); }

Result<void> SourceRuntime::open() {
  auto source = plugin::Source::create(manifest_);
  if (!source) return std::move(source.error());
  source_ = std::make_unique<plugin::Source>(std::move(*source));
  return {};
}

Result<void> SourceRuntime::start_at(const std::string& topic, int32_t partition, int64_t offset,
                                     const std::map<int64_t, progress::LastMessage>& lasts) {
  flow(topic, partition).partition.start_at(offset, lasts.empty() ? progress::LastMessage() : lasts.rbegin()->second);
  if (auto sought = source_->seek(topic, partition, offset, 0); !sought || lasts.empty()) return sought;
  expected_[{topic, partition}] = {offset, lasts};
  if (lasts.begin()->first >= offset) return {};
  return source_->seek(topic, partition, lasts.begin()->first, 0);
}

// A partition that is always ours cannot be asked for one message at a start without reading everything before it: the last one that was
// applied is read once more in its turn instead, before anything behind it.
Result<void> SourceRuntime::check_lasts() {
  const cdcrt_messages& batch = messages_taken_.get();
  const auto found = expected_.find({std::string(sdk::view(batch.topic)), batch.partition});
  if (found == expected_.end()) return {};
  if (batch.generation != 0) {  // sent back meanwhile: what comes is wanted for itself
    expected_.erase(found);
    return {};
  }
  auto& [start, lasts] = found->second;
  uint32_t below = 0;
  for (uint32_t i = 0; i < batch.count; ++i) {
    const cdcrt_message& message = batch.messages[i];
    if (message.offset < start) below = i + 1;
    while (!lasts.empty() && lasts.begin()->first < message.offset) lasts.erase(lasts.begin());  // gone with its file
    if (lasts.empty() || lasts.begin()->first != message.offset) continue;
    const progress::LastMessage& last = lasts.begin()->second;
    if (message.timestamp_ms != last.timestamp_ms || content_hash(message) != last.hash) {
      const progress::PartitionKey key{name(), found->first.first, found->first.second};
      return make_error(
          CDCRT_FATAL,
          key.name() + ": the message at offset " + std::to_string(last.offset) +
              " is not the one that was applied: another input stands in the place of the one that was read, or it was changed",
          "put back what was read; or, to read what is there now from its beginning: cdcrt progress rewind --topic " + key.topic +
              " --to earliest, with --empty where rows that are not in it have to go");
    }
    lasts.erase(lasts.begin());
  }
  if (lasts.empty() && below < batch.count) expected_.erase(found);
  messages_taken_.leave_out(below);
  return {};
}

Flow& SourceRuntime::flow(const std::string& topic, int32_t partition) {
  return flows_.find_or_add(
      index_, manifest_.name, topic, partition,
      [this](progress::Partition& rewound, int64_t offset, uint32_t generation) { request_seek(rewound, offset, generation); }, is_group());
}

void SourceRuntime::request_seek(const progress::Partition& partition, int64_t offset, uint32_t generation) {
  {
    const std::lock_guard lock(mutex_);
    seeks_.push_back({partition.topic(), partition.number(), offset, generation});
    ended_ = false;
  }
  monitor_.notify();
}

// Of the logs that are to be read from their beginning.
std::map<progress::PartitionKey, cdcrt_bounds> SourceRuntime::beginnings_of(const std::vector<Seek>& seeks) {
  std::vector<progress::PartitionKey> keys;
  for (const Seek& seek : seeks) {
    if (is_group() && seek.offset == 0) keys.push_back({name(), seek.topic, seek.partition});
  }
  return bounds_of(keys);
}

Result<void> SourceRuntime::seek_pending() {
  std::vector<Seek> seeks;
  {
    const std::lock_guard lock(mutex_);
    seeks.swap(seeks_);
  }
  if (std::chrono::steady_clock::now() >= seeks_again_at_) {
    seeks.insert(seeks.end(), late_seeks_.begin(), late_seeks_.end());
    late_seeks_.clear();
  }
  const auto beginnings = beginnings_of(seeks);
  std::vector<Seek> unasked, failed;
  bool is_away = false;
  for (const Seek& seek : seeks) {
    beat();  // a broker that is away is waited for
    // A later one, or a loss, has overtaken it.
    if (is_group() && flow(seek.topic, seek.partition).partition.generation() != seek.generation) continue;
    int64_t offset = seek.offset;
    // The beginning of a log is where it begins by now.
    if (is_group() && offset == 0) {
      const auto known = beginnings.find({name(), seek.topic, seek.partition});
      if (known == beginnings.end() && is_away) {
        unasked.push_back(seek);
        continue;
      }
      auto bounds = known != beginnings.end() ? Result<cdcrt_bounds>(known->second) : source_->bounds(seek.topic, seek.partition);
      if (!bounds) {
        if (bounds.error().code == CDCRT_FATAL) return std::move(bounds.error());
        // One after the other would keep this thread from the group for minutes.
        is_away = bounds.error().code == CDCRT_RETRY || bounds.error().code == CDCRT_UNREACHABLE;
        note_outage(bounds.error());
        failed.push_back(seek);
        continue;
      }
      offset = bounds->first;
      flow(seek.topic, seek.partition).partition.log_begins_at(offset);
    }
    log(CDCRT_LOG_DEBUG, "sources." + name(),
        "reading " + seek.topic + "[" + std::to_string(seek.partition) + "] from offset " + std::to_string(offset));
    if (auto done = source_->seek(seek.topic, seek.partition, offset, seek.generation); !done) return done;
  }
  // Nothing is read from there before it is known; what comes meanwhile is of an older generation. Whoever was asked in vain comes last,
  // and ever later: each may be waited for, while the others are not read.
  late_seeks_.insert(late_seeks_.end(), unasked.begin(), unasked.end());
  late_seeks_.insert(late_seeks_.end(), failed.begin(), failed.end());
  if (late_seeks_.empty()) seeks_wait_ = {};
  if (failed.empty()) return {};
  seeks_wait_ = std::clamp(2 * seeks_wait_, kFirstSeekWait, kLongestSeekWait);
  seeks_again_at_ = std::chrono::steady_clock::now() + seeks_wait_;
  return {};
}

void SourceRuntime::commit(const std::string& topic, int32_t partition, int64_t offset) {
  const std::lock_guard lock(mutex_);
  commits_[{topic, partition}] = offset;
}

void SourceRuntime::commit_pending() {
  std::map<std::pair<std::string, int32_t>, int64_t> commits;
  {
    const std::lock_guard lock(mutex_);
    commits.swap(commits_);
  }
  for (const auto& [partition, offset] : commits) source_->commit(partition.first, partition.second, offset);
}

Result<void> SourceRuntime::fetch(const std::string& topic, int32_t partition, int64_t first, int64_t last,
                                  const std::function<bool(const cdcrt_message&)>& visit) {
  const std::lock_guard lock(fetching_);
  if (!is_group()) return source_->fetch(topic, partition, first, last, visit);
  // Missing offsets are no fault in a log (compacted, markers of transactions), unless it begins behind them by now.
  Result<void> gap;
  bool began = false;
  const auto look = [&] {
    began = true;
    auto bounds = source_->bounds(topic, partition);
    if (!bounds) {
      gap = std::move(bounds.error());
    } else if (bounds->first > first) {
      gap = deleted_by_retention({name(), topic, partition}, first, bounds->first);
    }
  };
  auto fetched = source_->fetch(topic, partition, first, last, [&](const cdcrt_message& message) {
    if (!began && message.offset > first) look();
    began = true;
    return gap.ok() && visit(message);
  });
  if (fetched && !began && first <= last) look();
  if (!gap) return gap;
  // What was visited is of the log that is read only if that was still there afterwards.
  const progress::Partition& read = flow(topic, partition).partition;
  const progress::LastMessage anchor = read.owned() ? read.anchor() : progress::LastMessage();
  if (!fetched || anchor.offset < 0) return fetched;
  auto found = finds(topic, partition, anchor);
  if (!found) return std::move(found.error());
  if (!*found) return another_log({name(), topic, partition}, anchor.offset);
  return fetched;
}

Result<bool> SourceRuntime::finds(const std::string& topic, int32_t partition, const progress::LastMessage& last) {
  bool is_there = false, differs = false;
  auto fetched = source_->fetch(topic, partition, last.offset, last.offset, [&](const cdcrt_message& message) {
    is_there = message.offset == last.offset;
    differs = is_there && (message.timestamp_ms != last.timestamp_ms || content_hash(message) != last.hash);
    return false;
  });
  if (!fetched && fetched.error().code != CDCRT_UNSUPPORTED) return std::move(fetched.error());
  if (is_there) return !differs;
  auto bounds = source_->bounds(topic, partition);
  if (!bounds) return std::move(bounds.error());
  return last.offset < bounds->end;
}

Result<bool> SourceRuntime::is_same_log(const std::string& topic, int32_t partition, const progress::LastMessage& last, bool waits) {
  std::unique_lock lock(fetching_, std::defer_lock);
  if (waits) {
    lock.lock();
  } else if (!lock.try_lock()) {
    return make_error(CDCRT_BUSY, "the source is being read again");
  }
  return finds(topic, partition, last);
}

std::map<progress::PartitionKey, bool> SourceRuntime::are_same_logs(const std::map<progress::PartitionKey, progress::LastMessage>& lasts) {
  std::map<progress::PartitionKey, bool> same;
  const std::unique_lock lock(fetching_, std::try_to_lock);
  if (!lock.owns_lock() || lasts.size() < kTogether) return same;
  std::vector<plugin::Source::Place> places;
  std::vector<decltype(lasts.begin())> order;
  for (auto each = lasts.begin(); each != lasts.end(); ++each) {
    places.push_back({each->first.topic, each->first.number, each->second.offset});
    order.push_back(each);
  }
  source_->messages_at(places, [&](std::size_t index, const cdcrt_message* message) {
    const auto& [key, last] = *order[index];
    same[key] = message != nullptr && message->timestamp_ms == last.timestamp_ms && content_hash(*message) == last.hash;
  });
  return same;
}

std::map<progress::PartitionKey, cdcrt_bounds> SourceRuntime::bounds_of(const std::vector<progress::PartitionKey>& keys) {
  return told_of(keys, [this](const auto& places) { return source_->bounds_of(places); });
}

std::map<progress::PartitionKey, int64_t> SourceRuntime::start_offsets_of(const std::vector<progress::PartitionKey>& keys) {
  return told_of(keys, [this](const auto& places) { return source_->start_offsets_of(places); });
}

Error another_log(const progress::PartitionKey& partition, int64_t offset) {
  return make_error(
      CDCRT_FATAL,
      partition.name() + ": the message at offset " + std::to_string(offset) +
          " is not the one that was applied: the topic was deleted and made again",
      "take a new snapshot at the source and run: cdcrt progress rewind --topic " + partition.topic +
          " --to earliest, with --empty where rows that are not in it have to go; without a new snapshot the same command reads what is there now");
}

Error deleted_by_retention(const progress::PartitionKey& partition, int64_t next, int64_t first) {
  return make_error(
      CDCRT_UNSUPPORTED,
      partition.name() + ": messages " + std::to_string(next) + " to " + std::to_string(first - 1) + " (" + std::to_string(first - next) +
          ") were deleted by retention before they were applied; the log begins at " + std::to_string(first),
      "take a new snapshot at the source and run: cdcrt progress rewind --topic " + partition.topic +
          " --to earliest; the same command accepts the gap where the source needs no snapshot; and raise the topic's retention");
}

void SourceRuntime::start(AssignmentListener& listener) {
  listener_ = &listener;
  heartbeat_ = &monitor_.heartbeats.add("source '" + name() + "'");
  reads_ = true;
  thread_ = std::thread([this] {
    const bool has_begun = begin(*listener_);
    while (has_begun && !monitor_.stop_reading && step(50)) beat();
    reads_ = false;
    monitor_.settled.notify_all();
    if (has_begun) stay();
  });
}

bool SourceRuntime::fail(Error error) {
  {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(error);
    ended_ = true;
  }
  monitor_.notify();
  return false;
}

bool SourceRuntime::begin(AssignmentListener& listener) {
  listener_ = &listener;
  events_.size = sizeof events_;
  events_.self = this;
  events_.assigned = [](void* self, cdcrt_string topic, int32_t partition) {
    auto* source = static_cast<SourceRuntime*>(self);
    source->listener_->assigned(source->index_, std::string(sdk::view(topic)), partition);
  };
  events_.revoked = [](void* self, cdcrt_string topic, int32_t partition) {
    auto* source = static_cast<SourceRuntime*>(self);
    source->listener_->revoked(source->index_, std::string(sdk::view(topic)), partition);
  };
  if (auto started = source_->start(events_); !started) return fail(std::move(started.error()));
  return true;
}

bool SourceRuntime::step(uint32_t timeout_ms) {
  if (auto sought = seek_pending(); !sought) return fail(std::move(sought.error()));
  commit_pending();
  // Something is always let through, so that one message larger than the budget cannot hang the process; but nothing beside its rows.
  if (monitor_.message_bytes >= max_message_bytes_ || monitor_.message_bytes + monitor_.row_bytes >= max_buffered_bytes_) {
    if (is_group()) {
      if (auto served = source_->serve(); !served) {
        if (served.error().code != CDCRT_RETRY) return fail(std::move(served.error()));
        note_outage(served.error());
      } else {
        outage_.answered(std::chrono::steady_clock::now());
      }
    }
    outage_.came(std::chrono::steady_clock::now());
    monitor_.intake.wait_once([&] { return monitor_.stop_reading.load(); }, std::chrono::milliseconds(20));
    return true;
  }
  auto polled = source_->poll(timeout_ms, messages_taken_);
  if (!polled) {
    if (polled.error().code != CDCRT_RETRY) return fail(std::move(polled.error()));
    note_outage(polled.error());
    return true;
  }
  if (outage_.lasts()) outage_.answered(std::chrono::steady_clock::now());
  if (*polled == plugin::Poll::kBatch) {
    // Of some troubles a source tells once, and nothing comes until they are over.
    if (!outage_.lasts() && reminder_.ends()) {
      outage_texts_.clear();
      log(CDCRT_LOG_INFO, "sources." + name(), "the source answers again");
    }
    if (!expected_.empty()) {
      if (auto checked = check_lasts(); !checked) return fail(std::move(checked.error()));
      if (messages_taken_.get().count == 0) return true;
    }
    outage_.came(std::chrono::steady_clock::now());
    if (messages_taken_.get().partition > CDCRT_NOTE_PARTITION) messages_ += messages_taken_.get().count;
    bytes_ += messages_taken_.get().bytes;
    Flow& target = flow(std::string(sdk::view(messages_taken_.get().topic)), messages_taken_.get().partition);
    flows_.push(target, std::move(messages_taken_));
  } else if (*polled == plugin::Poll::kEnd) {
    bool news = false;
    {
      const std::lock_guard lock(mutex_);
      news = ended_.exchange(seeks_.empty() && late_seeks_.empty()) != ended_;
    }
    if (news) monitor_.notify();
    // A group goes on living: its partitions may move, and what was assigned late is read as well.
    const auto goes_on = [&] { return monitor_.stop_reading || !ended_; };
    constexpr auto kStep = std::chrono::milliseconds(100);
    if (is_group()) {
      monitor_.news.wait_once(goes_on, kStep);
    } else {
      if (heartbeat_ != nullptr) heartbeat_->rest();
      monitor_.news.wait(goes_on, kStep);
    }
  } else {
    ended_ = false;
  }
  return true;
}

void SourceRuntime::note_outage(const Error& error) {
  const std::string text = explain(error);
  outage_.met(text, std::chrono::steady_clock::now());
  // Another trouble, or that of another part, is told at once.
  const bool is_new = outage_texts_.size() < kMostTexts && outage_texts_.insert(text).second;
  if (!reminder_.lasts() && !is_new) return;
  const auto seconds = reminder_.duration().count();
  log(CDCRT_LOG_WARNING, "sources." + name(),
      "waiting for the source" + (seconds > 0 ? ", for " + std::to_string(seconds) + " s by now" : std::string()) + ": " + text);
}

void SourceRuntime::beat() {
  if (heartbeat_ != nullptr) heartbeat_->beat();
}

void SourceRuntime::stay() {
  heartbeat_->rest();  // the end is bounded by shutdown_timeout
  commit_pending();
  if (failure()) return;
  // Members of a group stay alive until what they hold is written.
  while (is_group() && !monitor_.release_partitions) {
    commit_pending();
    if (auto served = source_->serve(); !served && served.error().code != CDCRT_RETRY) break;
    monitor_.news.wait_once([&] { return monitor_.release_partitions.load(); });
  }
  commit_pending();
  ended_ = true;
  monitor_.notify();
}

std::optional<Error> SourceRuntime::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void SourceRuntime::stop() {
  if (thread_.joinable()) {
    monitor_.stop_reading = true;
    monitor_.release_partitions = true;
    monitor_.notify();
    thread_.join();
  }
  if (source_) source_->stop();
}

}  // namespace cdcrt::runtime
