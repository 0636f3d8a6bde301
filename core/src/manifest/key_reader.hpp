// Keys of many tables at once: `primary_keys` and `primary_keys_file` of [defaults].
#pragma once

#include "manifest/manifest.hpp"
#include "manifest/table_reader.hpp"

namespace cdcrt::manifest {

/// Takes both from [defaults]. Where both have the same pattern, the rule of the manifest wins.
void read_key_rules(TableReader& defaults, Manifest& manifest);

}  // namespace cdcrt::manifest
