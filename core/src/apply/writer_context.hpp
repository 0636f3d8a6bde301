// WriterContext: what the parts of a writer need of whoever runs it.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "apply/event_reader.hpp"
#include "apply/outage.hpp"
#include "apply/sink_counts.hpp"
#include "dead_letters/dead_letters.hpp"
#include "plugin/instance.hpp"
#include "progress/store.hpp"

namespace cdcrt::apply {

/// All of it outlives the writer.
struct WriterContext {
  plugin::Sink& sink;
  progress::Store* store;  ///< null: the target keeps no progress
  EventReader& reader;
  dead_letters::DeadLetters& dead_letters;
  std::function<void(std::string_view message)> warn;
  /// True once the process should give up waiting for an outage to end.
  std::function<bool()> gives_up;
  /// True once the process is to end: what takes long is left where it stands, for the next start. May be null.
  std::function<bool()> stopping = {};
  /// A partition turned out not to be ours any more: it is to be forgotten, and claimed again if the source still assigns it to us.
  std::function<void(const progress::Partition&)> lost = {};
  /// Waits; null: sleeps.
  std::function<void(std::chrono::microseconds)> pause = {};
  /// A table that others lock for longer is detached; so is one that keeps the rest from going on (`crowded`).
  std::chrono::microseconds stall_after{30'000'000};
  std::function<bool(const Table&)> crowded = {};
  /// Locked around each transaction where only one connection may write; may be null.
  std::mutex* turn = nullptr;
  Outage* outage = nullptr;
  SinkCounts* counts = nullptr;
  std::string progress_schema = {};  ///< where try_row() may write; empty: nowhere
  /// Partitions that are never assigned to another process (files), as far as they are known. May be null.
  std::function<std::vector<const progress::Partition*>()> always_ours = {};
};

}  // namespace cdcrt::apply
