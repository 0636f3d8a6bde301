// RunReporter: reports how a run goes to people (progress line, summary), beside the log.
#pragma once

#include <vector>

#include "diagnostics/diagnostic.hpp"
#include "diagnostics/ending.hpp"
#include "runtime/summary.hpp"

namespace cdcrt::runtime {

/// Called by the pipeline's thread, but for exit_now().
class RunReporter {
 public:
  virtual ~RunReporter() = default;
  /// False: progress() is not called.
  [[nodiscard]] virtual bool shows_progress() const { return false; }
  virtual void progress(const RunProgress& /*progress*/) {}
  /// progress() is not called any more.
  virtual void progress_ends() {}
  virtual void failed(const std::vector<diagnostics::Diagnostic>& diagnostics) = 0;
  virtual void ended(const RunSummary& summary) = 0;
  /// True: ended() prints what the manifest names and nothing matched; else that is logged.
  [[nodiscard]] virtual bool tells_unmet() const { return false; }
  /// Ends the process at once, because something outside does not answer. Any thread.
  virtual void exit_now(diagnostics::Ending ending) = 0;
};

}  // namespace cdcrt::runtime
