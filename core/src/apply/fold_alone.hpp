// One message folded on the side, for what is tried row by row.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "apply/sealed.hpp"
#include "event/row_batch.hpp"

namespace cdcrt::apply {

/// The rows of one message folded by a table of their own, with the slots of `batch`; refused ones are left out. nullopt: nothing
/// to write. The partitions of what is answered must not be looked at: they are gone.
std::optional<Sealed> fold_alone(const Sealed& batch, const progress::Partition& partition, const cdcrt_messages& message,
                                 const event::RowBatch& rows, const std::vector<uint32_t>& indexes, const event::ShapeRegistry& shapes);

}  // namespace cdcrt::apply
