// Keys of the manifest that the host itself obeys, as option tables: what they are by default, what they may be, what they mean.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "dead_letters/settings.hpp"
#include "manifest/manifest.hpp"
#include "manifest/table_reader.hpp"

namespace cdcrt::manifest {

/// Keys of one table of the manifest.
struct HostTable {
  std::string_view name;  ///< as in its header: "runtime", "sinks.NAME"
  std::string_view about;
  std::span<const cdcrt_option> options;
};

/// In the order of a manifest.
const std::vector<HostTable>& host_tables();

/// `missing_help`: what to do where the name is missing.
void read_pipeline_keys(TableReader& reader, std::string_view missing_help, Manifest& manifest);
/// Where a key is not given it becomes its default. `folder` is absolute; relative paths start there.
Runtime read_runtime_keys(TableReader& reader, const std::string& folder);
/// Into the sink's own settings. `batch`: the reader of its table, which a plugin's options may share.
void read_sink_keys(TableReader& reader, TableReader& batch, Sink& sink);
/// The budget of [dead_letters].
void read_budget_keys(TableReader& reader, dead_letters::Settings& settings);

}  // namespace cdcrt::manifest
