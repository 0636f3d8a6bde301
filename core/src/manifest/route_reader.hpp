// [defaults] and [routes.NAME].
#pragma once

#include <vector>

#include "manifest/manifest.hpp"
#include "manifest/table_reader.hpp"

namespace cdcrt::manifest {

/// Takes "defaults" and "routes" of the manifest's top, folds the first into the second, and checks what can be checked without
/// events: sinks that exist, patterns, ties, templates, column rules. `sinks` have been read before.
void read_routes(TableReader& top, const std::vector<Sink>& sinks, Manifest& manifest);

}  // namespace cdcrt::manifest
