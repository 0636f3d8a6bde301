// What the system says of this process.
#pragma once

#include "observe/snapshot.hpp"

namespace cdcrt::runtime {

/// Reads /proc; what is not there is 0.
observe::ProcessFacts process_facts();

}  // namespace cdcrt::runtime
