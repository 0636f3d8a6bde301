// Checks of the descriptors that a shared object returns.
#pragma once

#include <cstdint>

#include "cdcrt/abi/plugin.h"
#include "diagnostics/result.hpp"

namespace cdcrt::plugin {

/// Answers an error, worded to follow "plugin PATH ", unless every descriptor is of this ABI and complete. Of a descriptor with
/// another ABI nothing but its version is read.
Result<void> check_descriptors(const cdcrt_plugin* const* plugins, uint32_t count);

}  // namespace cdcrt::plugin
