// DecodePool: workers that take a partition's next batch, decode it with their own decoder and hand the rows to the tables.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "dead_letters/dead_letters.hpp"
#include "event/row_batch.hpp"
#include "runtime/destinations.hpp"
#include "runtime/flow.hpp"
#include "runtime/monitor.hpp"

namespace cdcrt::runtime {

/// Totals of what went through; any thread.
struct DecodeCounts {
  std::atomic<uint64_t> rows{0};      ///< changes handed to tables
  std::atomic<uint64_t> markers{0};   ///< heartbeats, transaction boundaries, tombstones, schema changes
  std::atomic<uint64_t> ignored{0};   ///< rows of tables that no route names
  std::atomic<uint64_t> rejected{0};  ///< messages that became dead letters before any table
};

/// A hash of key and value, by which a message is recognised when it is read again (progress::LastMessage).
uint64_t content_hash(const cdcrt_message& message);

class DecodePool {
 public:
  struct Context {
    const manifest::Manifest& manifest;
    Monitor& monitor;
    Flows& flows;
    event::ShapeRegistry& shapes;
    Destinations& destinations;
    dead_letters::DeadLetters& dead_letters;
    std::vector<std::unique_ptr<SinkRuntime>>& sinks;
    int64_t max_row_bytes;
    uint64_t max_gathered_bytes = 0;  ///< of waiting batches that a worker decodes together; one alone may have more
  };
  explicit DecodePool(Context context);
  ~DecodePool();

  /// Creates a decoder per worker and source; fails where a plugin refuses its settings.
  Result<void> start(unsigned workers);
  void stop();
  [[nodiscard]] const DecodeCounts& counts() const { return counts_; }
  /// Why decoding cannot go on; nullopt: it can.
  [[nodiscard]] std::optional<Error> failure() const;

 private:
  struct Worker;
  void work(Worker& worker);
  Result<void> decode(Worker& worker, Flow& flow, const cdcrt_messages& messages);
  Result<void> route(Worker& worker, Flow& flow, const cdcrt_messages& messages);
  void hand_over(Worker& worker, Flow& flow, const cdcrt_messages& messages, const Destination& to, const std::vector<uint32_t>& rows);
  static void fetch_ahead(const Worker& worker, const Flow& flow, const cdcrt_messages& messages, std::size_t at);
  uint64_t wait_for_room(Worker& worker, const Destination& to);
  void tell_sinks();
  void relieve_dead_letters(Worker& worker);
  void dead_letter(const Flow& flow, const cdcrt_message& message, const apply::Table* table, const std::string& reason,
                   const Error& error);

  Context context_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_{false};
  DecodeCounts counts_;
  mutable std::mutex mutex_;
  std::optional<Error> failure_;
};

}  // namespace cdcrt::runtime
