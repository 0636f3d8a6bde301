// The descriptors that a shared object returns, checked and brought to the size that this host knows.
#pragma once

#include <cstdint>
#include <vector>

#include "cdcrt/abi/plugin.h"
#include "diagnostics/result.hpp"

namespace cdcrt::plugin {

/// Copies of the descriptors, with their functions and options, as this host declares them; valid for the life of the process. What
/// a shorter one lacks is zero, what a longer one has beyond is left out. Answers an error, worded to follow "plugin PATH ", unless
/// every descriptor is of this ABI and complete. Of a descriptor with another ABI nothing but its version is read.
Result<std::vector<const cdcrt_plugin*>> adopt_descriptors(const cdcrt_plugin* const* plugins, uint32_t count);

}  // namespace cdcrt::plugin
