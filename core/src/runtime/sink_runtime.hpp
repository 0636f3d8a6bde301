// SinkRuntime: one sink of the manifest at work: its tables, its connections' threads, its progress.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "apply/writer.hpp"
#include "manifest/manifest.hpp"
#include "progress/store.hpp"
#include "runtime/flow.hpp"
#include "runtime/monitor.hpp"

namespace cdcrt::runtime {

/// Created and started by the pipeline's thread; table() is called by decode workers.
class SinkRuntime {
 public:
  struct Surroundings {
    Monitor& monitor;
    Flows& flows;
    apply::EventReader& reader;
    dead_letters::DeadLetters& letters;
    const std::string& pipeline;
    std::string owner;  ///< of leases: this process
  };
  SinkRuntime(const manifest::Sink& manifest, Surroundings surroundings);
  ~SinkRuntime();

  /// Creates the plugin's instance, connects, claims the leases and reads the progress. No retries: a start says what is wrong.
  Result<void> open();
  [[nodiscard]] const std::string& name() const { return manifest_.name; }
  [[nodiscard]] bool has_schemas() const;
  [[nodiscard]] bool keeps_progress() const { return store_ != nullptr; }
  [[nodiscard]] const progress::Stored& stored() const { return stored_; }
  [[nodiscard]] uint64_t max_rows() const { return manifest_.batch.max_rows; }

  /// The table of that name, made on first use; `flow_of` finds the flow of a stored partition.
  apply::Table& table(const std::string& schema, const std::string& name, const std::string& source_name, const manifest::Route& route,
                      const std::function<progress::Partition*(const progress::PartitionKey&)>& flow_of);
  [[nodiscard]] std::vector<apply::Table*> tables() const;

  void start();
  /// Everything held is written now, whatever the batch limits say.
  void flush();
  /// Nothing is held, nothing is being written.
  [[nodiscard]] bool idle() const;
  /// Ends the threads; the last one stores the watermarks.
  void finish();
  /// Why the sink cannot go on; empty: it can.
  [[nodiscard]] Error failure() const;
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  void work(bool keeps_watermarks);
  std::vector<apply::Sealed> pick();
  Result<void> save_watermarks(apply::Writer& writer);
  void fail(const Error& error);

  const manifest::Sink& manifest_;
  Surroundings surroundings_;
  std::unique_ptr<plugin::Sink> sink_;
  std::unique_ptr<progress::Store> store_;
  progress::Stored stored_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<apply::Table>> tables_;
  std::vector<std::thread> threads_;
  std::map<const progress::Partition*, int64_t> saved_watermarks_;
  std::atomic<unsigned> writing_{0};
  std::atomic<bool> flush_{false};
  std::atomic<bool> finishing_{false};
  std::atomic<bool> failed_{false};
  Error failure_;
};

}  // namespace cdcrt::runtime
