// Values as AWS DMS writes them: JSON without types.
#pragma once

#include <cstdint>

#include "cdcrt/sdk/json_tape.hpp"
#include "cdcrt/sdk/row_builder.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::dms {

/// `name`: index of the member, whose value the cell becomes. A number that DMS rounded becomes an F64, which only columns of floats take.
sdk::Status set_value(cdcrt_cell& cell, const sdk::JsonTape& tape, uint32_t name, sdk::RowBuilder& rows);

}  // namespace cdcrt::dms
