// A dead letter as a row of cells, for targets and sinks.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "cdcrt/abi/value.h"
#include "dead_letters/dead_letter.hpp"

namespace cdcrt::dead_letters {

/// id, reason, message, source, topic, partition, offset, sink, target, timestamp, key, value, headers, decoded_row.
const std::vector<cdcrt_column>& dead_letter_columns();

/// Appends the dead letter's cells, which borrow from it and from `storage`.
void append_cells(std::vector<cdcrt_cell>& cells, const StoredDeadLetter& dead_letter, std::deque<std::string>& storage);

/// From the cells of dead_letter_columns().
Result<StoredDeadLetter> dead_letter_from(const cdcrt_cell* cells);

}  // namespace cdcrt::dead_letters
