// Coordinator: the thread that claims partitions, stores low watermarks and tells the sources how far every target is.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "runtime/definition_watch.hpp"
#include "runtime/log_watch.hpp"
#include "runtime/ownership.hpp"
#include "runtime/resident_memory.hpp"

namespace cdcrt::runtime {

/// start() and stop() are called by the pipeline's thread.
class Coordinator {
 public:
  Coordinator(Monitor& monitor, Flows& flows, std::vector<std::unique_ptr<SourceRuntime>>& sources,
              std::vector<std::unique_ptr<SinkRuntime>>& sinks, Ownership& ownership)
      : monitor_(monitor), flows_(flows), sources_(sources), sinks_(sinks), ownership_(ownership), logs_(flows, sources, monitor),
        definitions_(ownership, sources, sinks) {}
  ~Coordinator();

  void start();
  void stop();
  /// Tells the sources the watermarks as stored, so that tools that show lag from the source's side are right.
  void tell_sources();
  /// One round of what its thread does about once a second, for callers without threads (the simulation). False: the pipeline must stop.
  bool save();
  bool claim();
  /// Sources that end have been read to their end, and other processes have applied their partitions of them.
  [[nodiscard]] bool all_read() const { return all_read_; }
  /// Why the pipeline must stop.
  [[nodiscard]] std::optional<Error> failure() const;

 private:
  void work();
  bool save(const std::function<bool(std::size_t sink)>& is_due);
  bool fail(Error error);

  Monitor& monitor_;
  Flows& flows_;
  std::vector<std::unique_ptr<SourceRuntime>>& sources_;
  std::vector<std::unique_ptr<SinkRuntime>>& sinks_;
  Ownership& ownership_;
  LogWatch logs_;
  ResidentMemory memory_;
  DefinitionWatch definitions_;
  struct Told {
    uint32_t session = 0;
    int64_t low = -1;
    bool operator==(const Told&) const = default;
  };
  std::unordered_map<const Flow*, Told> told_;  ///< to the sources
  std::chrono::steady_clock::time_point tells_all_at_{};
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> all_read_{false};
  mutable std::mutex mutex_;
  std::optional<Error> failure_;
};

}  // namespace cdcrt::runtime
