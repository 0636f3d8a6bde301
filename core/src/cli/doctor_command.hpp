// `cdcrt doctor`: what a pipeline needs before its first start, each with what to do where it is missing.
#pragma once

#include <iosfwd>

#include "cli/manifest_commands.hpp"

namespace cdcrt::cli {

/// Checks manifest, secrets, machine, sources, sinks and the place of dead letters, and says each on `out`. Tables that are made to try
/// rights are taken back. The exit code: 0 where nothing failed, 2 where the manifest is wrong, else 3.
int doctor(const ManifestArguments& arguments, std::ostream& out);

}  // namespace cdcrt::cli
