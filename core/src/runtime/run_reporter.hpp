// RunReporter: who tells people how a run goes, beside the log.
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
  /// Nothing more of it comes.
  virtual void progress_ends() {}
  virtual void failed(const std::vector<diagnostics::Diagnostic>& diagnostics) = 0;
  virtual void ended(const RunSummary& summary) = 0;
  /// What the manifest names and nothing met is told by ended(); else it has to be logged.
  [[nodiscard]] virtual bool tells_unmet() const { return false; }
  /// Something outside does not answer: the process leaves at once. Any thread.
  virtual void exit_now(diagnostics::Ending ending) = 0;
};

}  // namespace cdcrt::runtime
