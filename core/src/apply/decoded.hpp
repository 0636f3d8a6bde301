// Decoded: rows of one partition's messages on their way into a table, and what becomes of those that it cannot take.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "cdcrt/abi/format.h"
#include "diagnostics/result.hpp"
#include "event/row_batch.hpp"
#include "progress/partition.hpp"

namespace cdcrt::apply {

struct Decoded {
  progress::Partition& partition;
  const cdcrt_messages& messages;
  const event::RowBatch& rows;
  const event::ShapeRegistry& shapes;
  int64_t next_offset;                        ///< the rows given are all that the table gets of the messages below it
  const event::Shape* first_shape = nullptr;  ///< of the first row, where it is at hand: looking it up takes a lock
};

/// A message that this table cannot take, with the reason code of its dead letter.
struct Refusal {
  uint32_t message;
  std::string reason;
  Error error;
};

/// Told of a refusal under the table's lock, before anything can be sealed: its dead letter is there before progress passes it.
using RefusalHandler = std::function<void(const Refusal&)>;

}  // namespace cdcrt::apply
