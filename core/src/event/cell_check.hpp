// Cell check: whether what a cell says is what its tag promises.
#pragma once

#include <string>

#include "cdcrt/abi/value.h"

namespace cdcrt::event {

/// What is wrong with a cell of a known tag whose bytes can be read, as "'1e5', which is no decimal"; empty: nothing.
std::string fault_of_value(const cdcrt_cell& cell);

}  // namespace cdcrt::event
