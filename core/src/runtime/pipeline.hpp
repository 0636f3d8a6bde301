// The pipeline at work: sources, decoders, tables, sinks, from start to summary.
#pragma once

#include "diagnostics/ending.hpp"
#include "manifest/manifest.hpp"
#include "runtime/run_reporter.hpp"

namespace cdcrt::runtime {

/// Runs until the sources end or a signal comes. Takes over SIGINT and SIGTERM while it runs. `json_logs`: logs as JSON lines.
diagnostics::Ending run(const manifest::Manifest& manifest, RunReporter& reporter, bool json_logs);

}  // namespace cdcrt::runtime
