// What a source and a sink answer when they are connected to, before any start. Nothing is written, and no group is joined.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "diagnostics/result.hpp"
#include "manifest/manifest.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::cli {

struct SourceProbe {
  std::size_t topics = 0, partitions = 0;  ///< of sources whose server lists them
  uint64_t files = 0;                      ///< about as many a run has open for it; 0: not told
  std::vector<Error> warnings;             ///< patterns that nothing meets so far; `config_key` is set
};

/// Connects to the source, and to those who lead some of its partitions. An entry that is no pattern and that nothing meets is an error.
Result<SourceProbe> probe(const manifest::Source& source);

/// A sink that was connected to.
struct SinkProbe {
  plugin::Sink sink;
  plugin::Connection connection;
  int64_t kept_version = 0;  ///< format of the progress that it keeps; 0: none
};

/// Connects to the sink, and asks what it keeps of the pipeline: a newer format is an error. It makes nothing that is missing.
/// `process`: under this name things are left outside of the target by whoever goes on with the connection, see cdcrt_sink.identify.
Result<SinkProbe> probe(const manifest::Sink& sink, const std::string& pipeline, const std::string& process = {});

}  // namespace cdcrt::cli
