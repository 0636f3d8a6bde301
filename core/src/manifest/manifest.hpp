// The manifest as the runtime sees it: parsed, included, overlaid, interpolated, checked, defaulted. Plain data.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dead_letters/settings.hpp"
#include "diagnostics/diagnostic.hpp"
#include "diagnostics/source_texts.hpp"
#include "observe/settings.hpp"
#include "plugin/component.hpp"
#include "route/settings.hpp"

namespace cdcrt::manifest {

using diagnostics::Position;
using plugin::Component;
using plugin::Options;
using route::ColumnRule;
using route::Route;

struct Source : Component {
  Component format;  ///< name: the source's
};

struct BatchLimits {
  uint64_t max_rows = 50'000;
  uint64_t max_bytes = 16ULL << 20;
  std::chrono::microseconds max_age{0};       ///< 0: write as soon as the connection is idle
  std::chrono::microseconds min_interval{0};  ///< between two writes of a table that is not full
};

struct Sink : Component {
  BatchLimits batch;
  BatchLimits load;  ///< of a table that has rows of a snapshot and nothing else; what is not given is as in `batch`
  uint32_t connections = 4;
  uint32_t group_tables = 0;  ///< tables of one transaction, up to batch.max_bytes together; 0: small ones share
  std::string progress_schema = "cdcrt";
  std::chrono::microseconds stall_after{30'000'000};  ///< a table that is locked for longer is detached
};

struct Runtime {
  uint64_t memory = 128ULL << 20;
  uint32_t decode_workers = 0;  ///< 0: from the cores
  std::vector<std::string> plugin_dirs;
  std::string log_level = "info";
  std::chrono::microseconds shutdown_timeout{30'000'000};
  observe::Settings http;
  Position http_position;
};

struct Manifest : route::Routing {
  std::string path;    ///< of the first file
  std::string folder;  ///< absolute; relative paths start here
  std::string pipeline;
  Runtime runtime;
  std::vector<Source> sources;
  std::vector<Sink> sinks;
  dead_letters::Settings dead_letters;
  std::vector<diagnostics::Diagnostic> warnings;          ///< worth knowing, and nothing is wrong
  std::shared_ptr<const diagnostics::SourceTexts> texts;  ///< what diagnostics about this manifest are rendered with
};

}  // namespace cdcrt::manifest
