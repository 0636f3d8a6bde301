// Observation: what a running pipeline tells of itself: metrics, health and status, over HTTP where the manifest says so.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "dead_letters/dead_letters.hpp"
#include "observe/endpoint.hpp"
#include "observe/health.hpp"
#include "observe/http_server.hpp"
#include "runtime/decode_pool.hpp"
#include "runtime/load_watch.hpp"
#include "runtime/log_ends.hpp"
#include "runtime/ownership.hpp"

namespace cdcrt::runtime {

/// The pipeline's thread calls it, but for what Health and the server ask for. What it refers to outlives it.
class Observation final : public observe::Health {
 public:
  struct Parts {
    const manifest::Manifest& manifest;
    Monitor& monitor;
    Flows& flows;
    dead_letters::DeadLetters& dead_letters;
    std::vector<std::unique_ptr<SourceRuntime>>& sources;
    std::vector<std::unique_ptr<SinkRuntime>>& sinks;
    Ownership& ownership;
    std::unique_ptr<Destinations>& destinations;
    std::unique_ptr<DecodePool>& decoders;
    int64_t message_limit, row_limit;
    std::chrono::microseconds patience;  ///< with threads that have heartbeats
  };
  explicit Observation(Parts parts);
  ~Observation() override;

  /// Before anything is opened: the server answers from here on.
  Result<void> begin();
  /// What the start waits for now: "sinks.db".
  void opening(const std::string& component);
  /// Everything is made and runs; nothing of `parts` is replaced any more.
  void running();
  /// Again and again, by the pipeline's thread. Measures now and then how fast it goes.
  void beat();
  /// Until everything that there is is read; nullopt: not known.
  [[nodiscard]] std::optional<double> seconds_left() const;
  void stopping();
  /// Before sources and sinks go: nothing is asked of them any more.
  void end();

  [[nodiscard]] std::vector<observe::Reason> not_ready() const override;
  [[nodiscard]] std::vector<observe::Reason> not_alive() const override;
  /// The server's thread.
  [[nodiscard]] observe::Snapshot snapshot();

 private:
  enum class Phase : uint8_t { kStarting, kRunning, kStopping };
  [[nodiscard]] apply::PartitionsNow partitions_now() const;
  void add_sources(observe::Snapshot& snapshot, const apply::PartitionsNow& partitions) const;
  void add_partitions(observe::Snapshot& snapshot, const apply::PartitionsNow& now) const;
  void add_tables(observe::Snapshot& snapshot, const apply::PartitionsNow& partitions);
  void add_dead_letters(observe::Snapshot& snapshot) const;

  const Parts parts_;
  LogEnds ends_;
  LoadWatch load_;
  std::atomic<Phase> phase_{Phase::kStarting};
  std::atomic<std::chrono::steady_clock::rep> beat_;
  mutable std::mutex mutex_;
  std::string opening_;
  /// Of the server's thread: tables by when they were first seen, so that one keeps its series for the life of the process.
  std::unordered_map<const apply::Table*, uint32_t> numbers_;
  std::unique_ptr<observe::Endpoint> endpoint_;
  std::unique_ptr<observe::HttpServer> server_;
};

}  // namespace cdcrt::runtime
