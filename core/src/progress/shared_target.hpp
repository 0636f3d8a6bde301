// Whether a target has the rows of several pipelines.
#pragma once

#include <string>

#include "progress/store.hpp"

namespace cdcrt::progress {

/// Another pipeline, or another sink, writes the target as well. Only those that keep their progress in the same place are seen.
Result<bool> is_shared(plugin::Connection& connection, const Store& store, const std::string& target);

}  // namespace cdcrt::progress
