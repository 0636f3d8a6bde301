// Health: whether the pipeline does its work, and what keeps it from it. What /livez and /readyz answer; a supervisor may ask the same.
#pragma once

#include <string>
#include <vector>

namespace cdcrt::observe {

struct Reason {
  std::string component;  ///< "sinks.db", "sources.events", "dead_letters", "pipeline"
  std::string text;       ///< a sentence for people, without secrets
};

/// Any thread; waits for nobody who reads or writes.
class Health {
 public:
  virtual ~Health() = default;
  /// Why the pipeline does not do its work now; empty: it is ready. Tables that are detached or stopped do not count: the others go on.
  [[nodiscard]] virtual std::vector<Reason> not_ready() const = 0;
  /// Why the process should be ended and started again; empty: it should not. Never because of what is outside of it.
  [[nodiscard]] virtual std::vector<Reason> not_alive() const = 0;
  [[nodiscard]] bool ready() const { return not_ready().empty(); }
};

}  // namespace cdcrt::observe
