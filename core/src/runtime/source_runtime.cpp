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
  return flows_.find_or_add(index_, manifest_.name, topic, partition,
                            [this](progress::Partition& rewound, int64_t offset, uint32_t generation) { request_seek(rewound, offset, generation); });
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
    log(CDCRT_LOG_INFO, "sources." + name(), "reading " + seek.topic + "[" + std::to_string(seek.partition) + "] again from offset " + std::to_string(seek.offset) + " (truncate)");
    if (auto done = source_->seek(seek.topic, seek.partition, seek.offset, seek.generation); !done) return done;
  }
  return {};
}

void SourceRuntime::start() {
  thread_ = std::thread([this] { work(); });
}

void SourceRuntime::work() {
  const auto fail = [this](Error error) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(error);
    ended_ = true;
    monitor_.notify();
  };
  if (auto started = source_->start(); !started) return fail(std::move(started.error()));
  plugin::Messages messages;
  while (!monitor_.stop_reading) {
    // Something small is always let through, so that one message larger than the budget cannot hang the process.
    monitor_.wait([&] { return monitor_.stop_reading || monitor_.message_bytes < max_message_bytes_; });
    if (auto sought = seek_pending(); !sought) return fail(std::move(sought.error()));
    auto polled = source_->poll(50, messages);
    if (!polled) {
      if (polled.error().code != CDCRT_RETRY) return fail(std::move(polled.error()));
      log(CDCRT_LOG_WARNING, "sources." + name(), polled.error().message);
      continue;
    }
    if (*polled == plugin::Poll::kBatch) {
      messages_ += messages.get().count;
      Flow& target = flow(std::string(sdk::view(messages.get().topic)), messages.get().partition);
      flows_.push(target, std::move(messages));
    } else if (*polled == plugin::Poll::kEnd) {
      {
        const std::lock_guard lock(mutex_);
        ended_ = seeks_.empty();
      }
      monitor_.notify();
      monitor_.wait([&] { return monitor_.stop_reading || !ended_; });
    }
  }
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
    monitor_.notify();
    thread_.join();
  }
  if (source_) source_->stop();
}

}  // namespace cdcrt::runtime
