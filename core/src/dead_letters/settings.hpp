// What the manifest says of dead letters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "plugin/component.hpp"

namespace cdcrt::dead_letters {

struct Settings {
  enum class Kind : uint8_t { kFile, kTable, kSink };
  Kind kind = Kind::kFile;
  std::string path;                      ///< of the file; never empty
  std::string pattern;                   ///< the files of all processes: a path whose name may hold *
  plugin::Component sink;                ///< kSink: who takes them
  std::optional<plugin::Component> log;  ///< kSink: a source that reads them back
  std::optional<uint64_t> max_count;     ///< of a run; more stop it
  double max_ratio = 0;                  ///< of the last 10,000 messages; 0: any
  diagnostics::Position position;
};

}  // namespace cdcrt::dead_letters
