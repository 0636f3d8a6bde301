// Messages that are no records of AWS DMS.
#pragma once

#include "cdcrt/sdk/json_tape.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::dms {

/// Why the object on the tape is none, and what can be done.
sdk::Status foreign_message(const sdk::JsonTape& tape);

}  // namespace cdcrt::dms
