#include "runtime/source_runtime.hpp"

#include "cdcrt/sdk/status.hpp"
#include "runtime/log.hpp"

namespace cdcrt::runtime {

SourceRuntime::~SourceRuntime() { stop(); }

Result<void> SourceRuntime::open() {
  auto source = plugin::Source::create(manifest_);
  if (!source) return std::move(source.error());
  source_ = std::make_unique<plugin::Source>(std::move(*source));
  return {};
}

Result<void> SourceRuntime::start_at(const std::string& topic, int32_t partition, int64_t offset) {
  flow(topic, partition).partition.start_at(offset);
  return source_->seek(topic, partition, offset, 0);
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

Result<void> SourceRuntime::seek_pending() {
  std::vector<Seek> seeks;
  {
    const std::lock_guard lock(mutex_);
    seeks.swap(seeks_);
  }
  for (const Seek& seek : seeks) {
    // A later one, or a loss, has overtaken it.
    if (is_group() && flow(seek.topic, seek.partition).partition.generation() != seek.generation) continue;
    int64_t offset = seek.offset;
    // The beginning of a log is where it begins by now.
    if (is_group() && offset == 0) {
      auto bounds = source_->bounds(seek.topic, seek.partition);
      if (!bounds) {
        if (bounds.error().code == CDCRT_FATAL) return std::move(bounds.error());
        // Nothing is read from there before it is known; what comes meanwhile is of an older generation.
        const std::lock_guard lock(mutex_);
        seeks_.push_back(seek);
        continue;
      }
      offset = bounds->first;
      flow(seek.topic, seek.partition).partition.log_begins_at(offset);
    }
    log(CDCRT_LOG_DEBUG, "sources." + name(), "reading " + seek.topic + "[" + std::to_string(seek.partition) + "] from offset " + std::to_string(offset));
    if (auto done = source_->seek(seek.topic, seek.partition, offset, seek.generation); !done) return done;
  }
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
  return gap ? std::move(fetched) : std::move(gap);
}

Error deleted_by_retention(const progress::PartitionKey& partition, int64_t next, int64_t first) {
  return make_error(CDCRT_UNSUPPORTED,
                    partition.name() + ": messages " + std::to_string(next) + " to " + std::to_string(first - 1) + " (" + std::to_string(first - next) +
                        ") were deleted by retention before they were applied; the log begins at " + std::to_string(first),
                    "take a new snapshot at the source and run: cdcrt progress rewind --topic " + partition.topic +
                        " --to earliest; the same command accepts the gap where the source needs no snapshot; and raise the topic's retention");
}

void SourceRuntime::start(AssignmentListener& listener) {
  listener_ = &listener;
  thread_ = std::thread([this] { work(); });
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
  // Something small is always let through, so that one message larger than the budget cannot hang the process.
  if (monitor_.message_bytes >= max_message_bytes_) {
    if (is_group()) {
      if (auto served = source_->serve(); !served && served.error().code != CDCRT_RETRY) return fail(std::move(served.error()));
    }
    bool waited = false;
    monitor_.wait([&] { return std::exchange(waited, true) || monitor_.stop_reading || monitor_.message_bytes < max_message_bytes_; }, std::chrono::milliseconds(20));
    return true;
  }
  auto polled = source_->poll(timeout_ms, messages_taken_);
  if (!polled) {
    if (polled.error().code != CDCRT_RETRY) return fail(std::move(polled.error()));
    if (outage_.lasts()) {
      const auto seconds = outage_.duration().count();
      log(CDCRT_LOG_WARNING, "sources." + name(), "waiting for the source" + (seconds > 0 ? ", for " + std::to_string(seconds) + " s by now" : std::string()) + ": " + explain(polled.error()));
    }
    return true;
  }
  if (*polled == plugin::Poll::kBatch) {
    if (outage_.ends()) log(CDCRT_LOG_INFO, "sources." + name(), "the source answers again");
    messages_ += messages_taken_.get().count;
    Flow& target = flow(std::string(sdk::view(messages_taken_.get().topic)), messages_taken_.get().partition);
    flows_.push(target, std::move(messages_taken_));
  } else if (*polled == plugin::Poll::kEnd) {
    bool news = false;
    {
      const std::lock_guard lock(mutex_);
      news = ended_.exchange(seeks_.empty()) != ended_;
    }
    if (news) monitor_.notify();
    // A group goes on living: its partitions may move, and what was assigned late is read as well.
    bool waited = false;
    monitor_.wait([&] { return (is_group() && std::exchange(waited, true)) || monitor_.stop_reading || !ended_; }, std::chrono::milliseconds(100));
  } else {
    ended_ = false;
  }
  return true;
}

void SourceRuntime::work() {
  if (!begin(*listener_)) return;
  while (!monitor_.stop_reading && step(50)) {
  }
  commit_pending();
  if (failure()) return;
  // Members of a group stay alive until what they hold is written.
  while (is_group() && !monitor_.leave) {
    commit_pending();
    if (auto served = source_->serve(); !served && served.error().code != CDCRT_RETRY) break;
    bool waited = false;
    monitor_.wait([&] { return std::exchange(waited, true) || monitor_.leave; });
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
    monitor_.leave = true;
    monitor_.notify();
    thread_.join();
  }
  if (source_) source_->stop();
}

}  // namespace cdcrt::runtime
