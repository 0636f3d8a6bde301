// A letter as a row of cells, for targets and sinks.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "cdcrt/abi/value.h"
#include "dead_letters/dead_letter.hpp"

namespace cdcrt::dead_letters {

/// id, reason, message, source, topic, partition, offset, sink, target, timestamp, key, value, headers, decoded_row.
const std::vector<cdcrt_column>& columns_of_letters();

/// Appends the letter's cells, which borrow from it and from `storage`.
void append_cells(std::vector<cdcrt_cell>& cells, const StoredDeadLetter& letter, std::deque<std::string>& storage);

/// From the cells of columns_of_letters().
Result<StoredDeadLetter> letter_from(const cdcrt_cell* cells);

}  // namespace cdcrt::dead_letters
