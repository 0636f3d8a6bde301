// Row check: what a decoder wrote is looked at before the host believes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cdcrt/abi/format.h"

namespace cdcrt::event {

class RowBatch;

enum class CheckDepth : uint8_t {
  kStructure,  ///< order, indexes, operations, shapes, tags: whatever could lose rows or end in a crash
  kValues      ///< also what each cell says: UTF-8, decimals, JSON and the like
};

/// A breach of the contract of cdcrt_format.
struct RowFault {
  uint32_t message = UINT32_MAX;  ///< index of the message it concerns; UINT32_MAX: of none in the batch
  std::string what;               ///< continues "it wrote "
};

/// The first fault of what `rows` holds after `messages` were decoded; nullopt: none.
std::optional<RowFault> find_fault(const cdcrt_messages& messages, const RowBatch& rows, CheckDepth depth);

/// What is wrong with a shape; empty: nothing.
std::string fault_of(const cdcrt_shape& shape);

}  // namespace cdcrt::event
