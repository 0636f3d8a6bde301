// A consumer group in memory, whose lists can be spoiled, and a pipeline over it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "apply/memory_sink.hpp"
#include "cdcrt/abi/plugin.h"
#include "cdcrt/sdk/status.hpp"
#include "dead_letters/dead_letters.hpp"
#include "event/shape.hpp"
#include "runtime/event_reader.hpp"
#include "runtime/ownership.hpp"

namespace cdcrt::test {

/// Topics t0, t1 ... of one partition with `end` messages each, how the source answers, and what it was asked for. One at a time.
struct Group {
  /// What a list does with those that are spoiled.
  enum class Lists { kLeaveOut, kFailAfterAll, kFailAtFirst };

  int topics = 300;
  int64_t end = 7;
  std::set<std::string> spoiled;
  Lists lists = Lists::kLeaveOut;
  cdcrt_code alone = CDCRT_OK;   ///< what the spoiled answer when they are asked for alone
  bool has_no_messages = false;  ///< of the spoiled: lists of messages tell that none is there
  std::chrono::milliseconds list_of_messages_takes{0};
  std::function<sdk::Status(cdcrt_messages&)> on_poll;
  std::string waits_for;  ///< serve() says so, with RETRY

  struct Asked {
    std::multiset<std::string> alone;  ///< topics
    std::set<std::string> told;        ///< by lists
    int lists = 0;
    /// Of these a list told, and yet they were asked for.
    [[nodiscard]] std::set<std::string> twice() const;
  };
  Asked bounds, origins, messages;
  std::map<std::string, int64_t> sought;
  int polls = 0;
  std::mutex mutex;  ///< of what was asked for
};
Group& group();

cdcrt_message message_at(int64_t offset);
progress::LastMessage last_at(int64_t offset);

/// A pipeline over the group, whose partitions were all assigned; without sinks, or with one into `database`, which outlives it.
struct Pipeline {
  explicit Pipeline(memory_sink::Database* database = nullptr, std::string owner = "first");
  runtime::SourceRuntime& source() { return *sources.front(); }
  progress::Partition& partition(const std::string& topic) { return source().flow(topic, 0).partition; }
  [[nodiscard]] std::set<std::string> unowned();  ///< topics
  void assign(const std::string& topic) { ownership.assigned(0, topic, 0); }
  /// Claims what is due until nothing waits; forgives what time mends.
  void settle();

  manifest::Source source_of_manifest;
  manifest::Sink sink_of_manifest;
  cdcrt_plugin descriptor{};
  const std::string name = "shop";
  runtime::Monitor monitor;
  event::ShapeRegistry shapes;
  runtime::Flows flows{monitor};
  dead_letters::DeadLetters dead_letters{"unused"};
  std::vector<std::unique_ptr<runtime::SourceRuntime>> sources;
  runtime::SourceEventReader reader{shapes, sources};
  std::vector<std::unique_ptr<runtime::SinkRuntime>> sinks;
  runtime::Ownership ownership{monitor, sources, sinks};
};

/// A new Group, to be set up before the first Pipeline over it.
Group& new_group();

}  // namespace cdcrt::test
