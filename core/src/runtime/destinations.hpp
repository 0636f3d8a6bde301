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

/// Any thread, but a flow only by the worker that has taken it.
class Destinations {
 public:
  Destinations(const manifest::Manifest& manifest, const event::ShapeRegistry& shapes, std::vector<std::unique_ptr<SinkRuntime>>& sinks,
               std::vector<std::unique_ptr<SourceRuntime>>& sources);

  /// Resolved once per flow and shape.
  const Flow::Destination& of(Flow& flow, uint32_t shape);
  /// The same without the flow's cache, for other threads.
  Flow::Destination resolve(const progress::Partition& partition, uint32_t shape);
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
