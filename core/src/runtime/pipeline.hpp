// The pipeline at work: sources, decoders, tables, sinks, from start to summary.
#pragma once

#include "manifest/manifest.hpp"

namespace cdcrt::runtime {

struct RunOptions {
  bool json_logs = false;    ///< logs as JSON lines
  bool json_summary = false; ///< summary as one JSON object
  bool quiet = false;        ///< no progress line
};

/// Runs until the sources end or a signal comes. Answers the exit code: 0 done, 1 run-time failure, 2 manifest, 3 environment,
/// 4 done with dead letters. Takes over SIGINT and SIGTERM while it runs.
int run(const manifest::Manifest& manifest, const RunOptions& options);

}  // namespace cdcrt::runtime
