// TableDefinition: what a control record says of a table.
#pragma once

#include <cstdint>

#include "cdcrt/sdk/json_tape.hpp"
#include "cdcrt/sdk/row_builder.hpp"
#include "cdcrt/sdk/table_shape.hpp"
#include "metadata.hpp"

namespace cdcrt::dms {

/// The type of a column by its name in a table definition ("INT32", "WSTRING"). Unknown: another name.
cdcrt_type type_named(std::string_view name, uint32_t length, uint32_t precision, int16_t scale);

/// `control`: the member control of the message, 0: none. `is_told` is false where it has no details: nothing is known then.
sdk::Status read_definition(const Metadata& metadata, const sdk::JsonTape& tape, uint32_t control, sdk::TableShape& shape, bool& is_told);

}  // namespace cdcrt::dms
