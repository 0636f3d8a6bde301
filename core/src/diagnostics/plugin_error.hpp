// An error as it crosses the plugin boundary, as one of ours.
#pragma once

#include "cdcrt/abi/base.h"
#include "diagnostics/result.hpp"

namespace cdcrt::diagnostics {

/// Copies, does not release.
Error to_error(const cdcrt_error& error);

}  // namespace cdcrt::diagnostics
