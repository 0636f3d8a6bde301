// SourceRuntime: one source of the manifest at work: the thread that polls it, seeks, and a way to read messages again.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "manifest/manifest.hpp"
#include "plugin/instance.hpp"
#include "runtime/flow.hpp"
#include "runtime/monitor.hpp"

namespace cdcrt::runtime {

/// Created and started by the pipeline's thread; request_seek() may be called by any.
class SourceRuntime {
 public:
  SourceRuntime(const manifest::Source& manifest, std::size_t index, Monitor& monitor, Flows& flows, int64_t max_message_bytes)
      : manifest_(manifest), index_(index), monitor_(monitor), flows_(flows), max_message_bytes_(max_message_bytes) {}
  ~SourceRuntime();

  [[nodiscard]] const std::string& name() const { return manifest_.name; }
  [[nodiscard]] const manifest::Source& manifest() const { return manifest_; }
  Result<void> open();
  /// Before start(): where the target's progress of a partition ends.
  Result<void> start_at(const std::string& topic, int32_t partition, int64_t offset);
  void start();
  /// The flow of a partition of this source, made on first use.
  Flow& flow(const std::string& topic, int32_t partition);
  /// Every message was handed on, and no seek waits.
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] std::optional<Error> failure() const;
  [[nodiscard]] cdcrt_extent extent() { return source_->extent(); }
  [[nodiscard]] uint64_t messages() const { return messages_; }
  plugin::Source& source() { return *source_; }
  void stop();

 private:
  void work();
  Result<void> seek_pending();
  void request_seek(const progress::Partition& partition, int64_t offset, uint32_t generation);

  struct Seek {
    std::string topic;
    int32_t partition;
    int64_t offset;
    uint32_t generation;
  };
  const manifest::Source& manifest_;
  const std::size_t index_;
  Monitor& monitor_;
  Flows& flows_;
  const int64_t max_message_bytes_;
  std::unique_ptr<plugin::Source> source_;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::vector<Seek> seeks_;
  std::optional<Error> failure_;
  std::atomic<bool> ended_{false};
  std::atomic<uint64_t> messages_{0};
};

}  // namespace cdcrt::runtime
