// ${env:X}, ${env:X:-default}, ${file:/path}, ${credential:NAME}, ${KIND:...} and $$ inside the string values of a manifest.
#pragma once

#include <string>

#include "manifest/references.hpp"
#include "manifest/tree.hpp"

namespace cdcrt::manifest {

/// Resolves every string value below `root` once; what comes out is never read again, so a value cannot smuggle in a reference
/// or a key. Keys are left alone. Relative files start at `folder`. One that cannot be resolved is reported at its own place
/// and marks its node as broken. One whose secret is not read now (References) marks it too, and is not reported.
void interpolate(Node& root, const std::string& folder, References& references, Report& report);

}  // namespace cdcrt::manifest
