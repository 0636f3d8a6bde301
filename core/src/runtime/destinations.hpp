// Destinations: finds the target table of the rows of a shape.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "event/shape.hpp"
#include "route/router.hpp"
#include "runtime/flow.hpp"
#include "runtime/sink_runtime.hpp"
#include "runtime/source_runtime.hpp"

namespace cdcrt::runtime {

/// Where the rows of a table go.
struct Destination {
  apply::Table* table = nullptr;        ///< null: ignored
  const SinkRuntime* sink = nullptr;    ///< of the table; null: it is written nowhere
  const event::Shape* shape = nullptr;  ///< of the rows; as long as its generation is held
};

/// What a decode worker remembers of them: by topic and shape, so that the partitions of a topic share it. One thread.
class KnownDestinations {
 public:
  /// Null: not known. Valid until the next call, as what add() answers.
  [[nodiscard]] const Destination* find(uint32_t topic, uint64_t shape) const;
  const Destination& add(uint32_t topic, uint64_t shape, Destination destination);

 private:
  /// Where shapes come and go.
  static constexpr std::size_t kMost = 1 << 16;
  static constexpr uint64_t kNone = UINT64_MAX;
  // One block, without nodes: of many tables nothing is in a cache, and each step to somewhere else waits for memory.
  struct Slot {
    uint64_t shape = kNone;
    uint32_t topic = 0;
    Destination destination;
  };
  [[nodiscard]] std::size_t place_of(uint32_t topic, uint64_t shape) const;
  void grow(std::size_t slots);

  std::vector<Slot> slots_;  ///< as many as a power of two, a half of them free at least
  std::size_t count_ = 0;
};

/// Any thread.
class Destinations {
 public:
  Destinations(const manifest::Manifest& manifest, const event::ShapeRegistry& shapes, std::vector<std::unique_ptr<SinkRuntime>>& sinks,
               std::vector<std::unique_ptr<SourceRuntime>>& sources);

  /// Resolved once for each topic and shape that `known` remembers. Valid until the next call for the same `known`. `generation`: of the
  /// shape, which is held.
  const Destination& of(const Flow& flow, uint32_t shape, uint64_t generation, KnownDestinations& known);
  /// The same without a memory.
  Destination resolve(const progress::Partition& partition, uint32_t shape);
  /// Which patterns of routes a table met so far.
  [[nodiscard]] std::vector<route::Router::PatternUse> pattern_uses() const { return router_.uses(); }
  [[nodiscard]] std::vector<route::Router::KeyRuleUse> key_rule_uses() const { return router_.key_rule_uses(); }
  [[nodiscard]] const std::string& key_file() const { return manifest_.key_file; }
  /// Tables that no route names, seen so far.
  [[nodiscard]] std::vector<std::string> ignored() const;

 private:
  const manifest::Manifest& manifest_;
  const event::ShapeRegistry& shapes_;
  std::vector<std::unique_ptr<SinkRuntime>>& sinks_;
  std::vector<std::unique_ptr<SourceRuntime>>& sources_;
  mutable std::mutex mutex_;
  route::Router router_;
  std::set<std::string> ignored_;
};

}  // namespace cdcrt::runtime
