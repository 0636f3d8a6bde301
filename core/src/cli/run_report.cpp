#include "cli/run_report.hpp"

#include <unistd.h>

#include <iostream>

#include "cli/exit_code.hpp"
#include "cli/summary_text.hpp"
#include "diagnostics/renderer.hpp"
#include "runtime/log.hpp"

namespace cdcrt::cli {

bool RunReport::shows_progress() const { return !options_.quiet && !options_.json_logs && ::isatty(STDERR_FILENO) != 0; }

void RunReport::progress(const runtime::RunProgress& progress) { std::cerr << progress_line(progress) << std::flush; }

void RunReport::progress_ends() { std::cerr << "\r\033[K" << std::flush; }

void RunReport::failed(const std::vector<diagnostics::Diagnostic>& diagnostics) {
  if (options_.json_logs) {
    runtime::log_diagnostics(diagnostics);
  } else {
    std::cerr << (options_.json_summary ? diagnostics::render_json(diagnostics)
                                        : diagnostics::render(diagnostics, *texts_, diagnostics::wants_colour(STDERR_FILENO)));
  }
}

void RunReport::ended(const runtime::RunSummary& summary) {
  if (options_.json_summary) {
    print_json(summary, std::cout);
  } else if (!options_.quiet) {
    print_text(summary, std::cout);
  }
  std::cout << std::flush;
}

void RunReport::exit_now(diagnostics::Ending ending) { ::_exit(exit_code_of(ending)); }

}  // namespace cdcrt::cli
