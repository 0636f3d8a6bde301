// RunReport: what the command `run` prints.
#pragma once

#include <memory>

#include "diagnostics/source_texts.hpp"
#include "runtime/run_reporter.hpp"

namespace cdcrt::cli {

struct RunReportOptions {
  bool json_logs = false;     ///< nothing but log lines on standard error
  bool json_summary = false;  ///< summary as one JSON object
  bool quiet = false;         ///< no progress line and no summary
};

class RunReport : public runtime::RunReporter {
 public:
  /// `texts`: what diagnostics are rendered with.
  RunReport(const RunReportOptions& options, std::shared_ptr<const diagnostics::SourceTexts> texts)
      : options_(options), texts_(std::move(texts)) {}
  [[nodiscard]] bool shows_progress() const override;
  void progress(const runtime::RunProgress& progress) override;
  void progress_ends() override;
  void failed(const std::vector<diagnostics::Diagnostic>& diagnostics) override;
  void ended(const runtime::RunSummary& summary) override;
  [[nodiscard]] bool tells_unmet() const override { return !options_.quiet && !options_.json_logs; }
  void exit_now(diagnostics::Ending ending) override;

 private:
  const RunReportOptions options_;
  const std::shared_ptr<const diagnostics::SourceTexts> texts_;
};

}  // namespace cdcrt::cli
